"""A page of any site as a page object: the source has no page class that knows its shape."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any

from crawler.generic.page import GenericPage
from crawler.generic.reader import GenericArticle, read_page
from crawler.items import Extraction, Precision
from crawler.pages.base import ArticlePage
from crawler.pages.blocks import parse_text
from crawler.pages.site import Site
from crawler.pages.snapshot import Snapshot
from crawler.text.dates import convert_to_zone


class GenericArticlePage(ArticlePage):
    """An article's page, read by the extractors of the extra `sites`."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Whether the snapshot is HTML at an article's address."""
        return snapshot.kind == "html" and site.identify(snapshot.url) is not None

    @cached_property
    def generic_page(self) -> GenericPage:
        """The page as the generic reader parses it."""
        return GenericPage(self.get_markup(), self.snapshot.url)

    @cached_property
    def generic_article(self) -> GenericArticle:
        """What the generic reader reads."""
        return read_page(self.generic_page)

    def get_markup(self) -> str:
        """Return the markup that is read."""
        return self.snapshot.text

    def extract_fields(self) -> dict[str, Any]:
        """Return title, text, date and author. Raise PageChanged for a page without a title or a text."""
        article = self.generic_article
        for field in ("title", "body"):
            if not getattr(article, field):
                raise self.make_changed_error(field, "the generic reader", "nothing")
        for field, evidence in article.evidence.items():
            self.record_rule(field, evidence["from"] if isinstance(evidence, dict) else evidence)
        fields: dict[str, Any] = {
            "title": article.title,
            "body": parse_text(article.body or ""),
            "author": article.author,
            "extraction": Extraction.GENERIC,
        }
        if article.published_at:
            at = datetime.fromisoformat(article.published_at)
            fields["published_at"] = convert_to_zone(at, self.site.time_zone)
            fields["published_raw"] = article.evidence["published_at"]["text"]
            fields["published_precision"] = Precision.MINUTE if "T" in article.published_at else Precision.DAY
        return fields
