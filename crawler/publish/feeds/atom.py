"""Atom 1.0 (RFC 4287)."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from crawler.items import format_time
from crawler.publish.entries import Entry
from crawler.publish.feeds.feed import GENERATOR, FeedHead, get_update_time, make_items
from crawler.publish.xml_text import add_element, serialize_xml

ATOM_NAMESPACE = "http://www.w3.org/2005/Atom"
LANGUAGE_ATTRIBUTE = "{http://www.w3.org/XML/1998/namespace}lang"


def format_atom(feed: FeedHead, entries: Sequence[Entry]) -> bytes:
    """Return the feed as a document."""
    items = make_items(feed, entries)
    root = etree.Element(f"{{{ATOM_NAMESPACE}}}feed", nsmap={None: ATOM_NAMESPACE})
    if feed.language:
        root.set(LANGUAGE_ATTRIBUTE, feed.language)
    _add(root, "id", feed.id)
    _add(root, "title", feed.title)
    _add(root, "updated", format_time(get_update_time(feed, items)))
    _add(_add(root, "author"), "name", feed.title)
    _add(root, "generator", GENERATOR)
    _add(root, "link", rel="alternate", href=feed.home)
    if feed.address:
        _add(root, "link", rel="self", type="application/atom+xml", href=feed.address)
    for item in items:
        entry = _add(root, "entry")
        if item.language:
            entry.set(LANGUAGE_ATTRIBUTE, item.language)
        _add(entry, "id", item.id)
        _add(entry, "title", item.title)
        _add(entry, "updated", format_time(item.updated))
        if item.published:
            _add(entry, "published", format_time(item.published))
        _add(_add(entry, "author"), "name", item.author)
        _add(entry, "link", rel="alternate", href=item.url, hreflang=item.language)
        for other in item.related:
            _add(entry, "link", rel="related", href=other.url, hreflang=other.language, title=other.headline)
        for rule, title in item.rules:
            _add(entry, "category", term=rule, label=title)
        _add(entry, "rights", item.credit)
        _add(entry, "summary", item.html, type="html")
    return serialize_xml(root)


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str | None) -> etree._Element:
    return add_element(parent, f"{{{ATOM_NAMESPACE}}}{name}", text, **attributes)
