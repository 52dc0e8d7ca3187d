"""Scrapy's exporters for articles, with nested values in flat formats: for `crawl -o` and `scrapy crawl -O`."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import IO, Any

from itemadapter import ItemAdapter
from scrapy.exporters import BaseItemExporter, CsvItemExporter, JsonItemExporter, JsonLinesItemExporter, XmlItemExporter

from crawler.items import ARTICLE_FIELDS, TIME_FIELDS
from crawler.publish.exports import guard_formula
from crawler.publish.xml_text import sanitize_text

log = logging.getLogger(__name__)


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


class XlsxExporter(BaseItemExporter):
    """Excel: a cell has nested values as JSON, and nothing for an unknown one. Times are dates of the time zone."""

    def __init__(self, file: IO[bytes], *, fields_to_export: list[str], encoding: str, time_zone: tzinfo) -> None:
        """Keep the file and the columns."""
        super().__init__(fields_to_export=fields_to_export, encoding=encoding)
        self.file, self.names, self.time_zone = file, fields_to_export, time_zone
        self.items: list[Any] = []

    def export_item(self, item: Any) -> None:
        """Keep an item for `finish_exporting`: the number of rows must be known first."""
        self.items.append(item)

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """Return a cell's value."""
        return value if isinstance(value, datetime) else flatten_value(super().serialize_field(field, name, value))

    def finish_exporting(self) -> None:
        """Write the sheet. Raise TooManyRows if it cannot have so many. Log a warning if texts had to be cut."""
        from crawler.publish.spreadsheet import (
            CellStyle,
            SheetColumn,
            SheetWriter,
            format_cut_note,
            raise_if_too_many_rows,
        )

        raise_if_too_many_rows(len(self.items))
        columns = [SheetColumn(name, CellStyle.TIME if name in TIME_FIELDS else CellStyle.PLAIN) for name in self.names]
        with SheetWriter(self.file, columns, self.time_zone) as sheet:
            for item in self.items:
                values = dict(self.get_serialized_fields(item, include_empty=True))
                sheet.add_row(values.get(name) for name in self.names)
        if sheet.cut_count:
            log.warning("%s", format_cut_note(sheet.cut_count))


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


def make_exporter(suffix: str, file: Any, time_zone: tzinfo = UTC) -> BaseItemExporter:
    """Return the exporter for a file's suffix. It writes every field, in the order of `Article`.

    Times in Excel are those of the time zone: its dates have no offset.
    """
    exporters: dict[str, Callable[..., BaseItemExporter]] = {
        ".jsonl": JsonLinesItemExporter,
        ".json": JsonItemExporter,
        ".csv": FlatCsvExporter,
        ".xml": FlatXmlExporter,
        ".xlsx": partial(XlsxExporter, time_zone=time_zone),
    }
    return exporters[suffix](file, fields_to_export=list(ARTICLE_FIELDS), encoding="utf-8")
