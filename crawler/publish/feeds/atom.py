"""Atom 1.0 (RFC 4287)."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from crawler.items import format_time
from crawler.publish import Entry
from crawler.publish.feeds.feed import GENERATOR, FeedHead, get_update_time, make_items
from crawler.publish.xml_text import sanitize_text

ATOM_NAMESPACE = "http://www.w3.org/2005/Atom"
LANGUAGE_ATTRIBUTE = "{http://www.w3.org/XML/1998/namespace}lang"


def format_atom(feed: FeedHead, entries: Sequence[Entry]) -> bytes:
    """The feed as a file."""
    found = make_items(feed, entries)
    root = etree.Element(f"{{{ATOM_NAMESPACE}}}feed", nsmap={None: ATOM_NAMESPACE})
    if feed.language:
        root.set(LANGUAGE_ATTRIBUTE, feed.language)
    _add_atom_element(root, "id", feed.id)
    _add_atom_element(root, "title", feed.title)
    _add_atom_element(root, "updated", format_time(get_update_time(feed, found)))
    _add_atom_element(_add_atom_element(root, "author"), "name", feed.title)
    _add_atom_element(root, "generator", GENERATOR)
    _add_atom_element(root, "link", rel="alternate", href=feed.home)
    if feed.address:
        _add_atom_element(root, "link", rel="self", type="application/atom+xml", href=feed.address)
    for item in found:
        entry = _add_atom_element(root, "entry")
        if item.language:
            entry.set(LANGUAGE_ATTRIBUTE, item.language)
        _add_atom_element(entry, "id", item.id)
        _add_atom_element(entry, "title", item.title)
        _add_atom_element(entry, "updated", format_time(item.updated))
        if item.published:
            _add_atom_element(entry, "published", format_time(item.published))
        _add_atom_element(_add_atom_element(entry, "author"), "name", item.author)
        _add_atom_element(entry, "link", rel="alternate", href=item.url, hreflang=item.language)
        for other in item.related:
            _add_atom_element(
                entry, "link", rel="related", href=other.url, hreflang=other.language, title=other.headline
            )
        for rule, title in item.rules:
            _add_atom_element(entry, "category", term=rule, label=title)
        _add_atom_element(entry, "rights", item.credit)
        _add_atom_element(entry, "summary", item.html, type="html")
    return serialize_xml(root)


def _add_atom_element(
    parent: etree._Element, name: str, text: str | None = None, **attributes: str | None
) -> etree._Element:
    return add_element(parent, f"{{{ATOM_NAMESPACE}}}{name}", text, **attributes)


def add_element(parent: etree._Element, name: str, text: str | None = None, **attributes: str | None) -> etree._Element:
    """A new element at the end of its parent; what XML cannot hold is left out, and attributes without a value."""
    element = etree.SubElement(parent, name, {key: sanitize_text(value) for key, value in attributes.items() if value})
    element.text = sanitize_text(text) if text is not None else None
    return element


def serialize_xml(root: etree._Element) -> bytes:
    """A tree of XML as a file."""
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written
