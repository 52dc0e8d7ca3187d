"""Feeds: which ones a page names, and what their entries are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from crawler.generic.page import GenericPage
from crawler.pages.feed import (
    ENTITY_DECLARATION_PATTERN,
    FEED_HEADERS,
    FEED_PATTERN,
    ROOT_ELEMENT_PATTERN,
    repair_feed,
)
from crawler.pages.snapshot import Snapshot
from crawler.text.cleaning import clean_line, clean_line_or_none
from crawler.text.dates import parse_date
from crawler.text.urls import resolve_url

USUAL_PATHS = ("/feed/", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/rss/")
FEED_TYPES = re.compile(r"application/(?:rss|atom|rdf)\+xml|application/feed\+json|text/xml", re.IGNORECASE)
FEED_ADDRESS = re.compile(r"(?:^|[/._=-])(?:rss|feed|atom)(?:[/._=-]|\d*$|\.xml)", re.IGNORECASE)
COMMENT_FEED = re.compile(r"comment|пікір|комментар", re.IGNORECASE)
MARKUP = re.compile(r"<[^>]+>")
MIN_FULL_TEXT_LENGTH = 600
"""Characters of an entry's text from which it is the whole article and no summary."""
MAX_LINKED_FEEDS = 6


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """An entry of a feed: its address, its title and its time (aware), where it states them."""

    url: str
    title: str | None
    published_at: datetime | None
    published_raw: str | None
    text_length: int


@dataclass(frozen=True, slots=True)
class FoundFeed:
    """A feed with its entries, in its own order."""

    url: str
    title: str | None
    home: str | None
    language: str | None
    entries: tuple[FeedEntry, ...]

    @property
    def has_full_texts(self) -> bool:
        """Whether its entries have whole articles."""
        lengths = [entry.text_length for entry in self.entries]
        return bool(lengths) and median(lengths) >= MIN_FULL_TEXT_LENGTH

    @property
    def times(self) -> list[datetime]:
        """The times that its entries state, newest first."""
        return sorted((entry.published_at for entry in self.entries if entry.published_at), reverse=True)


def list_feed_links(page: GenericPage) -> list[str]:
    """Return the feeds that a page names: those of its head, then links that look like a feed. Each once."""
    found: dict[str, None] = {}
    for node in page.root.iter("link"):
        is_feed = FEED_TYPES.search(node.get("type") or "") and "alternate" in (node.get("rel") or "").lower()
        title = f"{node.get('title') or ''} {node.get('href') or ''}"
        if is_feed and not COMMENT_FEED.search(title) and (url := resolve_url(node.get("href"), page.url)):
            found.setdefault(url)
    host = urlsplit(page.url).netloc
    for node in page.root.iter("a"):
        href = node.get("href") or ""
        if FEED_ADDRESS.search(href.partition("?")[0]) and not COMMENT_FEED.search(href):
            url = resolve_url(href, page.url)
            if url and urlsplit(url).netloc == host:
                found.setdefault(url)
    return list(found)[:MAX_LINKED_FEEDS]


def is_feed(snapshot: Snapshot) -> bool:
    """Return whether a response is a feed, whatever its header says."""
    return FEED_PATTERN.match(snapshot.text) is not None


def parse_feed(snapshot: Snapshot) -> FoundFeed | None:
    """Return the feed in a response, or None for a response that is none."""
    if not is_feed(snapshot):
        return None
    if ENTITY_DECLARATION_PATTERN.search(ROOT_ELEMENT_PATTERN.split(snapshot.text, maxsplit=1)[0]):
        return None
    import feedparser  # takes 0.1 s, which a site without feeds does not need

    parsed = feedparser.parse(
        BytesIO(repair_feed(snapshot.text).encode(errors="replace")), response_headers=FEED_HEADERS
    )
    home = resolve_url(parsed.feed.get("link"), snapshot.url)
    is_atom = parsed.version.startswith("atom")
    base = snapshot.url if is_atom or home is None else home
    language = clean_line(str(parsed.feed.get("language") or "")).replace("_", "-").split("-")[0].lower()
    return FoundFeed(
        snapshot.url,
        clean_line_or_none(str(parsed.feed.get("title") or "")),
        home,
        language or None,
        tuple(_iterate_entries(parsed.entries, base)),
    )


def _iterate_entries(entries: list[Any], base: str) -> Iterator[FeedEntry]:
    for entry in entries:
        url = resolve_url(entry.get("link"), base)
        if url is None:
            continue
        raw = clean_line_or_none(str(entry.get("published") or entry.get("updated") or ""))
        parsed = parse_date(raw, UTC) if raw else None
        texts = [str(part.get("value") or "") for part in entry.get("content") or ()]
        length = max((len(MARKUP.sub("", text)) for text in (*texts, str(entry.get("summary") or ""))), default=0)
        title = clean_line_or_none(MARKUP.sub("", str(entry.get("title") or "")))
        yield FeedEntry(url, title, parsed.at if parsed else None, raw, length)
