"""QazMonitor (The Qazaqstan Monitor), in English. Its markup is unknown: pages are read by the order of their text.

The order, seen on three pages (H): breadcrumb "1. Main Page / 2. {Section} / 3. {Title}", dateline
"Astana, Kazakhstan • 08 February, 2023 | 10:28", perhaps "1 min read", title, perhaps a subtitle, "QazMonitor Logo",
captions printed twice, body, rights line. Where a page has JSON-LD, the author comes from it.
"""

from __future__ import annotations

import re
from typing import Any

from crawler.errors import NotAnArticle
from crawler.items import Image, Rights
from crawler.pages import metadata
from crawler.pages.base import ArticlePage
from crawler.pages.blocks import Block
from crawler.pages.feed import Feed
from crawler.pages.listing import ListingPage
from crawler.pages.site import ArticleAddress, Site
from crawler.pages.snapshot import Snapshot
from crawler.spiders.base import HealthExpectation, SourceSpider
from crawler.text.urls import split_url

HOSTS = ("qazmonitor.com", "www.qazmonitor.com", "en.qazmonitor.com")
ARTICLE_PATH = re.compile(r"/(?P<section>[\w-]+)/(?P<id>[0-9]{1,12})(?:/.*)?")
DATELINE = re.compile(
    r"(?:(?P<city>[^,•]+)(?:,[^•]*)?•\s*)?(?P<date>(?:[A-Za-z]{3,9},? )?\d{1,2} \w+\.?,? \d{4} \| \d{1,2}:\d{2})"
    r"\s*(?:(?P<minutes>\d+) min read)?"
)
READING_TIME = re.compile(r"(\d+) min read")
MAX_MINUTES_DIGITS = 3
"""Digits of a believable reading time."""
RIGHTS_LINE = re.compile(r"Only \d+\s?% of an article published on The Qazaqstan Monitor\b")
LOGO_CAPTION = "QazMonitor Logo"


class QazArticle(ArticlePage):
    """An article page, live or as a text rendering."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Whether the snapshot is HTML at an article's address, or a text."""
        return snapshot.kind == "text" or (snapshot.kind == "html" and site.identify(snapshot.url) is not None)

    def extract_fields(self) -> dict[str, Any]:
        """Return the fields by the order of the page's lines."""
        start, dateline = self.find_dateline()
        when = self.parse_date("published_at", dateline["date"], "dateline")
        crumbs = [block.text for block in self.blocks[:start] if block.tag == "li"][-3:]
        end = self.find_rights_line(start)
        rest = self.blocks[start + 1 : end]
        below = READING_TIME.fullmatch(rest[0].text) if rest else None  # or on the dateline's own line
        minutes = below[1] if below else dateline["minutes"]
        title, lead, content = self.split_heading(rest[1:] if below else rest, crumbs)
        body, images = split_captions(content)
        self.record_lines("published_at", self.blocks[start : start + 1])
        self.record_lines("body", content)
        described = metadata.find_json_ld(self.root) if self.snapshot.kind == "html" else {}
        self.record_rules(bool(crumbs), described)
        return {
            "title": title,
            "lead": lead,
            "body": body,
            "published_at": when.at,
            "published_raw": when.raw,
            "published_precision": when.precision,
            "section": crumbs[1] if len(crumbs) > 1 else None,
            "place": (dateline["city"] or "").strip() or None,
            "author": metadata.find_author(described),
            "images": tuple(
                Image(url=self.make_absolute_url(image.source), caption=image.text or None) for image in images
            ),
            "reading_minutes": int(minutes) if minutes and len(minutes) <= MAX_MINUTES_DIGITS else None,
            "rights": self.make_rights(self.blocks[end].text),
        }

    def find_dateline(self) -> tuple[int, re.Match[str]]:
        """Return the number and the match of the line with city, day and time."""
        for number, block in enumerate(self.blocks):
            if found := DATELINE.fullmatch(block.text):
                return number, found
        if not self.blocks:
            raise self.make_changed_error("body", "lines of text", "none")
        raise self.make_changed_error("published_at", "dateline 'City • 08 February, 2023 | 10:28'", "none")

    def find_rights_line(self, start: int) -> int:
        """Return the number of the rights line, which ends every article."""
        for number in range(start + 1, len(self.blocks)):
            if RIGHTS_LINE.match(self.blocks[number].text):
                return number
        raise self.make_changed_error("rights", "rights line 'Only 30% of an article …'", "none")

    def split_heading(self, lines: list[Block], crumbs: list[str]) -> tuple[str, str | None, list[Block]]:
        """Return title, lead and the lines after them. With a breadcrumb, its last entry must be the title."""
        if not lines or lines[0].is_image:
            raise self.make_changed_error("title", "the line after the dateline", lines[0].tag if lines else "nothing")
        if len(crumbs) > 2 and crumbs[2].casefold() != lines[0].text.casefold():
            raise self.make_changed_error("title", f"the breadcrumb's title {crumbs[2]!r}", repr(lines[0].text[:80]))
        logo = next((number for number, line in enumerate(lines) if line.text == LOGO_CAPTION), None)
        if logo is None or logo > 2:
            raise self.make_changed_error(
                "lead", f"{LOGO_CAPTION!r} after title and subtitle", "none" if logo is None else f"{logo} lines"
            )
        self.record_lines("title", lines[:1])
        self.record_lines("lead", lines[1:2] if logo == 2 else ())
        return lines[0].text, lines[1].text if logo == 2 else None, lines[logo + 1 :]

    def record_rules(self, crumbs: bool, described: dict[str, Any]) -> None:
        """Record which rule found each field."""
        for field, rule in (("title", "after dateline"), ("lead", "before logo"), ("body", "logo to rights line")):
            self.record_rule(field, rule)
        self.record_rule("published_at", "dateline")
        self.record_rule("place", "dateline (the same on every page seen)")
        self.record_rule("rights", "rights line")
        if crumbs:
            self.record_rule("section", "breadcrumb")
        if described.get("author"):
            self.record_rule("author", "JSON-LD")


