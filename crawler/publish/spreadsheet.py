"""A table as .xlsx (XlsxWriter): frozen header with filters, times as dates, links to click, texts that stay texts."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import IO, Any, Self

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from crawler.errors import TooManyRows
from crawler.items import format_time
from crawler.publish.xml_text import sanitize_text
from crawler.text.counts import format_count

MAX_ROWS = 1_048_576
"""Rows of a sheet, with the header: a limit of the format."""
MAX_CELL_LENGTH = 32_767
"""UTF-16 units of a cell: a limit of the format."""
MAX_LINKS = 65_530
"""Links of a sheet: a limit of Excel, which calls a file with more broken."""
MAX_LINK_LENGTH = 2_079
ELLIPSIS = " …"
WIDTHS = {"headline": 60, "title": 60, "lead": 50, "excerpt": 80, "body": 80, "url": 45, "id": 24, "source": 14}
"""Characters. Other columns are as wide as their name, times as wide as a time."""
MIN_WIDTH, TIME_WIDTH = 12, 17
TIME_FORMAT, SHARE_FORMAT = "yyyy-mm-dd hh:mm", "0%"
LINK_COLUMN = "url"
SHEET_NAME = "Articles"
MIN_YEAR = 1900
"""Excel has no dates before this year."""


class CellStyle(StrEnum):
    """How numbers of a column are shown."""

    PLAIN = "plain"
    TIME = "time"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """A column of a sheet."""

    name: str
    style: CellStyle = CellStyle.PLAIN

    @property
    def width(self) -> int:
        """The width in characters. The arrow of the filter takes three of them."""
        if self.style is CellStyle.TIME:
            return max(TIME_WIDTH, len(self.name) + 3)
        return WIDTHS.get(self.name) or max(MIN_WIDTH, len(self.name) + 3)


class SheetWriter:
    """Writes a sheet to a file, a row at a time, with one row in memory. The file is complete after the `with` block.

    Times are shown in `time_zone`. `cut_count` is how many texts were longer than a cell. A block that ends with an
    exception writes nothing to the file.
    """

    def __init__(self, file: IO[bytes], columns: Sequence[SheetColumn], time_zone: tzinfo) -> None:
        self._file, self._columns, self._time_zone = file, columns, time_zone
        # XlsxWriter leaves its files behind after an exception, and cannot close a file that refuses what it writes.
        self._folder = TemporaryDirectory(prefix="crawler-sheet-")
        self._path = Path(self._folder.name) / "book.xlsx"
        options = {"constant_memory": True, "tmpdir": self._folder.name, "use_zip64": True}
        self._book = Workbook(str(self._path), options)
        self._book.set_properties({"comments": f"Times are those of {time_zone}.", "author": "crawler"})
        self._sheet = self._book.add_worksheet(SHEET_NAME)
        top = {"valign": "top"}
        formats = {
            CellStyle.PLAIN: top,
            CellStyle.TIME: {**top, "num_format": TIME_FORMAT, "align": "left"},
            CellStyle.SHARE: {**top, "num_format": SHARE_FORMAT},
        }
        self._formats = {style: self._book.add_format(values) for style, values in formats.items()}
        self._link = self._book.add_format({**top, "font_color": "#0b57b0", "underline": 1})
        head = self._book.add_format({"bold": True, "bg_color": "#e4e8ee", "bottom": 1, "valign": "top"})
        self._sheet.freeze_panes(1, 0)
        for number, column in enumerate(columns):
            self._sheet.set_column(number, number, column.width)
            self._sheet.write_string(0, number, column.name, head)
        self.row_count = self.cut_count = self._link_count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._folder:
            if kind is not None:
                self._sheet._opt_close()  # else the file of its rows stays open
                return
            self._sheet.autofilter(0, 0, self.row_count, len(self._columns) - 1)
            try:
                self._book.close()
            except FileCreateError as failure:
                self._sheet._opt_close()
                raise failure.args[0] from failure  # the OSError
            with self._path.open("rb") as written:
                shutil.copyfileobj(written, self._file)

    def add_row(self, values: Iterable[Any]) -> None:
        """Add a row: text, number, boolean, aware time, list of texts or None a cell. Raise TooManyRows at the end."""
        raise_if_too_many_rows(self.row_count + 1)
        self.row_count += 1
        for number, (column, value) in enumerate(zip(self._columns, values, strict=True)):
            if value not in (None, "", []):
                self._write_cell(number, column, value)

    def _write_cell(self, number: int, column: SheetColumn, value: Any) -> None:
        row, style = self.row_count, self._formats[column.style]
        if isinstance(value, bool):
            self._sheet.write_boolean(row, number, value, style)
        elif isinstance(value, (int, float)):
            self._sheet.write_number(row, number, value, style)
        elif isinstance(value, datetime):
            local = value.astimezone(self._time_zone).replace(tzinfo=None, microsecond=0)
            if local.year >= MIN_YEAR:
                self._sheet.write_datetime(row, number, local, style)
            else:
                self._sheet.write_string(row, number, format_time(value), style)
        else:
            self._write_text(number, column, "; ".join(value) if isinstance(value, list) else str(value))

    def _write_text(self, number: int, column: SheetColumn, value: str) -> None:
        """Write a text, never a formula. The address of an article is a link, as long as a sheet may have more."""
        text = sanitize_text(value).replace("\r\n", "\n").replace("\r", "\n")
        shown = cut_text(text)
        self.cut_count += shown != text
        style = self._formats[column.style]
        is_link = (
            column.name == LINK_COLUMN
            and text.startswith(("http://", "https://"))
            and len(text.encode("utf-16-le")) // 2 <= MAX_LINK_LENGTH
        )
        if is_link and self._link_count < MAX_LINKS:
            self._link_count += 1
            self._sheet.write_url(self.row_count, number, text, self._link, string=shown)
        elif shown.startswith("<r>") and shown.endswith("</r>"):
            # XlsxWriter takes such a text for XML of its own. As parts of a rich text it is escaped.
            self._sheet.write_rich_string(self.row_count, number, *shown[:2], shown[2:], style)
        else:
            self._sheet.write_string(self.row_count, number, shown, style)


def cut_text(text: str) -> str:
    """Return a text that fits a cell: cut, with an ellipsis, if it is longer."""
    if len(text) <= MAX_CELL_LENGTH // 2:
        return text
    units = text.encode("utf-16-le")
    if len(units) // 2 <= MAX_CELL_LENGTH:
        return text
    # A cut in the middle of a character leaves half of it, which is dropped.
    kept = units[: 2 * (MAX_CELL_LENGTH - len(ELLIPSIS))].decode("utf-16-le", "ignore")
    return kept + ELLIPSIS


def raise_if_too_many_rows(count: int) -> None:
    """Raise TooManyRows if a sheet cannot have so many rows below its header."""
    if count > MAX_ROWS - 1:
        raise TooManyRows(
            f".xlsx: a sheet has at most {MAX_ROWS - 1:,} rows below its header, and there are more. Nothing was "
            "written. Choose fewer by --since, --source or --rule, or write .csv, .jsonl or .parquet."
        )


def format_cut_note(count: int) -> str:
    """Return the sentence about texts that were cut."""
    return (
        f".xlsx: {format_count(count, 'text is', 'texts are')} cut at {MAX_CELL_LENGTH:,} characters, the most that a "
        "cell can have. .csv and .jsonl have the whole text."
    )
