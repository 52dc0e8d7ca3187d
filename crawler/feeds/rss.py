"""RSS 2.0, with what it lacks (language and time of change of an item, related links) from Dublin Core and Atom."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import format_datetime

from lxml import etree

from crawler.entries import Entry
from crawler.feeds.atom import ATOM, LANGUAGE, add, file
from crawler.feeds.feed import GENERATOR, Feed, items, updated
from crawler.items import iso

DC = "http://purl.org/dc/elements/1.1/"


def rss(feed: Feed, entries: Sequence[Entry]) -> bytes:
    """The feed as a file."""
    found = items(feed, entries)
    root = etree.Element("rss", version="2.0", nsmap={"atom": ATOM, "dc": DC})
    channel = add(root, "channel")
    add(channel, "title", feed.title)
    add(channel, "link", feed.home)
    add(channel, "description", feed.title)
    if feed.language:
        add(channel, "language", feed.language)
    add(channel, "lastBuildDate", format_datetime(updated(feed, found)))
    add(channel, "generator", GENERATOR)
    if feed.address:
        add(channel, f"{{{ATOM}}}link", rel="self", type="application/rss+xml", href=feed.address)
    for item in found:
        one = add(channel, "item")
        if item.language:
            one.set(LANGUAGE, item.language)
        add(one, "title", item.title)
        add(one, "link", item.url)
        add(one, "guid", item.id, isPermaLink="false")
        add(one, "pubDate", format_datetime(item.published or item.updated))
        add(one, f"{{{ATOM}}}updated", iso(item.updated))
        add(one, f"{{{DC}}}creator", item.author)
        if item.language:
            add(one, f"{{{DC}}}language", item.language)
        add(one, f"{{{DC}}}rights", item.credit)
        for rule, _ in item.rules:
            add(one, "category", rule)
        for other in item.related:
            link = f"{{{ATOM}}}link"
            add(one, link, rel="related", href=other.url, hreflang=other.language, title=other.headline)
        add(one, "description", item.html)
    return file(root)
