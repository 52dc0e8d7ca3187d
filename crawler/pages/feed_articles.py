"""FeedArticles: a feed that has the whole texts, or all that is published of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from crawler.errors import PageChanged
from crawler.items import Article
from crawler.pages.base import make_article
from crawler.pages.blocks import parse_markup, read_line
from crawler.pages.feed import Feed
from crawler.pages.records import RecordReader
from crawler.pages.site import Reading


class FeedArticles(Feed):
    """A feed whose entries are the articles: their pages are not requested."""

    def read(self) -> Reading:
        """Return an article for each entry with an article's address and a text."""
        feed, base = self.parse_feed()
        records = RecordReader(self, "entry", "has no text in the feed")
        articles: dict[str, Article] = {}
        count = 0
        for entry in feed.entries:
            link = self.find_entry_address(entry, base)
            address = self.site.identify(link) if link else None
            if address is None:
                continue
            count += 1
            if article := records.read(address.url, partial(self.read_entry, entry, address.native_id, address.url)):
                articles.setdefault(article.id, article)
        if not count:
            raise self.make_changed_error("links", "addresses of articles", "none")
        found = list(articles.values())
        return records.make_reading(found, entry_count=count, native_ids=[article.native_id for article in found])

    def read_entry(self, entry: Mapping[str, Any], native_id: str, url: str) -> Article | None:
        """Return the article of an entry, or None for one without text. Raise PageChanged for a date of no known form.

        The text is the longest content, else the summary. An entry without a time has none.
        """
        self.provenance = {}
        contents = [content.get("value") or "" for content in entry.get("content") or ()]
        text = max(contents, key=len, default="") or entry.get("summary") or ""
        lines = [line for line in parse_markup(text) if not line.is_image]
        if not lines:
            return None
        title = read_line(entry.get("title") or "") or None
        fields: dict[str, Any] = {"title": title, "body": lines, "author": entry.get("author") or None}
        for name, rule in (("title", "title"), ("body", "content" if contents else "summary")):
            self.record_rule(name, f"entry.{rule}")
        raw = next((value for key in ("published", "updated") if (value := entry.get(key))), None)
        if raw:
            try:
                published = self.parse_date("published_at", raw, "entry.published")
            except PageChanged as error:
                raise PageChanged("published_at", "entry.published", error.found, url) from error
            self.record_rule("published_at", "entry.published")
            fields |= {
                "published_at": published.at,
                "published_raw": raw,
                "published_precision": published.precision,
            }
        return make_article(self, native_id, url, fields)
