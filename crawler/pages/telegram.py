"""A public Telegram channel as its preview `t.me/s/NAME` shows it: the newest posts, whole.

The names of classes are those of the public preview page (M): one `tgme_widget_message` a post, with `data-post`.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from parsel import Selector

from crawler.errors import Blocked, PageChanged
from crawler.items import Article, Image
from crawler.pages.base import Page, make_article
from crawler.pages.blocks import Block, parse_html
from crawler.pages.records import RecordReader
from crawler.pages.site import Reading, Site
from crawler.pages.snapshot import Snapshot
from crawler.text.dates import parse_date

POST = "div.tgme_widget_message[data-post]"
TEXT = "div.tgme_widget_message_text:not(.js-message_reply_text)"
"""The text of a post. That of a reply has another class and is inside the link to the post that it quotes."""
INSIDE_OTHER_POST = "ancestor::*[contains(@class, 'tgme_widget_message_reply')]"
TIME = "a.tgme_widget_message_date time[datetime]"
MAX_QUOTED_CHARACTERS = 60
PICTURE_ADDRESS = re.compile(r"background-image:\s*url\(['\"]?(.+?)['\"]?\)")


class TelegramChannel(Page):
    """The preview of a channel. An album is one post. A post without text is skipped."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Return whether the snapshot is HTML."""
        return snapshot.kind == "html"

    def read(self) -> Reading:
        """Return an article for every post with a text. Raise Blocked for a channel without a preview."""
        posts = self.root.css(POST)
        if not posts:
            self.raise_without_posts()
        records = RecordReader(self, "post")
        articles, ids = [], []
        for post in posts:
            address = self.site.identify(f"{self.site.origin}/{post.attrib['data-post']}")
            if address is None:
                continue  # a post of another channel, shown in this one
            ids.append(address.native_id)
            if article := records.read(address.url, partial(self.read_post, post, address.native_id, address.url)):
                articles.append(article)
        return records.make_reading(articles, entry_count=len(ids), native_ids=ids)

    def raise_without_posts(self) -> None:
        """Raise Blocked for the page of a channel that has no preview, PageChanged for any other page."""
        url = self.snapshot.url
        if self.root.css("div.tgme_channel_history"):
            raise self.make_changed_error("posts", POST, "a channel without posts")
        if self.root.css("div.tgme_page"):
            raise Blocked(
                f"{url}: the channel has no public preview, or there is no such channel. "
                "Open it in a browser, and ask its owner for another way to follow it.",
                url=url,
            )
        raise self.make_changed_error("posts", POST, "nothing")

    def read_post(self, post: Selector, native_id: str, url: str) -> Article | None:
        """Return the article of a post, or None for one without text. Raise PageChanged for one without a time."""
        self.provenance = {}
        texts = [node for node in post.css(TEXT) if not node.xpath(INSIDE_OTHER_POST)]
        lines: list[Block] = [line for node in texts for line in parse_html(node.root) if not line.is_image]
        if not lines:
            return None
        times = [node for node in post.css(TIME) if not node.xpath(INSIDE_OTHER_POST)]
        if not times:
            raise PageChanged("published_at", TIME, "nothing", url)
        raw = times[-1].attrib["datetime"]
        published = parse_date(raw, self.site.time_zone)
        if published is None:
            raise PageChanged("published_at", TIME, repr(raw[:MAX_QUOTED_CHARACTERS]), url)
        self.record_rule("body", TEXT)
        self.record_rule("published_at", TIME)
        meta = " ".join(post.css(".tgme_widget_message_meta ::text").getall()).split()
        if "edited" in meta:
            self.record_rule("edited", "mark of the post")
        fields: dict[str, Any] = {
            "body": lines,
            "published_at": published.at,
            "published_raw": raw,
            "published_precision": published.precision,
            "images": self.list_images(post),
        }
        return make_article(self, native_id, url, fields)

    def list_images(self, post: Selector) -> tuple[Image, ...]:
        """Return the pictures of a post or an album. They are never downloaded."""
        styles = post.css("a.tgme_widget_message_photo_wrap::attr(style)").getall()
        addresses = [found[1] for style in styles if (found := PICTURE_ADDRESS.search(style))]
        return tuple(Image(url=self.make_absolute_url(address), caption=None) for address in addresses)
