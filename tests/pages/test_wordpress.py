"""A WordPress post has the time of the key that was read, and names that key."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from crawler.items import Rights
from crawler.pages.site import ArticleAddress, Site
from crawler.pages.snapshot import Snapshot
from crawler.pages.wordpress import WordPressPosts
from crawler.text.dates import load_time_zone

SITE = Site(
    name="wp",
    origin="https://wp.example",
    rights=Rights(excerpt_share=0.0, link_required=True, wording=None, source=None),
    time_zone=load_time_zone("Asia/Almaty"),
    page_classes=(WordPressPosts,),
    identify=lambda url: ArticleAddress(url, url),
)
POST = {
    "link": "https://wp.example/a/",
    "title": {"rendered": "The bridge opens"},
    "content": {"rendered": "<p>The bridge was opened.</p>"},
}


@pytest.mark.parametrize(
    ("times", "key", "hour"),
    [
        ({"date": "2026-11-30T10:00:00"}, "date", 5),
        ({"date": "2026-11-30T10:00:00", "date_gmt": "2026-11-30T07:00:00"}, "date_gmt", 7),
    ],
)
def test_the_key_of_the_date_is_recorded(times: dict[str, str], key: str, hour: int) -> None:
    snapshot = Snapshot(
        url="https://wp.example/wp-json/wp/v2/posts",
        body=json.dumps([POST | times]).encode(),
        headers={"content-type": "application/json"},
    )
    (article,) = WordPressPosts(snapshot, SITE).read().articles
    assert article.published_at == datetime(2026, 11, 30, hour, tzinfo=UTC)
    assert article.provenance["published_at"].rpartition(":")[2] == key
