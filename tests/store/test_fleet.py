"""Watches and workers over one PostgreSQL, one of them killed: nothing is lost, doubled or impolite."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import select
from support.process_tree import kill_processes, list_crawls
from support.sandbox import Sandbox
from support.waiting import wait_until

from benchmarks.fleet_failures import list_processes
from benchmarks.fleet_recoveries import JobHistory
from benchmarks.fleet_sites import FIRST_ARTICLES, FleetSites, FleetSource
from crawler.config import Config
from crawler.service.job_queue import open_job_queue
from crawler.store import open_store
from crawler.store.schema import change_events, versions

pytestmark = pytest.mark.slow
WITHOUT_BUILT_IN = "".join(f"[sources.{name}]\nenabled = false\n" for name in ("mfa", "ktkz", "qazmonitor"))


@pytest.mark.campaign
def test_a_killed_worker_loses_nothing(postgres_url: str, tmp_path: Path) -> None:
    sources = [FleetSource(f"fleet{n:02}", f"127.0.9.{n % 4 + 1}", cron="0 0 1 1 *", seconds=0.5) for n in range(12)]
    variables = {"CRAWLER_DATABASE": postgres_url, "CRAWLER_ENGINE": "procrastinate"}
    place, sites = Sandbox(tmp_path, variables=variables), FleetSites(sources)
    open_store(postgres_url).close()

    def start(name: str, *words: str) -> AbstractContextManager[subprocess.Popen[str]]:
        return place.start_crawler(*words, CRAWLER_CONTACT=f"{name}@example.org")

    with sites.serve():
        place.work_dir.mkdir(parents=True)
        (place.work_dir / "crawler.toml").write_text(WITHOUT_BUILT_IN, encoding="utf-8")
        sites.write_definitions(place.work_dir)
        queue = open_job_queue(Config(database=postgres_url, engine="procrastinate"))
        history = JobHistory(postgres_url, f"{postgres_url.rpartition('%3D')[2]}_jobs")
        with (
            start("doomed", "worker", "--concurrency", "1") as doomed,
            start("worker", "worker", "--concurrency", "2") as worker,
            start("first", "watch") as first,
            start("second", "watch") as second,
            open_store(postgres_url) as store,
        ):
            wait_until(lambda: any(worker == "doomed@example.org" for *_, worker in sites.feed_requests), 600)
            number = history.find_worker_id(doomed.pid)
            assert number is not None
            failures = {number: time.time()}
            kill_processes(doomed.pid)
            killed = [source for _, source, by in sites.feed_requests if by == "doomed@example.org"]
            wait_until(lambda: store.articles.count() == len(sources) * FIRST_ARTICLES, 600)
            wait_until(
                lambda: not queue.get_state().waiting and not any(w.runs for w in queue.get_state().workers), 200
            )
            for process in (worker, first, second):
                process.send_signal(signal.SIGTERM)
            outputs = [process.communicate(timeout=200)[0] for process in (worker, first, second)]
            assert [process.returncode for process in (worker, first, second)] == [0, 0, 0], outputs
            rows = store.database.fetch_all(select(versions.c.article_id))
            events = store.database.fetch_all(select(change_events.c.article_id))
            runs = Counter(run.source for run in store.runs.list_recent(limit=100) if run.health == "healthy")
        queue.close()
    assert max(Counter(row[0] for row in rows).values()) == 1
    assert max(Counter(row[0] for row in events).values()) == 1
    assert set(runs) == {source.name for source in sources}
    assert sites.violations == []
    # Each start was queued by one watch, and the killed run was given back.
    lines = "".join(outputs[1:]).splitlines()
    assert Counter(line.split()[2] for line in lines if line.endswith("queued")) == dict.fromkeys(sites.sources, 1)
    (lost,) = history.find_lost_runs(failures)
    assert (lost.source, lost.losses, lost.is_decided) == (killed[-1], 1, True), outputs
    assert lost.given_back < lost.taken < lost.made


@pytest.mark.parametrize("failure", ["run", "worker"])
def test_a_run_in_progress_that_is_killed_for_memory_is_made_by_another_worker(
    failure: str, postgres_url: str, tmp_path: Path
) -> None:
    """The kernel kills the process of the run alone, or with its worker and the fork server: all of a container."""
    source = FleetSource("herald", "127.0.9.9", cron="0 0 1 1 *", seconds=3)
    variables = {"CRAWLER_DATABASE": postgres_url, "CRAWLER_ENGINE": "procrastinate"}
    place, sites = Sandbox(tmp_path, variables=variables), FleetSites([source])
    open_store(postgres_url).close()
    with sites.serve():
        place.work_dir.mkdir(parents=True)
        (place.work_dir / "crawler.toml").write_text(WITHOUT_BUILT_IN, encoding="utf-8")
        sites.write_definitions(place.work_dir)
        with (
            place.start_crawler("watch") as watch,
            place.start_crawler("worker", CRAWLER_CONTACT="doomed@example.org") as doomed,
            open_store(postgres_url) as store,
        ):
            wait_until(lambda: sites.feed_requests, 600)
            kill_processes(*(list_crawls(doomed.pid) if failure == "run" else list_processes(doomed.pid)))
            with place.start_crawler("worker", CRAWLER_CONTACT="other@example.org") as other:
                wait_until(lambda: store.articles.count() == FIRST_ARTICLES, 600)
                wait_until(lambda: (run := store.runs.get_last("herald")) and run.finished_at, 200)
                health = place.run_crawler("health", "herald")
                outputs = [end_in_order(process) for process in (other, watch, doomed)]
        healths = [run.health for run in store.runs.list_recent(limit=9)]
    assert healths == ["healthy", "failed"], outputs
    assert ("given back: its process was killed" in outputs[2]) == (failure == "run"), outputs
    assert ("given back: its worker is silent" in outputs[1]) == (failure == "worker"), outputs
    assert ("is silent since" in health.out) == (failure == "worker"), health.all_output
    assert sites.violations == []


def end_in_order(process: subprocess.Popen[str]) -> str:
    """Return what a process printed, after it ended."""
    process.send_signal(signal.SIGTERM)
    return process.communicate(timeout=200)[0]
