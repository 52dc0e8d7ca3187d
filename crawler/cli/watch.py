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

from crawler.cli.errands import Errands
from crawler.cli.wishes import Wishes
from crawler.errors import CrawlerError
from crawler.items import Article, Verdict
from crawler.process import RUN_SOURCE, Event
from crawler.process.inside import Target
from crawler.run import RunPlan
from crawler.schedule import Finished, LeftOut, Presence, Started, Step, Timing, Watch

CLOCK = "%Y-%m-%d %H:%M:%S"
LAST_WORDS = 10.0
"""Seconds that a watch which ends waits for what is being told."""


def watch(config_path: Path | None, wanted: tuple[str, ...], *, target: str | Target = RUN_SOURCE) -> int:
    """Watch until SIGTERM or Ctrl-C, then end what runs; the exit code, 0. ConfigError when a cron cannot be used."""
    wishes = Wishes(config_path, wanted)
    with wishes.store:
        asyncio.run(served(wishes, target))
    return 0


async def served(wishes: Wishes, target: str | Target = RUN_SOURCE, **options: Any) -> None:
    """The watch of these wishes, from its start to its end; `options` are those of `Watch`."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of what `LeftOut` says in plain words
    presence, errands = Presence(wishes.store), Errands(lambda: wishes.config)
    timings = wishes.timings()

    def on_step(step: Step) -> None:
        print(line(step), flush=True)
        if isinstance(step, Finished):
            errands.ask(step.outcome)

    def on_look() -> None:
        presence.say(watched.sources)
        errands.ask()

    def on_renewed(at: datetime) -> None:
        print(f"{at:{CLOCK}}  The configuration was read again; watched: {', '.join(watched.sources)}.", flush=True)

    def reload() -> Mapping[str, Timing]:
        found = wishes.timings()
        watched.limits = wishes.config.limits
        return found

    watched = Watch(
        wishes.store.schedules,
        timings,
        on_step=on_step,
        on_event=_tell,
        plan=lambda source: RunPlan(source=source, config=wishes.config.path),
        timezone=wishes.config.timezone,
        limits=wishes.config.limits,
        target=target,
        reload=reload,
        has_changed=wishes.has_changed,
        on_look=on_look,
        on_renewed=on_renewed,
        **options,
    )
    try:
        await watched.serve()
    finally:
        errands.end(LAST_WORDS)
        with suppress(CrawlerError):
            presence.leave()


def line(step: Step) -> str:
    """One step as a person reads it: local time, source, what happened."""
    head = f"{step.at:{CLOCK}}  {step.source}"
    match step:
        case Started():
            return f"{head}  started"
        case Finished(outcome=outcome):
            health = outcome.run.health if outcome.run else None
            verdict = health or ("stopped" if outcome.stopped else "failed")
            code = f", exit {outcome.exit_code}" if outcome.exit_code else ""
            return f"{head}  {verdict}: {outcome.reason} ({outcome.seconds:.1f} s{code})"
        case LeftOut(reason=reason):
            return f"{head}  left out: {reason}"


def _tell(event: Event) -> None:
    if event.get("type") == "article":
        found = Article.from_dict(event)
        if found.is_matched and found.verdict is not Verdict.UNCHANGED:
            words = ", ".join(dict.fromkeys(match.surface for match in found.matches))
            print(f"    {found.verdict}: {found.headline} [{words}] {found.url}", flush=True)
    elif event.get("type") == "log":
        print(f"{event['source']}  {event.get('level')}  {event.get('message')}", file=sys.stderr, flush=True)
