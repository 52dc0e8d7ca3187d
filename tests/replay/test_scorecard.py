"""The scorecard: rates by field, ages from meta files alone, and page classes that are trusted by habit."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree

import pytest
from typer.testing import CliRunner

from crawler import spiders
from crawler.archive.folder import stored_pages
from crawler.cli.app import app
from crawler.config import Config
from crawler.errors import UsageError
from crawler.replay.scorecard import FieldRate, Scorecard, scorecard

SHIPPED = Path(__file__).parents[2] / "snapshots"
NOW = datetime(2023, 3, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copytree(SHIPPED / "qazmonitor", tmp_path / "qazmonitor")
    return tmp_path


def card(folder: Path, max_age: timedelta = timedelta(days=365), now: datetime = NOW) -> Scorecard:
    site = spiders.load("qazmonitor").site_of(Config())
    return scorecard(stored_pages(folder, "qazmonitor"), site, now, max_age)


def rates(found: Scorecard) -> dict[str, FieldRate]:
    return {rate.field: rate for rate in found.fields}


def test_a_wrong_field_lowers_its_own_rate_alone(folder: Path) -> None:
    before = rates(card(folder))
    path = folder / "qazmonitor" / "article_1405.expected.json"
    values = json.loads(path.read_text())
    values["articles"][0]["title"] = "Another title"
    path.write_text(json.dumps(values))
    after = card(folder)
    assert not after.passed
    assert rates(after)["title"].passed == before["title"].passed - 1
    assert rates(after)["title"].of == before["title"].of
    assert {name for name, rate in rates(after).items() if rate != before[name]} == {"title"}


def test_parts_of_a_body_count_as_the_body(folder: Path) -> None:
    assert not [name for name in rates(card(folder)) if name.startswith("body_")]
    assert rates(card(folder))["body"].of > 1


def test_age_is_the_meta_files_and_never_the_files(folder: Path) -> None:
    pages = {page.page: page for page in card(folder).pages}
    assert pages["rss.xml"].fetched_at is not None
    assert pages["rss.xml"].days == (NOW - pages["rss.xml"].fetched_at).days
    assert pages["004_e20d83a56e785f98.txt"].days is None
    assert (pages["rss.xml"].page_class, pages["challenge_200.html"].page_class) == ("Feed", None)


@pytest.mark.parametrize(("days", "recent"), [(4, False), (5, True)])
def test_a_class_is_recent_by_its_newest_good_snapshot(folder: Path, days: int, recent: bool) -> None:
    now = datetime(2023, 3, 1, 6, tzinfo=UTC)  # the newest good article is of 24 February
    classes = {each.page_class: each for each in card(folder, timedelta(days=days), now).classes}
    assert classes["QazArticle"].recent is recent
    assert classes["QazArticle"].days == 5


def test_pages_that_must_yield_nothing_make_no_class_recent(folder: Path) -> None:
    before = {each.page_class: each for each in card(folder).classes}["QazArticle"]
    for path in (folder / "qazmonitor").glob("article_14*.expected.json"):
        path.write_text(json.dumps({"raises": "PageChanged"}))
    after = {each.page_class: each for each in card(folder).classes}["QazArticle"]
    assert after.snapshots < before.snapshots
    assert after.newest is not None and before.newest is not None
    assert after.newest < before.newest


def test_command_tells_old_classes_and_fails_only_for_fields(folder: Path) -> None:
    words = ["replay", "--report", "--snapshots", str(folder), "--max-age", "1d"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0
    assert "No good snapshot younger than 1d: Feed" in done.output
    lines = [json.loads(line) for line in CliRunner().invoke(app, [*words, "--json"]).output.splitlines()]
    assert {line["type"] for line in lines} == {"field", "snapshot", "page_class"}
    assert all(line["recent"] is False for line in lines if line["type"] == "page_class")
    (folder / "qazmonitor" / "rss.expected.json").write_text('{"links": []}')
    assert CliRunner().invoke(app, words).exit_code == 12


@pytest.mark.parametrize("words", [("--max-age", "soon"), ("--accept", "it is right")])
def test_what_cannot_be_meant_is_an_error_of_use(folder: Path, words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, ["replay", "--report", "--snapshots", str(folder), *words])
    assert isinstance(done.exception, UsageError)
