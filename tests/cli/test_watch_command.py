"""`crawler watch`: what is due at once runs at once, SIGTERM ends it with 0, and nothing is left behind."""

from __future__ import annotations

import signal
from pathlib import Path

from live.place import Place, expected
from live.processes import descendants, is_alive, until
from sites.gov import GovSite
from sites.qazmonitor import QazMonitorSite

from crawler.items import Health


def finished(place: Place, number: int) -> bool:
    if not (place.data / "crawler.db").exists():
        return False
    with place.store() as store:
        return sum(run.finished_at is not None for run in store.runs.recent(limit=10)) >= number


def test_watch_runs_what_is_due_and_ends_on_sigterm(tmp_path: Path) -> None:
    with GovSite(6) as gov, QazMonitorSite(6) as qaz:
        place = Place(tmp_path, {"mfa": gov, "qazmonitor": qaz})
        with place.started("watch", "mfa", "qazmonitor") as process:
            until(lambda: finished(place, 2), 60)
            below = descendants(process.pid)
            assert below
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=30)
        assert process.returncode == 0, out
        until(lambda: not any(map(is_alive, below)))
        for source, site in place.sites.items():
            assert f"  {source}  started" in out
            assert f"  {source}  healthy: " in out
            assert place.stored(source).keys() == expected(source, site).keys()
        with place.store() as store:
            assert {run.health for run in store.runs.recent()} == {Health.HEALTHY}
            for row in store.schedules.all():
                assert row.last_started_at is not None
                assert row.last_finished_at is not None
                assert row.next_due_at is not None
                assert row.next_due_at > row.last_started_at
        done = place.crawler("schedule")
        assert done.code == 0
        assert [line.split()[0] for line in done.out.splitlines() if line[0] != " "] == ["ktkz", "mfa", "qazmonitor"]
        assert done.out.count(": healthy. ") == 2


def test_sigterm_ends_the_crawl_that_is_going_on(tmp_path: Path) -> None:
    with QazMonitorSite(24, feed_size=24) as qaz:
        place = Place(tmp_path, {"qazmonitor": qaz}, {"CRAWLER_POLITENESS__DELAY": "0.2"})
        with place.started("watch", "qazmonitor") as process:
            until(lambda: len(qaz.requests) > 4, 60)
            below = descendants(process.pid)
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=30)
        assert process.returncode == 0, out
        assert "because the watch ends" in out
        until(lambda: not any(map(is_alive, below)))
        assert len(qaz.requests) < 24
        with place.store() as store:
            (run,) = store.runs.recent("qazmonitor")
        assert run.finished_at is not None
        assert not run.complete
