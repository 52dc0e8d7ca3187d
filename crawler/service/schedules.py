"""When each source runs: from its spider, the configuration and, for `cron = "auto"`, its own past; and requests."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

from crawler import spiders
from crawler.config import Config
from crawler.errors import SourceLocked, UnknownSource, UsageError
from crawler.monitoring.publishing_rate import MAX_HISTORY
from crawler.service.adaptive_cron import ADAPTIVE_CRON, learn_cron
from crawler.service.fork_server import start_fork_server
from crawler.service.heartbeat import get_watch_lease
from crawler.service.schedule_state import Timing, apply_timing
from crawler.store import Lease, Store
from crawler.store.schedules import RUN_NOW
from crawler.text.dates import load_time_zone

SpiderTimings = dict[str, tuple[str, int]]
"""The cron and the jitter (seconds) of each spider, by source."""


def get_spider_timings(names: Iterable[str]) -> SpiderTimings:
    """Return the cron and jitter that each source's spider has."""
    return {name: (spiders.load_spider(name).cron, spiders.load_spider(name).jitter_seconds) for name in names}


def get_spider_timings_in_child(names: list[str]) -> SpiderTimings:
    """Return the same from a child process: spiders import Scrapy, which a watch need not keep in memory for months."""
    start_fork_server()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("forkserver")) as pool:
        return pool.submit(get_spider_timings, names).result()


def make_timings(
    config: Config,
    store: Store,
    sources: tuple[str, ...] = (),
    load_spider_timings: Callable[[list[str]], SpiderTimings] = get_spider_timings,
) -> dict[str, Timing]:
    """Return when each source runs: by the configured cron, else by its spider's.

    Without `sources`, all enabled sources have a timing. Raise UnknownSource for a name that no source has.
    """
    known = spiders.list_names()
    config.raise_if_unknown_source(known)
    for name in sources:
        if name not in known:
            raise UnknownSource(name, known)
    names = list(sources) or [name for name in known if config.get_source(name).enabled]
    return {name: _make_timing(name, *each, config, store) for name, each in load_spider_timings(names).items()}


def _make_timing(name: str, cron: str, jitter: int, config: Config, store: Store) -> Timing:
    options = config.get_source(name)
    jitter = jitter if options.jitter is None else options.jitter
    if options.cron != ADAPTIVE_CRON:
        return Timing(cron=options.cron or cron, jitter=jitter)
    now = datetime.now(UTC)
    learned = learn_cron(
        store.articles.list_publication_times(name, now - MAX_HISTORY),
        now,
        load_time_zone(config.timezone),
        default_cron=cron,
        min_interval=options.auto_shortest,
        max_interval=options.auto_longest,
    )
    return Timing(cron=learned.cron, jitter=jitter, reason=learned.reason)


def set_paused(store: Store, source: str, timing: Timing, *, paused: bool) -> None:
    """Pause or resume a source. A running watch reads it before the next start."""
    store.schedules.update(source, lambda row: replace(apply_timing(row, source, timing), paused=paused))


def request_start(store: Store, source: str, timing: Timing, config: Config) -> Lease:
    """Request a start now. Return the lease of the watch that will start the source.

    Raise UsageError when no watch runs the source or it is paused, and SourceLocked when a run of it is in progress.
    """
    watch = get_watch_lease(store, source)
    if watch is None:
        raise UsageError(f"No watch runs {source} now: start `crawler watch`, or run it by `crawler crawl {source}`.")
    if apply_timing(store.schedules.get(source), source, timing).paused:
        raise UsageError(f"{source} is paused: `crawler schedule resume {source}` first, or `crawler crawl {source}`.")
    if lease := store.leases.get_active(source):
        raise SourceLocked(lease.format_conflict(load_time_zone(config.timezone)))
    store.schedules.update(source, lambda row: replace(apply_timing(row, source, timing), next_due_at=RUN_NOW))
    return watch


def list_unwatched(store: Store, sources: Iterable[str]) -> list[str]:
    """Return the sources that no watch runs now."""
    return [source for source in sources if get_watch_lease(store, source) is None]
