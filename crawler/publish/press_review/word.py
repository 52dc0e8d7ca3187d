"""The paragraphs as a Word file (python-docx): headings, ready contents, links, languages, page numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph as WordParagraph
from docx.text.run import Run as WordRun

from crawler.publish.digest_view import DigestView
from crawler.publish.phrases import get_locale
from crawler.publish.press_review.layout import ParagraphKind, ReviewParagraph, TextRun, make_paragraphs

WORD_FONT = "Calibri"
INK, SOFT, LINK = RGBColor(0x1C, 0x21, 0x27), RGBColor(0x5A, 0x62, 0x70), RGBColor(0x0B, 0x57, 0xB0)
WORD_STYLES = {
    ParagraphKind.TITLE: "Title",
    ParagraphKind.PERIOD: "Subtitle",
    ParagraphKind.SOFT: "Review Small",
    ParagraphKind.NOTHING: "Normal",
    ParagraphKind.CONTENTS: "Review Contents",
    ParagraphKind.CONTENTS_PART: "TOC 1",
    ParagraphKind.CONTENTS_STORY: "TOC 2",
    ParagraphKind.PART: "Heading 1",
    ParagraphKind.STORY: "Heading 2",
    ParagraphKind.TEXT: "Normal",
    ParagraphKind.CHANGE: "Review Change",
    ParagraphKind.ITEM: "List Bullet",
}
BOLD_STYLES = ("Title", "Heading 1", "Heading 2", "Review Contents", "TOC 1")
FONT_SIZES = {"Title": 24, "Subtitle": 12, "Heading 1": 16, "Heading 2": 13, "Review Small": 9.5,
              "Review Contents": 14, "TOC 1": 10.5, "TOC 2": 10.5, "List Bullet": 10.5}  # fmt: skip
"""Points; other styles have 11."""
PARAGRAPH_SPACING = {"Title": (0, 2), "Subtitle": (0, 2), "Heading 1": (22, 4), "Heading 2": (16, 2),
                     "Review Small": (0, 3), "Review Contents": (16, 4), "TOC 1": (4, 1), "TOC 2": (0, 1),
                     "List Bullet": (0, 2), "Review Change": (0, 4)}  # fmt: skip
"""Points before and after a paragraph; other styles have 0 and 6."""
CONTENTS_FIELD = r'TOC \o "1-2" \h \z \n'


def format_docx(view: DigestView) -> bytes:
    """Return the review as .docx."""
    document = Document()
    _set_up_document(document, view)
    added = [(paragraph, _add_paragraph(document, paragraph)) for paragraph in make_paragraphs(view)]
    _add_bookmarks(added)
    contents_kinds = (ParagraphKind.CONTENTS_PART, ParagraphKind.CONTENTS_STORY)
    contents = [word_paragraph for paragraph, word_paragraph in added if paragraph.kind in contents_kinds]
    if contents:
        _make_contents_field(contents)
    _add_footer(document, view)
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()


def _set_up_document(document: Any, view: DigestView) -> None:
    """Set page, styles, language and properties."""
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(22)
    styles = document.styles
    for name in sorted(set(WORD_STYLES.values()) - {style.name for style in styles}):
        styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = styles["Normal"]
    for name in dict.fromkeys(("Normal", *WORD_STYLES.values())):
        _set_style(styles[name], name)
    hyperlink = styles.add_style("Hyperlink", WD_STYLE_TYPE.CHARACTER)
    hyperlink.font.color.rgb, hyperlink.font.underline = LINK, True
    defaults = styles.element.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}")
    locale = view.phrases["locale"]
    _set_language(defaults, locale)
    properties = document.core_properties
    properties.title, properties.subject = f"{view.title}. {view.period}", view.number
    properties.author = properties.last_modified_by = "crawler"
    properties.language = locale
    properties.keywords = ", ".join(part.title for part in view.sections)[:255]
    properties.comments = ""
    properties.created = properties.modified = datetime.now(UTC).replace(tzinfo=None)


def _set_style(style: Any, name: str) -> None:
    """Replace the look of python-docx's template: its theme fonts, spacing and borders."""
    look = style.element.get_or_add_rPr()
    for tag in ("w:spacing", "w:kern"):
        for old in look.findall(qn(tag)):
            look.remove(old)
    fonts = look.get_or_add_rFonts()
    for key in list(fonts.attrib):
        del fonts.attrib[key]
    for kind in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{kind}"), WORD_FONT)
    style.font.size = Pt(FONT_SIZES.get(name, 11))
    style.font.color.rgb = SOFT if name == "Review Small" else INK
    style.font.italic = False
    style.font.bold = name in BOLD_STYLES
    before, after = PARAGRAPH_SPACING.get(name, (0, 6))
    form = style.paragraph_format
    form.space_before, form.space_after, form.line_spacing = Pt(before), Pt(after), 1.1
    if name in ("Review Change", "TOC 2"):
        form.left_indent = Mm(5)
    for border in style.element.findall(f"{qn('w:pPr')}/{qn('w:pBdr')}"):
        border.getparent().remove(border)
    if name == "Heading 1":
        _add_bottom_border(style.element.get_or_add_pPr())


