"""Walk a source's history: one bounded run after the other, each in its own process, between the scheduled runs."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from crawler.context.modes import BackfillWindow
from crawler.errors import Blocked, CrawlerError, EmptyStore, SourceLocked, StoreError, Unreachable, UsageError
from crawler.extensions.lease import MAX_BACKFILL_WAIT
from crawler.service.backfill_progress import BackfillProgress, measure_progress
from crawler.service.child import ChildPool
from crawler.service.heartbeat import get_watch_lease
from crawler.service.run import RunOutcome, RunPlan
from crawler.service.worker import RunEvent
from crawler.store import HEARTBEAT_SECONDS, Store
from crawler.store.backfills import get_walk_lease
from crawler.text.dates import load_time_zone

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.spiders.base import SourceSpider

MAX_WINDOW_SECONDS = 120.0
MAX_WINDOW_PAGES = 5
MIN_SECONDS_BEFORE_START = 20.0
"""No window begins so shortly before a scheduled run."""
MAX_START_DELAY = timedelta(minutes=2)
"""How long to wait for a scheduled run that does not begin: its watch may have ended."""
POLL_SECONDS = 2.0
HANDOVER_SECONDS = 1.0
"""Pause between two windows, in which a run that waits for the lease gets it."""
BACKOFF_FACTOR = 30.0
"""The wait after a window without progress, in `politeness.retry_wait`. It doubles each time."""
MAX_BACKOFF_SECONDS = 1800.0
MAX_FAILED_WINDOWS, MAX_BLOCKED_WINDOWS = 10, 3
"""Windows in a row without progress after which the command gives up."""
REQUESTS_PER_PAGE = 300
"""Requests that one page may take, with retries: a run must be allowed to last so long."""
STOP_REASON = "The backfill of {} was stopped"


class BackfillListener(Protocol):
    """What a backfill notifies."""

    def on_progress(self, progress: BackfillProgress, outcome: RunOutcome | None) -> None:
        """Handle the state before the first window (no outcome) and after each window."""

    def on_wait(self, reason: str) -> None:
        """Handle a wait. `reason` is a clause."""

    def on_event(self, event: RunEvent) -> None:
        """Handle an event of a window's run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillPace:
    """How fast the site is read: least seconds between requests, and most requests a day (None: any)."""

    delay: float
    requests_per_day: int | None


