"""`crawler worker`: take runs from the queue and make each in a child process, until a signal.

Why not procrastinate's own `Worker`: it ends at the first heartbeat that fails, sends none while it waits for its last
jobs, finishes a job by its number alone, and leaves a job undone for good if its end could not be written.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from crawler.config import load_config
from crawler.errors import CrawlerError
from crawler.service.child import ChildPool
from crawler.service.fork_server import start_fork_server, wait_for_fork_server
from crawler.service.job_queue import (
    MAX_JOB_DEATHS,
    MAX_SILENCE_SECONDS,
    QUEUE_POLL_SECONDS,
    WORKER_HEARTBEAT_SECONDS,
    JobQueue,
    RunJob,
    make_given_up,
)
from crawler.service.run import RunOutcome, RunPlan
from crawler.service.run_engine import RunReturned, RunSkipped, RunStarted, SchedulerEvent, make_end_step
from crawler.service.worker import RunEvent
from crawler.store import Store
from crawler.text.dates import load_time_zone

logger = logging.getLogger(__name__)
DRAIN_SECONDS = 20.0
"""Time that an ending worker gives its runs to end by themselves."""
KILLED_REASON = "given back: its process was killed, as when memory runs out"
ENDING_REASON = "given back: this worker ends"
SILENT_REASON = "given back: this worker was silent for too long, as when its machine has too much to do"
LOST_REASON = "not ended here: this worker was silent for too long, so another one may have it"
STOP_REASON = "The run of {} was stopped because its worker ends or lost the database"
T = TypeVar("T")


class WorkerObserver(Protocol):
    """What a worker notifies."""

    def on_ready(self, worker_id: int, concurrency: int) -> None:
        """Handle that the worker takes runs."""

    def on_step(self, event: SchedulerEvent) -> None:
        """Handle a start or an end of a run."""

    def on_event(self, event: RunEvent) -> None:
        """Handle an event of a run, with its `source`."""

    def on_draining(self, running: int, seconds: float) -> None:
        """Handle that the worker ends and waits for its runs."""


class QueueWorker:
    """Takes runs until SIGTERM or SIGINT. Then it gives them time, stops what still runs, and gives it back.

    A second signal stops them at once, a third one kills them.
    """

    def __init__(
        self,
        config_path: Path | None,
        store: Store,
        queue: JobQueue,
        observer: WorkerObserver,
        *,
        concurrency: int = 2,
        drain_seconds: float = DRAIN_SECONDS,
        make_plan: Callable[[RunJob], RunPlan] | None = None,
    ) -> None:
        config = load_config(config_path)
        # From now on that file is read, also while it is deleted.
        self._config_path, self._store, self._queue, self._observer = config.path, store, queue, observer
        self._concurrency, self._drain_seconds = concurrency, drain_seconds
        self._make_plan = make_plan or self._load_plan
        self._zone = load_time_zone(config.timezone)
        self._ending = asyncio.Event()
        self._stop_count = 0
        self._session: WorkerSession | None = None
        # Heartbeats have a thread of their own: a statement that hangs must not delay them.
        self._threads = {name: ThreadPoolExecutor(1, name) for name in ("jobs", "heartbeat")}

    async def serve(self) -> None:
        """Take runs until asked to stop. Register again whenever the database was away for too long."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        start_fork_server()
        # A run that waited for the imports would keep this loop from sending heartbeats. Runs report what fails here.
        with suppress(CrawlerError):
            await asyncio.to_thread(wait_for_fork_server)
        has_failed = False
        try:
            while not self._ending.is_set():
                self._session = WorkerSession(
                    self._store, self._queue, self._observer, self._make_plan, self._zone, self._threads
                )
                try:
                    await self._session.serve(self._ending, self._concurrency, self._drain_seconds)
                    has_failed = False
                except CrawlerError as error:
                    if not has_failed:
                        logger.warning("The worker cannot take runs. It tries again. %s", error)
                    has_failed = True
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._ending.wait(), QUEUE_POLL_SECONDS)
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
            for thread in self._threads.values():
                thread.shutdown(wait=False, cancel_futures=True)

    def stop(self) -> None:
        """Take no more runs, and end. The second call stops the runs, the third one kills them."""
        self._stop_count += 1
        self._ending.set()
        if self._stop_count > 1 and self._session is not None:
            self._session.stop_runs()

    def _load_plan(self, job: RunJob) -> RunPlan:
        """Return the plan of a run, by the configuration as it is now."""
        config = load_config(self._config_path)
        return RunPlan(source=job.source, config=config.path, limits=config.limits, new_store=job.accepts_new_store)


