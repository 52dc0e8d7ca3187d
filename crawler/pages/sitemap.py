"""Sitemaps and news sitemaps: every field that finds articles, also the `news:` ones and the language versions."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from gzip import GzipFile
from io import BytesIO
from typing import Any, ClassVar

from lxml import etree

from crawler.errors import PageChanged
from crawler.pages.listing import ListingPage
from crawler.pages.site import Reading, Site
from crawler.pages.snapshot import Snapshot
from crawler.text.cleaning import clean_line_or_none
from crawler.text.dates import parse_date
from crawler.text.urls import resolve_url

GZIP_MAGIC = b"\x1f\x8b"
MAX_UNPACKED_BYTES = 60_000_000
"""Bytes of a sitemap that came as a gzip file. The protocol allows 50 MB."""
UNPACKED_PART_BYTES = 200_000
MAX_LISTED = 200
"""Newest entries that a run looks at: a sitemap may have every article of ten years."""
MAX_ENTRIES = 60_000
ROOT_NAMES = (b"urlset", b"sitemapindex")
SNIFFED_BYTES = 2_000


@dataclass(frozen=True, slots=True)
class SitemapEntry:
    """An address of a sitemap. Times are aware, or None where the sitemap states none.

    `alternates` are the addresses of other language versions, by the language code that the sitemap writes.
    """

    url: str
    modified_at: datetime | None = None
    published_at: datetime | None = None
    title: str | None = None
    language: str | None = None
    alternates: tuple[tuple[str, str], ...] = ()

    @property
    def is_news(self) -> bool:
        """Whether the entry has the fields of a news sitemap."""
        return self.title is not None or self.published_at is not None


@dataclass(frozen=True, slots=True)
class Sitemap:
    """The pages of a sitemap, and the sitemaps of an index."""

    entries: tuple[SitemapEntry, ...] = ()
    children: tuple[SitemapEntry, ...] = ()

    @property
    def is_news(self) -> bool:
        """Whether it is a news sitemap."""
        return any(entry.is_news for entry in self.entries)

    def list_newest(self) -> list[SitemapEntry]:
        """Return the entries, newest first. Those without a time keep their order and come last."""
        old = datetime.min.replace(tzinfo=UTC)
        return sorted(self.entries, key=lambda entry: entry.published_at or entry.modified_at or old, reverse=True)


def is_sitemap(snapshot: Snapshot) -> bool:
    """Return whether a response is a sitemap or an index of sitemaps, also as a gzip file."""
    body = _unpack(snapshot.body, SNIFFED_BYTES) if snapshot.body.startswith(GZIP_MAGIC) else snapshot.body
    head = body[:SNIFFED_BYTES].lower()
    return any(b"<" + name in head or b":" + name in head for name in ROOT_NAMES)


def parse_sitemap(snapshot: Snapshot) -> Sitemap:
    """Return what a sitemap names. Broken XML is read as far as it goes."""
    body = _unpack(snapshot.body, MAX_UNPACKED_BYTES) if snapshot.body.startswith(GZIP_MAGIC) else snapshot.body
    # No entities and no network: a small file of entities can fill a machine's memory.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    try:
        root = etree.fromstring(body.strip(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return Sitemap()
    if root is None:
        return Sitemap()
    found = [entry for node in list(root)[:MAX_ENTRIES] if (entry := _make_entry(node, snapshot.url)) is not None]
    is_index = _split_name(root)[1] == "sitemapindex"
    return Sitemap(children=tuple(found)) if is_index else Sitemap(entries=tuple(found))


def _make_entry(node: Any, base: str) -> SitemapEntry | None:
    """Return an entry by its own fields and its `news:news`. Images and videos have addresses and dates, too."""
    fields: dict[str, str] = {}
    news: dict[str, str] = {}
    alternates: list[tuple[str, str]] = []
    namespaces = ("", _split_name(node)[0])
    for child in node:
        namespace, name = _split_name(child)
        if name == "news":
            for inner in child.iter():
                _add_text(news, inner)
        elif name == "link" and child.get("hreflang") and (href := resolve_url(child.get("href"), base)):
            alternates.append((child.get("hreflang").lower(), href))
        elif namespace in namespaces:
            _add_text(fields, child)
    url = resolve_url(fields.get("loc"), base)
    if url is None:
        return None
    return SitemapEntry(
        url,
        _parse_time(fields.get("lastmod")),
        _parse_time(news.get("publication_date")),
        news.get("title"),
        news.get("language"),
        tuple(alternates),
    )


def _add_text(fields: dict[str, str], node: Any) -> None:
    """Add the text of an element, unless there is one of its name."""
    if text := clean_line_or_none(node.text or ""):
        fields.setdefault(_split_name(node)[1], text)


def _split_name(node: Any) -> tuple[str, str]:
    """Return the namespace, or an undeclared prefix, and the name of an element, or "" twice for a comment."""
    if not isinstance(node.tag, str):
        return "", ""
    start = max(node.tag.rfind("}"), node.tag.rfind(":")) + 1
    return node.tag[:start], node.tag[start:].lower()


def _parse_time(text: str | None) -> datetime | None:
    parsed = parse_date(text, UTC) if text else None
    return parsed.at if parsed else None


def _unpack(body: bytes, limit: int) -> bytes:
    """Return the beginning of a gzip file's content, of all its members; of a broken file what is before the damage."""
    content = bytearray()
    try:
        with GzipFile(fileobj=BytesIO(body)) as file:
            while part := file.read1(min(UNPACKED_PART_BYTES, limit - len(content))):
                content += part
    except (OSError, EOFError, zlib.error):
        pass
    return bytes(content)


class SitemapPage(ListingPage):
    """A sitemap of a source: its newest entries."""

    max_listed: ClassVar[int] = MAX_LISTED

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Return whether the snapshot is a sitemap."""
        return is_sitemap(snapshot)

    def list_addresses(self) -> list[str]:
        """Return the addresses of the newest entries. Raise PageChanged for an index, which has no pages."""
        if self.sitemap.children:
            raise PageChanged("links", "a sitemap with pages", "an index of sitemaps", self.snapshot.url)
        newest = self.sitemap.list_newest()
        return [entry.url for entry in newest if self.resolve_article_link(entry.url)][: self.max_listed]

    @cached_property
    def sitemap(self) -> Sitemap:
        """What the sitemap names."""
        return parse_sitemap(self.snapshot)


class WholeSitemapPage(SitemapPage):
    """All entries of a sitemap with their times, for a backfill."""

    max_listed: ClassVar[int] = MAX_ENTRIES

    def read(self) -> Reading:
        """Return the addresses, the newest first, each with the time that the sitemap states."""
        reading = super().read()
        times = {
            url: entry.published_at or entry.modified_at
            for entry in self.sitemap.entries
            if (url := self.resolve_article_link(entry.url))
        }
        return replace(reading, link_times=tuple(times.get(link) for link in reading.links))
