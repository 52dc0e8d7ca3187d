"""The engine of a watch whose runs are made by workers: it queues due sources, and reports how their runs ended."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TypeVar

from crawler.config import Config
from crawler.errors import CrawlerError
from crawler.service.job_queue import (
    QUEUE_POLL_SECONDS,
    RESCUE_SECONDS,
    CollectedRun,
    EnqueueResult,
    JobQueue,
    StalledRun,
    open_job_queue,
)
from crawler.service.reloader import ConfigReloader
from crawler.service.run_engine import (
    DueSource,
    RunQueued,
    RunReturned,
    RunSkipped,
    SchedulerObserver,
    make_end_step,
)
from crawler.text.dates import load_time_zone

logger = logging.getLogger(__name__)
MAX_UNATTENDED_SECONDS = 60.0
"""Time that runs may wait without any worker before the watch warns."""
T = TypeVar("T")


class QueueEngine:
    """Queues each due source for the workers. Of several watches, one queues each start and one reports each end."""

    def __init__(
        self,
        reloader: ConfigReloader,
        observer: SchedulerObserver,
        *,
        open_queue: Callable[[Config], JobQueue] = open_job_queue,
    ) -> None:
        self._reloader, self._observer, self._open_queue = reloader, observer, open_queue
        self._zone = load_time_zone(reloader.config.timezone)
        self._stopping = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "queue")
        self._queue: JobQueue | None = None
        self._following: asyncio.Task[None] | None = None
        self._attended_at, self._rescued_at = time.monotonic(), float("-inf")
        self._has_warned = False

    async def begin(self) -> None:
        """Open the queue and follow it. Raise ConfigError if it cannot be opened."""
        self._queue = await self._in_thread(self._open_queue, self._reloader.config)
        self._following = asyncio.create_task(self._follow_queue())

    async def start_run(self, due: DueSource) -> None:
        """Queue a due source. While the database is away, try until the watch ends."""
        has_failed = False
        while not self._stopping.is_set():
            try:
                result = await self._in_thread(self._queue_source, due)
                break
            except CrawlerError as error:
                if not has_failed:
                    logger.warning("The run of %s could not be queued; it is tried again. %s", due.source, error)
                has_failed = True
                await self._wait(QUEUE_POLL_SECONDS)
        else:
            return
        now = datetime.now(self._zone)
        if result is EnqueueResult.QUEUED:
            self._observer.on_step(RunQueued(source=due.source, at=now))
        elif result is not None:
            self._observer.on_step(RunSkipped(source=due.source, at=now, reason=result.value))

    def stop(self) -> None:
        """Queue no more runs. Workers end the runs that they have."""
        self._stopping.set()

    async def close(self) -> None:
        """Follow the queue no more."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._queue is not None:
            self._queue.close()

    def _queue_source(self, due: DueSource) -> EnqueueResult | None:
        """Claim the start and add its job in one transaction. Return None if the start is not wanted any more."""
        assert self._queue is not None
        store, plan = self._reloader.store, self._reloader.make_plan(due.source)
        with store.database.transaction(exclusive=True) as connection:
            row = due.claim(store.schedules.get(due.source))
            if row is None:
                return None
            store.schedules.save(row)
            return self._queue.enqueue(connection, due.source, due.politeness_group, accepts_new_store=plan.new_store)

    async def _follow_queue(self) -> None:
        """Report what has ended, give back the runs of silent workers, and warn if nobody takes runs."""
        has_failed = False
        while True:
            try:
                await self._check_queue()
                has_failed = False
            except CrawlerError as error:
                if not has_failed:
                    logger.warning("The watch cannot see the queue of runs. It tries again. %s", error)
                has_failed = True
            except Exception:  # the watch outlives whatever is wrong with one job
                logger.exception("The queue of runs could not be checked. It is tried again.")
            await asyncio.sleep(QUEUE_POLL_SECONDS)

    async def _check_queue(self) -> None:
        assert self._queue is not None
        for ended in await self._in_thread(self._queue.collect_ended):
            self._report_end(ended)
        if time.monotonic() - self._rescued_at < RESCUE_SECONDS:
            return
        for stalled in await self._in_thread(self._queue.rescue_stalled):
            self._report_stalled(stalled)
        self._rescued_at = time.monotonic()
        state = await self._in_thread(self._queue.get_state)
        if any(not worker.is_silent for worker in state.workers) or not state.waiting:
            self._attended_at, self._has_warned = time.monotonic(), False
        elif not self._has_warned and time.monotonic() - self._attended_at > MAX_UNATTENDED_SECONDS:
            logger.warning("No worker is there. Waiting runs: %d. Start `crawler worker`.", state.waiting)
            self._has_warned = True

    def _report_end(self, ended: CollectedRun) -> None:
        self._observer.on_step(make_end_step(ended.outcome, datetime.now(self._zone), ended.worker))

    def _report_stalled(self, stalled: StalledRun) -> None:
        reason = "given back: its worker is silent"
        if not stalled.is_given_back:
            reason = "given up: its worker is silent, and its next run waits already"
        self._observer.on_step(RunReturned(source=stalled.source, at=datetime.now(self._zone), reason=reason))

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _in_thread(self, function: Callable[..., T], *values: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(function, *values))
