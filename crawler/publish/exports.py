"""Exports as files, a row at a time: JSON lines, CSV that Excel opens right, Parquet (`crawler[parquet]`)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from datetime import datetime
from importlib.util import find_spec
from itertools import islice
from typing import IO, Any

from crawler.errors import UsageError
from crawler.items import format_time
from crawler.publish import Entry
from crawler.publish.export_columns import COLUMNS, ColumnType, make_row

FORMULA_START = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
"""How a cell begins that a spreadsheet would take for a formula, spaces before it or not."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
PARQUET_GROUP_ROWS = 2000
"""Rows of Parquet held in memory and written together."""


def write_jsonl(file: IO[bytes], entries: Iterable[Entry]) -> int:
    """One JSON object a line; how many."""
    number = 0
    for entry in entries:
        number += 1
        file.write((json.dumps(make_row(entry), ensure_ascii=False, default=format_time) + "\n").encode())
    return number


def write_csv(file: IO[bytes], entries: Iterable[Entry], separator: str = ",") -> int:
    """A line of names, then the rows; how many. UTF-8 with BOM and CRLF, as Excel wants it; no cell is a formula."""
    file.write(BYTE_ORDER_MARK)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        lines = csv.writer(text, delimiter=separator, lineterminator="\r\n")
        lines.writerow([column.name for column in COLUMNS])
        number = 0
        for entry in entries:
            number += 1
            lines.writerow([format_cell(value) for value in make_row(entry).values()])
    finally:
        text.detach()
    return number


def format_cell(value: Any) -> str:
    """A value as a cell: lists joined by `; `, nothing for what is unknown, `'` before what looks like a formula.

    >>> cell("=1+1"), cell(None), cell(["МККК", "ICRC"]), cell(-2)
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
    return f"'{text}" if FORMULA_START.match(text) else text


def write_parquet(file: IO[bytes], entries: Iterable[Entry]) -> int:
    """Typed columns; how many rows."""
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
    number = 0
    rows = map(make_row, entries)
    with ParquetWriter(file, schema, compression="zstd") as out:
        for first in rows:
            group = [first, *islice(rows, PARQUET_GROUP_ROWS - 1)]
            out.write_table(pyarrow.Table.from_pylist(group, schema=schema))
            number += len(group)
    return number


def raise_if_no_parquet() -> None:
    """UsageError when what Parquet needs is not installed."""
    if find_spec("pyarrow") is None:
        raise UsageError('Parquet needs an optional package: pip install "crawler[parquet]"; or write .jsonl or .csv.')
