"""`crawl -o FILE`: each format read back and compared field by field with what the store holds."""

from __future__ import annotations

import csv
import json
import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from support.sandbox import ROOT, CommandResult, Sandbox

from crawler.cli.article_file import ArticleFile
from crawler.errors import TooManyRows
from crawler.items import ARTICLE_FIELDS, Article

pytestmark = pytest.mark.slow
NAMES = list(ARTICLE_FIELDS)
NESTED = ("images", "rights", "matches", "snapshot", "provenance", "flags")
SNAPSHOTS = ROOT / "snapshots"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return Sandbox(tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
def exported(place: Sandbox) -> dict[str, list[dict[str, Any]]]:
    """One replay of QazMonitor and kt.kz as `.jsonl` and one as `.csv`; the other formats by what the command writes
    them with, for a replay takes ten times as long."""
    place.make_environment()
    found: dict[str, list[dict[str, Any]]] = {}
    for name, read in READERS.items():
        file = place.work_dir / f"articles.{name}"
        file.write_text("what stood here before")
        if name in REPLAYED:
            data = str(place.folder / name)
            words = ("crawl", "qazmonitor", "ktkz", "--replay", SNAPSHOTS, "--keep", "-o", file)
            done = place.run_crawler(*words, CRAWLER_DATA_DIR=data)
            assert done.code == 0, done.err
        else:
            with ArticleFile(file, everything=False, timezone="Asia/Almaty") as written:
                for values in found["jsonl"]:
                    written.add(values)
        found[name] = read(file)
        if name in REPLAYED:
            assert f"{len(found[name])} articles written to {file}." in done.out
    return found


def from_jsonl(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def from_json(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def from_csv(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return [{name: flat_to_plain(name, text) for name, text in row.items()} for row in csv.DictReader(stream)]


def from_xml(file: Path) -> list[dict[str, Any]]:
    root = ElementTree.parse(file).getroot()
    return [{child.tag: flat_to_plain(child.tag, child.text or "") for child in item} for item in root]


def from_xlsx(file: Path) -> list[dict[str, Any]]:
    names, *rows = load_workbook(file).worksheets[0].iter_rows(values_only=True)
    return [{name: cell_to_plain(name, value) for name, value in zip(names, row, strict=True)} for row in rows]


def cell_to_plain(name: str, value: Any) -> Any:
    """Return the value of an Excel cell: a local time gets the offset that is valid at that time."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=ZoneInfo("Asia/Almaty")).isoformat(timespec="seconds")
    return flat_to_plain(name, str(value) if value is not None else "")


def flat_to_plain(name: str, text: str) -> Any:
    """Return the value of a cell: JSON where values are nested, a number, a text, or None."""
    if name in NESTED:
        return json.loads(text) if text else None
    if name in ("version", "reading_minutes"):
        return int(text) if text else None
    return text or None


REPLAYED = ("jsonl", "csv")
READERS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    "jsonl": from_jsonl,
    "json": from_json,
    "csv": from_csv,
    "xlsx": from_xlsx,
    "xml": from_xml,
}


@pytest.mark.parametrize("name", READERS)
def test_every_line_has_every_field_in_its_order(exported: dict[str, list[dict[str, Any]]], name: str) -> None:
    assert len(exported[name]) > 5
    assert all(list(article) == NAMES for article in exported[name])


@pytest.mark.parametrize("name", READERS)
def test_file_has_the_stored_values(place: Sandbox, exported: dict[str, list[dict[str, Any]]], name: str) -> None:
    stored = place.get_articles(data=place.folder / (name if name in REPLAYED else "jsonl"))
    for values in exported[name]:
        assert Article.from_dict(values) == stored[values["id"]]


@pytest.mark.parametrize("name", READERS)
def test_times_have_an_offset_and_whole_seconds(exported: dict[str, list[dict[str, Any]]], name: str) -> None:
    seen = [values[key] for values in exported[name] for key in ("published_at", "fetched_at") if values[key]]
    assert seen
    for text in seen:
        assert datetime.fromisoformat(text).utcoffset() is not None
        assert text == datetime.fromisoformat(text).isoformat(timespec="seconds")


def test_unknown_is_null_and_never_empty(exported: dict[str, list[dict[str, Any]]]) -> None:
    for name in ("jsonl", "json"):
        for values in exported[name]:
            assert "" not in values.values()
            assert isinstance(values["images"], list)
            assert isinstance(values["matches"], list)
    (text,) = [values for values in exported["jsonl"] if values["id"] == "qazmonitor:1392:en"]
    assert text["author"] is None
    assert text["published_at"] == "2023-02-08T10:28:00+06:00"
    assert text["images"] == [
        {"url": None, "caption": "ICRC"},
        {"url": None, "caption": "Ministry of Foreign Affairs of Kazakhstan"},
    ]


def test_only_strong_matches_are_exported_without_all(
    place: Sandbox, exported: dict[str, list[dict[str, Any]]]
) -> None:
    for values in exported["jsonl"]:
        assert any(match["strength"] == "strong" for match in values["matches"])
        assert values["verdict"] in ("new", "revised", "copy")
    words = ("crawl", "qazmonitor", "--replay", SNAPSHOTS, "--keep", "-o", "all.jsonl")
    data = {"CRAWLER_DATA_DIR": str(place.folder / "jsonl")}  # where every one of them is stored already
    strong = (*words[:-1], "strong.jsonl")
    assert [done.code for done in place.run_many(strong, (*words, "--all"), **data)] == [0, 0]
    assert from_jsonl(place.work_dir / "strong.jsonl") == []
    everything = from_jsonl(place.work_dir / "all.jsonl")
    assert {values["verdict"] for values in everything} == {"unchanged"}
    assert any(not values["matches"] for values in everything)
    ids = {values["id"] for values in everything}
    assert {values["id"] for values in exported["jsonl"] if values["source"] == "qazmonitor"} < ids


def test_too_many_rows_leave_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.publish.spreadsheet.MAX_ROWS", 2)
    file = tmp_path / "run.xlsx"
    file.write_text("what was here before")
    with pytest.raises(TooManyRows), ArticleFile(file, everything=True, timezone="Asia/Almaty") as written:
        for number in range(2):
            written.add(Article(id=f"mfa:{number}:ru", source="mfa", url="https://x.example", body="x").to_dict())
    assert file.read_text() == "what was here before"
    assert list(tmp_path.iterdir()) == [file]


PLACES = {
    "nowhere/articles.jsonl": "there is no folder",
    "articles.txt": "the ending must be one of .jsonl, .json, .csv, .xlsx, .xml",
    "articles": "the ending must be one of",
    "": "the ending must be one of",
    "/proc/articles.jsonl": "/proc/articles.jsonl cannot be written",  # by nobody, root included
}


def test_unwritable_path_is_refused_before_the_run(tmp_path: Path) -> None:
    user = Sandbox(tmp_path)
    answers = user.run_many(*(("crawl", "ktkz", "--replay", SNAPSHOTS, "-o", file) for file in PLACES))
    for sentence, done in zip(PLACES.values(), answers, strict=True):
        assert_one_sentence(done, sentence)
    assert not list(user.work_dir.iterdir())
    assert not user.data_dir.exists()


def test_refused_command_keeps_the_old_file(tmp_path: Path) -> None:
    user = Sandbox(tmp_path)
    user.make_environment()
    old = user.work_dir / "articles.json"
    old.write_text("[]")
    os.utime(old, (1, 1))
    done = user.run_crawler("crawl", "ktkz", "--replay", "nowhere", "-o", old)
    assert done.code == 2
    assert (old.read_text(), old.stat().st_mtime) == ("[]", 1)
    assert list(user.work_dir.iterdir()) == [old]


def assert_one_sentence(done: CommandResult, sentence: str) -> None:
    assert (done.code, done.out) == (2, ""), done
    assert sentence in done.err
    assert done.err.startswith("crawler: ")
    assert done.err.count("\n") == 1
