"""The paragraphs as PDF (reportlab): letters embedded, links, an outline, contents with pages, page numbers.

It is laid out twice: only then are the pages known that the contents and the foot of each page name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Table
from reportlab.platypus import Paragraph as Flow
from reportlab.platypus.flowables import HRFlowable

from crawler.publish.digest_view import DigestView
from crawler.publish.press_review.fonts import FALLBACK_FONT, FONT_FAMILY, register_fonts, split_by_font
from crawler.publish.press_review.layout import ParagraphKind, ReviewParagraph, TextRun, make_paragraphs

MARGIN = 20 * mm
WIDTH = A4[0] - 2 * MARGIN
INK, SOFT, LINK, MARK, LINE = "#1c2127", "#5a6270", "#0b57b0", "#fdf0b3", "#c8102e"
PARAGRAPH_STYLES: Mapping[ParagraphKind, Mapping[str, Any]] = {
    ParagraphKind.TITLE: {"fontName": f"{FONT_FAMILY}-Bold", "fontSize": 22, "leading": 28},
    ParagraphKind.PERIOD: {"fontSize": 11.5, "leading": 16},
    ParagraphKind.SOFT: {"fontSize": 9, "leading": 12.5, "textColor": HexColor(SOFT), "spaceBefore": 2},
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


def format_pdf(view: DigestView) -> bytes:
    """The bytes of the review as PDF."""
    register_fonts()
    first = _PdfLayout(view, {}, 0)
    first.build_pages()
    last = _PdfLayout(view, first.anchor_pages, first.page)
    last.build_pages()
    return last.stream.getvalue()


class _PdfLayout(BaseDocTemplate):  # type: ignore[misc]
    """One laying out. `known` are the pages of anchors and `total` the number of pages, of an earlier one."""

    def __init__(self, view: DigestView, known_pages: Mapping[str, int], total: int) -> None:
        self.view, self.known_pages, self.total = view, known_pages, total
        self.stream, self.anchor_pages = BytesIO(), dict[str, int]()
        super().__init__(
            self.stream, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
            title=f"{view.title}. {view.period}", author="crawler", subject=view.number, creator="crawler",
            keywords=", ".join(section.title for section in view.sections), lang=view.phrases.language,
            displayDocTitle=True,
        )  # fmt: skip
        frame = Frame(MARGIN, MARGIN, WIDTH, A4[1] - 2 * MARGIN, 0, 0, 0, 0)
        self.addPageTemplates(PageTemplate(frames=[frame], onPage=self._draw_footer))

    def build_pages(self) -> None:
        """Draw all of it."""
        flows: list[Any] = []
        for paragraph in make_paragraphs(self.view):
            flow = self._make_flowable(paragraph)
            flows.append(flow)
            if paragraph.kind is ParagraphKind.PART:
                line = HRFlowable(width="100%", thickness=1.2, color=HexColor(LINE), spaceBefore=2, spaceAfter=2)
                line.keepWithNext = True
                flows.append(line)
        self.build(flows)

    def afterFlowable(self, flowable: Any) -> None:  # noqa: N802, reportlab's name
        """Note where an anchor came to stand, and put it into the outline."""
        anchor = getattr(flowable, "anchor", None)
        if anchor is not None:
            self.anchor_pages[anchor] = self.page
            self.canv.bookmarkHorizontal(anchor, 0, flowable.top(self) + 4)
            self.canv.addOutlineEntry(flowable.title, anchor, flowable.depth, closed=False)

    def _draw_footer(self, canvas: Any, _: Any) -> None:
        text = self.view.phrases.fill("page", page=str(self.page), pages=str(self.total or self.page))
        canvas.saveState()
        canvas.setFont(FONT_FAMILY, 8.5)
        canvas.setFillColor(HexColor(SOFT))
        canvas.drawString(MARGIN, MARGIN / 2, f"{self.view.title} · {self.view.period}")
        canvas.drawRightString(A4[0] - MARGIN, MARGIN / 2, text)
        canvas.restoreState()

    def _make_flowable(self, paragraph: ReviewParagraph) -> Any:
        style = _make_style(paragraph)
        bullet = "•" if paragraph.kind is ParagraphKind.ITEM else None
        flow = _AnchoredParagraph("".join(_format_run(run) for run in paragraph.runs), style, bulletText=bullet)
        if paragraph.kind in (ParagraphKind.CONTENTS_PART, ParagraphKind.CONTENTS_STORY):
            anchor = (paragraph.runs[0].url or "#")[1:]
            number = Flow(str(self.known_pages.get(anchor, 1)), ParagraphStyle("page", style, alignment=TA_RIGHT))
            room = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                    ("TOPPADDING", (0, 0), (-1, -1), 1), ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
                    ("VALIGN", (0, 0), (-1, -1), "BOTTOM")]  # fmt: skip
            return Table([[flow, number]], colWidths=[WIDTH - 30, 30], style=room)
        if paragraph.anchor:
            flow.anchor, flow.title = paragraph.anchor, paragraph.text
            flow.depth = 0 if paragraph.kind is ParagraphKind.PART else 1
        return flow


class _AnchoredParagraph(Flow):  # type: ignore[misc]
    """A paragraph that knows what links call it."""

    anchor: str | None = None
    title = ""
    depth = 0

    def get_top(self, pages: Any) -> float:
        """The height on the page at which it begins."""
        return float(pages.frame._y + self.height)


def _make_style(paragraph: ReviewParagraph) -> ParagraphStyle:
    look = {
        "fontName": FONT_FAMILY,
        "fontSize": 10.5,
        "leading": 15,
        "textColor": HexColor(INK),
        **PARAGRAPH_STYLES[paragraph.kind],
    }
    return ParagraphStyle(
        paragraph.kind, keepWithNext=paragraph.keep_with_next, allowWidows=0, allowOrphans=0, splitLongWords=1, **look
    )


def _format_run(run: TextRun) -> str:
    """The run in reportlab's tags."""
    text = "".join(_format_text(part) for part in re.split("(█+)", run.text))
    if run.marked:
        text = f'<font backColor="{MARK}">{text}</font>'
    if run.strong:
        text = f"<b>{text}</b>"
    if run.italic:
        text = f"<i>{text}</i>"
    return f"<a href={quoteattr(run.url)} color={quoteattr(LINK)}>{text}</a>" if run.url else text


def _format_text(text: str) -> str:
    """Black bars as bars, the rest in the fonts that have its signs."""
    if text.startswith("█"):
        return f'<font backColor="{INK}" color="{INK}">{"–" * len(text)}</font>'
    return "".join(
        escape(part) if name == FONT_FAMILY else f'<font name="{FALLBACK_FONT}">{escape(part)}</font>'
        for name, part in split_by_font(text)
    )
