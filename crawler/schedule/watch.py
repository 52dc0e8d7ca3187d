"""The service: each source on its own cron, one child process a run, until it is asked to stop.

APScheduler only says when. It keeps its jobs in memory and is rebuilt from our rows at every start; what runs is held
here. One thread, one event loop, no Twisted.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_SUBMITTED, JobSubmissionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from crawler.config import Limits
from crawler.errors import CrawlerError
from crawler.process import GRACE, RUN_SOURCE, Child, Event, Outcome, follow, not_started, start, warm
from crawler.process.inside import Target
from crawler.run import RunPlan
from crawler.schedule.book import ScheduleBook, Timing, merged, missed
from crawler.schedule.cron import parse_cron
from crawler.store.schedules import ScheduleRow

LOG = logging.getLogger(__name__)
LOOK = 30.0
"""Seconds at most between two looks at the clock: a suspended or corrected machine's timers are late otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A run began; `at` is aware, in the owner's time zone, as in every step."""

    source: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run ended."""

    source: str
    at: datetime
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A start fell due while the source's last run was still going on, so there was none."""

    source: str
    at: datetime


Step = Started | Finished | LeftOut
Parse = Callable[[str, str, str, int], CronTrigger]


class Watch:
    """Runs sources by their timings until SIGTERM or SIGINT; then ends what runs and returns.

    A start that was missed while no watch ran is made up for once. `at_once` runs go on at the same time, never two of
    one source. `reload` gives new timings on SIGHUP. `on_event` gets what runs tell, each event with its `source`.
    """

    def __init__(
        self,
        book: ScheduleBook,
        timings: Mapping[str, Timing],
        *,
        on_step: Callable[[Step], None],
        on_event: Callable[[Event], None],
        plan: Callable[[str], RunPlan],
        timezone: str = "Asia/Almaty",
        limits: Limits | None = None,
        at_once: int = 2,
        grace: float = GRACE,
        target: str | Target = RUN_SOURCE,
        reload: Callable[[], Mapping[str, Timing]] | None = None,
        parse: Parse = parse_cron,
    ) -> None:
        self._book, self._timings, self._plan = book, timings, plan
        self._on_step, self._on_event = on_step, on_event
        self._timezone, self._zone = timezone, ZoneInfo(timezone)
        self._limits, self._grace, self._target = limits, grace, target
        self._reload, self._parse = reload, parse
        self._places = asyncio.Semaphore(at_once)
        self._end = asyncio.Event()
        self._due: dict[str, datetime] = {}
        self._children: dict[str, Child] = {}
        self._runs: set[asyncio.Task[None]] = set()
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = AsyncIOScheduler(timezone=self._zone, job_defaults=defaults)
        self._scheduler.add_listener(self._noted, EVENT_JOB_SUBMITTED | EVENT_JOB_MAX_INSTANCES)

    async def serve(self) -> None:
        """Watch until asked to stop. ConfigError at once when a timing is unusable."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self.renew)
        try:
            self._apply(self._timings)
            warm()
            self._scheduler.start()
            while not self._end.is_set():
                self._scheduler.wakeup()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._end.wait(), LOOK)
        finally:
            await self._wind_up()
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """End every run (TERM, TERM, KILL), then the watch; asked a second time, kill them."""
        for child in self._children.values():
            if self._end.is_set():
                child.kill()
            else:
                child.stop(because=f"The run of {child.plan.source} was ended because the watch ends")
        self._end.set()

    def renew(self) -> None:
        """Take over new timings; unusable ones are told about and change nothing."""
        if self._reload is None:
            LOG.warning("SIGHUP is of no use here: this watch was given no way to read its timings again.")
            return
        try:
            self._apply(self._reload())
        except CrawlerError as error:
            LOG.error("The watch goes on as before: %s", error)  # noqa: TRY400 - the sentence is all there is to say

    def _apply(self, timings: Mapping[str, Timing]) -> None:
        now = datetime.now(self._zone)
        planned = [(row, *self._planned(row, now)) for row in merged(self._book, timings)]
        for row, trigger, first in planned:
            self._scheduler.add_job(
                self._run, trigger, args=[row.source], id=row.source, next_run_time=first, replace_existing=True
            )
            self._book.put(replace(row, next_due_at=first))
        for source in set(self._timings) - set(timings):
            self._scheduler.remove_job(source)
        self._timings = timings

    def _planned(self, row: ScheduleRow, now: datetime) -> tuple[CronTrigger, datetime | None]:
        where = f"sources.{row.source}.cron"
        trigger = self._parse(row.cron, where, self._timezone, row.jitter)
        if missed(row, self._parse(row.cron, where, self._timezone, 0), now):
            return trigger, now
        return trigger, trigger.get_next_fire_time(None, now)

    def _noted(self, event: JobSubmissionEvent) -> None:
        due = event.scheduled_run_times[-1]
        if event.code == EVENT_JOB_SUBMITTED:
            self._due[event.job_id] = due
        else:
            self._on_step(LeftOut(source=event.job_id, at=due.astimezone(self._zone)))

    async def _run(self, source: str) -> None:
        """One start, as APScheduler calls it; it does not call it while the last one goes on."""
        task = asyncio.current_task()
        assert task is not None
        self._runs.add(task)
        task.add_done_callback(self._runs.discard)
        async with self._places:
            row = self._remembered(source)
            if self._end.is_set() or (row is not None and row.paused):
                return
            now = datetime.now(self._zone)
            self._remember(source, last_due_at=self._due.pop(source, now), last_started_at=now)
            self._on_step(Started(source=source, at=now))
            outcome = await self._outcome(source)
            now = datetime.now(self._zone)
            self._remember(source, last_finished_at=now)
            self._on_step(Finished(source=source, at=now, outcome=outcome))

    async def _outcome(self, source: str) -> Outcome:
        plan = self._plan(source)
        try:
            child = start(plan, target=self._target, limits=self._limits, grace=self._grace)
        except CrawlerError as error:
            return not_started(plan, error)
        self._children[source] = child
        try:
            return await follow(child, self._on_event)
        finally:
            del self._children[source]

    def _remembered(self, source: str) -> ScheduleRow | None:
        try:
            return self._book.get(source)
        except Exception:  # whatever ails the store, the watch goes on and the run will say so
            LOG.warning("The schedule of %s could not be read; its run goes on.", source, exc_info=True)
            return None

    def _remember(self, source: str, **changes: Any) -> None:
        """Write to the source's row. What another process changed in it meanwhile (a pause) stays."""
        job = self._scheduler.get_job(source)
        timing = self._timings.get(source)
        if job is None or timing is None:
            return
        try:
            row = self._book.get(source) or ScheduleRow(source=source, cron=timing.cron, jitter=timing.jitter)
            self._book.put(replace(row, next_due_at=job.next_run_time, **changes))
        except Exception:  # as above; the worst that follows is a start that is made up for once more
            LOG.warning("The schedule of %s could not be written; its run goes on.", source, exc_info=True)

    async def _wind_up(self) -> None:
        self._end.set()
        if self._scheduler.running:
            self._scheduler.pause()
        if self._runs:
            await asyncio.wait(self._runs)  # each ends within twice `grace` and a few seconds
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)  # with nothing running any more: it cancels what runs
            await asyncio.sleep(0)
