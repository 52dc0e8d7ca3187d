"""When each source runs, from its class, the owner's configuration and, for `cron = "auto"`, its own past."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from crawler import service as process
from crawler import spiders
from crawler.config import Config
from crawler.errors import UnknownSource
from crawler.monitoring.publishing_rate import MAX_HISTORY
from crawler.service.schedule_api import ADAPTIVE_CRON, Timing, learn_cron
from crawler.store import Store

SpiderTimings = dict[str, tuple[str, int]]
"""Sources' own crons and jitters."""


def get_spider_timings(names: Iterable[str]) -> SpiderTimings:
    """Each source's own cron and jitter, as its class says."""
    return {name: (spiders.load_spider(name).cron, spiders.load_spider(name).jitter_seconds) for name in names}


def get_spider_timings_in_child(names: list[str]) -> SpiderTimings:
    """`shipped`, asked in a child: the sources bring Scrapy with them, which a watch need not carry for months."""
    process.start_fork_server()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("forkserver")) as pool:
        return pool.submit(get_spider_timings, names).result()


def make_timings(
    config: Config,
    store: Store,
    sources: tuple[str, ...] = (),
    load_spider_timings: Callable[[list[str]], SpiderTimings] = get_spider_timings,
) -> dict[str, Timing]:
    """When each source runs: the owner's cron, else the source's `own`. Sources that are not enabled have none."""
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
    rhythm = learn_cron(
        store.articles.list_publication_times(name, now - MAX_HISTORY),
        now,
        ZoneInfo(config.timezone),
        default_cron=cron,
        min_interval=options.auto_shortest,
        max_interval=options.auto_longest,
    )
    return Timing(cron=rhythm.cron, jitter=jitter, reason=rhythm.reason)
