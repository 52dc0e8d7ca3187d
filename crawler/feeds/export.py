"""Scrapy's exporters for articles: how nested values stand in flat formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from itemadapter import ItemAdapter
from scrapy.exporters import BaseItemExporter, CsvItemExporter, JsonItemExporter, JsonLinesItemExporter, XmlItemExporter

from crawler.feeds.signs import clean
from crawler.items import Article


class FlatCsvExporter(CsvItemExporter):
    """CSV: nested values (images, matches, rights, …) are JSON in their cell, unknown ones are empty."""

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """A cell's value."""
        return flat(BaseItemExporter.serialize_field(self, field, name, value))  # CSV's own would join lists


class FlatXmlExporter(XmlItemExporter):
    """XML: nested values are JSON in their element, unknown ones are empty."""

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """An element's text, without the signs that XML cannot hold at all."""
        text = flat(super().serialize_field(field, name, value))
        return clean(text) if isinstance(text, str) else text


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


def exporter(ending: str, file: Any) -> BaseItemExporter:
    """The exporter for a file's ending, writing every field in the order of `Article`."""
    kinds: dict[str, Callable[..., BaseItemExporter]] = {
        ".jsonl": JsonLinesItemExporter,
        ".json": JsonItemExporter,
        ".csv": FlatCsvExporter,
        ".xml": FlatXmlExporter,
    }
    return kinds[ending](file, fields_to_export=[field.name for field in fields(Article)], encoding="utf-8")
