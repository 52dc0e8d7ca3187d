"""RSS 2.0. What it lacks (language and change time of an item, related links) comes from Dublin Core and Atom."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import format_datetime

from lxml import etree

from crawler.items import format_time
from crawler.publish.entries import Entry
from crawler.publish.feeds.atom import ATOM_NAMESPACE, LANGUAGE_ATTRIBUTE
from crawler.publish.feeds.feed import GENERATOR, FeedHead, get_update_time, make_items
from crawler.publish.xml_text import add_element, serialize_xml

DUBLIN_CORE_NAMESPACE = "http://purl.org/dc/elements/1.1/"


def format_rss(feed: FeedHead, entries: Sequence[Entry]) -> bytes:
    """Return the feed as a document."""
    items = make_items(feed, entries)
    root = etree.Element("rss", version="2.0", nsmap={"atom": ATOM_NAMESPACE, "dc": DUBLIN_CORE_NAMESPACE})
    channel = add_element(root, "channel")
    add_element(channel, "title", feed.title)
    add_element(channel, "link", feed.home)
    add_element(channel, "description", feed.title)
    if feed.language:
        add_element(channel, "language", feed.language)
    add_element(channel, "lastBuildDate", format_datetime(get_update_time(feed, items)))
    add_element(channel, "generator", GENERATOR)
    atom_link = f"{{{ATOM_NAMESPACE}}}link"
    if feed.address:
        add_element(channel, atom_link, rel="self", type="application/rss+xml", href=feed.address)
    for item in items:
        element = add_element(channel, "item")
        if item.language:
            element.set(LANGUAGE_ATTRIBUTE, item.language)
        add_element(element, "title", item.title)
        add_element(element, "link", item.url)
        add_element(element, "guid", item.id, isPermaLink="false")
        add_element(element, "pubDate", format_datetime(item.published or item.updated))
        add_element(element, f"{{{ATOM_NAMESPACE}}}updated", format_time(item.updated))
        add_element(element, f"{{{DUBLIN_CORE_NAMESPACE}}}creator", item.author)
        if item.language:
            add_element(element, f"{{{DUBLIN_CORE_NAMESPACE}}}language", item.language)
        add_element(element, f"{{{DUBLIN_CORE_NAMESPACE}}}rights", item.credit)
        for rule, _ in item.rules:
            add_element(element, "category", rule)
        for other in item.related:
            add_element(
                element, atom_link, rel="related", href=other.url, hreflang=other.language, title=other.headline
            )
        add_element(element, "description", item.html)
    return serialize_xml(root)
