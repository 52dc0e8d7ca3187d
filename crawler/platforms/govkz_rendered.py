"""The rendered article page of gov.kz, as a browser shows it and people store it: HTML or its text.

Read by the order of its text (H for Russian pages): title, gallery counter "1 / 1.", "13 июля 2026 17:29", view
counter, body, "Направления деятельности", "Читайте также" with dated titles, "Все новости", the footer. The labels
after the body are known in Russian only; the Kazakh and English ones here are guesses (L), and a page that ends with
none of them is PageChanged rather than an article with menus in it.
"""

from __future__ import annotations

import re
from typing import Any

from crawler.extract import refusal, release
from crawler.extract.blocks import Block
from crawler.extract.page import ArticlePage, Page
from crawler.extract.site import Site
from crawler.items import Image, Precision
from crawler.platforms.govkz import DETAILS
from crawler.snapshot import Snapshot
from crawler.text import dates

GALLERY = re.compile(r"\d+ / \d+\.?")
COUNTER = re.compile(r"[^\d:]{4,40}:\s*\d[\d ]*")
# Whole lines, or labels that begin one that is no sentence: an article may speak of "all news".
END = re.compile(
    r"(?:Читайте также|Все новости|Тағы оқыңыз|Сондай-ақ оқыңыз|Барлық жаңалықтар|Read also|See also|All news)\s*:?"
    r"|(?:Направления деятельности|Қызмет бағыттары|Areas of activity|Әзірлеген)\b(?:.{0,80}[^.!?])?"
    r"|(?:Разработано в АО|«Ұлттық ақпараттық технологиялар»|Developed (?:by|in) (?:JSC|National Information)).*",
    re.IGNORECASE,
)


class RenderedArticle(ArticlePage):
    """One article of gov.kz as a browser shows it."""

    @classmethod
    def accepts(cls, snapshot: Snapshot, site: Site) -> bool:
        """HTML of an article's address, or a text that keeps the application's line or has a line with day and time."""
        if snapshot.kind == "html":
            return DETAILS.search(snapshot.url) is not None
        return snapshot.kind == "text" and (refusal.is_shell(snapshot) or dated(cls(snapshot, site)) is not None)

    def public(self, native_id: str, url: str, spoken: str | None) -> str:
        """One id, `?lang=` of the text."""
        return f"{url.partition('?')[0]}?lang={spoken}" if spoken and DETAILS.search(url) else url

    def fields(self) -> dict[str, Any]:
        """The fields by the order of the page's lines; Blocked for a shell without a dated article."""
        start, when = self.dateline()
        end = self.end(start)
        title = self.title(start)
        lines = self.blocks[start + 1 : end]
        lines = lines[1:] if lines and COUNTER.fullmatch(lines[0].text) else lines
        paragraphs, attribution = release.attribution([b.text for b in lines if b.tag != "img"])
        self.stands("published_at", self.blocks[start : start + 1])
        self.stands("body", [b for b in lines if b.tag != "img"])
        for field, rule in (
            ("title", "line before the date"),
            ("published_at", "date line"),
            ("body", "date to end label"),
        ):
            self.note(field, rule)
        return {
            "title": title,
            "body": paragraphs,
            "published_at": when.at,
            "published_raw": when.raw,
            "published_precision": when.precision,
            "place": release.place(paragraphs, self.site.zone),
            "attribution": attribution,
            "images": self.images(self.blocks[:start] + lines),
        }

    def dateline(self) -> tuple[int, dates.When]:
        """Where the line with day and time stands; without one the page is a shell, or has changed."""
        if found := dated(self):
            return found
        if refusal.is_shell(self.snapshot):
            raise refusal.shell(self.snapshot.url)
        raise self.changed("published_at", "a line with day and time", "none")

    def title(self, start: int) -> str:
        """The line above the date, past the gallery."""
        for block in reversed(self.blocks[:start]):
            if block.tag != "img" and not GALLERY.fullmatch(block.text) and not refusal.SHELL.startswith(block.text):
                self.stands("title", [block])
                return block.text
        raise self.changed("title", "the line before the date", "nothing")

    def end(self, start: int) -> int:
        """Where the first label after the body stands."""
        for number in range(start + 1, len(self.blocks)):
            if END.fullmatch(self.blocks[number].text):
                return number
        raise self.changed("body", "a label after the text such as «Читайте также»", "none")

    def images(self, lines: list[Block]) -> tuple[Image, ...]:
        """Pictures under /uploads: the gallery's and the body's; the portal's own logos stand elsewhere."""
        return tuple(
            Image(url=self.absolute(b.source), caption=b.text or None)
            for b in lines
            if b.source and "/uploads/" in b.source
        )


def dated(page: Page) -> tuple[int, dates.When] | None:
    """The number of the first line that is a day and a time, and what it says."""
    for number, block in enumerate(page.blocks):
        when = dates.read(block.text, page.site.zone) if len(block.text) < 40 else None
        if when and when.precision is Precision.MINUTE:
            return number, when
    return None


class ReleaseText(ArticlePage):
    """A release's body alone as plain text: no title, no date, perhaps "Источник: …" as its last line."""

    whole = False

    @classmethod
    def accepts(cls, snapshot: Snapshot, site: Site) -> bool:
        """Plain text that no other class knows."""
        return snapshot.kind == "text"

    def fields(self) -> dict[str, Any]:
        """The paragraphs and whom the text is attributed to; title, lead and time are not in it and stay unknown."""
        paragraphs, attribution = release.attribution([block.text for block in self.blocks])
        self.note("body", "every line")
        if attribution:
            self.note("attribution", "last line")
        return {"body": paragraphs, "attribution": attribution, "place": release.place(paragraphs, self.site.zone)}
