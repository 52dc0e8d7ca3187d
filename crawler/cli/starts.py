"""The starts of each source as a person sees them: which come next, why then, and what was asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from crawler.cli.timings import timings
from crawler.config import Config, load
from crawler.errors import Held, UsageError
from crawler.schedule import AT_ONCE, ScheduleRow, Timing, Upcoming, merged, timed, upcoming, watching
from crawler.store import Store, open_store
from crawler.text.dates import zone


@contextmanager
def opened(path: Path | None, *wanted: str) -> Iterator[tuple[Config, Store, dict[str, Timing]]]:
    """The configuration, its store, and when each source runs."""
    config = load(path)
    with open_store(config.database_url) as store:
        yield config, store, timings(config, store, wanted)


def set_paused(store: Store, source: str, timing: Timing, *, paused: bool) -> None:
    """Write it into the source's row, where a running watch finds it at the next start."""
    store.schedules.change(source, lambda row: replace(timed(row, source, timing), paused=paused))


def ask(store: Store, source: str, timing: Timing, config: Config) -> str:
    """Ask the watch for a start now, and say which one will; UsageError when none is there, or the source is paused,
    Held when it runs."""
    watch = watching(store, source)
    if watch is None:
        raise UsageError(f"No watch runs {source} now: start `crawler watch`, or run it by `crawler crawl {source}`.")
    if timed(store.schedules.get(source), source, timing).paused:
        raise UsageError(f"{source} is paused: `crawler schedule resume {source}` first, or `crawler crawl {source}`.")
    if lease := store.leases.in_force(source):
        raise Held(lease.sentence(zone(config.timezone)))
    store.schedules.change(source, lambda row: replace(timed(row, source, timing), next_due_at=AT_ONCE))
    return f"{source} is asked for: the watch (process {watch.pid} on host {watch.host}) starts it within 30 s."


def alone(store: Store, sources: Iterable[str]) -> list[str]:
    """The sources that no watch runs now."""
    return [source for source in sources if watching(store, source) is None]


def show(config: Config, timings: Mapping[str, Timing], store: Store, *, count: int = 3) -> None:
    """Print each source with its next `count` starts in the owner's zone. ConfigError when a cron cannot be used."""
    now = datetime.now(UTC)
    rows = merged(store.schedules, timings)
    for row, entry in zip(rows, upcoming(rows, now, count, config.timezone), strict=True):
        print(line(entry))
        for more in details(row, timings[row.source].why, config, store):
            print(f"    {more}")


def line(entry: Upcoming) -> str:
    """One source's next starts: `mfa  */15 * * * *  2026-11-22 09:15, 09:30 (each up to 60 s later)`."""
    head = f"{entry.source}  {entry.cron}"
    if entry.paused:
        return f"{head}  paused"
    times, day = [], None
    for moment in entry.times:
        times.append(f"{moment:%H:%M}" if moment.date() == day else f"{moment:%Y-%m-%d %H:%M}")
        day = moment.date()
    late = f" (each up to {entry.jitter} s later)" if entry.jitter else ""
    return f"{head}  {', '.join(times)}{late}"


def details(row: ScheduleRow, why: str | None, config: Config, store: Store) -> Iterator[str]:
    """Why this cron, what was asked for, what runs, how the last run ended, and whether a watch is there at all."""
    here = zone(config.timezone)
    if why:
        yield why
    if row.next_due_at == AT_ONCE:
        yield "asked to start now; the watch has not seen it yet"
    if lease := store.leases.in_force(row.source):
        yield f"runs since {lease.taken_at.astimezone(here):%Y-%m-%d %H:%M} as process {lease.pid} on host {lease.host}"
    last = next((run for run in store.runs.recent(row.source, mode="live") if run.finished_at), None)
    if last is None:
        yield "never ran"
    else:
        yield f"last run {last.started_at.astimezone(here):%Y-%m-%d %H:%M}: {last.health}. {last.reason or ''}".rstrip()
    if watching(store, row.source) is None:
        yield "no watch runs it now"