def _add_bottom_border(properties: Any) -> None:
    borders = OxmlElement("w:pBdr")
    bottom = OxmlElement("w:bottom")
    for key, value in (("val", "single"), ("sz", "10"), ("space", "1"), ("color", "C8102E")):
        bottom.set(qn(f"w:{key}"), value)
    borders.append(bottom)
    properties.insert_element_before(borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:outlineLvl")


def _add_paragraph(document: Any, paragraph: ReviewParagraph) -> WordParagraph:
    added: WordParagraph = document.add_paragraph(style=WORD_STYLES[paragraph.kind])
    if paragraph.keep_with_next:
        added.paragraph_format.keep_with_next = True
    for run in paragraph.runs:
        _add_run(added, run)
    return added


def _add_run(paragraph: WordParagraph, run: TextRun) -> None:
    added = paragraph.add_run(run.text)
    if run.strong:
        added.bold = True
    added.italic = True if run.italic else None
    if run.marked:
        _highlight_run(added)
    if run.url:
        added.style = "Hyperlink"
    if locale := get_locale(run.language):
        _set_language(added._r.get_or_add_rPr(), locale)
    if run.url:
        _add_link(paragraph, added, run.url)


def _highlight_run(run: WordRun) -> None:
    shade = OxmlElement("w:shd")
    for key, value in (("val", "clear"), ("color", "auto"), ("fill", "FDF0B3")):
        shade.set(qn(f"w:{key}"), value)
    run._r.get_or_add_rPr().append(shade)


def _add_link(paragraph: WordParagraph, run: WordRun, url: str) -> None:
    """Move the run into a link, to an address or to a bookmark of this file."""
    link = OxmlElement("w:hyperlink")
    if url.startswith("#"):
        link.set(qn("w:anchor"), _make_bookmark_name(url[1:]))
    else:
        link.set(qn("r:id"), paragraph.part.relate_to(url, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    link.set(qn("w:history"), "1")
    run._r.addprevious(link)
    link.append(run._r)


def _set_language(properties: Any, locale: str) -> None:
    """Set the language by which Word checks the spelling."""
    for old in properties.findall(qn("w:lang")):
        properties.remove(old)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), locale)
    properties.append(language)


def _make_bookmark_name(anchor: str) -> str:
    """Return a name that Word allows. The prefix is that of bookmarks of a table of contents."""
    return "_Toc_" + anchor.replace("-", "_")


def _add_bookmarks(paragraphs: list[tuple[ReviewParagraph, WordParagraph]]) -> None:
    anchored = [(paragraph.anchor, added) for paragraph, added in paragraphs if paragraph.anchor]
    for number, (anchor, added) in enumerate(anchored, start=1):
        start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
        for mark in (start, end):
            mark.set(qn("w:id"), str(number))
        start.set(qn("w:name"), _make_bookmark_name(anchor))
        properties = added._p.get_or_add_pPr()
        properties.addnext(start)
        added._p.append(end)


def _make_contents_field(contents: list[WordParagraph]) -> None:
    """Put a table-of-contents field around the links, which work without it. Word can update the field."""
    start = [_make_field_mark("begin"), _make_instruction(CONTENTS_FIELD), _make_field_mark("separate")]
    for run in reversed(start):
        contents[0]._p.get_or_add_pPr().addnext(run)
    contents[-1]._p.append(_make_field_mark("end"))


def _add_footer(document: Any, view: DigestView) -> None:
    """Add the page number and the number of pages as fields: only Word knows them."""
    footer = document.sections[0].footer.paragraphs[0]
    footer.style = document.styles["Review Small"]
    footer.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for part in re.split(r"(\{pages?\})", view.phrases["page"]):
        if part in ("{page}", "{pages}"):
            code = "PAGE" if part == "{page}" else "NUMPAGES"
            shown = OxmlElement("w:r")
            text = OxmlElement("w:t")
            text.text = "1"
            shown.append(text)
            instruction = _make_instruction(code)
            marks = (_make_field_mark("begin"), instruction, _make_field_mark("separate"), shown)
            for run in (*marks, _make_field_mark("end")):
                footer._p.append(run)
        elif part:
            footer.add_run(part)


def _make_field_mark(kind: str) -> Any:
    run, mark = OxmlElement("w:r"), OxmlElement("w:fldChar")
    mark.set(qn("w:fldCharType"), kind)
    run.append(mark)
    return run


def _make_instruction(code: str) -> Any:
    run, text = OxmlElement("w:r"), OxmlElement("w:instrText")
    text.set(qn("xml:space"), "preserve")
    text.text = f" {code} "
    run.append(text)
    return run
