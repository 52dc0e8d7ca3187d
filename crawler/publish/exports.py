"""Exports a row at a time: JSON lines, CSV that Excel opens correctly, Excel, Parquet (extra `parquet`)."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from importlib.util import find_spec
from itertools import islice
from typing import IO, Any

from crawler.errors import UsageError, format_install_advice
from crawler.items import format_time
from crawler.publish.entries import Entry
from crawler.publish.export_columns import COLUMNS, ColumnType, make_row

FORMULA_START = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
"""How a cell begins that a spreadsheet would take for a formula, with or without spaces before it."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
log = logging.getLogger(__name__)
PARQUET_GROUP_ROWS = 2000
"""Rows of Parquet that are held in memory and written together."""


def write_jsonl(file: IO[bytes], entries: Iterable[Entry]) -> int:
    """Write one JSON object a line. Return how many."""
    count = 0
    for entry in entries:
        count += 1
        file.write((json.dumps(make_row(entry), ensure_ascii=False, default=format_time) + "\n").encode())
    return count


def write_csv(file: IO[bytes], entries: Iterable[Entry], separator: str = ",") -> int:
    """Write a line of names, then the rows. Return how many rows.

    Excel wants UTF-8 with a byte order mark, and CRLF. No cell is a formula.
    """
    file.write(BYTE_ORDER_MARK)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")
        writer.writerow([column.name for column in COLUMNS])
        count = 0
        for entry in entries:
            count += 1
            writer.writerow([format_cell(value) for value in make_row(entry).values()])
    finally:
        text.detach()
    return count


def format_cell(value: Any) -> str:
    """Return a value as a cell: lists joined by `; `, nothing for None, `'` before what looks like a formula.

    >>> format_cell("=1+1"), format_cell(None), format_cell(["МККК", "ICRC"]), format_cell(-2)
    ("'=1+1", '', 'МККК; ICRC', '-2')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return format_time(value) or ""
    if isinstance(value, (int, float)):
        return str(value)
    text = "; ".join(value) if isinstance(value, list) else str(value)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return guard_formula(text)


def guard_formula(text: str) -> str:
    """Return a cell's text with `'` before what a spreadsheet would take for a formula."""
    return f"'{text}" if FORMULA_START.match(text) else text


def write_xlsx(file: IO[bytes], entries: Iterable[Entry], time_zone: tzinfo = UTC) -> int:
    """Write a sheet with times of the time zone. Return how many rows. Log a warning if texts had to be cut."""
    from crawler.publish.spreadsheet import CellStyle, SheetColumn, SheetWriter, format_cut_note

    styles = {ColumnType.TIME: CellStyle.TIME, ColumnType.SHARE: CellStyle.SHARE}
    columns = [SheetColumn(column.name, styles.get(column.type, CellStyle.PLAIN)) for column in COLUMNS]
    with SheetWriter(file, columns, time_zone) as sheet:
        for entry in entries:
            sheet.add_row(make_row(entry).values())
    if sheet.cut_count:
        log.warning("%s", format_cut_note(sheet.cut_count))
    return sheet.row_count


def write_parquet(file: IO[bytes], entries: Iterable[Entry]) -> int:
    """Write typed columns. Return how many rows."""
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    types = {
        ColumnType.TEXT: pyarrow.string(),
        ColumnType.NUMBER: pyarrow.int64(),
        ColumnType.SHARE: pyarrow.float64(),
        ColumnType.FLAG: pyarrow.bool_(),
        ColumnType.TIME: pyarrow.timestamp("ms", tz="UTC"),
        ColumnType.TEXTS: pyarrow.list_(pyarrow.string()),
    }
    schema = pyarrow.schema([(column.name, types[column.type]) for column in COLUMNS])
    count = 0
    rows = map(make_row, entries)
    with ParquetWriter(file, schema, compression="zstd") as writer:
        for first in rows:
            group = [first, *islice(rows, PARQUET_GROUP_ROWS - 1)]
            writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count


def raise_if_no_parquet() -> None:
    """Raise UsageError if the package for Parquet is not installed."""
    if find_spec("pyarrow") is None:
        raise UsageError(
            f"Parquet needs an optional package; .jsonl and .csv need none. {format_install_advice('parquet')}"
        )
