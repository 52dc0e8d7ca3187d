"""Exports: one row an entry in every format, no formula in a cell, the columns of docs/exports.md."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sample_entries import ENTRIES, make_entry

from crawler.items import Strength
from crawler.publish.entries import Entry, EntryMatch
from crawler.publish.export_columns import COLUMNS, make_row
from crawler.publish.exports import format_cell, write_csv, write_jsonl, write_parquet

NAMES = [column.name for column in COLUMNS]
DOCUMENT = Path(__file__).parents[2] / "docs" / "exports.md"


def list_csv_rows(entries: Sequence[Entry], separator: str = ",") -> list[dict[str, str]]:
    file = io.BytesIO()
    assert write_csv(file, entries, separator) == len(entries)
    assert file.getvalue().startswith(b"\xef\xbb\xbfid")
    return list(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8-sig"), newline=""), delimiter=separator))


def list_json_objects(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    file = io.BytesIO()
    assert write_jsonl(file, entries) == len(entries)
    return [json.loads(line) for line in file.getvalue().decode().split("\n") if line]


def read_parquet_table(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    from pyarrow.parquet import read_table

    file = io.BytesIO()
    assert write_parquet(file, entries) == len(entries)
    found: list[dict[str, Any]] = read_table(io.BytesIO(file.getvalue())).to_pylist()
    return found


def test_document_has_a_row_for_each_column_in_order() -> None:
    told = re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert told == [(column.name, str(column.type)) for column in COLUMNS]


def test_no_column_holds_the_text_itself() -> None:
    assert not {"body", "sentence", "text", "matches"} & set(NAMES)


def test_every_format_has_the_same_values() -> None:
    assert [
        list(each) for each in (*list_json_objects(ENTRIES), *list_csv_rows(ENTRIES), *read_parquet_table(ENTRIES))
    ] == [NAMES] * 15
    for plain, typed, told in zip(
        list_json_objects(ENTRIES), read_parquet_table(ENTRIES), list_csv_rows(ENTRIES), strict=True
    ):
        for name, value in typed.items():
            assert plain[name] == (value.isoformat() if isinstance(value, datetime) else value), name
            assert told[name] == format_cell(value), name


def test_values_have_the_types_of_their_columns() -> None:
    weak = EntryMatch(rule="ihl", term="конвенции", surface="конвенции", field="body", strength=Strength.WEAK)
    found = make_row(make_entry(matches=(*ENTRIES[0].matches, weak), copy_of="mfa:1:ru", story=7))
    assert found["excerpt"] == "… The ICRC <came> & stayed. …\nFirst line.\nSecond line …"
    assert (found["words"], found["weak_words"], found["rules"]) == (["ICRC"], ["конвенции"], ["red-cross"])
    assert (found["story"], found["copy_of"], found["allowed_share"], found["link_required"]) == (
        7,
        "mfa:1:ru",
        0.3,
        True,
    )
    assert found["published_at"].isoformat() == "2026-03-06T07:00:00+00:00"
    (bare,) = list_csv_rows([ENTRIES[3]])
    assert (bare["published_at"], bare["excerpt"], bare["headline_derived"]) == ("", "", "true")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝", "\u00a0+"])
def test_no_cell_is_a_formula(sign: str) -> None:
    (found,) = list_csv_rows(
        [make_entry(headline=f'{sign}HYPERLINK("https://x.example";A1)', author="=1", section=" ok")]
    )
    assert found["headline"].startswith("'")
    assert (found["author"], found["section"], found["version"]) == ("'=1", " ok", "1")
    (plain,) = list_json_objects([make_entry(headline=f"{sign}x")])
    assert plain["headline"] == f"{sign}x"


def test_newlines_quotes_and_separators_stay_in_their_cell() -> None:
    text = 'a "b", c; d\r\ne\tf\ng'
    for separator in ",;\t":
        (found,) = list_csv_rows([make_entry(headline=text)], separator)
        assert found["headline"] == text.replace("\r\n", "\n")


def test_rows_end_with_crlf() -> None:
    file = io.BytesIO()
    write_csv(file, ENTRIES)
    outside = re.sub(rb'"(?:[^"]|"")*"', b"", file.getvalue())
    assert outside.count(b"\r\n") == outside.count(b"\n") == len(ENTRIES) + 1


def test_no_entries_make_a_valid_file() -> None:
    assert (list_json_objects([]), list_csv_rows([]), read_parquet_table([])) == ([], [], [])


@given(st.text(st.characters(codec=None), max_size=40))
def test_no_character_breaks_a_row(text: str) -> None:
    entry = make_entry(headline=text, lead=text, source_title=text)
    (plain,), (told,) = list_json_objects([entry]), list_csv_rows([entry])
    assert told["lead"] == format_cell(plain["lead"])
    assert "\x00" not in told["lead"]


def test_parquet_is_written_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.publish.exports.PARQUET_GROUP_ROWS", 2)
    assert [each["id"] for each in read_parquet_table(ENTRIES)] == [entry.id for entry in ENTRIES]
