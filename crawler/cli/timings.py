"""`crawler watch` and `crawler schedule`: the sources' schedules, from their classes and the owner's configuration."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from crawler import process, spiders
from crawler.cli.schedule import schedule
from crawler.cli.watch import watch
from crawler.config import Config, load
from crawler.errors import UnknownSource
from crawler.keywords import load_rules
from crawler.schedule import Timing
from crawler.store import open_store


def timings(config: Config, wanted: tuple[str, ...] = ()) -> dict[str, Timing]:
    """When each source runs: the owner's cron, else the source's own. Sources that are not enabled have none."""
    known = spiders.names()
    config.check_sources(known)
    for name in wanted:
        if name not in known:
            raise UnknownSource(name, known)
    names = list(wanted) or [name for name in known if config.source(name).enabled]
    found: dict[str, Timing] = {}
    for name, (cron, jitter) in _shipped_elsewhere(names).items():
        options = config.source(name)
        found[name] = Timing(cron=options.cron or cron, jitter=jitter if options.jitter is None else options.jitter)
    return found


def shipped(names: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Each source's own cron and jitter, as its class says."""
    return {name: (spiders.load(name).cron, spiders.load(name).jitter) for name in names}


def _shipped_elsewhere(names: list[str]) -> dict[str, tuple[str, int]]:
    """`shipped`, asked in a child: the sources bring Scrapy with them, which a watch need not carry for months."""
    process.warm()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("forkserver")) as pool:
        return pool.submit(shipped, names).result()


def watch_sources(config_path: Path | None, wanted: tuple[str, ...]) -> int:
    """Watch until stopped; the exit code."""
    config = load(config_path)
    found = timings(config, wanted)
    load_rules(config.rules)  # a broken rule file is refused at the start, and later by the runs that meet it
    with open_store(config.database_url) as store:
        return watch(config, found, store.schedules, reload=lambda: timings(load(config_path), wanted))


def show_schedule(config_path: Path | None) -> int:
    """Print the next starts; the exit code."""
    config = load(config_path)
    with open_store(config.database_url) as store:
        return schedule(config, timings(config), store.schedules)
