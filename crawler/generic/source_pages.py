"""The page objects of sources without code: articles and lists as `sources/NAME.toml` describes them."""

from __future__ import annotations

from collections.abc import Collection
from copy import deepcopy
from datetime import datetime
from typing import Any

from parsel import Selector

from crawler.config.source_definition import FieldRule, SiteDefinition
from crawler.generic.article_language import find_article_language
from crawler.generic.article_page import GenericArticlePage
from crawler.generic.extractors import raise_if_not_installed
from crawler.generic.page import GenericPage
from crawler.generic.reader import GenericArticle
from crawler.items import Precision
from crawler.pages.base import Page
from crawler.pages.blocks import parse_html
from crawler.pages.listing import ListingPage
from crawler.pages.markup import format_markup, remove_element
from crawler.pages.site import Site
from crawler.pages.snapshot import Snapshot
from crawler.text.cleaning import clean_line_or_none
from crawler.text.dates import ParsedDate, convert_to_zone, parse_date


def get_definition(page: Page) -> SiteDefinition:
    """Return the definition of a page's source."""
    definition = page.site.definition
    assert isinstance(definition, SiteDefinition)
    return definition


class DefinedArticle(GenericArticlePage):
    """An article's page: fields by the definition's selectors, the others by the generic reader."""

    def extract_fields(self) -> dict[str, Any]:
        """Return the fields. A selector that finds nothing raises PageChanged with the field's name."""
        raise_if_not_installed()
        rules = get_definition(self).fields.list_rules()
        fields = self.make_generic_fields(rules)
        for name, rule in rules.items():
            fields |= self.read_by_rule(name, rule)
        self.record_places(self.generic_article, rules)
        return fields

    def record_places(self, article: GenericArticle, known: Collection[str]) -> None:
        """Record in which elements the generic reader's title and text are, so that drift shows where they move."""
        lines = set((article.body or "").split("\n"))
        if "body" not in known:
            self.record_lines("body", [block for block in self.blocks if block.text in lines])
        if "title" not in known:
            same = [block for block in self.blocks if block.text == article.title]
            headings = [block for block in same if block.tag in ("h1", "h2", "h3")]
            self.record_lines("title", (headings or same)[:1])

    def get_text_page(self) -> GenericPage:
        """Return the page without what the definition says is not the text."""
        if not get_definition(self).remove:
            return self.generic_page
        root = self.copy_without_removed(self.root.root)
        return GenericPage(format_markup(root), self.snapshot.url)

    def copy_without_removed(self, node: Any) -> Any:
        """Return a copy of an element without what the definition says is not the text."""
        copy = deepcopy(node)
        selectors = get_definition(self).remove
        removed = {found.root for found in self.root.css(", ".join(selectors))} if selectors else set()
        for original, element in list(zip(node.iter(), copy.iter(), strict=True)):
            if original in removed and original is not node:
                remove_element(element)
        return copy

    def read_by_rule(self, name: str, rule: FieldRule) -> dict[str, Any]:
        """Return a field that a selector finds, with those that belong to it."""
        node = self.select_by_rule(name, rule)
        where = rule.css or rule.xpath or ""
        self.record_rule(name, where)
        if name == "body":
            return {"body": parse_html(self.copy_without_removed(node.root)) if rule.attribute is None else []}
        if isinstance(node.root, str):
            text = clean_line_or_none(node.root)
        else:
            text = clean_line_or_none(node.attrib.get(rule.attribute, "")) if rule.attribute else self.get_text(node)
        if not text:
            raise self.make_changed_error(name, where, "no text")
        if name != "published_at":
            return {name: text}
        parsed = self.parse_defined_date(text) or parse_date(text, self.site.time_zone)
        if parsed is None:
            raise self.make_changed_error(name, where, repr(text[:60]))
        return self.make_date_fields(parsed, text)

    def select_by_rule(self, name: str, rule: FieldRule) -> Selector:
        """Return the first node of a rule. Raise PageChanged when there is none."""
        if rule.css is not None:
            return self.select_first(name, rule.css)
        found = self.root.xpath(rule.xpath or "")
        if not found:
            raise self.make_changed_error(name, rule.xpath or "", "nothing")
        if not isinstance(found[0].root, str):
            self.field_nodes[name] = (found[0].root,)
        return found[0]

    def parse_defined_date(self, text: str) -> ParsedDate | None:
        """Return the date of a text by one of the definition's forms, or None."""
        for form in get_definition(self).date_formats:
            try:
                found = datetime.strptime(text.strip(), form)  # noqa: DTZ007 - the zone follows
            except ValueError:
                continue
            has_time = "%H" in form or "%I" in form
            precision = Precision.MINUTE if has_time else Precision.DAY
            return ParsedDate(convert_to_zone(found, self.site.time_zone), precision, text)
        return None

    def parse_found_date(self, value: str, text: str) -> ParsedDate | None:
        """Return the date by one of the definition's forms, else as the generic reader found it."""
        return self.parse_defined_date(text) or super().parse_found_date(value, text)

    def find_language(self, text: str) -> str | None:
        """Return the language of the text. That of the source decides where the source has one."""
        languages = get_definition(self).languages
        if len(languages) == 1:
            return languages[0]
        found = find_article_language(text, self.generic_page.html_language)
        return found.code if found else None


class DefinedList(ListingPage):
    """A page with links to articles: all links, or those of the definition's selector."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Return whether it is HTML and no article."""
        return snapshot.kind == "html" and site.identify(snapshot.url) is None

    def list_addresses(self) -> list[str]:
        """Return the links. Those that are no article are dropped by their address."""
        selector = get_definition(self).links
        if selector is None:
            return self.root.css("a::attr(href)").getall()
        return [href for node in self.root.css(selector) if (href := node.attrib.get("href"))]
