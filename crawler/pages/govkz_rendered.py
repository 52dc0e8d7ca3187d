"""gov.kz article pages as a browser renders them and people store them: HTML or its text.

They are read by the order of their lines (H for Russian pages): title, gallery counter "1 / 1.", "13 июля 2026 17:29",
view counter, body, "Направления деятельности", "Читайте также" with dated titles, "Все новости", the footer. The
labels after the body are in `defaults/page_labels.toml`; only the Russian ones are known. A page that ends with none of
them raises PageChanged, so that no menu becomes part of an article.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from crawler.defaults import load_default_toml
from crawler.items import Image, Precision
from crawler.pages.base import ArticlePage, Page
from crawler.pages.blocks import Block
from crawler.pages.govkz import DETAILS_PATTERN
from crawler.pages.press_release import find_dateline_place, split_attribution
from crawler.pages.refusal import get_shell_notice, is_javascript_shell, make_shell_error
from crawler.pages.site import Site
from crawler.pages.snapshot import Snapshot
from crawler.text.dates import ParsedDate, parse_date

GALLERY_PATTERN = re.compile(r"\d+ / \d+\.?")
COUNTER_PATTERN = re.compile(r"[^\d:]{4,40}:\s*\d[\d ]*")
MAX_DATE_LINE_LENGTH = 40
"""Characters of a line that is only a day and a time."""


@cache
def _load_end_pattern() -> re.Pattern[str]:
    """Return the pattern of a line that ends the text. Most are whole lines: an article may mention "all news"."""
    labels = load_default_toml("page_labels.toml")["govkz"]
    return re.compile(
        rf"(?:{'|'.join(labels['end_lines'])})\s*:?"
        rf"|(?:{'|'.join(labels['end_headings'])})\b(?:.{{0,80}}[^.!?])?"
        rf"|(?:{'|'.join(labels['end_beginnings'])}).*",
        re.IGNORECASE,
    )


class RenderedArticle(ArticlePage):
    """One article of gov.kz as a browser renders it."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Return whether it is HTML at an article's URL, or text with the application's line or with a date line."""
        if snapshot.kind == "html":
            return DETAILS_PATTERN.search(snapshot.url) is not None
        return snapshot.kind == "text" and (
            is_javascript_shell(snapshot) or find_date_line(cls(snapshot, site)) is not None
        )

    def make_public_url(self, native_id: str, url: str, text_language: str | None) -> str:
        """Return the URL with `?lang=` of the text."""
        is_details = DETAILS_PATTERN.search(url) is not None
        return f"{url.partition('?')[0]}?lang={text_language}" if text_language and is_details else url

    def extract_fields(self) -> dict[str, Any]:
        """Return the fields by the order of the page's lines. Raises Blocked for a shell without a dated article."""
        start, published = self.find_dateline()
        end = self.find_end(start)
        title = self.find_title(start)
        lines = self.blocks[start + 1 : end]
        lines = lines[1:] if lines and COUNTER_PATTERN.fullmatch(lines[0].text) else lines
        body, attribution = split_attribution(lines)
        self.record_lines("published_at", self.blocks[start : start + 1])
        self.record_lines("body", lines)
        self.record_rule("title", "line before the date")
        self.record_rule("published_at", "date line")
        self.record_rule("body", "date to end label")
        return {
            "title": title,
            "body": body,
            "published_at": published.at,
            "published_raw": published.raw,
            "published_precision": published.precision,
            "place": find_dateline_place(body, self.site.time_zone),
            "attribution": attribution,
            "images": self.list_images(self.blocks[:start] + lines),
        }

    def find_dateline(self) -> tuple[int, ParsedDate]:
        """Return the number of the line with day and time. A page without one is a shell, or has changed."""
        if found := find_date_line(self):
            return found
        if is_javascript_shell(self.snapshot):
            raise make_shell_error(self.snapshot.url)
        raise self.make_changed_error("published_at", "a line with day and time", "none")

    def find_title(self, start: int) -> str:
        """Return the line above the date, past the gallery counter."""
        for block in reversed(self.blocks[:start]):
            is_title = not block.is_image and not GALLERY_PATTERN.fullmatch(block.text)
            if is_title and not get_shell_notice().startswith(block.text):
                self.record_lines("title", [block])
                return block.text
        raise self.make_changed_error("title", "the line before the date", "nothing")

    def find_end(self, start: int) -> int:
        """Return the number of the first label after the body."""
        for number in range(start + 1, len(self.blocks)):
            if _load_end_pattern().fullmatch(self.blocks[number].text):
                return number
        raise self.make_changed_error("body", "a label after the text such as «Читайте также»", "none")

    def list_images(self, lines: list[Block]) -> tuple[Image, ...]:
        """Return the pictures under /uploads: the gallery's and the body's. The portal's logos are elsewhere."""
        return tuple(
            Image(url=self.make_absolute_url(line.source), caption=line.text or None)
            for line in lines
            if line.source and "/uploads/" in line.source
        )


def find_date_line(page: Page) -> tuple[int, ParsedDate] | None:
    """Return the number and the date of the first line that is a day and a time, or None."""
    for number, block in enumerate(page.blocks):
        parsed = parse_date(block.text, page.site.time_zone) if len(block.text) < MAX_DATE_LINE_LENGTH else None
        if parsed and parsed.precision is Precision.MINUTE:
            return number, parsed
    return None


class ReleaseText(ArticlePage):
    """A release's body alone as plain text: no title, no date, perhaps "Источник: …" as its last line."""

    is_complete = False

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Return whether it is plain text. Other classes come first."""
        return snapshot.kind == "text"

    def extract_fields(self) -> dict[str, Any]:
        """Return the paragraphs, their attribution and the place. The text has no title, lead or time."""
        body, attribution = split_attribution(self.blocks)
        self.record_rule("body", "every line")
        if attribution:
            self.record_rule("attribution", "last line")
        place = find_dateline_place(body, self.site.time_zone)
        return {"body": body, "attribution": attribution, "place": place}
