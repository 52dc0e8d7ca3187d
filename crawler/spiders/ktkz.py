"""Kazakhstan Today (kt.kz), press releases: it prints ministries' texts whole, with their attribution."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import zip_longest
from typing import Any

from parsel import Selector

from crawler.items import Image, Rights
from crawler.pages import blocks
from crawler.pages import press_release as release
from crawler.pages.base import ArticlePage
from crawler.pages.feed import Feed
from crawler.pages.ktkz import parse_ktkz_url
from crawler.pages.listing import ListingPage
from crawler.pages.site import ArticleAddress, Site
from crawler.pages.snapshot import Snapshot
from crawler.spiders.base import HealthExpectation, SourceSpider

DATE = re.compile(r"\d{2}\.\d{2}\.\d{4},? \d{2}:\d{2}")
ARTICLE_PARTS = ("page-heading", "page-meta", "page-content")
# Lines around the text that are no part of it.
CAPTION_OR_SHARE_LINE = re.compile(
    r"(?:Фото|Photo|Сурет)\s*:.*|Рассказать друзьям|Share with friends|Поделиться|Достарыңмен бөліс"
)
DATELINE = re.compile(r"(?P<place>[^\W\d_][\w -]{1,30})\.\s.{3,25}\.\s(?:KAZAKHSTAN TODAY|Kazakhstan Today)\s*[-–—]\s")


class KtArticle(ArticlePage):
    """An article page. More whole articles follow on it: only the first node of each kind belongs to this article."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Whether the snapshot is HTML at an article's address."""
        return snapshot.kind == "html" and site.identify(snapshot.url) is not None

    def extract_fields(self) -> dict[str, Any]:
        """Return the fields by `header.page-heading h1`, `div.page-meta span` and `div.page-content > div` (H).

        Each is searched in the first node of its kind only: the next one belongs to another article.
        """
        heading, meta, text = self.find_parts()
        title = self.get_text(self.select_first("title", "header.page-heading h1", heading))
        raw = self.get_text(self.select_first("published_at", "div.page-meta span", meta)) or ""
        found = DATE.match(raw)
        when = self.parse_date("published_at", found[0] if found else raw, "div.page-meta span")
        content = self.select_first("body", "div.page-content > div", text)
        lines = blocks.parse_html(content.root)
        body = [
            line
            for line in lines
            if not line.is_image
            and (not CAPTION_OR_SHARE_LINE.fullmatch(line.text) or release.find_attribution(line.text))
        ]
        body, attribution = release.split_attribution(body)
        dateline = DATELINE.match(body[0].text) if body else None
        for field, rule in (("title", "h1"), ("published_at", "page-meta span"), ("body", "page-content > div")):
            self.record_rule(field, rule)
        address = parse_ktkz_url(self.snapshot.url)
        return {
            "title": title,
            "body": body,
            "published_at": when.at,
            "published_raw": when.raw,
            "published_precision": when.precision,
            "section": address.section if address else None,
            "place": dateline["place"] if dateline else release.find_dateline_place(body, self.site.time_zone),
            "attribution": attribution,
            "images": tuple(
                Image(url=self.make_absolute_url(line.source), caption=line.text or None)
                for line in lines
                if line.source
            ),
        }

    def find_parts(self) -> tuple[Selector, Selector, Selector]:
        """Return the first article's heading, meta line and text. Raise PageChanged when the page starts otherwise."""
        nodes = self.root.css("header.page-heading, div.page-meta, div.page-content")[:3]
        classes = tuple(" ".join((node.attrib.get("class") or "").split()) for node in nodes)
        fields = ("title", "published_at", "body")
        for field, part, found in zip_longest(fields, ARTICLE_PARTS, classes, fillvalue="nothing"):
            if part not in found.split():
                raise self.make_changed_error(field, f".{part} of the first article", found)
        return nodes[0], nodes[1], nodes[2]


class KtList(ListingPage):
    """A section's page: every link to an article."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Whether the snapshot is HTML and no article."""
        return snapshot.kind == "html" and site.identify(snapshot.url) is None

    def list_addresses(self) -> list[str]:
        """Return all links. Those that are no article of the source are dropped by their address."""
        return self.root.css("a::attr(href)").getall()


class KtSpider(SourceSpider):
    """Kazakhstan Today, the section of press releases in Russian, by feed and list."""

    name = "ktkz"
    title = "Kazakhstan Today"
    origins = ("https://www.kt.kz", "http://www.kt.kz", "https://kt.kz", "http://kt.kz")
    method = "RSS and the list of press releases"
    listing_urls = ("https://www.kt.kz/rus/rss", "https://www.kt.kz/rus/press-materialy/")
    page_classes = (Feed, KtArticle, KtList)
    expectation = HealthExpectation(min_links=5, max_silence=timedelta(days=4))
    rights = Rights(
        excerpt_share=0.3,
        link_required=True,
        wording="Not to be reproduced without reference to Kazakhstan Today",
        source="https://www.kt.kz",
        reference="Kazakhstan Today",
    )

    @classmethod
    def identify(cls, url: str) -> ArticleAddress | None:
        """Identify an article by the ten digits at the end of its address. `_-` and `_` before them are the same."""
        found = parse_ktkz_url(url)
        if found and found.edition:
            return ArticleAddress(found.native_id, cls.origins[0] + found.path)
        return None
