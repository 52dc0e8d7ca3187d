"""`crawler watch`: run each source on its own cron until stopped; one plain line for each start and each end."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping

from crawler.cli.telling import prepare, tell
from crawler.config import Config
from crawler.items import Article, Verdict
from crawler.process import RUN_SOURCE, Event, Outcome
from crawler.process.inside import Target
from crawler.run import RunPlan
from crawler.schedule import Finished, ScheduleBook, Started, Step, Timing, Watch

LAST_WORDS = 10.0
"""Seconds that a watch which ends waits for what is being told."""


def watch(
    config: Config,
    timings: Mapping[str, Timing],
    book: ScheduleBook,
    *,
    reload: Callable[[], Mapping[str, Timing]] | None = None,
    target: str | Target = RUN_SOURCE,
) -> int:
    """Watch until SIGTERM or Ctrl-C, then end what runs; the exit code, 0.

    ConfigError when a cron cannot be used.
    """

    prepare(config)
    telling: set[asyncio.Task[None]] = set()

    def on_step(step: Step) -> None:
        print(line(step), flush=True)
        if isinstance(step, Finished):  # in a thread: a slow receiver must hold up no run
            task = asyncio.get_running_loop().create_task(asyncio.to_thread(_tell_of, config, step.outcome))
            telling.add(task)
            task.add_done_callback(telling.discard)

    async def served() -> None:
        await Watch(
            book,
            timings,
            on_step=on_step,
            on_event=_tell,
            plan=lambda source: RunPlan(source=source, config=config.path),
            timezone=config.timezone,
            limits=config.limits,
            target=target,
            reload=reload,
        ).serve()
        if telling:
            await asyncio.wait(telling, timeout=LAST_WORDS)

    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of what `LeftOut` says in plain words
    asyncio.run(served())
    return 0


def _tell_of(config: Config, outcome: Outcome) -> None:
    for said in tell(config, [outcome]):
        print(f"    {said}", flush=True)


def line(step: Step) -> str:
    """One step as a person reads it: local time, source, what happened."""
    head = f"{step.at:%Y-%m-%d %H:%M:%S}  {step.source}"
    match step:
        case Started():
            return f"{head}  started"
        case Finished(outcome=outcome):
            health = outcome.run.health if outcome.run else None
            verdict = health or ("stopped" if outcome.stopped else "failed")
            code = f", exit {outcome.exit_code}" if outcome.exit_code else ""
            return f"{head}  {verdict}: {outcome.reason} ({outcome.seconds:.1f} s{code})"
        case _:
            return f"{head}  left out: its last run is still going on"


def _tell(event: Event) -> None:
    if event.get("type") == "article":
        found = Article.from_dict(event)
        if found.is_matched and found.verdict is not Verdict.UNCHANGED:
            words = ", ".join(dict.fromkeys(match.surface for match in found.matches))
            print(f"    {found.verdict}: {found.headline} [{words}] {found.url}", flush=True)
    elif event.get("type") == "log":
        print(f"{event['source']}  {event.get('level')}  {event.get('message')}", file=sys.stderr, flush=True)
