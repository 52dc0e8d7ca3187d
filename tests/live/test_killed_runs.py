"""`kill -9` at several points of a crawl: the next runs neither lose nor duplicate an article."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.delayed_site import delay_answers
from support.gov_site import GovSite
from support.process_tree import is_alive, kill_processes, list_crawls, list_descendants
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import CommandResult, Sandbox, get_expected_articles
from support.waiting import wait_until

from crawler.archive.snapshot_reader import read_snapshot_at, read_snapshots
from crawler.items import Health, Verdict

pytestmark = pytest.mark.slow

ONE_BY_ONE = {"CRAWLER_POLITENESS__CONCURRENCY": "1"}
SMALL_PAGES = {"CRAWLER_SOURCES__MFA__PAGE_SIZE": "3"}
COUNT = 18


@pytest.fixture(scope="module")
def sites() -> Iterator[Mapping[str, Any]]:
    with GovSite(COUNT) as gov, QazMonitorSite(COUNT) as qaz:
        yield {"mfa": gov, "qazmonitor": qaz}


def killed(place: Sandbox, whom: str, requests: Mapping[str, int]) -> CommandResult:
    """Kill processes of a crawl while each site delays its request of that number. Return how the command ended."""
    with ExitStack() as stack:
        for name, number in requests.items():
            stack.enter_context(delay_answers(place.sites[name], number))
        process = stack.enter_context(place.start_crawler("crawl", *requests, **ONE_BY_ONE, **SMALL_PAGES))
        wait_until(lambda: all(len(place.sites[name].requests) >= number for name, number in requests.items()), 60)
        crawls, below = list_crawls(process.pid), list_descendants(process.pid)
        assert len(crawls) == len(requests)
        kill_processes(*{"runs": crawls, "command": [process.pid], "everything": [process.pid, *below]}[whom])
        out, _ = process.communicate(timeout=120)
        wait_until(lambda: not any(map(is_alive, below)), 60)
    return CommandResult(process.returncode, out, "")


@pytest.fixture(scope="module")
def killed_often(
    tmp_path_factory: pytest.TempPathFactory, sites: Mapping[str, Any]
) -> tuple[Sandbox, list[CommandResult]]:
    """Crawl into one store, each crawl killed a little later, then two that end."""
    place = Sandbox(tmp_path_factory.mktemp("killed"), sites, SMALL_PAGES)
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
        place.run_crawler("crawl", "mfa", "qazmonitor", "--json"),
        place.run_crawler("crawl", "mfa", "--json"),
    ]


@pytest.mark.campaign
def test_a_killed_run_is_told_as_failed(killed_often: tuple[Sandbox, list[CommandResult]]) -> None:
    done = killed_often[1][0]
    assert done.code == 1
    for source in ("mfa", "qazmonitor"):
        assert f"{source}: failed (exit 1). The run of {source} ended without a result" in done.out
    assert "SIGKILL" in done.out


@pytest.mark.parametrize("source", ["mfa", "qazmonitor"])
def test_nothing_is_lost_and_nothing_doubled(killed_often: tuple[Sandbox, list[CommandResult]], source: str) -> None:
    place, done = killed_often
    assert (done[4].code, done[5].code) == (0, 0)
    stored = place.get_articles(source)
    assert stored.keys() == get_expected_articles(source, place.sites[source]).keys()
    for key in stored:
        (only,) = place.list_versions(key)
        assert (only.version, only.verdict) == (1, Verdict.NEW)


def test_paging_went_past_what_killed_runs_had_stored(killed_often: tuple[Sandbox, list[CommandResult]]) -> None:
    place, done = killed_often
    counts = done[4].get_run("mfa")["counts"]
    assert counts["articles/new"] + counts["articles/unchanged"] >= len(
        get_expected_articles("mfa", place.sites["mfa"])
    )
    assert counts["articles/unchanged"] > 3 * 3  # more than the first pages were there already
    assert done[5].get_run("mfa")["counts"]["pages"] == 3  # and after a whole run it stops at once


def test_killed_runs_are_remembered_as_killed(killed_often: tuple[Sandbox, list[CommandResult]]) -> None:
    place, _ = killed_often
    with place.open_store() as store:
        newest, before, *killed_ones = store.runs.list_recent("mfa")
    assert (newest.health, before.health) == (Health.HEALTHY, Health.HEALTHY)
    assert newest.complete
    assert before.complete
    assert len(killed_ones) == 4
    assert not any(run.complete for run in killed_ones)
    assert all(run.finished_at is not None for run in killed_ones)


@pytest.mark.parametrize("source", ["mfa", "qazmonitor"])
def test_every_stored_article_still_has_its_page(
    killed_often: tuple[Sandbox, list[CommandResult]], source: str
) -> None:
    place, _ = killed_often
    for article in place.get_articles(source).values():
        assert article.snapshot is not None
        assert read_snapshot_at(place.archive_dir, article.snapshot).status == 200


def test_the_archive_can_be_read_whole(killed_often: tuple[Sandbox, list[CommandResult]]) -> None:
    place, _ = killed_often
    for path in place.archive_dir.rglob("*.warc.gz"):
        assert len(list(read_snapshots(path))) > COUNT


def test_a_later_run_that_is_killed_hides_nothing_from_the_next(tmp_path: Path, sites: Mapping[str, Any]) -> None:
    """After a complete run, publish twelve articles. The next run is killed with only the newest stored."""
    gov = sites["mfa"]
    place = Sandbox(tmp_path, {"mfa": gov}, SMALL_PAGES)
    assert place.run_crawler("crawl", "mfa").code == 0
    gov.add_articles(12)
    killed(place, "everything", {"mfa": 4})
    some = place.get_articles().keys()
    assert place.run_crawler("crawl", "mfa").code == 0
    wanted = get_expected_articles("mfa", gov).keys()
    assert place.get_articles().keys() == wanted
    assert some < wanted, "the run was killed too late to show anything"
