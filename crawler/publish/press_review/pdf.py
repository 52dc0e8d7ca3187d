"""The paragraphs as PDF (reportlab): embedded fonts, links, an outline, contents with pages, page numbers.

The fonts come from the wheel of `pymupdf-fonts`, not from the machine: Noto Sans in four cuts, and FiraGO for what it
lacks (arrows, other scripts). The document is laid out twice, because only the first pass knows the pages that the
contents and the footers name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pymupdf_fonts
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import BaseDocTemplate, CondPageBreak, Frame, Image, PageTemplate, Table
from reportlab.platypus import Paragraph as PdfParagraph
from reportlab.platypus.flowables import HRFlowable

from crawler.publish.digest_view import DigestView
from crawler.publish.press_review.layout import (
    REPLACEMENT_CHARACTER,
    ParagraphKind,
    ReviewParagraph,
    TextRun,
    list_paragraphs,
    make_document,
)
from crawler.publish.press_review.letterhead import LOGO_WIDTH, Letterhead, measure_logo
from crawler.publish.redaction import BLOCK_CHARACTER
from crawler.text.characters import UNPRINTED_CHARACTERS

FONT_FAMILY, FALLBACK_FONT = "Review", "ReviewSpare"
FONT_CUTS = {"": "notos", "-Bold": "notosbo", "-Italic": "notosit", "-BoldItalic": "notosbi"}
PICTURE_CATEGORIES = ("So", "Sk", "Cn", "Mn", "Me")
"""Categories of Unicode: symbols, skin tones, newer emoji than Python knows, and marks that belong to one before."""
MARGIN = 20 * mm
WIDTH = A4[0] - 2 * MARGIN
INK, SOFT, LINK, MARK, LINE, SHADE = "#1c2127", "#5a6270", "#0b57b0", "#fdf0b3", "#c8102e", "#eef2f7"
PARAGRAPH_STYLES: Mapping[ParagraphKind, Mapping[str, Any]] = {
    ParagraphKind.TITLE: {"fontName": f"{FONT_FAMILY}-Bold", "fontSize": 22, "leading": 28},
    ParagraphKind.PERIOD: {"fontSize": 11.5, "leading": 16},
    ParagraphKind.SOFT: {"fontSize": 9, "leading": 12.5, "textColor": HexColor(SOFT), "spaceBefore": 2},
    ParagraphKind.FACTS: {"fontSize": 9, "leading": 12.5, "textColor": HexColor(SOFT), "spaceBefore": 2},
    ParagraphKind.COMMENT: {
        "spaceBefore": 10,
        "spaceAfter": 8,
        "leftIndent": 6,
        "rightIndent": 6,
        "borderPadding": 5,
        "backColor": HexColor(SHADE),
    },
    ParagraphKind.NOTHING: {"fontSize": 13, "leading": 18, "spaceBefore": 18},
    ParagraphKind.CONTENTS: {"fontName": f"{FONT_FAMILY}-Bold", "fontSize": 13, "leading": 17, "spaceBefore": 14},
    ParagraphKind.CONTENTS_PART: {"fontSize": 9.5, "leading": 13, "fontName": f"{FONT_FAMILY}-Bold"},
    ParagraphKind.CONTENTS_STORY: {"fontSize": 9.5, "leading": 13, "leftIndent": 10},
    ParagraphKind.PART: {"fontName": f"{FONT_FAMILY}-Bold", "fontSize": 15, "leading": 19, "spaceBefore": 20},
    ParagraphKind.STORY: {"fontName": f"{FONT_FAMILY}-Bold", "fontSize": 12, "leading": 16, "spaceBefore": 14},
    ParagraphKind.TEXT: {"spaceBefore": 5},
    ParagraphKind.CHANGE: {"spaceBefore": 4, "leftIndent": 10, "borderPadding": (0, 0, 0, 6)},
    ParagraphKind.ITEM: {
        "fontSize": 9.5,
        "leading": 13,
        "leftIndent": 12,
        "spaceBefore": 2,
        "bulletFontName": FONT_FAMILY,
        "bulletIndent": 2,
    },
}

MIN_HEIGHTS = {ParagraphKind.PART: 62 * mm, ParagraphKind.STORY: 40 * mm}
"""What must be left of a page for a heading: room for it, the facts and two lines of text. Else a new page begins."""


def format_pdf(view: DigestView, letterhead: Letterhead) -> bytes:
    """Return the review as PDF."""
    register_fonts()
    first = _PdfLayout(view, letterhead, {}, 0)
    first.build_pages()
    last = _PdfLayout(view, letterhead, first.anchor_pages, first.page)
    last.build_pages()
    return last.stream.getvalue()


class _PdfLayout(BaseDocTemplate):  # type: ignore[misc]
    """One pass of the layout. `known_pages` (by anchor) and `page_count` come from the pass before."""

    def __init__(
        self, view: DigestView, letterhead: Letterhead, known_pages: Mapping[str, int], page_count: int
    ) -> None:
        self.view, self.letterhead, self.known_pages, self.page_count = view, letterhead, known_pages, page_count
        self.stream, self.anchor_pages = BytesIO(), dict[str, int]()
        super().__init__(
            self.stream, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
            title=f"{view.title}. {view.period}", author="crawler", subject=view.number, creator="crawler",
            keywords=", ".join(section.title for section in view.sections), lang=view.phrases.language,
            displayDocTitle=True, initialFontName=FONT_FAMILY,
        )  # fmt: skip
        frame = Frame(MARGIN, MARGIN, WIDTH, A4[1] - 2 * MARGIN, 0, 0, 0, 0)
        self.addPageTemplates(PageTemplate(frames=[frame], onPage=self._draw_footer))

    def build_pages(self) -> None:
        """Draw the whole document."""
        flowables: list[Any] = []
        if not self.letterhead.is_empty:
            flowables.append(_make_letterhead(self.letterhead))
        for paragraph in list_paragraphs(make_document(self.view)):
            if paragraph.kind in MIN_HEIGHTS:
                flowables.append(CondPageBreak(MIN_HEIGHTS[paragraph.kind]))
            flowables.append(self._make_flowable(paragraph))
            if paragraph.kind is ParagraphKind.PART:
                flowables.append(
                    HRFlowable(width="100%", thickness=1.2, color=HexColor(LINE), spaceBefore=2, spaceAfter=2)
                )
        self.build(flowables)

    def afterFlowable(self, flowable: Any) -> None:  # noqa: N802, reportlab's name
        """Record the page of an anchor, and add it to the outline."""
        anchor = getattr(flowable, "anchor", None)
        if anchor is not None:
            self.anchor_pages[anchor] = self.page
            self.canv.bookmarkHorizontal(anchor, 0, flowable.get_top(self) + 4)
            self.canv.addOutlineEntry(flowable.title, anchor, flowable.depth, closed=False)

    def _draw_footer(self, canvas: Any, _: Any) -> None:
        number = self.view.phrases.fill("page", page=str(self.page), pages=str(self.page_count or self.page))
        canvas.saveState()
        canvas.setFont(FONT_FAMILY, 8.5)
        canvas.setFillColor(HexColor(SOFT))
        canvas.drawString(MARGIN, MARGIN / 2, f"{self.view.title} · {self.view.period}")
        canvas.drawRightString(A4[0] - MARGIN, MARGIN / 2, number)
        canvas.restoreState()

    def _make_flowable(self, paragraph: ReviewParagraph) -> Any:
        """Return what reportlab draws. A line of the contents is a table with the page on the right."""
        style = _make_style(paragraph)
        bullet = "•" if paragraph.kind is ParagraphKind.ITEM else None
        flowable = _AnchoredParagraph("".join(map(_format_run, paragraph.runs)), style, bulletText=bullet)
        if paragraph.kind in (ParagraphKind.CONTENTS_PART, ParagraphKind.CONTENTS_STORY):
            anchor = (paragraph.runs[0].url or "#")[1:]
            page = str(self.known_pages.get(anchor, 1))
            number = PdfParagraph(page, ParagraphStyle("page", style, alignment=TA_RIGHT))
            look = [("FONTNAME", (0, 0), (-1, -1), FONT_FAMILY),
                    ("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                    ("TOPPADDING", (0, 0), (-1, -1), 1), ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
                    ("VALIGN", (0, 0), (-1, -1), "BOTTOM")]  # fmt: skip
            return Table([[flowable, number]], colWidths=[WIDTH - 30, 30], style=look)
        if paragraph.anchor:
            flowable.anchor, flowable.title = paragraph.anchor, paragraph.text
            flowable.depth = 0 if paragraph.kind is ParagraphKind.PART else 1
        return flowable


def _make_letterhead(letterhead: Letterhead) -> Table:
    """Return the name on the left and the logo on the right. Raise ConfigError for a broken picture."""
    style = ParagraphStyle(
        "letterhead", fontName=f"{FONT_FAMILY}-Bold", fontSize=10.5, leading=14, textColor=HexColor(SOFT)
    )
    name = PdfParagraph(_format_text(letterhead.organisation or ""), style)
    picture: Any = ""
    if letterhead.logo:
        width, height = measure_logo(letterhead.logo)
        picture = Image(BytesIO(letterhead.logo.data), width * mm, height * mm)
    look = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 12), ("ALIGN", (1, 0), (1, 0), "RIGHT"),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("FONTNAME", (0, 0), (-1, -1), FONT_FAMILY)]  # fmt: skip
    logo_width = LOGO_WIDTH * mm if letterhead.logo else 0
    return Table([[name, picture]], colWidths=[WIDTH - logo_width, logo_width], style=look)


class _AnchoredParagraph(PdfParagraph):  # type: ignore[misc]
    """A paragraph that links can lead to."""

    anchor: str | None = None
    title = ""
    depth = 0

    def get_top(self, layout: Any) -> float:
        """Return the height on the page at which it begins."""
        return float(layout.frame._y + self.height)


def _make_style(paragraph: ReviewParagraph) -> ParagraphStyle:
    values = {
        "fontName": FONT_FAMILY,
        "fontSize": 10.5,
        "leading": 15,
        "textColor": HexColor(INK),
        **PARAGRAPH_STYLES[paragraph.kind],
    }
    return ParagraphStyle(
        paragraph.kind,
        allowWidows=0,
        allowOrphans=0,
        splitLongWords=1,
        **values,
    )


def _format_run(run: TextRun) -> str:
    """Return the run in reportlab's tags."""
    text = "".join(_format_text(part) for part in re.split(f"({BLOCK_CHARACTER}+)", run.text))
    if run.marked:
        text = f'<font backColor="{MARK}">{text}</font>'
    if run.strong:
        text = f"<b>{text}</b>"
    if run.italic:
        text = f"<i>{text}</i>"
    return f"<a href={quoteattr(run.url)} color={quoteattr(LINK)}>{text}</a>" if run.url else text


