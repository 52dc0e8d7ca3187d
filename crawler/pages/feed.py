"""RSS and Atom feeds, read by feedparser: every field but the link is optional."""

from __future__ import annotations

import re

from crawler.errors import PageChanged
from crawler.pages.base import ListingPage
from crawler.pages.site import Site
from crawler.pages.snapshot import Snapshot

# A feed has no business declaring entities: expanding them is how a small file fills a machine's memory.
ENTITY_DECLARATION_PATTERN = re.compile("<!ENTITY", re.IGNORECASE)
ROOT_ELEMENT_PATTERN = re.compile(r"<(?:rss|feed|rdf:RDF)\b", re.IGNORECASE)
"""Declarations stand before it; behind it the same words are text."""


class Feed(ListingPage):
    """A source's feed."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Any XML that says it is a feed."""
        return snapshot.kind == "xml" or b"<rss" in snapshot.body[:500] or b"<feed" in snapshot.body[:500]

    def list_addresses(self) -> list[str]:
        """The entries' links, or their ids where those are addresses."""
        import feedparser  # 0.1 s and 10 MB that a run without feeds does not need

        if ENTITY_DECLARATION_PATTERN.search(ROOT_ELEMENT_PATTERN.split(self.snapshot.text, maxsplit=1)[0]):
            raise self.make_changed_error("links", "a feed without entity declarations", "<!ENTITY")
        feed = feedparser.parse(self.snapshot.body)
        links = [entry.get("link") or entry.get("id") or "" for entry in feed.entries]
        if feed.bozo and not links:
            raise PageChanged("links", "entries of a feed", f"broken XML ({feed.bozo_exception})", self.snapshot.url)
        return [link for link in links if link]
