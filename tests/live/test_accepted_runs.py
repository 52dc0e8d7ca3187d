"""`crawler health SOURCE --accept`: an accepted change is no longer reported, is visible, and can be undone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.fault_campaign import SETTINGS, crawl
from support.ktkz_site import KtkzSite
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import Sandbox

from crawler.items import Health, Run

pytestmark = pytest.mark.slow


def test_a_feed_that_is_gone_for_good(tmp_path: Path) -> None:
    with QazMonitorSite(4) as site:
        place = Sandbox(tmp_path, {"qazmonitor": site}, SETTINGS)
        site.add_fault("/rss", "404")
        assert [crawl(place, "qazmonitor").code for _ in range(2)] == [14, 14]
        done = place.run_crawler("health", "qazmonitor", "--accept")
        assert done.code == 0
        assert "qazmonitor: the run of " in done.out
        assert [crawl(place, "qazmonitor").code for _ in range(2)] == [0, 0]
        shown = place.run_crawler("health", "qazmonitor")
        assert shown.code == 0
        assert "; its first list may fail" in shown.out
        site.heal()
        assert crawl(place, "qazmonitor").code == 0
        site.add_fault("/rss", "404")
        assert crawl(place, "qazmonitor").code == 14, "a feed that was back is expected again"


def test_a_measure_that_moved_for_good(tmp_path: Path) -> None:
    with KtkzSite(4) as site:
        place = Sandbox(tmp_path, {"ktkz": site}, SETTINGS)
        with place.open_store() as store:
            long_lists(store)
        assert crawl(place, "ktkz").code == 14
        assert place.run_crawler("health", "ktkz", "--unaccept").code == 2
        assert place.run_crawler("health", "ktkz", "--accept").code == 0
        site.add_articles(4)
        assert crawl(place, "ktkz").code == 0
        assert place.run_crawler("health", "ktkz", "--unaccept").code == 0
        site.add_articles(4)
        done = crawl(place, "ktkz")
        assert (done.code, "entries on a list's page" in done.out.lower()) == (14, True)


def long_lists(store) -> None:  # type: ignore[no-untyped-def]
    begun = datetime.now(UTC) - timedelta(days=3)
    for number in range(6):
        run = store.runs.record_start(Run(source="ktkz", started_at=begun + number * timedelta(hours=1)))
        ended = {"finished_at": run.started_at, "health": Health.HEALTHY, "reason": "Well.", "exit_code": 0}
        measures = {"codes": {"200": 1}, "lists": {"pages": 1, "entries": 100}}
        store.runs.record_end(Run(id=run.id, source="ktkz", started_at=run.started_at, measures=measures, **ended))


@pytest.mark.parametrize("words", [["--accept"], ["mfa", "ktkz", "--accept"], ["mfa", "--accept"]])
def test_what_cannot_be_accepted(tmp_path: Path, words: list[str]) -> None:
    done = Sandbox(tmp_path).run_crawler("health", *words)
    assert done.code == 2
    assert "exactly one source" in done.err or "there is nothing to accept" in done.err


def test_a_broken_source_is_not_accepted(tmp_path: Path) -> None:
    with QazMonitorSite(3) as site:
        place = Sandbox(tmp_path, {"qazmonitor": site}, SETTINGS)
        assert crawl(place, "qazmonitor").code == 0
        site.add_fault("*", "403_challenge")
        assert crawl(place, "qazmonitor").code == 11
        done = place.run_crawler("health", "qazmonitor", "--accept")
        assert done.code == 2
        assert "was blocked in its last run" in done.err
