"""The rendered article page of gov.kz, as a browser shows it and people store it: HTML or its text.

Read by the order of its text (H for Russian pages): title, gallery counter "1 / 1.", "13 июля 2026 17:29", view
counter, body, "Направления деятельности", "Читайте также" with dated titles, "Все новости", the footer. The labels
after the body are known in Russian only; the Kazakh and English ones here are guesses (L), and a page that ends with
none of them is PageChanged rather than an article with menus in it.
"""

from __future__ import annotations

import re
from typing import Any

from crawler.items import Image, Precision
from crawler.pages import press_release as release
from crawler.pages import refusal
from crawler.pages.base import ArticlePage, Page
from crawler.pages.blocks import Block
from crawler.pages.govkz import DETAILS_PATTERN
from crawler.pages.site import Site
from crawler.pages.snapshot import Snapshot
from crawler.text import dates

GALLERY_PATTERN = re.compile(r"\d+ / \d+\.?")
COUNTER_PATTERN = re.compile(r"[^\d:]{4,40}:\s*\d[\d ]*")
# Whole lines, or labels that begin one that is no sentence: an article may speak of "all news".
END_PATTERN = re.compile(
    r"(?:Читайте также|Все новости|Тағы оқыңыз|Сондай-ақ оқыңыз|Барлық жаңалықтар|Read also|See also|All news)\s*:?"
    r"|(?:Направления деятельности|Қызмет бағыттары|Areas of activity|Әзірлеген)\b(?:.{0,80}[^.!?])?"
    r"|(?:Разработано в АО|«Ұлттық ақпараттық технологиялар»|Developed (?:by|in) (?:JSC|National Information)).*",
    re.IGNORECASE,
)


class RenderedArticle(ArticlePage):
    """One article of gov.kz as a browser shows it."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """HTML of an article's address, or a text that keeps the application's line or has a line with day and time."""
        if snapshot.kind == "html":
            return DETAILS_PATTERN.search(snapshot.url) is not None
        return snapshot.kind == "text" and (
            refusal.is_javascript_shell(snapshot) or find_date_line(cls(snapshot, site)) is not None
        )

    def make_public_url(self, native_id: str, url: str, text_language: str | None) -> str:
        """One id, `?lang=` of the text."""
        return f"{url.partition('?')[0]}?lang={text_language}" if text_language and DETAILS_PATTERN.search(url) else url

    def extract_fields(self) -> dict[str, Any]:
        """The fields by the order of the page's lines; Blocked for a shell without a dated article."""
        start, when = self.find_dateline()
        end = self.find_end(start)
        title = self.find_title(start)
        lines = self.blocks[start + 1 : end]
        lines = lines[1:] if lines and COUNTER_PATTERN.fullmatch(lines[0].text) else lines
        paragraphs, attribution = release.split_attribution([b.text for b in lines if b.tag != "img"])
        self.record_lines("published_at", self.blocks[start : start + 1])
        self.record_lines("body", [b for b in lines if b.tag != "img"])
        for field, rule in (
            ("title", "line before the date"),
            ("published_at", "date line"),
            ("body", "date to end label"),
        ):
            self.record_rule(field, rule)
        return {
            "title": title,
            "body": paragraphs,
            "published_at": when.at,
            "published_raw": when.raw,
            "published_precision": when.precision,
            "place": release.find_dateline_place(paragraphs, self.site.time_zone),
            "attribution": attribution,
            "images": self.list_images(self.blocks[:start] + lines),
        }

    def find_dateline(self) -> tuple[int, dates.ParsedDate]:
        """Where the line with day and time stands; without one the page is a shell, or has changed."""
        if found := find_date_line(self):
            return found
        if refusal.is_javascript_shell(self.snapshot):
            raise refusal.make_shell_error(self.snapshot.url)
        raise self.make_changed_error("published_at", "a line with day and time", "none")

    def find_title(self, start: int) -> str:
        """The line above the date, past the gallery."""
        for block in reversed(self.blocks[:start]):
            if (
                block.tag != "img"
                and not GALLERY_PATTERN.fullmatch(block.text)
                and not refusal.SHELL_NOTICE.startswith(block.text)
            ):
                self.record_lines("title", [block])
                return block.text
        raise self.make_changed_error("title", "the line before the date", "nothing")

    def find_end(self, start: int) -> int:
        """Where the first label after the body stands."""
        for number in range(start + 1, len(self.blocks)):
            if END_PATTERN.fullmatch(self.blocks[number].text):
                return number
        raise self.make_changed_error("body", "a label after the text such as «Читайте также»", "none")

    def list_images(self, lines: list[Block]) -> tuple[Image, ...]:
        """Pictures under /uploads: the gallery's and the body's; the portal's own logos stand elsewhere."""
        return tuple(
            Image(url=self.make_absolute_url(b.source), caption=b.text or None)
            for b in lines
            if b.source and "/uploads/" in b.source
        )


def find_date_line(page: Page) -> tuple[int, dates.ParsedDate] | None:
    """The number of the first line that is a day and a time, and what it says."""
    for number, block in enumerate(page.blocks):
        when = dates.parse_date(block.text, page.site.time_zone) if len(block.text) < 40 else None
        if when and when.precision is Precision.MINUTE:
            return number, when
    return None


class ReleaseText(ArticlePage):
    """A release's body alone as plain text: no title, no date, perhaps "Источник: …" as its last line."""

    is_complete = False

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Plain text that no other class knows."""
        return snapshot.kind == "text"

    def extract_fields(self) -> dict[str, Any]:
        """The paragraphs and whom the text is attributed to; title, lead and time are not in it and stay unknown."""
        paragraphs, attribution = release.split_attribution([block.text for block in self.blocks])
        self.record_rule("body", "every line")
        if attribution:
            self.record_rule("attribution", "last line")
        return {
            "body": paragraphs,
            "attribution": attribution,
            "place": release.find_dateline_place(paragraphs, self.site.time_zone),
        }
