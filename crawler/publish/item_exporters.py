"""Scrapy's exporters for articles: how nested values stand in flat formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from itemadapter import ItemAdapter
from scrapy.exporters import BaseItemExporter, CsvItemExporter, JsonItemExporter, JsonLinesItemExporter, XmlItemExporter

from crawler.items import ARTICLE_FIELDS
from crawler.publish.xml_text import sanitize_text


class FlatCsvExporter(CsvItemExporter):
    """CSV: nested values (images, matches, rights, …) are JSON in their cell, unknown ones are empty."""

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """A cell's value."""
        return flatten_value(BaseItemExporter.serialize_field(self, field, name, value))  # CSV's own would join lists


class FlatXmlExporter(XmlItemExporter):
    """XML: nested values are JSON in their element, unknown ones are empty."""

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """An element's text, without the signs that XML cannot hold at all."""
        text = flatten_value(super().serialize_field(field, name, value))
        return sanitize_text(text) if isinstance(text, str) else text


def flatten_value(value: Any) -> Any:
    """A value as one string where it is not one already: JSON for lists and objects, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple, dict)) or ItemAdapter.is_item(value):
        return json.dumps(make_json_value(value), ensure_ascii=False)
    return value


def make_json_value(value: Any) -> Any:
    """Nested items as JSON values."""
    if ItemAdapter.is_item(value) and not isinstance(value, dict):
        return {key: make_json_value(each) for key, each in ItemAdapter(value).items()}
    if isinstance(value, (list, tuple)):
        return [make_json_value(each) for each in value]
    return value


def make_exporter(suffix: str, file: Any) -> BaseItemExporter:
    """The exporter for a file's ending, writing every field in the order of `Article`."""
    kinds: dict[str, Callable[..., BaseItemExporter]] = {
        ".jsonl": JsonLinesItemExporter,
        ".json": JsonItemExporter,
        ".csv": FlatCsvExporter,
        ".xml": FlatXmlExporter,
    }
    return kinds[suffix](file, fields_to_export=list(ARTICLE_FIELDS), encoding="utf-8")
