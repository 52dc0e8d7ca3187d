"""Make the Word template of the press review: `python tests/support/review_template.py FILE.docx`.

`crawler/publish/press_review/review.docx` was made by it. A test compares the two.
"""

from __future__ import annotations

import sys
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

WORD_FONT = "Calibri"
INK, SOFT, LINK = RGBColor(0x1C, 0x21, 0x27), RGBColor(0x5A, 0x62, 0x70), RGBColor(0x0B, 0x57, 0xB0)
STYLES = ("Normal", "Title", "Subtitle", "Heading 1", "Heading 2", "Review Letterhead", "Review Facts", "Review Small",
          "Review Contents", "TOC 1", "TOC 2", "Review Change", "Review Comment", "List Bullet")  # fmt: skip
BOLD_STYLES = ("Title", "Heading 1", "Heading 2", "Review Contents", "Review Letterhead", "TOC 1")
SOFT_STYLES = ("Review Facts", "Review Small", "Review Letterhead")
KEPT_STYLES = ("Heading 1", "Heading 2", "Review Facts", "Review Contents")
"""They stay on one page with the next paragraph."""
FONT_SIZES = {"Title": 24, "Subtitle": 12, "Heading 1": 16, "Heading 2": 13, "Review Small": 9.5, "Review Facts": 9.5,
              "Review Contents": 14, "TOC 1": 10.5, "TOC 2": 10.5, "List Bullet": 10.5}  # fmt: skip
"""Points; other styles have 11."""
SPACING = {"Title": (0, 2), "Subtitle": (0, 2), "Heading 1": (22, 4), "Heading 2": (16, 2), "Review Small": (0, 3),
           "Review Facts": (0, 3), "Review Contents": (16, 4), "TOC 1": (4, 1), "TOC 2": (0, 1),
           "List Bullet": (0, 2), "Review Change": (0, 4), "Review Comment": (6, 8),
           "Review Letterhead": (0, 0)}  # fmt: skip
"""Points before and after a paragraph; other styles have 0 and 6."""
MARGIN, PAGE_WIDTH, PAGE_HEIGHT = Mm(22), Mm(210), Mm(297)
HINT = (
    "{#p Change the look and the words, move or delete lines. Names in braces are filled in. Notes like this vanish. #}"
)
LETTERHEAD = "letterhead"
LINES: tuple[tuple[str, str], ...] = (
    ("Review Small", HINT),
    ("Normal", "{%p if organisation or logo %}"),
    (LETTERHEAD, ""),
    ("Normal", "{%p endif %}"),
    ("Title", "{{ review.title }}"),
    ("Subtitle", "{{ review.period }}"),
    ("Review Small", "{{ review.about }}"),
    ("Normal", "{%p if review.nothing %}"),
    ("Normal", "{{ review.nothing }}"),
    ("Normal", "{%p endif %}"),
    ("Normal", "{%p if review.contents %}"),
    ("Review Contents", "{{ review.contents.title }}"),
    ("Normal", "{%p for part in review.contents.sections %}"),
    ("TOC 1", "{{ part.title }}"),
    ("Normal", "{%p for line in part.stories %}"),
    ("TOC 2", "{{ line }}"),
    ("Normal", "{%p endfor %}"),
    ("Normal", "{%p endfor %}"),
    ("Normal", "{%p endif %}"),
    ("Normal", "{%p for section in review.sections %}"),
    ("Heading 1", "{{ section.title }}"),
    ("Normal", "{%p for story in section.stories %}"),
    ("Heading 2", "{{ story.headline }}"),
    ("Review Facts", "{{ story.facts }}"),
    ("Normal", "{%p for note in story.notes %}"),
    ("Normal", '{%p if note.kind == "comment" %}'),
    ("Review Comment", "{{ note }}"),
    ("Normal", "{%p else %}"),
    ("Review Facts", "{{ note }}"),
    ("Normal", "{%p endif %}"),
    ("Normal", "{%p endfor %}"),
    ("Normal", "{%p if story.lead %}"),
    ("Normal", "{{ story.lead }}"),
    ("Normal", "{%p endif %}"),
    ("Normal", "{%p if story.change.title %}"),
    ("Normal", "{{ story.change.title }}"),
    ("Normal", "{%p endif %}"),
    ("Normal", "{%p for edit in story.change.edits %}"),
    ("Review Change", "{{ edit }}"),
    ("Normal", "{%p endfor %}"),
    ("Normal", "{%p if story.change.note %}"),
    ("Review Small", "{{ story.change.note }}"),
    ("Normal", "{%p endif %}"),
    ("Normal", "{%p for passage in story.passages %}"),
    ("Normal", "{{ passage }}"),
    ("Normal", "{%p endfor %}"),
    ("Normal", "{{ story.link }}"),
    ("Normal", "{%p if story.matched %}"),
    ("Review Small", "{{ story.matched }}"),
    ("Normal", "{%p endif %}"),
    ("Normal", "{%p for list in [story.copies, story.versions] %}"),
    ("Normal", "{%p if list.title %}"),
    ("Review Small", "{{ list.title }}"),
    ("Normal", "{%p for page in list.pages %}"),
    ("List Bullet", "{{ page }}"),
    ("Normal", "{%p endfor %}"),
    ("Normal", "{%p if list.more %}"),
    ("List Bullet", "{{ list.more }}"),
    ("Normal", "{%p endif %}"),
    ("Normal", "{%p endif %}"),
    ("Normal", "{%p endfor %}"),
    ("Normal", "{%p for change in story.revised %}"),
    ("Normal", "{{ change.title }}"),
    ("Normal", "{%p for edit in change.edits %}"),
    ("Review Change", "{{ edit }}"),
    ("Normal", "{%p endfor %}"),
    ("Normal", "{%p if change.note %}"),
    ("Review Small", "{{ change.note }}"),
    ("Normal", "{%p endif %}"),
    ("Normal", "{%p endfor %}"),
    ("Normal", "{%p endfor %}"),
    ("Normal", "{%p endfor %}"),
    ("Heading 1", "{{ review.sources.title }}"),
    ("Normal", "{%p for line in review.sources.counts %}"),
    ("List Bullet", "{{ line }}"),
    ("Normal", "{%p endfor %}"),
    ("Review Small", "{{ review.sources.counted }}"),
    ("Normal", "{%p if review.sources.left_out %}"),
    ("Review Small", "{{ review.sources.left_out }}"),
    ("Normal", "{%p endif %}"),
    ("Normal", "{%p if review.sources.troubles %}"),
    ("Normal", "{{ review.sources.trouble_title }}"),
    ("Normal", "{%p for line in review.sources.troubles %}"),
    ("List Bullet", "{{ line }}"),
    ("Normal", "{%p endfor %}"),
    ("Normal", "{%p else %}"),
    ("Review Small", "{{ review.sources.no_trouble }}"),
    ("Normal", "{%p endif %}"),
    ("Normal", "{%p if review.made %}"),
    ("Review Small", "{{ review.made }}"),
    ("Normal", "{%p endif %}"),
)


