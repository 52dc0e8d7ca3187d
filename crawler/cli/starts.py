"""The starts of each source as a person sees them: which come next, why then, and what was asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from crawler.config import Config, load_config
from crawler.errors import SourceLocked, UsageError
from crawler.service.schedule_api import (
    RUN_NOW,
    ScheduleState,
    Timing,
    UpcomingStarts,
    apply_timing,
    get_watch_lease,
    list_upcoming_starts,
    merge_timings,
)
from crawler.service.schedules import make_timings
from crawler.store import Store, open_store
from crawler.text.dates import load_time_zone


@contextmanager
def open_schedule(path: Path | None, *wanted: str) -> Iterator[tuple[Config, Store, dict[str, Timing]]]:
    """The configuration, its store, and when each source runs."""
    config = load_config(path)
    with open_store(config.database_url) as store:
        yield config, store, make_timings(config, store, wanted)


def set_paused(store: Store, source: str, timing: Timing, *, paused: bool) -> None:
    """Write it into the source's row, where a running watch finds it at the next start."""
    store.schedules.update(source, lambda row: replace(apply_timing(row, source, timing), paused=paused))


def request_start(store: Store, source: str, timing: Timing, config: Config) -> str:
    """Ask the watch for a start now, and say which one will; UsageError when none is there, or the source is paused,
    Held when it runs."""
    watch = get_watch_lease(store, source)
    if watch is None:
        raise UsageError(f"No watch runs {source} now: start `crawler watch`, or run it by `crawler crawl {source}`.")
    if apply_timing(store.schedules.get(source), source, timing).paused:
        raise UsageError(f"{source} is paused: `crawler schedule resume {source}` first, or `crawler crawl {source}`.")
    if lease := store.leases.get_active(source):
        raise SourceLocked(lease.format_conflict(load_time_zone(config.timezone)))
    store.schedules.update(source, lambda row: replace(apply_timing(row, source, timing), next_due_at=RUN_NOW))
    return f"{source} is asked for: the watch (process {watch.pid} on host {watch.host}) starts it within 30 s."


def list_unwatched(store: Store, sources: Iterable[str]) -> list[str]:
    """The sources that no watch runs now."""
    return [source for source in sources if get_watch_lease(store, source) is None]


def print_schedule(config: Config, timings: Mapping[str, Timing], store: Store, *, count: int = 3) -> None:
    """Print each source with its next `count` starts in the owner's zone. ConfigError when a cron cannot be used."""
    now = datetime.now(UTC)
    rows = merge_timings(store.schedules, timings)
    for row, entry in zip(rows, list_upcoming_starts(rows, now, count, config.timezone), strict=True):
        print(format_next_starts(entry))
        for more in format_details(row, timings[row.source].reason, config, store):
            print(f"    {more}")


def format_next_starts(entry: UpcomingStarts) -> str:
    """One source's next starts: `mfa  */15 * * * *  2026-11-22 09:15, 09:30 (each up to 60 s later)`."""
    head = f"{entry.source}  {entry.cron}"
    if entry.is_paused:
        return f"{head}  paused"
    times, day = [], None
    for moment in entry.times:
        times.append(f"{moment:%H:%M}" if moment.date() == day else f"{moment:%Y-%m-%d %H:%M}")
        day = moment.date()
    late = f" (each up to {entry.jitter} s later)" if entry.jitter else ""
    return f"{head}  {', '.join(times)}{late}"


def format_details(row: ScheduleState, why: str | None, config: Config, store: Store) -> Iterator[str]:
    """Why this cron, what was asked for, what runs, how the last run ended, and whether a watch is there at all."""
    here = load_time_zone(config.timezone)
    if why:
        yield why
    if row.next_due_at == RUN_NOW:
        yield "asked to start now; the watch has not seen it yet"
    if lease := store.leases.get_active(row.source):
        yield f"runs since {lease.taken_at.astimezone(here):%Y-%m-%d %H:%M} as process {lease.pid} on host {lease.host}"
    last = next((run for run in store.runs.list_recent(row.source, mode="live") if run.finished_at), None)
    if last is None:
        yield "never ran"
    else:
        yield f"last run {last.started_at.astimezone(here):%Y-%m-%d %H:%M}: {last.health}. {last.reason or ''}".rstrip()
    if get_watch_lease(store, row.source) is None:
        yield "no watch runs it now"
