"""JSON Feed 1.1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from crawler.entries import Entry
from crawler.feeds.feed import Feed, Item, items
from crawler.feeds.signs import clean
from crawler.items import iso

VERSION = "https://jsonfeed.org/version/1.1"


def jsonfeed(feed: Feed, entries: Sequence[Entry]) -> bytes:
    """The feed as a file. What is unknown is left out, as the format asks."""
    values = {
        "version": VERSION,
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": feed.address,
        "language": feed.language,
        "authors": [{"name": feed.title}],
        "items": [_item(item) for item in items(feed, entries)],
    }
    return (json.dumps(_known(values), ensure_ascii=False, indent=1) + "\n").encode()


def _item(item: Item) -> dict[str, Any]:
    related = [
        _known({"url": other.url, "title": clean(other.headline), "language": other.language}) for other in item.related
    ]
    return _known(
        {
            "id": item.id,
            "url": item.url,
            "title": item.title,
            "content_html": item.html,
            "date_published": iso(item.published),
            "date_modified": iso(item.updated),
            "authors": [{"name": item.author}],
            "tags": [rule for rule, _ in item.rules],
            "language": item.language,
            "_crawler": {"verdict": item.verdict, "rights": item.credit, "related": related},
        }
    )


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
