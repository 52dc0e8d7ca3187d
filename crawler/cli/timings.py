"""`crawler watch` and `crawler schedule`: the sources' schedules, from their classes and the owner's configuration."""

from __future__ import annotations

from pathlib import Path

from crawler.cli.schedule import schedule
from crawler.cli.watch import watch
from crawler.config import Config, load
from crawler.schedule import Timing
from crawler.store import open_store


def timings(config: Config, wanted: tuple[str, ...] = ()) -> dict[str, Timing]:
    """When each source runs: the owner's cron, else the source's own. Sources that are not enabled have none."""
    from crawler import spiders

    config.check_sources(spiders.names())
    found: dict[str, Timing] = {}
    for name in wanted or spiders.names():
        spider, options = spiders.load(name), config.source(name)
        if options.enabled or name in wanted:
            jitter = spider.jitter if options.jitter is None else options.jitter
            found[name] = Timing(cron=options.cron or spider.cron, jitter=jitter)
    return found


def watch_sources(config_path: Path | None, wanted: tuple[str, ...]) -> int:
    """Watch until stopped; the exit code."""
    config = load(config_path)
    found = timings(config, wanted)
    with open_store(config.database_url) as store:
        return watch(config, found, store.schedules, reload=lambda: timings(load(config_path), wanted))


def show_schedule(config_path: Path | None) -> int:
    """Print the next starts; the exit code."""
    config = load(config_path)
    with open_store(config.database_url) as store:
        return schedule(config, timings(config), store.schedules)