class WorkerSession:
    """A worker under one number, from its registration until it ends or was silent for too long."""

    def __init__(
        self,
        store: Store,
        queue: JobQueue,
        observer: WorkerObserver,
        make_plan: Callable[[RunJob], RunPlan],
        zone: tzinfo,
        threads: Mapping[str, ThreadPoolExecutor],
    ) -> None:
        self._store, self._queue, self._observer = store, queue, observer
        self._make_plan, self._zone, self._threads = make_plan, zone, threads
        self._children = ChildPool(STOP_REASON)
        self._runs: dict[asyncio.Task[None], RunJob] = {}
        self._lost = asyncio.Event()
        self._worker_id, self._is_stopping = 0, False

    async def serve(self, ending: asyncio.Event, concurrency: int, drain_seconds: float) -> None:
        """Take runs until `ending` is set or this worker is lost. Raise CrawlerError if it cannot be registered."""
        self._worker_id = await self._in_thread("jobs", self._queue.register_worker, concurrency)
        self._observer.on_ready(self._worker_id, concurrency)
        beating = asyncio.create_task(self._send_heartbeats())
        waiting: list[asyncio.Task[Any]] = [asyncio.create_task(event.wait()) for event in (ending, self._lost)]
        try:
            while not any(task.done() for task in waiting):
                await self._take_job(waiting, concurrency)
            if self._runs and not self._lost.is_set():
                self._observer.on_draining(len(self._runs), drain_seconds)
                draining = asyncio.create_task(asyncio.wait(set(self._runs)))
                waiting.append(draining)
                await asyncio.wait(waiting[1:], timeout=drain_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not self._is_stopping:
                self.stop_runs()
            if self._runs:
                await asyncio.wait(self._runs)
            for task in (beating, *waiting):
                task.cancel()
            if not self._lost.is_set():
                with suppress(CrawlerError):
                    await self._in_thread("jobs", self._queue.unregister_worker, self._worker_id)

    def stop_runs(self) -> None:
        """Stop every run (TERM, TERM, KILL). The second call kills."""
        self._is_stopping = True
        self._children.stop()

    async def _take_job(self, waiting: list[asyncio.Task[Any]], concurrency: int) -> None:
        """Begin one run, or wait: for a free place, for the next look at the queue, or for the end."""
        if len(self._runs) >= concurrency:
            await asyncio.wait([*waiting, *self._runs], return_when=asyncio.FIRST_COMPLETED)
            return
        job = None
        try:
            known = {job.id for job in self._runs.values()}
            job = await self._in_thread("jobs", self._queue.take_job, self._worker_id, known)
        except CrawlerError as error:
            logger.info("No run could be taken. It is tried again. %s", error)
        if job is None:
            await asyncio.wait(waiting, timeout=QUEUE_POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            return
        task = asyncio.create_task(self._run_job(job))
        self._runs[task] = job
        task.add_done_callback(self._runs.pop)

    async def _run_job(self, job: RunJob) -> None:
        """Make one run and record its end, or give it back if it was stopped or killed."""
        row = await self._try_in_store(self._store.schedules.get, job.source)
        now = datetime.now(self._zone)
        if row is not None and row.paused:
            await self._persist(self._queue.finish_job, job, None)
            self._observer.on_step(RunSkipped(source=job.source, at=now, reason="it is paused"))
            return
        self._observer.on_step(RunStarted(source=job.source, at=now))
        await self._record_time(job.source, last_started_at=now)
        outcome = await self._make_run(job)
        now = datetime.now(self._zone)
        if outcome.lost:
            job = replace(job, deaths=job.deaths + 1)
        is_worth_trying = outcome.lost and job.deaths < MAX_JOB_DEATHS
        if outcome.was_stopped or is_worth_trying or self._lost.is_set():
            has_given = await self._persist(self._queue.give_back, job)
            reason = SILENT_REASON if self._lost.is_set() else ENDING_REASON
            reason = KILLED_REASON if outcome.lost else reason
            self._observer.on_step(RunReturned(source=job.source, at=now, reason=reason if has_given else LOST_REASON))
            return
        if outcome.lost:
            outcome = make_given_up(outcome, job.deaths)
        if await self._persist(self._queue.finish_job, job, outcome):
            await self._record_time(job.source, last_finished_at=now)
            self._observer.on_step(make_end_step(outcome, now))
        else:
            self._observer.on_step(RunReturned(source=job.source, at=now, reason=LOST_REASON))

    async def _make_run(self, job: RunJob) -> RunOutcome:
        try:
            plan = self._make_plan(job)
        except CrawlerError as error:
            return RunOutcome(source=job.source, exit_code=error.exit_code, reason=str(error))
        return await self._children.run(plan, self._observer.on_event)

    async def _record_time(self, source: str, **times: Any) -> None:
        """Write when a run began or ended into the source's schedule, where `crawler schedule` reads it."""

        def write() -> None:
            with self._store.database.transaction(exclusive=True):
                row = self._store.schedules.get(source)
                if row is not None:
                    self._store.schedules.save(replace(row, **times))

        await self._try_in_store(write)

    async def _try_in_store(self, function: Callable[..., T], *values: object) -> T | None:
        """Return what a function of the store returns, or None if the store fails: the run itself reports that."""
        try:
            return await self._in_thread("jobs", function, *values)
        except CrawlerError as error:
            logger.info("The schedule could not be read or written. %s", error)
            return None

    async def _persist(self, function: Callable[..., bool], *values: object) -> bool:
        """Write the end of a job, or return False if another worker has it.

        Try until the database answers. A worker that was silent for too long tries once.
        """
        while True:
            is_last = self._lost.is_set()
            try:
                return await self._in_thread("jobs", function, *values)
            except CrawlerError as error:
                logger.info("The end of a run could not be written. %s", error)
            if is_last:
                return False
            await asyncio.sleep(QUEUE_POLL_SECONDS)

    async def _send_heartbeats(self) -> None:
        """Renew this worker until it was silent for too long. Then stop its runs: others may take them soon."""
        renewed_at = time.monotonic()
        while True:
            await asyncio.sleep(WORKER_HEARTBEAT_SECONDS)
            began_at, is_known = time.monotonic(), None
            try:
                async with asyncio.timeout(max(renewed_at + MAX_SILENCE_SECONDS - began_at, 0.1)):
                    is_known = await self._in_thread("heartbeat", self._queue.renew_worker, self._worker_id)
            except Exception as error:  # noqa: BLE001 - whatever it is, runs must end when heartbeats do
                logger.info("A heartbeat could not be written. %s", error)
            if is_known:
                renewed_at = began_at
            elif is_known is False or time.monotonic() - renewed_at >= MAX_SILENCE_SECONDS:
                break
        logger.warning("Worker %d was cut off from the database or frozen. It stops its runs.", self._worker_id)
        self._lost.set()
        self.stop_runs()

    async def _in_thread(self, thread: str, function: Callable[..., T], *values: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads[thread], partial(function, *values))
