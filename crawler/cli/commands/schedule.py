"""`crawler schedule`: list the next starts of each source; pause, resume or run one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crawler.cli.console import format_local_time
from crawler.cli.help import CommandApp
from crawler.cli.options import OneSourceArgument

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.service.cron import UpcomingStarts
    from crawler.service.schedule_state import Timing
    from crawler.store import Store
    from crawler.store.schedules import ScheduleState

app = CommandApp(help="List the next starts; pause, resume or run a source.")
SHOWN_STARTS = 3
UNWATCHED_EXIT_CODE = 13


@app.callback(invoke_without_command=True)
def show_schedule(context: typer.Context) -> None:
    """List the next starts; pause, resume or run a source.

    For each source: the cron and the reason for it, the next starts, the last run, and what runs now.
    """
    if context.invoked_subcommand is None:
        with open_schedule(context.obj) as (config, store, timings):
            print_schedule(config, timings, store)


@app.command()
def pause(context: typer.Context, source: OneSourceArgument) -> None:
    """Stop scheduled starts of a source until it is resumed.

    A run that has begun continues.
    """
    from crawler.service.schedules import set_paused

    with open_schedule(context.obj, source) as (_, store, timings):
        set_paused(store, source, timings[source], paused=True)
    print(f"{source} is paused; `crawler schedule resume {source}` lets it run again.")


@app.command()
def resume(context: typer.Context, source: OneSourceArgument) -> None:
    """Resume the scheduled starts of a source."""
    from crawler.service.schedules import set_paused

    with open_schedule(context.obj, source) as (config, store, timings):
        set_paused(store, source, timings[source], paused=False)
        print_schedule(config, timings, store)


@app.command()
def run(context: typer.Context, source: OneSourceArgument) -> None:
    """Ask the running watch to start a source now.

    It starts the source within 30 seconds.
    """
    from crawler.service.schedules import request_start

    with open_schedule(context.obj, source) as (config, store, timings):
        watch = request_start(store, source, timings[source], config)
    print(f"{source}: the watch (process {watch.pid} on host {watch.host}) starts it within 30 s.")


@app.command()
def watched(context: typer.Context) -> None:
    """Check that a watch runs every enabled source.

    For health checks: exits with 0 if so, with 13 if a source is not watched.
    """
    from crawler.service.schedules import list_unwatched

    with open_schedule(context.obj) as (_, store, timings):
        unwatched = list_unwatched(store, timings)
    print(f"No watch runs {', '.join(unwatched)}; start `crawler watch`." if unwatched else "Every source is watched.")
    raise typer.Exit(UNWATCHED_EXIT_CODE if unwatched else 0)


@contextmanager
def open_schedule(path: Path | None, *sources: str) -> Iterator[tuple[Config, Store, dict[str, Timing]]]:
    """Yield the configuration, its store, and when each source runs."""
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.service.schedules import make_timings

    config = load_config(path)
    with open_configured_store(config) as store:
        yield config, store, make_timings(config, store, sources)


def print_schedule(config: Config, timings: Mapping[str, Timing], store: Store, *, count: int = SHOWN_STARTS) -> None:
    """Print each source with its next starts in the owner's time zone. Raise ConfigError for an unusable cron."""
    from crawler.service.cron import list_upcoming_starts
    from crawler.service.schedule_state import merge_timings

    now = datetime.now(UTC)
    rows = merge_timings(store.schedules, timings)
    for row, starts in zip(rows, list_upcoming_starts(rows, now, count, config.timezone), strict=True):
        print(format_next_starts(starts))
        for line in format_details(row, timings[row.source].reason, config, store):
            print(f"    {line}")


def format_next_starts(starts: UpcomingStarts) -> str:
    """Return one source's next starts: `mfa  */15 * * * *  2026-11-22 09:15, 09:30 (each up to 60 s later)`."""
    head = f"{starts.source}  {starts.cron}"
    if starts.is_paused:
        return f"{head}  paused"
    times, day = [], None
    for at in starts.times:
        times.append(f"{at:%H:%M}" if at.date() == day else f"{at:%Y-%m-%d %H:%M}")
        day = at.date()
    jitter = f" (each up to {starts.jitter} s later)" if starts.jitter else ""
    return f"{head}  {', '.join(times)}{jitter}"


def format_details(row: ScheduleState, reason: str | None, config: Config, store: Store) -> Iterator[str]:
    """Yield why this cron, what was requested, what runs, how the last run ended, and whether a watch is there."""
    from crawler.service.heartbeat import get_watch_lease
    from crawler.store.schedules import RUN_NOW

    if reason:
        yield reason
    if row.next_due_at == RUN_NOW:
        yield "a start was requested; the watch has not seen it yet"
    if lease := store.leases.get_active(row.source):
        taken_at = format_local_time(lease.taken_at, config.timezone)
        yield f"runs since {taken_at} as process {lease.pid} on host {lease.host}"
    last = next((run for run in store.runs.list_recent(row.source, mode="live") if run.finished_at), None)
    if last is None:
        yield "never ran"
    else:
        started = format_local_time(last.started_at, config.timezone)
        yield f"last run {started}: {last.health}. {last.reason or ''}".rstrip()
    if get_watch_lease(store, row.source) is None:
        yield "no watch runs it now"
