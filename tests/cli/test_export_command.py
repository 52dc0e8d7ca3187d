"""`crawler export`."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cli.test_feed_command import ARTICLES, NOON, OTHER, make_matched_article
from openpyxl import load_workbook
from support.empty_stores import open_test_store
from typer.testing import CliRunner

from crawler.cli.app import app
from crawler.errors import TooManyRows, UnknownSource, UsageError
from crawler.items import Article, Verdict

LONG = "Ничего о том. " * 20


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three matched articles, one of them in two versions, and one without a match."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRAWLER_DATABASE", f"sqlite:///{tmp_path / 'crawler.db'}")
    second = make_matched_article(
        "qazmonitor:3:en", OTHER + " More.", "ICRC", "ihl", 2, version=2, verdict=Verdict.REVISED
    )
    plain = Article(
        id="mfa:9:ru", source="mfa", url="https://x.example/9", body=LONG.strip(), verdict=Verdict.NEW, version=1
    )
    with open_test_store(f"sqlite:///{tmp_path / 'crawler.db'}") as store:
        for article in (*ARTICLES, replace(second, fetched_at=NOON + timedelta(days=1)), plain):
            store.articles.save(article, content_hash=article.body, run_id=None, seen_at=NOON)
    return tmp_path


def run(*arguments: str) -> str:
    found = CliRunner().invoke(app, ["export", *arguments], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


def exported(*arguments: str) -> list[dict[str, Any]]:
    run("-o", "out.jsonl", *arguments)
    return [json.loads(line) for line in Path("out.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), ["ktkz:2:ru", "qazmonitor:3:en", "mfa:1:ru"]),
        (("--rule", "ihl"), ["qazmonitor:3:en"]),
        (("--rule", "ihl", "--rule", "red-cross-movement", "--source", "mfa"), ["mfa:1:ru"]),
        (("--language", "ru"), ["ktkz:2:ru", "mfa:1:ru"]),
        (("--since", "2026-03-06T14:00+00:00"), ["ktkz:2:ru", "qazmonitor:3:en"]),
        (("--until", "2026-03-06T14:00+00:00"), ["mfa:1:ru"]),
    ],
)
def test_filters(stored: Path, arguments: tuple[str, ...], expected: list[str]) -> None:
    assert [row["id"] for row in exported(*arguments)] == expected


def test_all_includes_unmatched_articles_within_their_share(stored: Path) -> None:
    (plain,) = [row for row in exported("--all") if row["id"] == "mfa:9:ru"]
    assert (plain["rules"], plain["words"]) == ([], [])
    assert 20 < len(plain["excerpt"].removesuffix(" …")) <= 0.3 * len(LONG)


def test_versions_share_one_excerpt_and_the_newest_comes_first(stored: Path) -> None:
    assert [row["version"] for row in exported("--rule", "ihl")] == [2]
    new, old = exported("--rule", "ihl", "--versions")
    assert [(row["version"], row["verdict"]) for row in (new, old)] == [(2, "revised"), (1, "new")]
    assert new["changed_at"] == "2026-03-07T12:00:00+00:00"
    assert (new["severity"], new["change_kinds"]) == ("editorial", ["added"])  # " More.": a fragment, no sentence
    assert (old["severity"], old["change_kinds"]) == (None, [])
    assert len(new["excerpt"] or "") + len(old["excerpt"] or "") <= 0.3 * len(OTHER + " More.") + 12  # the ellipses


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.xlsx", "a.parquet"])
def test_file_is_written_and_its_rows_are_counted(stored: Path, name: str) -> None:
    assert run("-o", name) == f"{name}: 3 articles, of 4 stored articles.\n"
    assert (stored / name).stat().st_size > 500
    assert run("-o", name, "--since", "2027-01-01") == f"{name}: 0 articles, of 4 stored articles.\n"
    assert (stored / name).is_file()


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (("-o", "a.ods"), UsageError, "the ending must be one of .jsonl, .csv, .xlsx, .parquet"),
        (("-o", "a.csv", "--separator", "|"), UsageError, "--separator '|' is none of"),
        (("-o", "a.csv", "--rule", "ihll"), UsageError, "did you mean 'ihl'?"),
        (("-o", "a.csv", "--source", "mfaa"), UnknownSource, "did you mean 'mfa'?"),
        (("-o", "a.csv", "--until", "soon"), UsageError, "--until 'soon' is not a day"),
        (("-o", "a.csv", "--all", "--rule", "ihl"), UsageError, "--all and --rule cannot be combined"),
        (("-o", "nowhere/a.csv"), UsageError, "there is no folder"),
    ],
)
def test_wrong_arguments_are_refused(
    stored: Path, arguments: tuple[str, ...], kind: type[UsageError], said: str
) -> None:
    with pytest.raises(kind) as caught:
        run(*arguments)
    assert said in str(caught.value)
    assert not (stored / "a.csv").exists()


def test_parquet_without_its_package_is_refused(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.publish.exports.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r'pip install "\.\[parquet\]"'):
        run("-o", "a.parquet")


def test_excel_has_local_times_and_the_values_of_csv(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRAWLER_TIMEZONE", "Asia/Tokyo")
    run("-o", "a.xlsx", "--all", "--versions")
    run("-o", "a.csv", "--all", "--versions")
    sheet = load_workbook("a.xlsx").worksheets[0]
    names, *rows = sheet.iter_rows(values_only=True)
    with Path("a.csv").open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.DictReader(file))
    assert len(rows) == len(written) == 5
    for row, expected in zip(rows, written, strict=True):
        found = dict(zip(names, row, strict=True))
        assert list(found) == list(expected)
        for name in ("id", "url", "headline", "excerpt", "rules", "words"):
            assert (found[name] or "") == expected[name]
        if found["published_at"]:
            published_at = datetime.fromisoformat(expected["published_at"]).astimezone(ZoneInfo("Asia/Tokyo"))
            assert found["published_at"] == published_at.replace(tzinfo=None)


@pytest.mark.parametrize("arguments", [(), ("--versions",)], ids=["articles", "versions"])
def test_more_rows_than_a_sheet_has_are_refused_and_the_old_file_stays(
    stored: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    run("-o", "a.xlsx")
    before = (stored / "a.xlsx").read_bytes()
    monkeypatch.setattr("crawler.publish.spreadsheet.MAX_ROWS", 4 if arguments else 3)
    with pytest.raises(TooManyRows, match="Nothing was written"):
        run("-o", "a.xlsx", *arguments)
    assert (stored / "a.xlsx").read_bytes() == before
    assert list(stored.glob(".a.xlsx*")) == []
    run("-o", "a.xlsx", "--rule", "ihl")


def test_failed_export_keeps_the_old_file(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("-o", "a.csv")
    before = (stored / "a.csv").read_bytes()

    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("crawler.publish.builder.EntryBuilder.build", breaks)
    with pytest.raises(RuntimeError):
        run("-o", "a.csv")
    assert (stored / "a.csv").read_bytes() == before
    assert not list(stored.glob(".a.csv*"))
