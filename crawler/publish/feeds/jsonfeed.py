"""JSON Feed 1.1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from crawler.items import format_time
from crawler.publish.entries import Entry
from crawler.publish.feeds.feed import FeedHead, FeedItem, make_items
from crawler.publish.xml_text import sanitize_text

JSONFEED_VERSION = "https://jsonfeed.org/version/1.1"


def format_jsonfeed(feed: FeedHead, entries: Sequence[Entry]) -> bytes:
    """Return the feed as a document. Unknown values are left out, as the format asks."""
    values = {
        "version": JSONFEED_VERSION,
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": feed.address,
        "language": feed.language,
        "authors": [{"name": feed.title}],
        "items": [_make_json_item(item) for item in make_items(feed, entries)],
    }
    return (json.dumps(_drop_unknown(values), ensure_ascii=False, indent=1) + "\n").encode()


def _make_json_item(item: FeedItem) -> dict[str, Any]:
    related = [
        _drop_unknown({"url": other.url, "title": sanitize_text(other.headline), "language": other.language})
        for other in item.related
    ]
    return _drop_unknown(
        {
            "id": item.id,
            "url": item.url,
            "title": item.title,
            "content_html": item.html,
            "date_published": format_time(item.published),
            "date_modified": format_time(item.updated),
            "authors": [{"name": item.author}],
            "tags": [rule for rule, _ in item.rules],
            "language": item.language,
            "_crawler": _drop_unknown(
                {
                    "verdict": item.verdict,
                    "rights": item.credit,
                    "flags": list(item.flags) or None,
                    "related": related,
                }
            ),
        }
    )


def _drop_unknown(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
