"""Atom 1.0 (RFC 4287)."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from crawler.entries import Entry
from crawler.feeds.feed import GENERATOR, Feed, items, updated
from crawler.feeds.signs import clean
from crawler.items import iso

ATOM = "http://www.w3.org/2005/Atom"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def atom(feed: Feed, entries: Sequence[Entry]) -> bytes:
    """The feed as a file."""
    found = items(feed, entries)
    root = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})
    if feed.language:
        root.set(LANGUAGE, feed.language)
    _add(root, "id", feed.id)
    _add(root, "title", feed.title)
    _add(root, "updated", iso(updated(feed, found)))
    _add(_add(root, "author"), "name", feed.title)
    _add(root, "generator", GENERATOR)
    _add(root, "link", rel="alternate", href=feed.home)
    if feed.address:
        _add(root, "link", rel="self", type="application/atom+xml", href=feed.address)
    for item in found:
        entry = _add(root, "entry")
        if item.language:
            entry.set(LANGUAGE, item.language)
        _add(entry, "id", item.id)
        _add(entry, "title", item.title)
        _add(entry, "updated", iso(item.updated))
        if item.published:
            _add(entry, "published", iso(item.published))
        _add(_add(entry, "author"), "name", item.author)
        _add(entry, "link", rel="alternate", href=item.url, hreflang=item.language)
        for other in item.related:
            _add(entry, "link", rel="related", href=other.url, hreflang=other.language, title=other.headline)
        for rule, title in item.rules:
            _add(entry, "category", term=rule, label=title)
        _add(entry, "rights", item.credit)
        _add(entry, "summary", item.html, type="html")
    return file(root)


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str | None) -> etree._Element:
    return add(parent, f"{{{ATOM}}}{name}", text, **attributes)


def add(parent: etree._Element, name: str, text: str | None = None, **attributes: str | None) -> etree._Element:
    """A new element at the end of its parent; what XML cannot hold is left out, and attributes without a value."""
    element = etree.SubElement(parent, name, {key: clean(value) for key, value in attributes.items() if value})
    element.text = clean(text) if text is not None else None
    return element


def file(root: etree._Element) -> bytes:
    """A tree of XML as a file."""
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written
