"""Excel: dates are dates, texts are texts, links are links, and the limits of a sheet are kept."""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from openpyxl import load_workbook
from support.sample_entries import ENTRIES, make_entry

from crawler.errors import TooManyRows
from crawler.publish.entries import Entry
from crawler.publish.export_columns import COLUMNS, ColumnType, make_row
from crawler.publish.exports import write_xlsx
from crawler.publish.spreadsheet import MAX_CELL_LENGTH, SheetColumn, SheetWriter, cut_text

ALMATY = ZoneInfo("Asia/Almaty")
MAIN_XML = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def write_sheet(entries: Sequence[Entry]) -> BytesIO:
    file = BytesIO()
    assert write_xlsx(file, entries, ALMATY) == len(entries)
    return file


def load_sheet(entries: Sequence[Entry]) -> Any:
    return load_workbook(write_sheet(entries)).worksheets[0]


def list_rows(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    names, *rows = load_sheet(entries).iter_rows()
    return [dict(zip((name.value for name in names), row, strict=True)) for row in rows]


def read_texts(file: BytesIO) -> list[str]:
    """Return the texts of all cells as Excel reads them, where `_x005F_` is an escaped underscore."""
    root = etree.fromstring(ZipFile(file).read("xl/worksheets/sheet1.xml"))
    texts = ["".join(cell.itertext(f"{MAIN_XML}t")) for cell in root.iter(f"{MAIN_XML}is")]
    return [re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text) for text in texts]


def test_columns_and_values_are_those_of_the_other_exports() -> None:
    for row, entry in zip(list_rows(ENTRIES), ENTRIES, strict=True):
        expected = make_row(entry)
        assert list(row) == list(expected) == [column.name for column in COLUMNS]
        for column in COLUMNS:
            value, cell = expected[column.name], row[column.name]
            if column.type is ColumnType.TEXTS:
                assert (cell.value or "") == "; ".join(value)
            elif column.type is ColumnType.TIME and value is not None:
                assert cell.value == value.astimezone(ALMATY).replace(tzinfo=None, microsecond=0)
            else:
                assert cell.value == value


def test_times_are_dates_of_the_owners_zone() -> None:
    """Kazakhstan left UTC+6 on 1 March 2024."""
    times = [datetime(2024, 2, 1, 20, tzinfo=UTC), datetime(2026, 3, 6, 20, tzinfo=UTC)]
    for row, hour in zip(list_rows([make_entry(published_at=time) for time in times]), (2, 1), strict=True):
        cell = row["published_at"]
        assert (cell.data_type, cell.number_format, cell.value.hour) == ("d", "yyyy-mm-dd hh:mm", hour)
    (old,) = list_rows([make_entry(published_at=datetime(1888, 1, 1, tzinfo=UTC))])
    assert old["published_at"].value == "1888-01-01T00:00:00+00:00"


def test_header_is_frozen_and_filtered_and_columns_are_readable() -> None:
    sheet = load_sheet(ENTRIES)
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", f"A1:AF{len(ENTRIES) + 1}")
    assert sheet["A1"].font.bold
    widths = {sheet.cell(1, number).value: width.width for number, width in _list_widths(sheet)}
    assert set(widths) == {column.name for column in COLUMNS}
    assert all(width > len(name) for name, width in widths.items())
    assert widths["headline"] > 50 > widths["published_at"] > 16


def _list_widths(sheet: Any) -> list[tuple[int, Any]]:
    """Return each column's number with its dimension. Neighbours of one width share one."""
    shared = sheet.column_dimensions.values()
    return [(number, each) for each in shared for number in range(each.min, each.max + 1)]


def test_no_entries_make_a_sheet_with_a_header() -> None:
    sheet = load_sheet([])
    assert (sheet.max_row, sheet.auto_filter.ref) == (1, "A1:AF1")


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("https://x.example";A1)',
        "{=1+1}",
        "+1",
        "-1",
        "@SUM(A1)",
        "=1",
        "12",
        "true",
        "https://x.example",
        "internal:Sheet1!A1",
        "<r><t>x</t></r>",
        "<r></c><f>1+1</f></r>",
        "_x0041_",
        " a\tb\n ",
    ],
)
def test_a_text_stays_a_text(text: str) -> None:
    file = write_sheet([make_entry(headline=text)])
    assert text in read_texts(file)
    cell = list_rows([make_entry(headline=text)])[0]["headline"]
    assert (cell.data_type, cell.hyperlink) == ("s", None)
    assert b"<f>" not in ZipFile(file).read("xl/worksheets/sheet1.xml")


@given(st.lists(st.text(st.characters(codec=None), min_size=1, max_size=40), max_size=40))
@settings(max_examples=12)
def test_no_character_breaks_a_sheet(texts: list[str]) -> None:
    entries = [make_entry(headline=text, url=f"https://x.example/{text}") for text in texts]
    file = write_sheet(entries)
    shown = [str(make_row(entry)["headline"]).replace("\r\n", "\n").replace("\r", "\n") for entry in entries]
    assert {text for text in shown if text} <= set(read_texts(file))
    assert load_workbook(file).worksheets[0].max_row == len(texts) + 1


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://x.example/news?a=1&b=%D0%B0#top", "https://x.example/news?a=1&b=%D0%B0"),
        ("https://x.example/новость", "https://x.example/новость"),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        (f"https://x.example/{'a' * 2100}", None),
    ],
)
def test_web_addresses_can_be_clicked(url: str, target: str | None) -> None:
    cell = list_rows([make_entry(url=url)])[0]["url"]
    assert cell.value == url
    assert (cell.hyperlink.target if cell.hyperlink else None) == target


def test_addresses_beyond_the_limit_of_links_are_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.publish.spreadsheet.MAX_LINKS", 2)
    cells = [row["url"] for row in list_rows(ENTRIES)]
    assert [bool(cell.hyperlink) for cell in cells[:4]] == [True, True, False, False]
    assert [cell.value for cell in cells] == [entry.url for entry in ENTRIES]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("я" * MAX_CELL_LENGTH, None),
        ("я" * (MAX_CELL_LENGTH + 1), "я" * (MAX_CELL_LENGTH - 2) + " …"),
        ("😀" * 16_383, None),  # each is two UTF-16 units
        ("😀" * 16_384, "😀" * 16_382 + " …"),
        ("а" + "😀" * 16_384, "а" + "😀" * 16_382 + " …"),
    ],
)
def test_a_text_longer_than_a_cell_is_cut_and_reported(
    text: str, kept: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    assert cut_text(text) == (kept or text)
    assert len(cut_text(text).encode("utf-16-le")) // 2 <= MAX_CELL_LENGTH
    with caplog.at_level(logging.WARNING):
        assert list_rows([make_entry(headline=text)])[0]["headline"].value == (kept or text)
    assert [("1 text is cut at 32,767 characters" in line) for line in caplog.messages] == ([True] if kept else [])


def test_a_failed_row_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("crawler.publish.spreadsheet.MAX_ROWS", 3)
    file = BytesIO()
    with pytest.raises(TooManyRows), SheetWriter(file, [SheetColumn("id")], UTC) as sheet:
        for _ in range(3):
            sheet.add_row(["a"])
    assert (sheet.row_count, file.getvalue(), list(tmp_path.iterdir())) == (2, b"", [])


def test_a_full_disk_is_reported_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class FullDisk(BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(OSError, match="No space left"), SheetWriter(FullDisk(), [SheetColumn("id")], UTC) as sheet:
        sheet.add_row(["a"])
    assert list(tmp_path.iterdir()) == []
