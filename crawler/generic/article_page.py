"""A page of any site as a page object, read by the generic reader: the base of pages without a page class of code."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Any

from crawler.generic.page import GenericPage
from crawler.generic.reader import GenericArticle, read_page
from crawler.generic.site_memory import SiteMemory
from crawler.pages.base import ArticlePage
from crawler.pages.blocks import parse_text
from crawler.pages.site import Site
from crawler.pages.snapshot import Snapshot
from crawler.text.dates import ParsedDate, parse_date


class GenericArticlePage(ArticlePage):
    """An article's page, read by the extractors of the extra `sites`, with what was learned of the site."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Return whether the snapshot is HTML at an article's address."""
        return snapshot.kind == "html" and site.identify(snapshot.url) is not None

    @cached_property
    def generic_page(self) -> GenericPage:
        """The page as the generic reader parses it."""
        return GenericPage(self.get_markup(), self.snapshot.url)

    @cached_property
    def generic_article(self) -> GenericArticle:
        """What the generic reader reads."""
        memory = self.site.memory
        return read_page(self.generic_page, memory if isinstance(memory, SiteMemory) else None, self.get_text_page())

    def get_markup(self) -> str:
        """Return the markup that is read."""
        return self.snapshot.text

    def get_text_page(self) -> GenericPage:
        """Return the page from which the text is read."""
        return self.generic_page

    def make_generic_fields(self, known: Collection[str] = ()) -> dict[str, Any]:
        """Return title, text, date and author, but for `known` ones. Raise PageChanged for a page without a text."""
        article = self.generic_article
        fields: dict[str, Any] = {name: getattr(article, name) for name in ("title", "author") if name not in known}
        if "body" not in known:
            if not article.body:
                raise self.make_changed_error("body", "the generic reader", "nothing")
            fields["body"] = parse_text(article.body)
        if article.published_at and "published_at" not in known:
            text = str(article.evidence["published_at"]["text"])
            fields |= self.make_date_fields(self.parse_found_date(article.published_at, text), text)
        for name, origin in article.evidence.items():
            if name not in known:
                self.record_rule(name, origin["from"] if isinstance(origin, dict) else str(origin))
        return fields

    def parse_found_date(self, value: str, text: str) -> ParsedDate | None:
        """Return the date that the generic reader found as `value` (ISO 8601) in `text`.

        A time without an offset is in the site's zone.
        """
        return parse_date(value, self.site.time_zone)

    def make_date_fields(self, parsed: ParsedDate | None, raw: str) -> dict[str, Any]:
        """Return the three fields of a date."""
        if parsed is None:
            return {}
        return {"published_at": parsed.at, "published_raw": raw, "published_precision": parsed.precision}
