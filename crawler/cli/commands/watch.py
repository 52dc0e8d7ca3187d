"""`crawler watch`: run each source on its own cron until stopped; one plain line for each start and each end."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from crawler.errors import CrawlerError
from crawler.items import Article, Verdict
from crawler.service import RUN_SOURCE_TARGET, RunEvent
from crawler.service.notifier import NotifierThread
from crawler.service.reloader import ConfigReloader
from crawler.service.run import RunPlan
from crawler.service.schedule_api import (
    Heartbeat,
    RunFinished,
    RunScheduler,
    RunSkipped,
    RunStarted,
    SchedulerEvent,
    Timing,
)
from crawler.service.worker import Target

CLOCK_FORMAT = "%Y-%m-%d %H:%M:%S"
NOTIFIER_STOP_SECONDS = 10.0
"""Seconds that a watch which ends waits for what is being told."""


def watch(config_path: Path | None, wanted: tuple[str, ...], *, target: str | Target = RUN_SOURCE_TARGET) -> int:
    """Watch until SIGTERM or Ctrl-C, then end what runs; the exit code, 0. ConfigError when a cron cannot be used."""
    wishes = ConfigReloader(config_path, wanted)
    with wishes.store:
        asyncio.run(run_watch(wishes, target))
    return 0


async def run_watch(wishes: ConfigReloader, target: str | Target = RUN_SOURCE_TARGET, **options: Any) -> None:
    """The watch of these wishes, from its start to its end; `options` are those of `Watch`."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of what `LeftOut` says in plain words
    presence, errands = Heartbeat(wishes.store), NotifierThread(lambda: wishes.config)
    timings = wishes.load_timings()

    def on_step(step: SchedulerEvent) -> None:
        print(format_step(step), flush=True)
        if isinstance(step, RunFinished):
            errands.submit(step.outcome)

    def on_look() -> None:
        presence.send(watched.sources)
        errands.submit()

    def on_renewed(at: datetime) -> None:
        print(
            f"{at:{CLOCK_FORMAT}}  The configuration was read again; watched: {', '.join(watched.sources)}.", flush=True
        )

    def reload() -> Mapping[str, Timing]:
        found = wishes.load_timings()
        watched.limits = wishes.config.limits
        return found

    watched = RunScheduler(
        wishes.store.schedules,
        timings,
        on_step=on_step,
        on_event=_print_event,
        make_plan=lambda source: RunPlan(source=source, config=wishes.config.path),
        timezone=wishes.config.timezone,
        limits=wishes.config.limits,
        target=target,
        reload=reload,
        has_changed=wishes.has_changed,
        on_check=on_look,
        on_reload=on_renewed,
        **options,
    )
    try:
        await watched.serve()
    finally:
        errands.stop(NOTIFIER_STOP_SECONDS)
        with suppress(CrawlerError):
            presence.stop()


def format_step(step: SchedulerEvent) -> str:
    """One step as a person reads it: local time, source, what happened."""
    head = f"{step.at:{CLOCK_FORMAT}}  {step.source}"
    match step:
        case RunStarted():
            return f"{head}  started"
        case RunFinished(outcome=outcome):
            health = outcome.run.health if outcome.run else None
            verdict = health or ("stopped" if outcome.stopped else "failed")
            code = f", exit {outcome.exit_code}" if outcome.exit_code else ""
            return f"{head}  {verdict}: {outcome.reason} ({outcome.seconds:.1f} s{code})"
        case RunSkipped(reason=reason):
            return f"{head}  left out: {reason}"


def _print_event(event: RunEvent) -> None:
    if event.get("type") == "article":
        found = Article.from_dict(event)
        if found.is_matched and found.verdict is not Verdict.UNCHANGED:
            words = ", ".join(dict.fromkeys(match.surface for match in found.matches))
            print(f"    {found.verdict}: {found.headline} [{words}] {found.url}", flush=True)
    elif event.get("type") == "log":
        print(f"{event['source']}  {event.get('level')}  {event.get('message')}", file=sys.stderr, flush=True)
