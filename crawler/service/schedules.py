"""When each source runs: from its spider, the configuration and, for `cron = "auto"`, its own past; and requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from crawler import spiders
from crawler.config import Config
from crawler.config.source_folder import current_folder, get_sources_folder
from crawler.errors import CrawlerError, SourceLocked, UsageError
from crawler.monitoring.publishing_rate import MAX_HISTORY
from crawler.service.adaptive_cron import ADAPTIVE_CRON, learn_cron
from crawler.service.fork_server import fork_process
from crawler.service.heartbeat import get_watch_lease
from crawler.service.schedule_state import Timing, apply_timing
from crawler.store import Lease, Store
from crawler.store.schedules import RUN_NOW
from crawler.text.dates import load_time_zone

if TYPE_CHECKING:
    from crawler.spiders.base import SourceSpider


class SpiderTiming(NamedTuple):
    """What a spider says about its runs: cron, jitter (seconds), politeness group if it has one, host of requests."""

    cron: str
    jitter: int
    politeness_group: str | None
    host: str


SpiderTimings = dict[str, SpiderTiming]
"""The timing of each spider, by source."""
MAX_TIMINGS_SECONDS = 60.0
"""Time in which a child must have imported the sources. A module that hangs must not hang a watch."""


def get_spider_timings(names: Iterable[str]) -> SpiderTimings:
    """Return the timing that each source's spider has, without a source whose file cannot be imported."""
    loaded = spiders.load_spiders()
    return {name: _get_spider_timing(loaded[name]) for name in names if name in loaded}


def _get_spider_timing(spider: type[SourceSpider]) -> SpiderTiming:
    host = urlsplit(spider.origins[0]).hostname or ""
    return SpiderTiming(spider.cron, spider.jitter_seconds, spider.politeness_group, host)


def get_spider_timings_in_child(names: list[str]) -> SpiderTimings:
    """Return the same from a child process: spiders import Scrapy, which a watch need not keep in memory for months."""
    receiver, sender = Pipe(duplex=False)
    with closing(sender):
        process = fork_process("the sources' own times", _send_spider_timings, names, get_sources_folder(), sender)
    try:
        with receiver:
            if not receiver.poll(MAX_TIMINGS_SECONDS):
                raise CrawlerError(f"The sources were not imported within {MAX_TIMINGS_SECONDS:g} s.")
            found: SpiderTimings | CrawlerError = receiver.recv()
    except EOFError as error:
        raise CrawlerError("The process that reads when the sources run ended without a result.") from error
    finally:
        process.kill()  # It has sent all, or it hangs in a spider's module. It must not outlive a watch.
        process.join()
        process.close()
    if isinstance(found, CrawlerError):
        raise found
    return found


def _send_spider_timings(names: list[str], folder: Path, sender: Connection) -> None:
    """Send the timings, or the error. In a child: the process ends afterwards, also when its parent is gone.

    `folder` has the sources without code.
    """
    try:
        current_folder.path = folder
        sender.send(get_spider_timings(names))
    except Exception as error:  # noqa: BLE001 - whatever a spider's module raises is reported by the parent
        sender.send(CrawlerError(str(error) if isinstance(error, CrawlerError) else f"{type(error).__name__}: {error}"))


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
    config.raise_if_unknown_source(spiders.list_file_names())
    for name in sources:
        if name not in known:
            spiders.load_spider(name)  # raises UnknownSource or SpiderFileError
            spiders.raise_if_retired(name)
    names = list(sources) or [name for name in known if config.get_source(name).enabled]
    return {name: _make_timing(name, each, config, store) for name, each in load_spider_timings(names).items()}


def _make_timing(name: str, spider: SpiderTiming, config: Config, store: Store) -> Timing:
    options = config.get_source(name)
    jitter = spider.jitter if options.jitter is None else options.jitter
    host = (urlsplit(options.base_url).hostname if options.base_url else None) or spider.host
    group = options.politeness_group or spider.politeness_group or host
    if options.cron != ADAPTIVE_CRON:
        return Timing(cron=options.cron or spider.cron, jitter=jitter, politeness_group=group)
    now = datetime.now(UTC)
    learned = learn_cron(
        store.articles.list_publication_times(name, now - MAX_HISTORY),
        now,
        load_time_zone(config.timezone),
        default_cron=spider.cron,
        min_interval=options.auto_shortest,
        max_interval=options.auto_longest,
    )
    return Timing(cron=learned.cron, jitter=jitter, reason=learned.reason, politeness_group=group)


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
