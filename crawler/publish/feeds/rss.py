"""RSS 2.0, with what it lacks (language and time of change of an item, related links) from Dublin Core and Atom."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import format_datetime

from lxml import etree

from crawler.items import format_time
from crawler.publish import Entry
from crawler.publish.feeds.atom import ATOM_NAMESPACE, LANGUAGE_ATTRIBUTE, add_element, serialize_xml
from crawler.publish.feeds.feed import GENERATOR, FeedHead, get_update_time, make_items

DUBLIN_CORE_NAMESPACE = "http://purl.org/dc/elements/1.1/"


def format_rss(feed: FeedHead, entries: Sequence[Entry]) -> bytes:
    """The feed as a file."""
    found = make_items(feed, entries)
    root = etree.Element("rss", version="2.0", nsmap={"atom": ATOM_NAMESPACE, "dc": DUBLIN_CORE_NAMESPACE})
    channel = add_element(root, "channel")
    add_element(channel, "title", feed.title)
    add_element(channel, "link", feed.home)
    add_element(channel, "description", feed.title)
    if feed.language:
        add_element(channel, "language", feed.language)
    add_element(channel, "lastBuildDate", format_datetime(get_update_time(feed, found)))
    add_element(channel, "generator", GENERATOR)
    if feed.address:
        add_element(channel, f"{{{ATOM_NAMESPACE}}}link", rel="self", type="application/rss+xml", href=feed.address)
    for item in found:
        one = add_element(channel, "item")
        if item.language:
            one.set(LANGUAGE_ATTRIBUTE, item.language)
        add_element(one, "title", item.title)
        add_element(one, "link", item.url)
        add_element(one, "guid", item.id, isPermaLink="false")
        add_element(one, "pubDate", format_datetime(item.published or item.updated))
        add_element(one, f"{{{ATOM_NAMESPACE}}}updated", format_time(item.updated))
        add_element(one, f"{{{DUBLIN_CORE_NAMESPACE}}}creator", item.author)
        if item.language:
            add_element(one, f"{{{DUBLIN_CORE_NAMESPACE}}}language", item.language)
        add_element(one, f"{{{DUBLIN_CORE_NAMESPACE}}}rights", item.credit)
        for rule, _ in item.rules:
            add_element(one, "category", rule)
        for other in item.related:
            link = f"{{{ATOM_NAMESPACE}}}link"
            add_element(one, link, rel="related", href=other.url, hreflang=other.language, title=other.headline)
        add_element(one, "description", item.html)
    return serialize_xml(root)