def make_template() -> bytes:
    """Return the template."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = PAGE_WIDTH, PAGE_HEIGHT
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = MARGIN
    _set_styles(document)
    for style, text in LINES:
        if style == LETTERHEAD:
            _add_letterhead(document)
        else:
            document.add_paragraph(text, style=style)
    footer = section.footer.paragraphs[0]
    footer.style, footer.alignment = document.styles["Review Small"], WD_ALIGN_PARAGRAPH.RIGHT
    footer.add_run("{{ page_number }}")
    properties = document.core_properties
    properties.title, properties.author, properties.comments = "Press review template", "crawler", ""
    properties.created = properties.modified = datetime(2026, 1, 1)  # noqa: DTZ001, python-docx wants a naive time
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()


def _set_styles(document: Any) -> None:
    styles = document.styles
    for name in sorted(set(STYLES) - {style.name for style in styles}):
        styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = styles["Normal"]
    for name in STYLES:
        _set_style(styles[name], name)
    hyperlink = styles.add_style("Hyperlink", WD_STYLE_TYPE.CHARACTER)
    hyperlink.font.color.rgb, hyperlink.font.underline = LINK, True


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
    style.font.color.rgb = SOFT if name in SOFT_STYLES else INK
    style.font.italic = False
    style.font.bold = name in BOLD_STYLES
    before, after = SPACING.get(name, (0, 6))
    form = style.paragraph_format
    form.space_before, form.space_after, form.line_spacing = Pt(before), Pt(after), 1.1
    form.keep_with_next = name in KEPT_STYLES
    form.widow_control = True
    if name in ("Review Change", "Review Comment", "TOC 2"):
        form.left_indent = Mm(5)
    for border in style.element.findall(f"{qn('w:pPr')}/{qn('w:pBdr')}"):
        border.getparent().remove(border)
    if name == "Heading 1":
        _add_border(style.element.get_or_add_pPr(), "bottom", "10", "1", "C8102E")
    if name == "Review Change":
        _add_border(style.element.get_or_add_pPr(), "left", "18", "6", "B5892E")
    if name == "Review Comment":
        _add_border(style.element.get_or_add_pPr(), "left", "24", "6", "0B57B0")
        _add_shade(style.element.get_or_add_pPr(), "EEF2F7")


def _add_border(properties: Any, side: str, size: str, space: str, color: str) -> None:
    borders, line = OxmlElement("w:pBdr"), OxmlElement(f"w:{side}")
    for key, value in (("val", "single"), ("sz", size), ("space", space), ("color", color)):
        line.set(qn(f"w:{key}"), value)
    borders.append(line)
    properties.insert_element_before(borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:outlineLvl")


def _add_shade(properties: Any, color: str) -> None:
    shade = OxmlElement("w:shd")
    for key, value in (("val", "clear"), ("color", "auto"), ("fill", color)):
        shade.set(qn(f"w:{key}"), value)
    properties.insert_element_before(shade, "w:tabs", "w:spacing", "w:ind", "w:jc", "w:outlineLvl")


def _add_letterhead(document: Any) -> None:
    """Add a row with the name on the left and the logo on the right."""
    table = document.add_table(rows=1, cols=2)
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    width = PAGE_WIDTH - 2 * MARGIN
    for cell, part, text in zip(table.rows[0].cells, (0.6, 0.4), ("organisation", "logo"), strict=True):
        cell.width = int(width * part)
        (paragraph,) = cell.paragraphs
        paragraph.style = document.styles["Review Letterhead"]
        paragraph.add_run(f"{{{{ {text} }}}}")
        paragraph.alignment = WD_ALIGN_PARAGRAPH.LEFT if text == "organisation" else WD_ALIGN_PARAGRAPH.RIGHT


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(make_template())