def _format_text(text: str) -> str:
    """Return blocks as drawn bars with dashes beneath, other text in the fonts that have its characters."""
    if text.startswith(BLOCK_CHARACTER):
        return f'<font backColor="{INK}" color="{INK}">{"–" * len(text)}</font>'
    return "".join(
        escape(part) if font == FONT_FAMILY else f'<font name="{FALLBACK_FONT}">{escape(part)}</font>'
        for font, part in split_by_font(text)
    )


@cache
def register_fonts() -> None:
    """Register the fonts with reportlab, once."""
    for cut, name in FONT_CUTS.items():
        pdfmetrics.registerFont(TTFont(FONT_FAMILY + cut, BytesIO(pymupdf_fonts.myfont(name))))
    pdfmetrics.registerFont(TTFont(FALLBACK_FONT, BytesIO(pymupdf_fonts.myfont("figo"))))
    pdfmetrics.registerFontFamily(FONT_FAMILY, FONT_FAMILY, *(FONT_FAMILY + cut for cut in list(FONT_CUTS)[1:]))


def split_by_font(text: str) -> list[tuple[str, str]]:
    """Return the text in parts, each with the name of a font that has its characters.

    Unprinted characters are dropped, and so are emoji and other pictures. Letters that both fonts lack become �.
    """
    parts: list[tuple[str, str]] = []
    for character in text:
        if character in UNPRINTED_CHARACTERS:
            continue
        font = next((name for name in (FONT_FAMILY, FALLBACK_FONT) if _has_glyph(name, character)), None)
        if font is None and unicodedata.category(character) in PICTURE_CATEGORIES:
            continue
        name, drawn = (font, character) if font else (FONT_FAMILY, REPLACEMENT_CHARACTER)
        if parts and parts[-1][0] == name:
            parts[-1] = (name, parts[-1][1] + drawn)
        else:
            parts.append((name, drawn))
    return parts


def _has_glyph(font: str, character: str) -> bool:
    return character == "\n" or ord(character) in pdfmetrics.getFont(font).face.charToGlyph
