"""When each source runs, from its class, the owner's configuration and, for `cron = "auto"`, its own past."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from crawler import process, spiders
from crawler.config import Config
from crawler.errors import UnknownSource
from crawler.health.cadence import HISTORY
from crawler.schedule import AUTO, Timing, learned
from crawler.store import Store

Own = dict[str, tuple[str, int]]
"""Sources' own crons and jitters."""


def shipped(names: Iterable[str]) -> Own:
    """Each source's own cron and jitter, as its class says."""
    return {name: (spiders.load(name).cron, spiders.load(name).jitter) for name in names}


def shipped_elsewhere(names: list[str]) -> Own:
    """`shipped`, asked in a child: the sources bring Scrapy with them, which a watch need not carry for months."""
    process.warm()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("forkserver")) as pool:
        return pool.submit(shipped, names).result()


def timings(
    config: Config, store: Store, wanted: tuple[str, ...] = (), own: Callable[[list[str]], Own] = shipped
) -> dict[str, Timing]:
    """When each source runs: the owner's cron, else the source's `own`. Sources that are not enabled have none."""
    known = spiders.names()
    config.check_sources(known)
    for name in wanted:
        if name not in known:
            raise UnknownSource(name, known)
    names = list(wanted) or [name for name in known if config.source(name).enabled]
    return {name: _timing(name, *each, config, store) for name, each in own(names).items()}


def _timing(name: str, cron: str, jitter: int, config: Config, store: Store) -> Timing:
    options = config.source(name)
    jitter = jitter if options.jitter is None else options.jitter
    if options.cron != AUTO:
        return Timing(cron=options.cron or cron, jitter=jitter)
    now = datetime.now(UTC)
    rhythm = learned(
        store.articles.published_since(name, now - HISTORY),
        now,
        ZoneInfo(config.timezone),
        own=cron,
        shortest=options.auto_shortest,
        longest=options.auto_longest,
    )
    return Timing(cron=rhythm.cron, jitter=jitter, why=rhythm.why)
