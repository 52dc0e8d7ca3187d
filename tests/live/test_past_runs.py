"""Past runs once more: byte for byte the file of then, the verdicts of then, by the clock of then; or what differs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from live.place import Done, Place
from sites.gov import GovSite
from sites.ktkz import KtkzSite
from sites.qazmonitor import QazMonitorSite
from warcio.archiveiterator import ArchiveIterator
from warcio.warcwriter import WARCWriter

from crawler.items import Run

pytestmark = pytest.mark.slow

SOURCES = ("ktkz", "mfa", "qazmonitor")


@dataclass
class Past:
    """Two live runs of each source, an article edited and one published between them; a copy of the store before each
    of the second runs."""

    place: Place
    before: Path
    runs: dict[str, dict[str, Run]]
    folder: Path

    def file(self, name: str, source: str) -> str:
        """What `-o` wrote of one source."""
        lines = (self.place.work / f"{name}.jsonl").read_text().splitlines(keepends=True)
        return "".join(line for line in lines if json.loads(line)["source"] == source)

    def again(self, run: str, source: str, *words: object, store: Path | None = None) -> tuple[Done, Path]:
        """Replay a run into a place of its own, over an empty store or a copy."""
        place = Place(self.folder / f"{run}-{source}", self.place.sites)
        if store:
            place.data.parent.mkdir(parents=True)
            copytree(store, place.data, ignore=lambda *_: ["archive"])
        at = self.runs[run][source].started_at.isoformat()
        archive = self.place.archive
        done = place.crawler("crawl", source, "--replay", archive, "--at", at, "-o", "now.jsonl", "--json", *words)
        return done, place.work / "now.jsonl"

    def against(self, run: str, source: str, *words: object) -> Done:
        """Ask at the place of the live runs what would differ."""
        at = self.runs[run][source].started_at.isoformat()
        return self.place.crawler("crawl", source, "--replay", self.place.archive, "--at", at, "--against", *words)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    folder = tmp_path_factory.mktemp("past")
    with GovSite(8) as gov, QazMonitorSite(8) as qaz, KtkzSite(24) as ktkz:
        sites: dict[str, Any] = {"mfa": gov, "qazmonitor": qaz, "ktkz": ktkz}
        place = Place(folder / "live", sites)
        runs = {}
        qaz.fault(qaz.path(qaz.articles[0]), "504", times=1)
        qaz.fault(qaz.path(qaz.articles[3]), "404")
        for name in ("first", "second"):
            assert place.crawler("crawl", "-o", f"{name}.jsonl", "--all").code == 14  # a listed page is gone
            with place.store() as store:
                runs[name] = {run.source: run for run in store.runs.recent(limit=3)}
            if name == "first":
                copytree(place.data, folder / "before")
                gov.edit(gov.articles[1].id, "en")
                qaz.edit(qaz.articles[1].id)
                qaz.add(1)
                ktkz.edit(next(a for a in ktkz.articles if "ru" in a.texts).id)
        for site in sites.values():
            site.requests.clear()
        yield Past(place, folder / "before", runs, folder)
        assert not any(site.requests for site in sites.values())


@pytest.mark.parametrize("source", SOURCES)
def test_a_first_run_gives_its_file_byte_for_byte(past: Past, source: str) -> None:
    done, file = past.again("first", source, "--all")
    then, now = past.runs["first"][source], done.run(source)
    assert (done.code, done.err) == (then.exit_code, "")
    assert file.read_text() == past.file("first", source) != ""
    assert (now["mode"], now["health"], now["reason"]) == ("replay", then.health, then.reason)
    assert now["started_at"] == then.to_dict()["started_at"]


@pytest.mark.parametrize("source", SOURCES)
def test_a_second_run_over_the_store_of_then_gives_its_verdicts(past: Past, source: str) -> None:
    done, file = past.again("second", source, "--all", store=past.before)
    assert (done.code, done.err) == (past.runs["second"][source].exit_code, "")
    assert file.read_text() == past.file("second", source)
    verdicts = [json.loads(line)["verdict"] for line in file.read_text().splitlines()]
    assert verdicts.count("revised") == 1
    assert done.run(source)["counts"] == past.runs["second"][source].counts


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("run", ["first", "second"])
def test_nothing_differs_from_what_the_store_has_of_a_run(past: Past, run: str, source: str) -> None:
    done = past.against(run, source, "store")
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(r"(\d+) of \1 articles? as then\.\n", done.out)


def test_what_differs_from_a_file_is_told_field_by_field(past: Past, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in past.file("first", "qazmonitor").splitlines()]
    changed, gone = lines[0], lines.pop(1)
    changed["title"], lost = "Another title", {**lines[1], "id": "qazmonitor:9999:en"}
    file = tmp_path / "then.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in [*lines, lost]))
    done = past.against("first", "qazmonitor", file, "--all", "--json")
    assert done.code == 12
    assert [(line["kind"], line["of"], line["field"]) for line in done.lines] == sorted(
        [
            ("changed", changed["id"], "title"),
            ("added", gone["id"], None),
            ("missing", "qazmonitor:9999:en", None),
        ],
        key=lambda each: each[1],
    )
    told = past.against("first", "qazmonitor", file, "--all")
    assert f"changed {changed['id']} title\n    then Another title\n    now  " in told.out
    assert "1 missing, 1 added, 1 changed." in told.out


def test_a_comparison_leaves_the_store_alone(past: Past) -> None:
    with past.place.store() as store:
        before = store.runs.recent(), [list(store.articles.versions(each.id)) for each in store.articles.select()]
    past.against("first", "qazmonitor", "store")
    past.place.crawler("crawl", "qazmonitor", "--replay", past.place.archive, "--dry-run", "--at", at(past))
    with past.place.store() as store:
        assert before == (
            store.runs.recent(),
            [list(store.articles.versions(each.id)) for each in store.articles.select()],
        )


def test_matches_that_differ_are_told_by_rule_and_word(past: Past, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in past.file("first", "mfa").splitlines()]
    changed = next(line for line in lines if line["matches"])
    match = changed["matches"].pop()
    file = tmp_path / "then.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    told = past.against("first", "mfa", file, "--all")
    assert told.code == 12
    assert re.search(rf"changed {changed['id']} matches\n    then [^\n]*\n    now  [^\n]*{match['rule']}: ", told.out)
    assert "{" not in told.out


def at(past: Past) -> str:
    return past.runs["first"]["qazmonitor"].started_at.isoformat()


def test_a_store_that_knows_what_came_later_is_not_written_to(past: Past) -> None:
    done = past.place.crawler("crawl", "qazmonitor", "--replay", past.place.archive, "--at", at(past))
    assert done.code == 2
    assert "its articles would be judged by what came later" in done.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--at", "2020-01-01T10:00"), "was going on at 2020-01-01T10:00:00+06:00"),
        (("--at", "noon"), "--at 'noon' is no time"),
        (("--against", "store"), "--against compares with a past run"),
        (("--at", "2026-01-01T10:00", "--against", "then.csv"), ""),
    ],
)
def test_what_cannot_be_meant_is_an_error_of_use(past: Past, words: tuple[str, ...], sentence: str) -> None:
    done = past.place.crawler("crawl", "qazmonitor", "--replay", past.place.archive, *words)
    assert done.code == 2
    assert sentence in done.err
    assert done.err.count("\n") == 1


def rewritten(source: Path, target: Path, *, without: str = "", by: timedelta = timedelta()) -> None:
    """A WARC file without an address, or with its times moved."""
    target.parent.mkdir(parents=True)
    with source.open("rb") as stream, target.open("wb") as out:
        writer = WARCWriter(out, gzip=True)
        for record in ArchiveIterator(stream):
            headers = record.rec_headers
            moment = datetime.fromisoformat(headers.get_header("WARC-Date")) + by
            headers.replace_header("WARC-Date", f"{moment:%Y-%m-%dT%H:%M:%SZ}")
            if said := headers.get_header("Crawler-Run"):
                tag = json.loads(said)
                tag["started"] = (datetime.fromisoformat(tag["started"]) + by).isoformat()
                headers.replace_header("Crawler-Run", json.dumps(tag))
            if not without or headers.get_header("WARC-Target-URI") != without:
                writer.write_record(record)


def test_a_page_that_the_records_lack_is_loud(past: Past, tmp_path: Path) -> None:
    site: Any = past.place.sites["qazmonitor"]
    missing = site.url + site.path(site.articles[-1])
    (whole,) = (past.place.archive / "qazmonitor").glob("*.warc.gz")
    rewritten(whole, tmp_path / "archive" / "qazmonitor" / whole.name, without=missing)
    words = ("crawl", "qazmonitor", "--replay", tmp_path / "archive", "--at", at(past))
    done = Place(tmp_path / "user", past.place.sites).crawler(*words)
    assert done.code == 12
    assert f"{missing} was asked for and is not among the records of this run" in done.err
    compared = past.place.crawler(*words, "--against", "store")
    assert compared.code == 12
    assert f"missing qazmonitor:{site.articles[-1].id}:en" in compared.out


def test_the_clock_is_that_of_the_run(tmp_path: Path) -> None:
    """By today's clock a ministry that last published 200 days ago is silent; in the run of then it was not."""
    ago = timedelta(days=200)
    with GovSite(4, newest=datetime.now(UTC) - ago - timedelta(hours=1)) as gov:
        place = Place(tmp_path / "live", {"mfa": gov})
        assert place.crawler("crawl", "mfa").code == 13
        with place.store() as store:
            (run,) = store.runs.recent()
        (whole,) = (place.archive / "mfa").glob("*.warc.gz")
        started = run.started_at - ago
        rewritten(whole, tmp_path / "archive" / "mfa" / f"{started:%Y-%m-%d}.warc.gz", by=-ago)
        user = Place(tmp_path / "user", {"mfa": gov})
        words = ("crawl", "mfa", "--replay", tmp_path / "archive", "--at", started.isoformat())
        done = user.crawler(*words, "--json", "-o", "now.jsonl", "--all")
        assert (done.code, done.err) == (0, "")
        assert done.run("mfa")["health"] == "healthy"
        articles = [json.loads(line) for line in (user.work / "now.jsonl").read_text().splitlines()]
        assert {article["fetched_at"][:10] for article in articles} == {f"{started:%Y-%m-%d}"}
        old = Place(tmp_path / "since", {"mfa": gov}).crawler(*words, "--json", "--since", "2h")
        assert old.run("mfa")["counts"]["too_old"] > 0
        assert old.run("mfa")["counts"]["articles/new"] > 0
