"""`kill -9` at several points of a crawl: whatever was killed, the next runs neither lose nor double an article."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from live.holding import held
from live.place import Done, Place, expected
from live.processes import descendants, is_alive, kill, runs, until
from sites.gov import GovSite
from sites.qazmonitor import QazMonitorSite

from crawler.archive.reader import read_at, read_snapshots
from crawler.items import Health, Verdict

pytestmark = pytest.mark.slow

ONE_BY_ONE = {"CRAWLER_POLITENESS__CONCURRENCY": "1"}
SMALL_PAGES = {"CRAWLER_SOURCES__MFA__PAGE_SIZE": "3"}
COUNT = 18


@pytest.fixture(scope="module")
def sites() -> Iterator[Mapping[str, Any]]:
    with GovSite(COUNT) as gov, QazMonitorSite(COUNT) as qaz:
        yield {"mfa": gov, "qazmonitor": qaz}


def killed(place: Place, whom: str, requests: Mapping[str, int]) -> Done:
    """A crawl of which something is killed while each site holds its request of that number; how the command ended."""
    with ExitStack() as stack:
        for name, number in requests.items():
            stack.enter_context(held(place.sites[name], number))
        process = stack.enter_context(place.started("crawl", *requests, **ONE_BY_ONE, **SMALL_PAGES))
        until(lambda: all(len(place.sites[name].requests) >= number for name, number in requests.items()), 60)
        crawls, below = runs(process.pid), descendants(process.pid)
        assert len(crawls) == len(requests)
        kill(*{"runs": crawls, "command": [process.pid], "everything": [process.pid, *below]}[whom])
        out, _ = process.communicate(timeout=60)
        until(lambda: not any(map(is_alive, below)), 60)
    return Done(process.returncode, out, "")


@pytest.fixture(scope="module")
def killed_often(tmp_path_factory: pytest.TempPathFactory, sites: Mapping[str, Any]) -> tuple[Place, list[Done]]:
    """Crawls into one store, each killed a little later, then two that are left in peace."""
    place = Place(tmp_path_factory.mktemp("killed"), sites, SMALL_PAGES)
    deaths = [
        killed(place, "runs", {"mfa": 2, "qazmonitor": 3}),
        killed(place, "everything", {"mfa": 5, "qazmonitor": 7}),
        killed(place, "command", {"mfa": 7, "qazmonitor": 9}),
        killed(place, "everything", {"mfa": 11, "qazmonitor": 12}),
    ]
    for site in sites.values():
        site.requests.clear()
    return place, [
        *deaths,
        place.crawler("crawl", "mfa", "qazmonitor", "--json"),
        place.crawler("crawl", "mfa", "--json"),
    ]


def test_a_killed_run_is_told_as_failed(killed_often: tuple[Place, list[Done]]) -> None:
    done = killed_often[1][0]
    assert done.code == 1
    for source in ("mfa", "qazmonitor"):
        assert f"{source}: failed (exit 1). The run of {source} ended without a result" in done.out
    assert "SIGKILL" in done.out


@pytest.mark.parametrize("source", ["mfa", "qazmonitor"])
def test_nothing_is_lost_and_nothing_doubled(killed_often: tuple[Place, list[Done]], source: str) -> None:
    place, done = killed_often
    assert (done[4].code, done[5].code) == (0, 0)
    stored = place.stored(source)
    assert stored.keys() == expected(source, place.sites[source]).keys()
    for key in stored:
        (only,) = place.versions(key)
        assert (only.version, only.verdict) == (1, Verdict.NEW)


def test_paging_went_past_what_killed_runs_had_stored(killed_often: tuple[Place, list[Done]]) -> None:
    place, done = killed_often
    counts = done[4].run("mfa")["counts"]
    assert counts["articles/new"] + counts["articles/unchanged"] >= len(expected("mfa", place.sites["mfa"]))
    assert counts["articles/unchanged"] > 3 * 3  # more than the first pages were there already
    assert done[5].run("mfa")["counts"]["pages"] == 3  # and after a whole run it stops at once


def test_killed_runs_are_remembered_as_killed(killed_often: tuple[Place, list[Done]]) -> None:
    place, _ = killed_often
    with place.store() as store:
        newest, before, *killed_ones = store.runs.recent("mfa")
    assert (newest.health, before.health) == (Health.HEALTHY, Health.HEALTHY)
    assert newest.complete
    assert before.complete
    assert len(killed_ones) == 4
    assert not any(run.complete for run in killed_ones)
    assert all(run.finished_at is not None for run in killed_ones)


@pytest.mark.parametrize("source", ["mfa", "qazmonitor"])
def test_every_stored_article_still_has_its_page(killed_often: tuple[Place, list[Done]], source: str) -> None:
    place, _ = killed_often
    for article in place.stored(source).values():
        assert article.snapshot is not None
        assert read_at(place.archive, article.snapshot).status == 200


def test_the_archive_can_be_read_whole(killed_often: tuple[Place, list[Done]]) -> None:
    place, _ = killed_often
    for path in place.archive.rglob("*.warc.gz"):
        assert len(list(read_snapshots(path))) > COUNT


def test_a_later_run_that_is_killed_hides_nothing_from_the_next(tmp_path: Path, sites: Mapping[str, Any]) -> None:
    """After a whole run, twelve new articles; a run dies having stored the newest of them only."""
    gov = sites["mfa"]
    place = Place(tmp_path, {"mfa": gov}, SMALL_PAGES)
    assert place.crawler("crawl", "mfa").code == 0
    gov.add(12)
    killed(place, "everything", {"mfa": 4})
    some = place.stored().keys()
    assert place.crawler("crawl", "mfa").code == 0
    wanted = expected("mfa", gov).keys()
    assert place.stored().keys() == wanted
    assert some < wanted, "the run was killed too late to show anything"
