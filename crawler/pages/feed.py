"""RSS and Atom feeds, parsed by feedparser. Every field of an entry except its link is optional."""

from __future__ import annotations

import re

from crawler.errors import PageChanged
from crawler.pages.listing import ListingPage
from crawler.pages.site import Site
from crawler.pages.snapshot import Snapshot

ENTITY_DECLARATION_PATTERN = re.compile("<!ENTITY", re.IGNORECASE)
"""No feed needs entity declarations. A small file of them can fill a machine's memory when they are expanded."""
ROOT_ELEMENT_PATTERN = re.compile(r"<(?:rss|feed|rdf:RDF)\b", re.IGNORECASE)
"""Declarations come before the root element. After it the same characters are text."""
SEARCHED_BYTES = 500
"""Bytes in which a feed without a content type shows its root element."""


class Feed(ListingPage):
    """A source's feed."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Return whether the snapshot is XML or starts like a feed."""
        head = snapshot.body[:SEARCHED_BYTES]
        return snapshot.kind == "xml" or b"<rss" in head or b"<feed" in head

    def list_addresses(self) -> list[str]:
        """Return the entries' links, or their ids where an entry has no link."""
        import feedparser  # takes 0.1 s and 10 MB, which a run without feeds does not need

        if ENTITY_DECLARATION_PATTERN.search(ROOT_ELEMENT_PATTERN.split(self.snapshot.text, maxsplit=1)[0]):
            raise self.make_changed_error("links", "a feed without entity declarations", "<!ENTITY")
        feed = feedparser.parse(self.snapshot.body)
        links = [entry.get("link") or entry.get("id") or "" for entry in feed.entries]
        if feed.bozo and not links:
            raise PageChanged("links", "entries of a feed", f"broken XML ({feed.bozo_exception})", self.snapshot.url)
        return [link for link in links if link]
