"""RSS and Atom feeds, parsed by feedparser. Every field of an entry except its link is optional."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from io import BytesIO
from itertools import chain
from typing import Any

from lxml import etree

from crawler.errors import PageChanged
from crawler.pages.listing import ListingPage
from crawler.pages.site import Site
from crawler.pages.snapshot import Snapshot
from crawler.text.urls import resolve_url

ENTITY_DECLARATION_PATTERN = re.compile("<!ENTITY", re.IGNORECASE)
"""No feed needs entity declarations. A small file of them can fill a machine's memory when they are expanded."""
ROOT_ELEMENT_PATTERN = re.compile(r"<(?:rss|feed|rdf:RDF)\b", re.IGNORECASE)
"""Declarations come before the root element. After it the same characters are text."""
FEED_PATTERN = re.compile(
    r"(?>\s+|<\?(?>.*?\?>)|<!--(?>.*?-->)|<!DOCTYPE[^<>\[]*+(?>\[.*?\]\s*+)?+>)*+<(?:rss|feed|rdf:RDF)\b",
    re.IGNORECASE | re.DOTALL,
)
"""A feed's root element behind declarations and comments. A feed is often served as HTML or plain text."""
XML_DECLARATION_PATTERN = re.compile(r"\s*<\?xml\b[^>]*>")
CHARACTER_REFERENCE_PATTERN = re.compile(r"&#(?:[xX]0*(?P<hex>[0-9a-fA-F]*)|0*(?P<decimal>[0-9]*));?")
MAX_REFERENCE_DIGITS = 7
PLAIN_LINK_PATTERN = re.compile(r"\s*https?://[A-Za-z0-9.:-]+/[!-:=?-~]*\s*")
"""An absolute address in ASCII without `;`, in which feedparser changes nothing."""
FEED_HEADERS = {"content-type": "application/xml; charset=utf-8"}
"""What feedparser is told about a text that is decoded already."""


def repair_feed(text: str) -> str:
    """Return a feed's text without what makes feedparser fail as a whole.

    These are numbers that name no character (`&#xD800;`), and a declaration, whose encoding may be unknown.
    """
    return CHARACTER_REFERENCE_PATTERN.sub(_keep_valid_reference, XML_DECLARATION_PATTERN.sub("", text, count=1))


def _keep_valid_reference(found: re.Match[str]) -> str:
    digits, base = (found["hex"], 16) if found["hex"] is not None else (found["decimal"], 10)
    number = int(digits, base) if 0 < len(digits) <= MAX_REFERENCE_DIGITS else 0
    return found[0] if 0 < number <= sys.maxunicode and not 0xD800 <= number <= 0xDFFF else ""


def list_plain_links(text: str) -> list[str]:
    """Return the links of an RSS feed in which each entry has one absolute address, or [] for any other feed.

    Most feeds are of this kind, and feedparser takes ten times as long for them.
    """
    if "<!DOCTYPE" in text:
        return []
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(XML_DECLARATION_PATTERN.sub("", text, count=1).encode(), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError):
        return []
    links = [list(item.iter("{*}link")) for item in root.iter("item")] if root.tag == "rss" else []
    is_plain = all(len(found) == 1 and not found[0].attrib and not len(found[0]) for found in links)
    addresses = [found[0].text or "" for found in links] if is_plain else []
    return addresses if all(map(PLAIN_LINK_PATTERN.fullmatch, addresses)) else []


class Feed(ListingPage):
    """A source's feed."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Return whether the snapshot is XML or starts like a feed."""
        return snapshot.kind == "xml" or FEED_PATTERN.match(snapshot.text) is not None

    def list_addresses(self) -> list[str]:
        """Return the entries' addresses. Relative ones are resolved against `xml:base`, or the channel's link."""
        plain = list_plain_links(self.snapshot.text)
        if plain and all(map(self.resolve_article_link, plain)):
            return plain
        feed, base = self.parse_feed()
        return [link for entry in feed.entries if (link := self.find_entry_address(entry, base))]

    def parse_feed(self) -> tuple[Any, str]:
        """Return the feed as feedparser reads it, and the URL against which its addresses are resolved."""
        import feedparser  # takes 0.1 s and 10 MB, which a run without feeds does not need

        if ENTITY_DECLARATION_PATTERN.search(ROOT_ELEMENT_PATTERN.split(self.snapshot.text, maxsplit=1)[0]):
            raise self.make_changed_error("links", "a feed without entity declarations", "<!ENTITY")
        # A stream, because feedparser opens bytes that are the name of a file.
        feed = feedparser.parse(
            BytesIO(repair_feed(self.snapshot.text).encode(errors="replace")),
            response_headers=FEED_HEADERS,
            # Only addresses are read. The markup in descriptions is not needed, and costs most of the time.
            resolve_relative_uris=False,
            sanitize_html=False,
        )
        if feed.bozo and not feed.entries:
            raise PageChanged("links", "entries of a feed", f"broken XML ({feed.bozo_exception})", self.snapshot.url)
        # In Atom a relative address is relative to the document. feedparser has applied `xml:base` already.
        is_atom = feed.version.startswith("atom")
        base = None if is_atom else resolve_url(feed.feed.get("link"), self.snapshot.url)
        return feed, base or self.snapshot.url

    def find_entry_address(self, entry: Mapping[str, Any], base: str) -> str | None:
        """Return an entry's address as an absolute URL, or None where it has none.

        The link of some feeds leads to the portal or to a counter; then the entry's id is the article's address.
        """
        link = resolve_url(entry.get("link"), base)
        others = (resolve_url(entry.get(name), base) for name in ("feedburner_origlink", "id"))
        return next((each for each in chain((link,), others) if each and self.resolve_article_link(each)), link)
