"""Scrapy's feed exports for articles: which ones, and how nested values stand in flat formats."""

from __future__ import annotations

import json
from typing import Any

from itemadapter import ItemAdapter
from scrapy.exporters import CsvItemExporter, XmlItemExporter

from crawler.items import Article, Strength


class Matched:
    """A feed's item filter: articles with a strong match."""

    def __init__(self, feed_options: dict[str, Any] | None) -> None:
        self.feed_options = feed_options

    def accepts(self, item: Any) -> bool:
        """Whether the article goes into the file."""
        return isinstance(item, Article) and any(match.strength is Strength.STRONG for match in item.matches)


class FlatCsvExporter(CsvItemExporter):
    """CSV: nested values (images, matches, rights, …) are JSON in their cell, unknown ones are empty."""

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """A cell's value."""
        return flat(super().serialize_field(field, name, value))


class FlatXmlExporter(XmlItemExporter):
    """XML: nested values are JSON in their element, unknown ones are empty."""

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """An element's text."""
        return flat(super().serialize_field(field, name, value))


def flat(value: Any) -> Any:
    """A value as one string where it is not one already: JSON for lists and objects, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple, dict)) or ItemAdapter.is_item(value):
        return json.dumps(plain(value), ensure_ascii=False)
    return value


def plain(value: Any) -> Any:
    """Nested items as JSON values."""
    if ItemAdapter.is_item(value) and not isinstance(value, dict):
        return {key: plain(each) for key, each in ItemAdapter(value).items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value