def split_captions(lines: list[Block]) -> tuple[list[Block], list[Block]]:
    """Return the lines of the text and the images.

    A caption is an image's text, a `figcaption`, or a line printed twice.
    """
    body: list[Block] = []
    images: list[Block] = []
    number = 0
    while number < len(lines):
        line, after = lines[number], lines[number + 1] if number + 1 < len(lines) else None
        number += 1
        if line.text == LOGO_CAPTION:
            continue
        if line.is_image:
            captioned = (
                after is not None and not after.is_image and (after.text == line.text or after.tag == "figcaption")
            )
            images.append(Block(after.text if after and captioned else line.text, "img", line.source))
            number += captioned
        elif line.tag == "figcaption" or (after is not None and after.text == line.text and not after.is_image):
            images.append(Block(line.text, "img"))
            number += line.tag != "figcaption"
        else:
            body.append(line)
    return body, images


class QazSection(ListingPage):
    """A section's page: every link to an article."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Whether the snapshot is HTML and no article."""
        return snapshot.kind == "html" and site.identify(snapshot.url) is None

    def list_addresses(self) -> list[str]:
        """Return all links. Those that are no article are dropped by their address."""
        if split_url(self.snapshot.url)[1].count("/") > 1:
            raise NotAnArticle(f"{self.snapshot.url} is neither an article nor a section.")
        return self.root.css("a::attr(href)").getall()


class QazMonitorSpider(SourceSpider):
    """QazMonitor by its feed, with a section's page as fallback. Only the numeric id identifies an article."""

    name = "qazmonitor"
    title = "QazMonitor"
    origins = ("https://qazmonitor.com", "https://en.qazmonitor.com", "https://www.qazmonitor.com")
    method = "RSS, the news section as fallback"
    listing_urls = ("https://en.qazmonitor.com/rss", "https://qazmonitor.com/news")
    page_classes = (Feed, QazArticle, QazSection)
    # The newest article seen anywhere is of February 2023: the site may be asleep, so silence alone is no alarm.
    expectation = HealthExpectation(min_links=1, max_silence=None)
    non_article_pattern = re.compile(r"qazmonitor\.com/(?:terms|privacy|about|contacts?|advertising|search)(?:[/?#]|$)")
    rights = Rights(
        excerpt_share=0.3,
        link_required=True,
        wording="Only 30% of an article may be used with a hyperlink to the original; all of it by written permission",
        source="https://qazmonitor.com",
    )

    @classmethod
    def identify(cls, url: str) -> ArticleAddress | None:
        """Identify an article by its number. Host, section and slug may change."""
        host, path, _ = split_url(url)
        if host in HOSTS and (found := ARTICLE_PATH.fullmatch(path)):
            return ArticleAddress(found["id"], cls.origins[0] + path)
        return None
