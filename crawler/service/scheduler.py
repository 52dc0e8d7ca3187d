"""Start each source when its cron says so, until a signal ends the service. A `RunEngine` makes the runs.

APScheduler only says when. It keeps its jobs in memory, and this module makes them again from our rows at every start.
There is one event loop and no Twisted. One thread does, in order, what may wait for the store.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_SUBMITTED, JobSubmissionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from crawler.errors import CrawlerError
from crawler.service.cron import parse_cron
from crawler.service.run_engine import DueSource, LocalEngine, RunEngine, RunSkipped, SchedulerObserver
from crawler.service.schedule_state import Timing, apply_timing, is_start_claimed, is_start_overdue
from crawler.store.schedules import RUN_NOW, ScheduleState
from crawler.text.dates import load_time_zone

if TYPE_CHECKING:
    from crawler.service.reloader import ConfigReloader

logger = logging.getLogger(__name__)
SCHEDULER_CHECK_SECONDS = 30.0
"""Maximum seconds between two checks: of the clock (timers are late after a machine was suspended or its clock was
corrected), of requested starts, and of the configuration."""
T = TypeVar("T")
ParseCron = Callable[[str, str, str, int], BaseTrigger]


class RunScheduler:
    """Runs sources by their timings until SIGTERM or SIGINT. Then it ends what runs and returns.

    A start that was missed while no watch ran is made up for once. Without an `engine` the sources run in child
    processes of this one, at most `max_children` at a time, never two of one source. SIGHUP, a changed configuration
    and a new day load the timings again.
    """

    def __init__(
        self,
        reloader: ConfigReloader,
        observer: SchedulerObserver,
        *,
        max_children: int = 2,
        check_seconds: float = SCHEDULER_CHECK_SECONDS,
        parse: ParseCron = parse_cron,
        engine: RunEngine | None = None,
    ) -> None:
        self._reloader, self._observer = reloader, observer
        self._schedules, self._timezone = reloader.store.schedules, reloader.config.timezone
        self._zone = load_time_zone(self._timezone)
        self._check_seconds, self._parse = check_seconds, parse
        self._engine = engine or LocalEngine(reloader.make_plan, observer, self._zone, max_children)
        self._stopping = asyncio.Event()
        self._reloading, self._has_failed_check = asyncio.Lock(), False
        self._due_at: dict[str, datetime] = {}
        self._requested: set[str] = set()
        self._runs: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timings: dict[str, Timing] = {}
        self._store_thread = ThreadPoolExecutor(1, "store")
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = AsyncIOScheduler(timezone=self._zone, job_defaults=defaults)
        self._scheduler.add_listener(self._handle_job_event, EVENT_JOB_SUBMITTED | EVENT_JOB_MAX_INSTANCES)

    @property
    def sources(self) -> list[str]:
        """The scheduled sources."""
        return list(self._timings)

    async def serve(self) -> None:
        """Run sources until asked to stop. Raise ConfigError at once if the timings cannot be used."""
        loop = asyncio.get_running_loop()
        handlers = {signal.SIGTERM: self.stop, signal.SIGINT: self.stop, signal.SIGHUP: self.reload_timings}
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            await self._in_store_thread(self._apply_timings, await asyncio.to_thread(self._reloader.load_timings))
            if self._stopping.is_set():
                return
            await self._engine.begin()
            self._scheduler.start(paused=True)
            self._observer.on_ready(self.sources, await self._in_store_thread(self._list_first_starts))
            self._scheduler.resume()
            check: asyncio.Task[None] | None = None
            while not self._stopping.is_set():
                self._scheduler.wakeup()
                if check is None or check.done():
                    check = self._create_task(self._check())
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), self._check_seconds)
        finally:
            await self._shut_down()
            for number in handlers:
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """End every run (TERM, TERM, KILL), then the service. The second call kills the runs."""
        self._engine.stop()
        self._stopping.set()

    def reload_timings(self) -> None:
        """Load the timings again while runs are in progress. Log timings that cannot be used and keep the former."""
        self._create_task(self._reload_timings())

    async def _reload_timings(self) -> None:
        async with self._reloading:
            try:
                timings = await asyncio.to_thread(self._reloader.load_timings)
                if not self._stopping.is_set():
                    await self._in_store_thread(self._apply_timings, timings)
            except CrawlerError as error:
                message = "%s  The watch keeps its former configuration: %s"
                logger.error(message, f"{datetime.now(self._zone):%Y-%m-%d %H:%M:%S}", error)  # noqa: TRY400
            else:
                self._observer.on_reload(datetime.now(self._zone), self.sources)

    async def _check(self) -> None:
        """Look for requested starts and a changed configuration, which come without a signal or a timer."""
        try:
            rows = await self._in_store_thread(self._list_rows)
            if await asyncio.to_thread(self._reloader.has_changed):
                await self._reload_timings()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the store, the service checks again
            if not self._has_failed_check:
                _log_store_error("The watch cannot check for requested starts", error)
            self._has_failed_check = True
            return
        self._has_failed_check = False
        for row in rows:
            job = self._scheduler.get_job(row.source)
            is_requested = row.next_due_at == RUN_NOW and not row.paused
            if not is_requested or job is None or self._stopping.is_set():
                continue
            # Of several schedulers that see the request, the one that answers it starts the source.
            if await self._in_store_thread(self._update_row, row.source, is_answered=True):
                self._requested.add(row.source)
                job.modify(next_run_time=datetime.now(self._zone))

    def _list_rows(self) -> list[ScheduleState]:
        self._observer.on_check(self.sources)
        return self._schedules.list_all()

    def _apply_timings(self, timings: Mapping[str, Timing]) -> None:
        """Plan the sources that are new or have another timing, and all in another time zone.

        The others keep their planned start.
        """
        # This runs in the store thread. APScheduler 3 allows it: it locks its jobs, and `wakeup` of AsyncIOScheduler
        # goes through `call_soon_threadsafe`.
        has_other_zone = self._reloader.config.timezone != self._timezone
        self._timezone = self._reloader.config.timezone
        self._zone = load_time_zone(self._timezone)
        now = datetime.now(self._zone)
        changed = {
            source: timing
            for source, timing in timings.items()
            if has_other_zone or timing != self._timings.get(source)
        }
        rows = [apply_timing(self._schedules.get(source), source, timing) for source, timing in changed.items()]
        # First all crons are parsed: one that is invalid changes nothing.
        for source, trigger, first in [(row.source, *self._plan_start(row, now)) for row in rows]:
            self._scheduler.add_job(
                self._run_when_due, trigger, args=[source], id=source, next_run_time=first, replace_existing=True
            )
            timing = self._timings[source] = changed[source]
            plan = partial(_plan_first_start, source=source, timing=timing, first=first)
            self._schedules.update(source, plan)
        for source in set(self._timings) - set(timings):
            self._scheduler.remove_job(source)
            del self._timings[source]

    def _list_first_starts(self) -> dict[str, datetime]:
        paused = {row.source for row in self._schedules.list_all() if row.paused}
        jobs = [job for job in self._scheduler.get_jobs() if job.id not in paused]
        return {job.id: job.next_run_time for job in jobs if job.next_run_time}

    def _plan_start(self, row: ScheduleState, now: datetime) -> tuple[BaseTrigger, datetime | None]:
        """Return the trigger of a row, and its first start: now if one is overdue."""
        where = f"sources.{row.source}.cron"
        trigger = self._parse(row.cron, where, self._timezone, row.jitter)
        if is_start_overdue(row, self._parse(row.cron, where, self._timezone, 0), now):
            return trigger, now
        return trigger, trigger.get_next_fire_time(None, now)

    def _handle_job_event(self, event: JobSubmissionEvent) -> None:
        due = event.scheduled_run_times[-1]
        if event.code == EVENT_JOB_SUBMITTED:
            self._due_at[event.job_id] = due
        else:
            self._observer.on_step(RunSkipped(source=event.job_id, at=due.astimezone(self._zone)))

    async def _run_when_due(self, source: str) -> None:
        """Run a source once. APScheduler does not call this while its last call is in progress."""
        task = asyncio.current_task()
        assert task is not None
        self._runs.add(task)
        task.add_done_callback(self._runs.discard)
        now = datetime.now(self._zone)
        due_at, is_requested = self._due_at.pop(source, now), source in self._requested
        self._requested.discard(source)
        timing = self._timings.get(source)
        due = DueSource(
            source=source,
            politeness_group=timing.politeness_group if timing else "",
            due_at=due_at,
            confirm=partial(self._confirm_start, source),
            record=partial(self._in_store_thread, self._update_row, source),
            claim=partial(self._claim_start, source, due_at, is_requested),
        )
        await self._engine.start_run(due)

    async def _confirm_start(self, source: str) -> bool:
        row = await self._in_store_thread(self._read_row, source)
        return self._is_startable(source, row)

    def _is_startable(self, source: str, row: ScheduleState | None) -> bool:
        is_removed = source not in self._timings  # by timings that were loaded while this start waited
        return not (self._stopping.is_set() or is_removed or (row is not None and row.paused))

    def _claim_start(
        self, source: str, due_at: datetime, is_requested: bool, row: ScheduleState | None
    ) -> ScheduleState | None:
        """Return the row that claims a start, or None if it is not wanted or another scheduler has claimed it.

        Schedulers delay one start by different jitters, so what counts is whether a time of the cron has passed.
        """
        timing = self._timings.get(source)
        if timing is None or not self._is_startable(source, row):
            return None
        row = apply_timing(row, source, timing)
        trigger = self._parse(timing.cron, f"sources.{source}.cron", self._timezone, 0)
        if not is_requested and is_start_claimed(row, trigger, datetime.now(self._zone)):
            return None
        job = self._scheduler.get_job(source)
        return replace(row, last_due_at=due_at, next_due_at=job.next_run_time if job else None)

    def _read_row(self, source: str) -> ScheduleState | None:
        try:
            return self._schedules.get(source)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the store, the run reports it
            _log_store_error(f"The schedule of {source} could not be read; it runs anyway", error)
            return None

    def _update_row(self, source: str, *, is_answered: bool = False, **changes: Any) -> bool:
        """Write changes to a row. A pause that another process wrote stays, and a requested start if not answered.

        Return whether a start was requested before.
        """
        job, timing = self._scheduler.get_job(source), self._timings.get(source)
        is_requested = False
        if job is None or timing is None:
            return False

        def change(row: ScheduleState | None) -> ScheduleState:
            nonlocal is_requested
            row = row or ScheduleState(source=source, cron=timing.cron, jitter=timing.jitter)
            is_requested = row.next_due_at == RUN_NOW
            next_due_at = RUN_NOW if is_requested and not is_answered else job.next_run_time
            return replace(row, next_due_at=next_due_at, **changes)

        try:
            self._schedules.update(source, change)
        except Exception as error:  # noqa: BLE001 - as above; at worst, a start is made up for once more
            _log_store_error(f"The schedule of {source} could not be written; its run continues", error)
            return False
        return is_requested

    async def _in_store_thread(self, function: Callable[..., T], *values: Any, **options: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._store_thread, partial(function, *values, **options))

    def _create_task(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)  # An event loop holds its tasks weakly.
        task.add_done_callback(self._tasks.discard)
        return task

    async def _shut_down(self) -> None:
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.pause()
        if self._runs:
            await asyncio.wait(self._runs)  # Each ends within twice `grace` and a few seconds.
        await self._engine.close()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)  # It would cancel runs, so it comes after them.
            await asyncio.sleep(0)
        for task in self._tasks:
            task.cancel()
        self._store_thread.shutdown(wait=False, cancel_futures=True)


def _log_store_error(consequence: str, error: Exception) -> None:
    """Log what an error of the store means for the watch, with a traceback only of an unexpected one."""
    logger.warning("%s: %s", consequence, error, exc_info=not isinstance(error, CrawlerError))


def _plan_first_start(
    row: ScheduleState | None, *, source: str, timing: Timing, first: datetime | None
) -> ScheduleState:
    return replace(apply_timing(row, source, timing), next_due_at=first)
