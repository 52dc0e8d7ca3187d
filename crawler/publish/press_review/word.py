"""The paragraphs as a Word file (python-docx): headings, contents that work at once, links, languages, page numbers."""

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
from crawler.publish.press_review.layout import ParagraphKind, ReviewParagraph, TextRun, make_paragraphs

WORD_FONT = "Calibri"
LOCALES = {"en": "en-GB", "ru": "ru-RU", "kk": "kk-KZ"}
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
FONT_SIZES = {"Title": 24, "Subtitle": 12, "Heading 1": 16, "Heading 2": 13, "Review Small": 9.5, "Review Contents": 14,
         "TOC 1": 10.5, "TOC 2": 10.5, "List Bullet": 10.5}  # fmt: skip
PARAGRAPH_SPACING = {"Title": (0, 2), "Subtitle": (0, 2), "Heading 1": (22, 4), "Heading 2": (16, 2), "Review Small": (0, 3),
          "Review Contents": (16, 4), "TOC 1": (4, 1), "TOC 2": (0, 1), "List Bullet": (0, 2),
          "Review Change": (0, 4)}  # fmt: skip
CONTENTS_FIELD = r'TOC \o "1-2" \h \z \n'


def format_docx(view: DigestView) -> bytes:
    """The bytes of the review as .docx."""
    document = Document()
    _set_up_document(document, view)
    written = [(paragraph, _add_paragraph(document, paragraph)) for paragraph in make_paragraphs(view)]
    _add_bookmarks(written)
    contents = [
        found
        for paragraph, found in written
        if paragraph.kind in (ParagraphKind.CONTENTS_PART, ParagraphKind.CONTENTS_STORY)
    ]
    if contents:
        _make_contents_field(contents)
    _add_footer(document, view)
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()


def _set_up_document(document: Any, view: DigestView) -> None:
    """Page, styles, language and properties."""
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
    _set_language(defaults, view.phrases.language)
    properties = document.core_properties
    properties.title, properties.subject = f"{view.title}. {view.period}", view.number
    properties.author = properties.last_modified_by = "crawler"
    properties.language = LOCALES[view.phrases.language]
    properties.keywords = ", ".join(part.title for part in view.sections)[:255]
    properties.comments = ""
    properties.created = properties.modified = datetime.now(UTC).replace(tzinfo=None)


def _set_style(style: Any, name: str) -> None:
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
    style.font.bold = name in ("Title", "Heading 1", "Heading 2", "Review Contents", "TOC 1")
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
    made: WordParagraph = document.add_paragraph(style=WORD_STYLES[paragraph.kind])
    if paragraph.keep_with_next:
        made.paragraph_format.keep_with_next = True
    for run in paragraph.runs:
        _add_run(made, run)
    return made


def _add_run(made: WordParagraph, run: TextRun) -> None:
    written = made.add_run(run.text)
    if run.strong:
        written.bold = True
    written.italic = True if run.italic else None
    if run.marked:
        _highlight_run(written)
    if run.url:
        written.style = "Hyperlink"
    if run.language in LOCALES:
        _set_language(written._r.get_or_add_rPr(), run.language)
    if run.url:
        _add_link(made, written, run.url)


def _highlight_run(written: WordRun) -> None:
    shade = OxmlElement("w:shd")
    for key, value in (("val", "clear"), ("color", "auto"), ("fill", "FDF0B3")):
        shade.set(qn(f"w:{key}"), value)
    written._r.get_or_add_rPr().append(shade)


def _add_link(made: WordParagraph, written: WordRun, url: str) -> None:
    """Put the run into a link: to an address, or to a bookmark of this file."""
    link = OxmlElement("w:hyperlink")
    if url.startswith("#"):
        link.set(qn("w:anchor"), _make_bookmark_name(url[1:]))
    else:
        link.set(qn("r:id"), made.part.relate_to(url, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    link.set(qn("w:history"), "1")
    written._r.addprevious(link)
    link.append(written._r)


def _set_language(properties: Any, language: str) -> None:
    for old in properties.findall(qn("w:lang")):
        properties.remove(old)
    spoken = OxmlElement("w:lang")
    spoken.set(qn("w:val"), LOCALES[language])
    properties.append(spoken)


def _make_bookmark_name(anchor: str) -> str:
    """The anchor as Word lets a bookmark be called; this beginning marks one that contents lead to."""
    return "_Toc_" + anchor.replace("-", "_")


def _add_bookmarks(written: list[tuple[ReviewParagraph, WordParagraph]]) -> None:
    anchored = [(paragraph.anchor, made) for paragraph, made in written if paragraph.anchor]
    for number, (anchor, made) in enumerate(anchored, start=1):
        begin, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
        for mark in (begin, end):
            mark.set(qn("w:id"), str(number))
        begin.set(qn("w:name"), _make_bookmark_name(anchor))
        properties = made._p.get_or_add_pPr()
        properties.addnext(begin)
        made._p.append(end)


def _make_contents_field(contents: list[WordParagraph]) -> None:
    """Make the links a table of contents that Word can also make anew; what stands there works without that."""
    begin = [_make_field_mark("begin"), _make_instruction(CONTENTS_FIELD), _make_field_mark("separate")]
    for run in reversed(begin):
        contents[0]._p.get_or_add_pPr().addnext(run)
    contents[-1]._p.append(_make_field_mark("end"))


def _add_footer(document: Any, view: DigestView) -> None:
    foot = document.sections[0].footer.paragraphs[0]
    foot.style = document.styles["Review Small"]
    foot.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for part in re.split(r"(\{pages?\})", view.phrases["page"]):
        if part in ("{page}", "{pages}"):
            code = "PAGE" if part == "{page}" else "NUMPAGES"
            shown = OxmlElement("w:r")
            text = OxmlElement("w:t")
            text.text = "1"
            shown.append(text)
            for run in (
                _make_field_mark("begin"),
                _make_instruction(code),
                _make_field_mark("separate"),
                shown,
                _make_field_mark("end"),
            ):
                foot._p.append(run)
        elif part:
            foot.add_run(part)


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
