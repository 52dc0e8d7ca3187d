"""`crawler backfill` as a user runs it: killed again and again, beside a watch's lease, on sites of several shapes."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.gov_site import GovSite
from support.sandbox import Sandbox, get_expected_articles
from support.shaped_sites import NewsSitemapSite

from crawler.service.heartbeat import Heartbeat
from crawler.store import ScheduleState

pytestmark = pytest.mark.slow

DAILY = timedelta(days=1)
CONFIG = """
[channels]
desk = "json://127.0.0.1:9/"

[subscriptions.press]
channels = ["desk"]
strength = "weak"
"""
NO_DELAY = {"CRAWLER_BACKFILL__DELAY": "0"}


@pytest.fixture(scope="module")
def gov() -> Iterator[GovSite]:
    """Ninety articles, one a day; every seventh exists in Russian only."""
    with GovSite(90, every=DAILY) as site:
        yield site


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, gov: GovSite) -> Sandbox:
    """A user whose watch has read the newest articles once."""
    place = Sandbox(tmp_path_factory.mktemp("user"), {"mfa": gov}, NO_DELAY)
    place.work_dir.mkdir()
    (place.work_dir / "crawler.toml").write_text(CONFIG, encoding="utf-8")
    ended = place.run_crawler("crawl", "mfa", CRAWLER_SOURCES__MFA__PAGES="1")
    assert ended.code == 0, ended.err
    return place


def test_history_survives_kills(place: Sandbox, gov: GovSite) -> None:
    """The kills are as in a week of interruptions. Meanwhile the site publishes and removes articles."""
    before = place.get_articles()
    chance = random.Random(3)
    words = ["backfill", "mfa", "--from", "2015-01-01"]
    kills = 0
    for number in range(6):
        with place.start_crawler(*words) as process:
            # From the first request on, the end may come at any moment.
            seen, deadline = len(gov.requests), time.monotonic() + 120
            while len(gov.requests) == seen and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.6))
            kills += process.poll() is None
            process.kill()
        words = ["backfill", "mfa"]
        if number % 4 == 1:
            gov.add_articles(3)
        if number % 4 == 3:
            gov.remove_article(gov.articles[40 + number].id)
    assert kills >= 3
    ended = place.run_crawler("backfill", "mfa", timeout=400)
    assert ended.code == 14, ended.all_output
    assert "which no list of the source reaches" in ended.out
    stored = place.get_articles()
    wanted = {key for key, article in get_expected_articles("mfa", gov).items() if article.number <= 90}
    assert wanted - stored.keys() == set()
    with place.open_store() as store:
        found = [each for each in stored if each not in before]
        assert all(len(store.versions.list_by_article(each)) == 1 for each in found)
        events = [event for each in found for event in store.events.list_by_article(each)]
        assert events
        assert {event.suppressed_because for event in events} == {"backfill"}


def test_backfill_is_no_news_and_no_measure(place: Sandbox) -> None:
    assert "No messages yet." in place.run_crawler("alerts").out
    digest = place.run_crawler("digest", "--since", "24h", timeout=400).out
    with place.open_store() as store:
        run = store.runs.get_last("mfa", mode="live")
        assert run is not None
        assert run.complete
        backfilled = store.runs.get_last("mfa")
        assert backfilled is not None
        assert (backfilled.mode, backfilled.complete, backfilled.measures) == ("backfill", False, {})
        old = [each for each in store.articles.iter_newest(matched=True) if each.id not in digest]
        assert old
        assert store.articles.list_first_seen_since("mfa", run.started_at - DAILY) != []
        assert {each.first_run_id for each in store.articles.list_first_seen_since("mfa", run.started_at - DAILY)} == {
            run.id
        }
    hits = place.run_crawler("search", "ICRC", "--until", "100d").out
    assert "articles." in hits


def test_status_is_printed_for_people_and_programs(place: Sandbox) -> None:
    shown = place.run_crawler("backfill", "--status")
    assert shown.code == 0
    assert shown.out.startswith("mfa: ")
    status = json.loads(place.run_crawler("backfill", "mfa", "--status", "--json").out)
    assert status["lists"][0]["name"] == "ru, kk, en"
    assert (status["gaps"], status["days_wanted"] > 4000) == ([], True)


def test_limit_of_requests_stops_the_day(tmp_path: Path, gov: GovSite) -> None:
    place = Sandbox(tmp_path, {"mfa": gov}, NO_DELAY)
    seen = len(gov.list_requests("/graphql"))
    with place.start_crawler("backfill", "mfa", "--from", "2015-01-01", "--requests-per-day", "10") as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "waiting" in line)
        assert "the limit of 10 requests a day is reached; it goes on tomorrow" in line
        process.terminate()
        rest = process.stdout.read()
        assert process.wait(120) == 130
    assert "Stopped. `crawler backfill mfa` goes on." in rest
    assert len(gov.list_requests("/graphql")) - seen <= 10


def test_scheduled_run_waits_for_the_window(tmp_path: Path) -> None:
    with GovSite(120, every=DAILY) as site:
        place = Sandbox(tmp_path, {"mfa": site}, {"CRAWLER_BACKFILL__DELAY": "0.3"})
        with place.start_crawler("backfill", "mfa", "--from", "2015-01-01"):
            deadline = time.monotonic() + 120
            while len(site.list_requests("/graphql")) < 2 and time.monotonic() < deadline:
                time.sleep(0.05)
            ended = place.run_crawler("crawl", "mfa")
        assert ended.code == 0, ended.all_output


def test_window_does_not_wait_for_a_scheduled_run_that_was_killed(tmp_path: Path, gov: GovSite) -> None:
    """Its watch was killed with it, and a new one will start the source tomorrow."""
    place = Sandbox(tmp_path, {"mfa": gov}, NO_DELAY)
    assert place.run_crawler("crawl", "mfa", CRAWLER_SOURCES__MFA__PAGES="1").code == 0
    now = datetime.now(UTC)
    with place.open_store() as store:
        killed = ScheduleState(source="mfa", cron="0 0 * * *", last_started_at=now - DAILY / 2, next_due_at=now + DAILY)
        store.schedules.save(killed)
        watch = Heartbeat(store)
        watch.send(["mfa"])
        ended = place.run_crawler("backfill", "mfa", "--from", "2015-01-01", timeout=200)
        watch.stop()
    assert "a scheduled run goes first" not in ended.all_output
    assert ended.code == 14, ended.all_output


def test_second_backfill_of_a_source_is_refused(tmp_path: Path) -> None:
    with GovSite(120, every=DAILY) as site:
        place = Sandbox(tmp_path, {"mfa": site}, {"CRAWLER_BACKFILL__DELAY": "0.3"})
        with place.start_crawler("backfill", "mfa", "--from", "2015-01-01") as process:
            deadline = time.monotonic() + 120
            while not site.list_requests("/graphql") and time.monotonic() < deadline:
                time.sleep(0.05)
            second = place.run_crawler("backfill", "mfa", timeout=400)
            assert (second.code, "is being walked by process" in second.err) == (15, True), second.all_output
            process.terminate()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.01)
            assert process.wait(60) == 130


@pytest.mark.parametrize(("start", "count"), [("news.xml", 14), ("feed/", 10)])
def test_defined_source_is_read_as_far_as_its_lists_lead(tmp_path: Path, start: str, count: int) -> None:
    pytest.importorskip("trafilatura")
    place = Sandbox(tmp_path, {}, NO_DELAY)
    with NewsSitemapSite(24) as site:
        site.has_feed = start == "feed/"
        folder = place.work_dir / "sources"
        folder.mkdir(parents=True)
        (place.work_dir / "crawler.toml").touch()
        (folder / "valley.toml").write_text(
            f'title = "Valley"\norigins = ["{site.url}"]\nstarts = ["{site.url}/{start}"]\n'
            'addresses = ["/{year}/{month}/{slug}/"]\n',
            encoding="utf-8",
        )
        oldest_wanted = sorted(article.published_at for article in site.articles)[-14]
        ended = place.run_crawler("backfill", "valley", "--from", oldest_wanted.isoformat())
        assert "no list of its history is known, so only what these lists name is read" in ended.out
        assert len(place.get_articles("valley")) == count, ended.all_output
        requested = [request.path for request in site.requests if request.path.startswith("/20")]
        assert len(requested) == count, "what the sitemap dates before the wanted day is not requested"
