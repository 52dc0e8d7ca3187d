"""Posts of a WordPress site, as its public interface `/wp-json/wp/v2/posts` answers: whole articles."""

from __future__ import annotations

from functools import partial
from typing import Any

from crawler.errors import PageChanged
from crawler.items import Article
from crawler.pages.base import Page, make_article
from crawler.pages.blocks import join_lines, parse_markup
from crawler.pages.records import RecordReader
from crawler.pages.site import Reading, Site
from crawler.pages.snapshot import Snapshot
from crawler.text.dates import convert_to_zone, parse_date

MAX_QUOTED_CHARACTERS = 80
POST_KEYS = "link, title.rendered, content.rendered and date"


class WordPressPosts(Page):
    """A page of posts. A broken post is a problem and does not affect the others."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Return whether the snapshot is JSON."""
        return snapshot.kind == "json"

    def read(self) -> Reading:
        """Return an article for every post with a text."""
        posts = self.snapshot.json
        if not isinstance(posts, list):
            raise self.make_changed_error("posts", "a list of posts", repr(posts)[:MAX_QUOTED_CHARACTERS])
        records = RecordReader(self, "post")
        articles = []
        for post in posts:
            link = post.get("link") if isinstance(post, dict) else None
            url = link if isinstance(link, str) else self.snapshot.url
            if article := records.read(url, partial(self.read_post, post, url)):
                articles.append(article)
        ids = [article.native_id for article in articles]
        return records.make_reading(articles, entry_count=len(posts), native_ids=ids)

    def read_post(self, post: Any, url: str) -> Article | None:
        """Return the article of a post, or None for one without text. Raise PageChanged for another shape."""
        try:
            link, title, text = post["link"], post["title"]["rendered"], post["content"]["rendered"]
            key = "date_gmt" if post.get("date_gmt") else "date"
            written = post[key]
        except (KeyError, TypeError) as error:
            raise PageChanged("post", POST_KEYS, repr(post)[:MAX_QUOTED_CHARACTERS], url) from error
        address = self.site.identify(str(link))
        if address is None:
            raise PageChanged("link", "an address of the site", repr(link)[:MAX_QUOTED_CHARACTERS], url)
        lines = [line for line in parse_markup(text) if not line.is_image]
        if not lines:
            return None
        parsed = parse_date(f"{written}Z" if key == "date_gmt" else written, self.site.time_zone)
        if parsed is None:
            raise PageChanged("published_at", f"post.{key}", repr(written)[:MAX_QUOTED_CHARACTERS], address.url)
        self.provenance = {}
        for field, rule in (("title", "title.rendered"), ("body", "content.rendered"), ("published_at", key)):
            self.record_rule(field, rule)
        fields: dict[str, Any] = {
            "title": join_lines(parse_markup(title)) or None,
            "body": lines,
            "published_at": convert_to_zone(parsed.at, self.site.time_zone),
            "published_raw": str(written),
            "published_precision": parsed.precision,
        }
        return make_article(self, address.native_id, address.url, fields)
