"""The service: each source on its own cron, one child process a run, until it is asked to stop.

APScheduler only says when. It keeps its jobs in memory and is rebuilt from our rows at every start; what runs is held
here. One event loop, no Twisted; what may wait for the store is done in one thread beside it, in order.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_SUBMITTED, JobSubmissionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from crawler.config import LimitsConfig
from crawler.errors import CrawlerError, SourceLocked
from crawler.service.child import RUN_SOURCE_TARGET, STOP_GRACE_SECONDS, ChildProcess, start_child
from crawler.service.cron import parse_cron
from crawler.service.fork_server import start_fork_server
from crawler.service.ipc import RunEvent
from crawler.service.outcome import RunOutcome
from crawler.service.pool import follow_child, make_failed_start
from crawler.service.run import RunPlan
from crawler.service.schedule_state import ScheduleStore, Timing, apply_timing, is_start_overdue, plan_first_start
from crawler.service.worker import Target
from crawler.store.schedules import RUN_NOW, ScheduleState

LOG = logging.getLogger(__name__)
SCHEDULER_CHECK_SECONDS = 30.0
"""Seconds at most between two looks: at the clock (a suspended or corrected machine's timers are late otherwise), at
what somebody asked to start now, and at whether the configuration changed."""
T = TypeVar("T")
ParseCron = Callable[[str, str, str, int], BaseTrigger]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run began; `at` is aware, in the owner's time zone, as in every step."""

    source: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """A run ended."""

    source: str
    at: datetime
    outcome: RunOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSkipped:
    """A start fell due while a run of the source was going on, here or elsewhere, so there was none."""

    source: str
    at: datetime
    reason: str = "its last run is still going on"


SchedulerEvent = RunStarted | RunFinished | RunSkipped


class RunScheduler:
    """Runs sources by their timings until SIGTERM or SIGINT; then ends what runs and returns.

    A start that was missed while no watch ran is made up for once. `at_once` runs go on at the same time, never two of
    one source. `reload` gives new timings, on SIGHUP and when `has_changed`; both are called in a thread, and so is
    `on_look` at each look; `on_renewed` is told when new timings are in force. `on_event` gets what runs tell, each
    event with its `source`. `limits` may be set anew.
    """

    def __init__(
        self,
        schedule_store: ScheduleStore,
        timings: Mapping[str, Timing],
        *,
        on_step: Callable[[SchedulerEvent], None],
        on_event: Callable[[RunEvent], None],
        make_plan: Callable[[str], RunPlan],
        timezone: str = "Asia/Almaty",
        limits: LimitsConfig | None = None,
        max_children: int = 2,
        grace: float = STOP_GRACE_SECONDS,
        target: str | Target = RUN_SOURCE_TARGET,
        reload: Callable[[], Mapping[str, Timing]] | None = None,
        has_changed: Callable[[], bool] = lambda: False,
        on_check: Callable[[], None] = lambda: None,
        on_reload: Callable[[datetime], None] = lambda _: None,
        check_seconds: float = SCHEDULER_CHECK_SECONDS,
        parse: ParseCron = parse_cron,
    ) -> None:
        self._book, self._timings, self._plan = schedule_store, timings, make_plan
        self._on_step, self._on_event = on_step, on_event
        self._timezone, self._zone = timezone, ZoneInfo(timezone)
        self.limits, self._grace, self._target = limits, grace, target
        self._reload, self._has_changed, self._on_look = reload, has_changed, on_check
        self._on_renewed = on_reload
        self._look_after, self._parse = check_seconds, parse
        self._places = asyncio.Semaphore(max_children)
        self._end = asyncio.Event()
        self._due: dict[str, datetime] = {}
        self._children: dict[str, ChildProcess] = {}
        self._runs: set[asyncio.Task[None]] = set()
        self._besides: set[asyncio.Task[None]] = set()
        self._planned_by: dict[str, Timing] = {}
        self._renewing, self._is_blind = asyncio.Lock(), False
        self._desk = ThreadPoolExecutor(1, "book")
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = AsyncIOScheduler(timezone=self._zone, job_defaults=defaults)
        self._scheduler.add_listener(self._handle_job_event, EVENT_JOB_SUBMITTED | EVENT_JOB_MAX_INSTANCES)

    @property
    def sources(self) -> list[str]:
        """What it runs, by the timings of now."""
        return list(self._planned_by)

    async def serve(self) -> None:
        """Watch until asked to stop. ConfigError at once when a timing is unusable."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self.reload_timings)
        try:
            await self._in_store_thread(self._apply_timings, self._timings)
            start_fork_server()
            self._scheduler.start()
            looking: asyncio.Task[None] | None = None
            while not self._end.is_set():
                self._scheduler.wakeup()
                if looking is None or looking.done():
                    looking = self._create_task(self._check_store())
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._end.wait(), self._look_after)
        finally:
            await self._shut_down()
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

    def reload_timings(self) -> None:
        """Take over new timings, beside what runs; unusable ones are told about and change nothing."""
        if self._reload is None:
            LOG.warning("SIGHUP is of no use here: this watch was given no way to read its timings again.")
        else:
            self._create_task(self._reload_timings(self._reload))

    async def _reload_timings(self, reload: Callable[[], Mapping[str, Timing]]) -> None:
        async with self._renewing:
            try:
                timings = await asyncio.to_thread(reload)
                if not self._end.is_set():
                    await self._in_store_thread(self._apply_timings, timings)
            except CrawlerError as error:
                now = datetime.now(self._zone)
                sentence = "%s  The watch goes on as before: %s"
                LOG.error(sentence, f"{now:%Y-%m-%d %H:%M:%S}", error)  # noqa: TRY400 - it is all there is to say
            else:
                self._on_renewed(datetime.now(self._zone))

    async def _check_store(self) -> None:
        """What is not heard of by a signal or a timer."""
        try:
            rows = await self._in_store_thread(self._list_rows)
            if self._reload is not None and await asyncio.to_thread(self._has_changed):
                await self._reload_timings(self._reload)
        except Exception as error:  # whatever ails the store, the watch goes on and looks again
            if not self._is_blind:
                unmeant = not isinstance(error, CrawlerError)
                LOG.warning("The watch goes on, but cannot look for wishes: %s", error, exc_info=unmeant)
            self._is_blind = True
            return
        self._is_blind = False
        for row in rows:
            job = self._scheduler.get_job(row.source)
            if row.next_due_at == RUN_NOW and not row.paused and job is not None and not self._end.is_set():
                job.modify(next_run_time=datetime.now(self._zone))
                await self._in_store_thread(self._update_row, row.source, is_answered=True)

    def _list_rows(self) -> list[ScheduleState]:
        self._on_look()
        return list(self._book.list_all())

    def _apply_timings(self, timings: Mapping[str, Timing]) -> None:
        """Plan what is new or has another timing; the rest stays as it is planned."""
        now = datetime.now(self._zone)
        new = {source: timing for source, timing in timings.items() if timing != self._planned_by.get(source)}
        rows = [apply_timing(self._book.get(source), source, timing) for source, timing in new.items()]
        for source, trigger, first in [(row.source, *self._plan_start(row, now)) for row in rows]:
            self._scheduler.add_job(
                self._run_when_due, trigger, args=[source], id=source, next_run_time=first, replace_existing=True
            )
            self._planned_by[source] = new[source]
            self._book.update(source, partial(plan_first_start, source=source, timing=new[source], first=first))
        for source in set(self._planned_by) - set(timings):
            self._scheduler.remove_job(source)
            del self._planned_by[source]

    def _plan_start(self, row: ScheduleState, now: datetime) -> tuple[BaseTrigger, datetime | None]:
        where = f"sources.{row.source}.cron"
        trigger = self._parse(row.cron, where, self._timezone, row.jitter)
        if is_start_overdue(row, self._parse(row.cron, where, self._timezone, 0), now):
            return trigger, now
        return trigger, trigger.get_next_fire_time(None, now)

    def _handle_job_event(self, event: JobSubmissionEvent) -> None:
        due = event.scheduled_run_times[-1]
        if event.code == EVENT_JOB_SUBMITTED:
            self._due[event.job_id] = due
        else:
            self._on_step(RunSkipped(source=event.job_id, at=due.astimezone(self._zone)))

    async def _run_when_due(self, source: str) -> None:
        """One start, as APScheduler calls it; it does not call it while the last one goes on."""
        task = asyncio.current_task()
        assert task is not None
        self._runs.add(task)
        task.add_done_callback(self._runs.discard)
        async with self._places:
            row = await self._in_store_thread(self._read_row, source)
            if self._end.is_set() or (row is not None and row.paused):
                return
            now = datetime.now(self._zone)
            due = self._due.pop(source, now)
            self._on_step(RunStarted(source=source, at=now))
            began = partial(self._update_row, source, is_answered=True, last_due_at=due, last_started_at=now)
            noted = self._create_task(self._in_store_thread(began))  # nothing lies between `_end` and the fork
            outcome = await self._run_child(source)
            await noted
            now = datetime.now(self._zone)
            await self._in_store_thread(self._update_row, source, last_finished_at=now)
            if outcome.run is None and outcome.exit_code == SourceLocked.exit_code:
                self._on_step(RunSkipped(source=source, at=now, reason=outcome.reason))
            else:
                self._on_step(RunFinished(source=source, at=now, outcome=outcome))

    async def _run_child(self, source: str) -> RunOutcome:
        plan = self._plan(source)
        try:
            child = start_child(plan, target=self._target, limits=self.limits, grace=self._grace)
        except CrawlerError as error:
            return make_failed_start(plan, error)
        self._children[source] = child
        if self._end.is_set():
            child.stop(because=f"The run of {source} was ended because the watch ends")
        try:
            return await follow_child(child, self._on_event)
        finally:
            del self._children[source]

    def _read_row(self, source: str) -> ScheduleState | None:
        try:
            return self._book.get(source)
        except Exception:  # whatever ails the store, the watch goes on and the run will say so
            LOG.warning("The schedule of %s could not be read; its run goes on.", source, exc_info=True)
            return None

    def _update_row(self, source: str, *, is_answered: bool = False, **changes: Any) -> None:
        """Write to the source's row. What another process changed in it meanwhile (a pause) stays, and so does its wish
        for a start, unless this is the answer to it."""
        job, timing = self._scheduler.get_job(source), self._planned_by.get(source)
        if job is None or timing is None:
            return

        def how(row: ScheduleState | None) -> ScheduleState:
            row = row or ScheduleState(source=source, cron=timing.cron, jitter=timing.jitter)
            asked = row.next_due_at == RUN_NOW and not is_answered
            return replace(row, next_due_at=RUN_NOW if asked else job.next_run_time, **changes)

        try:
            self._book.update(source, how)
        except Exception:  # as above; the worst that follows is a start that is made up for once more
            LOG.warning("The schedule of %s could not be written; its run goes on.", source, exc_info=True)

    async def _in_store_thread(self, what: Callable[..., T], *values: Any, **options: Any) -> T:
        """Do what may wait for the store, in the one thread for it."""
        return await asyncio.get_running_loop().run_in_executor(self._desk, partial(what, *values, **options))

    def _create_task(self, what: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(what)
        self._besides.add(task)  # a loop holds its tasks weakly
        task.add_done_callback(self._besides.discard)
        return task

    async def _shut_down(self) -> None:
        self._end.set()
        if self._scheduler.running:
            self._scheduler.pause()
        if self._runs:
            await asyncio.wait(self._runs)  # each ends within twice `grace` and a few seconds
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)  # with nothing running any more: it cancels what runs
            await asyncio.sleep(0)
        for task in self._besides:
            task.cancel()
        self._desk.shutdown(wait=False, cancel_futures=True)