class HistoryBackfill:
    """One backfill of one source until it is finished, stopped or given up. Its state is in the store."""

    def __init__(
        self,
        config: Config,
        store: Store,
        spider_class: type[SourceSpider],
        pace: BackfillPace,
        listener: BackfillListener,
        *,
        config_path: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config, self._store, self._spider_class = config, store, spider_class
        self._pace, self._listener, self._config_path, self._now = pace, listener, config_path, now
        self._source, self._zone = spider_class.name, load_time_zone(config.timezone)
        self._lease, self._holder = get_walk_lease(self._source), uuid.uuid4().hex
        self._pool = ChildPool(STOP_REASON)
        self._stopping = asyncio.Event()
        self._started_at = now()
        self._failed_windows = 0

    @property
    def is_stopped(self) -> bool:
        """Whether a signal ended the backfill."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """End the window in progress, which is read again later. The second call kills it."""
        self._pool.stop()
        self._stopping.set()

    def measure_progress(self) -> BackfillProgress:
        """Return the state of the backfill now."""
        backfill, now = self._store.backfills.get(self._source), self._now()
        assert backfill is not None
        return measure_progress(
            self._store,
            backfill,
            self._spider_class,
            self._config,
            started_at=self._started_at,
            now=now,
            today=self._get_day(now),
        )

    async def serve(self) -> CrawlerError | None:
        """Walk until the end. Return the error that it was given up for, None if it is finished or stopped.

        Raise SourceLocked if another command walks this source.
        """
        lease = self._store.leases.acquire(self._lease, self._holder)
        if lease.holder != self._holder:
            raise SourceLocked(
                f"The history of {self._source} is being walked by process {lease.pid} on host {lease.host}. "
                "Wait until it ends, or stop it there."
            )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        renewing = asyncio.create_task(self._renew_lease())
        try:
            return await self._walk()
        finally:
            renewing.cancel()
            self._store.leases.release(self._lease, self._holder)
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def _renew_lease(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            with suppress(CrawlerError):  # the next heartbeat may succeed
                self._store.leases.renew(self._lease, self._holder)

    async def _walk(self) -> CrawlerError | None:
        progress, outcome = self.measure_progress(), None
        while True:
            self._listener.on_progress(progress, outcome)
            if progress.is_finished or not await self._wait_for_turn():
                return None
            outcome = await self._pool.run(self._make_plan(), self._listener.on_event)
            if self.is_stopped:
                return None
            if outcome.exit_code == SourceLocked.exit_code:
                outcome = None
                await self._sleep(POLL_SECONDS)
                continue
            if outcome.exit_code in (UsageError.exit_code, EmptyStore.exit_code, StoreError.exit_code):
                return _make_error(outcome)
            await self._sleep(HANDOVER_SECONDS)
            before, progress = progress, self.measure_progress()
            if progress.pages > before.pages:
                self._failed_windows = 0
            elif failure := await self._handle_failed_window(outcome):
                return failure

    async def _handle_failed_window(self, outcome: RunOutcome) -> CrawlerError | None:
        """Wait before the next try. Return the error to give up for, if there were too many tries."""
        if self._count_requests_left() == 0:
            return None  # the limit of the day cut the window off
        self._failed_windows += 1
        is_blocked = outcome.exit_code == Blocked.exit_code
        if self._failed_windows >= (MAX_BLOCKED_WINDOWS if is_blocked else MAX_FAILED_WINDOWS):
            return _make_error(outcome)
        wait = self._config.politeness.retry_wait * BACKOFF_FACTOR * 2.0 ** (self._failed_windows - 1)
        seconds = min(wait, MAX_BACKOFF_SECONDS)
        until = (self._now() + timedelta(seconds=seconds)).astimezone(self._zone)
        self._listener.on_wait(f"the next try is at {until:%H:%M:%S}: {outcome.reason}")
        await self._sleep(seconds)
        return None

    # --- turns

    async def _wait_for_turn(self) -> bool:
        """Wait for other runs of the source and for the next day's requests. Return False when stopped meanwhile."""
        reported = None
        while not self.is_stopped and (reason := self._find_obstacle()):
            if reason != reported:
                self._listener.on_wait(reason)
            reported = reason
            await self._sleep(POLL_SECONDS)
        return not self.is_stopped

    def _find_obstacle(self) -> str | None:
        """Return why no window may begin now, a clause, or None."""
        if self._count_requests_left() == 0:
            return f"the limit of {self._pace.requests_per_day} requests a day is reached; it goes on tomorrow"
        if self._store.leases.get_active(self._source):
            return "another run of the source is in progress"
        return "a scheduled run goes first" if self._is_start_near() else None

    def _is_start_near(self) -> bool:
        """Whether a scheduled run is due soon, or has started and not ended."""
        row, now = self._store.schedules.get(self._source), self._now()
        if row is None or row.paused or row.next_due_at is None or not get_watch_lease(self._store, self._source):
            return False
        started, finished = row.last_started_at, row.last_finished_at
        oldest = now - timedelta(seconds=MAX_BACKFILL_WAIT)  # a run that started earlier was killed
        if started is not None and started > oldest and (finished is None or finished < started):
            return True  # it waits for the lease
        is_requested = row.next_due_at < now - MAX_START_DELAY  # the far past means a start on request
        return not is_requested and row.next_due_at <= now + timedelta(seconds=MIN_SECONDS_BEFORE_START)

    def _count_requests_left(self) -> int | None:
        """Return how many requests of today's limit are left, None without a limit."""
        if self._pace.requests_per_day is None:
            return None
        backfill, day = self._store.backfills.get(self._source), self._get_day(self._now())
        sent = backfill.request_count if backfill and backfill.request_day == day else 0
        return max(self._pace.requests_per_day - sent, 0)

    def _get_day(self, now: datetime) -> str:
        return now.astimezone(self._zone).date().isoformat()

    def _make_plan(self) -> RunPlan:
        delay = max(self._pace.delay, self._config.politeness.delay)
        limits = self._config.limits
        run_seconds = min(max(limits.run_seconds, REQUESTS_PER_PAGE * delay + MAX_WINDOW_SECONDS), 7 * 86400.0)
        return RunPlan(
            source=self._source,
            config=self._config_path,
            limits=limits.model_copy(update={"run_seconds": run_seconds}),
            backfill=BackfillWindow(
                started_at=self._started_at,
                delay=delay,
                max_seconds=MAX_WINDOW_SECONDS,
                max_run_seconds=run_seconds,
                max_pages=MAX_WINDOW_PAGES,
                max_requests=self._count_requests_left(),
            ),
        )

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def start_backfill(store: Store, source: str, since: datetime | None, now: datetime) -> None:
    """Store that the history of a source is wanted from `since` on; None keeps the stored day.

    Raise UsageError if there is none.
    """
    from crawler.store import Backfill

    known = store.backfills.get(source)
    if since is None and known is None:
        raise UsageError(
            f"The history of {source} was never walked. Write from which day on: "
            f"`crawler backfill {source} --from 2015-01-01`."
        )
    if since is not None and known is None:
        store.backfills.save(Backfill(source=source, since=since, started_at=now))
    elif since is not None and known is not None and since != known.since:
        store.backfills.save(replace(known, since=since))


def _make_error(outcome: RunOutcome) -> CrawlerError:
    """Return the error of a window's run, with its exit code."""
    kinds: tuple[type[CrawlerError], ...] = (UsageError, EmptyStore, StoreError, Blocked, Unreachable)
    kind = next((each for each in kinds if each.exit_code == outcome.exit_code), CrawlerError)
    return kind(outcome.reason)
