"""Scrapy's exporters for articles, with nested values in flat formats: for `crawl -o` and `scrapy crawl -O`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from itemadapter import ItemAdapter
from scrapy.exporters import BaseItemExporter, CsvItemExporter, JsonItemExporter, JsonLinesItemExporter, XmlItemExporter

from crawler.items import ARTICLE_FIELDS
from crawler.publish.exports import guard_formula
from crawler.publish.xml_text import sanitize_text


class FlatCsvExporter(CsvItemExporter):
    """CSV: a cell has nested values (images, matches, rights, …) as JSON, and nothing for an unknown one.

    No cell is a formula.
    """

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """Return a cell's value."""
        # CsvItemExporter's own method would join lists.
        cell = flatten_value(BaseItemExporter.serialize_field(self, field, name, value))
        return guard_formula(cell) if isinstance(cell, str) else cell


class FlatXmlExporter(XmlItemExporter):
    """XML: an element has nested values as JSON, and nothing for an unknown one."""

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """Return an element's text."""
        text = flatten_value(super().serialize_field(field, name, value))
        return sanitize_text(text) if isinstance(text, str) else text


def flatten_value(value: Any) -> Any:
    """Return a value without nesting: JSON for lists and objects, an empty string for None."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple, dict)) or ItemAdapter.is_item(value):
        return json.dumps(make_json_value(value), ensure_ascii=False)
    return value


def make_json_value(value: Any) -> Any:
    """Return nested items as JSON values."""
    if ItemAdapter.is_item(value) and not isinstance(value, dict):
        return {key: make_json_value(each) for key, each in ItemAdapter(value).items()}
    if isinstance(value, (list, tuple)):
        return [make_json_value(each) for each in value]
    return value


def make_exporter(suffix: str, file: Any) -> BaseItemExporter:
    """Return the exporter for a file's suffix. It writes every field, in the order of `Article`."""
    exporters: dict[str, Callable[..., BaseItemExporter]] = {
        ".jsonl": JsonLinesItemExporter,
        ".json": JsonItemExporter,
        ".csv": FlatCsvExporter,
        ".xml": FlatXmlExporter,
    }
    return exporters[suffix](file, fields_to_export=list(ARTICLE_FIELDS), encoding="utf-8")
