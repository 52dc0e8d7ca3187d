"""The seam between when and how: a scheduler decides that a source is due, an engine makes or queues its run.

`LocalEngine` runs sources in child processes of this one. `queue_engine` queues them for workers on any machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

from crawler.errors import CrawlerError, SourceLocked
from crawler.service.child import ChildPool
from crawler.service.fork_server import start_fork_server
from crawler.service.run import RunOutcome, RunPlan
from crawler.service.worker import RunEvent
from crawler.store.schedules import ScheduleState

STOP_REASON = "The run of {} was ended because the watch ends"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run began. `at` is aware, in the owner's time zone, as in every event."""

    source: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """A run ended. `worker` made it; empty: a child of this process."""

    source: str
    at: datetime
    outcome: RunOutcome
    worker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSkipped:
    """A start was due while a run of the source was in progress, here or elsewhere."""

    source: str
    at: datetime
    reason: str = "its last run is still in progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQueued:
    """A run waits for a worker."""

    source: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReturned:
    """A worker could not end a run. `reason` is a clause that says where the run is now."""

    source: str
    at: datetime
    reason: str


SchedulerEvent = RunStarted | RunFinished | RunSkipped | RunQueued | RunReturned


class SchedulerObserver(Protocol):
    """What a scheduler notifies."""

    def on_ready(self, sources: Sequence[str], first_starts: Mapping[str, datetime]) -> None:
        """Handle the begin of a watch of `sources`, with the first start of each one that is not paused."""

    def on_step(self, event: SchedulerEvent) -> None:
        """Handle a start, an end or a skipped start."""

    def on_event(self, event: RunEvent) -> None:
        """Handle an event of a run, with its `source`."""

    def on_check(self, sources: Sequence[str]) -> None:
        """Handle a check of the scheduled sources. Called in the store's thread."""

    def on_reload(self, at: datetime, sources: Sequence[str]) -> None:
        """Handle new timings that are now in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSource:
    """A source that is to run now. `due_at` is when its schedule wanted it.

    `politeness_group`: sources of one group never run at the same time on several workers.
    """

    source: str
    politeness_group: str
    due_at: datetime
    confirm: Callable[[], Awaitable[bool]]
    """Return whether the start is still wanted: the source is not paused or removed, and the watch does not end."""
    record: Callable[..., Awaitable[object]]
    """Write these changes to the row of the source's schedule."""
    claim: Callable[[ScheduleState | None], ScheduleState | None]
    """Return the row to write for this start, or None if it is not wanted or another scheduler has made it."""


class RunEngine(Protocol):
    """Makes the runs that a scheduler finds due."""

    async def begin(self) -> None:
        """Get ready, before the first start."""

    async def start_run(self, due: DueSource) -> None:
        """Run or queue a due source. Not called again for this source before it returns."""

    def stop(self) -> None:
        """Let no other run start, and end what this process runs. The second call kills."""

    async def close(self) -> None:
        """Release what `begin` opened, after all calls of `start_run` have returned."""


class LocalEngine:
    """Runs each source in a child process of this one, at most `max_children` at a time."""

    def __init__(
        self, make_plan: Callable[[str], RunPlan], observer: SchedulerObserver, zone: tzinfo, max_children: int
    ) -> None:
        self._make_plan, self._observer, self._zone = make_plan, observer, zone
        self._slots, self._children = asyncio.Semaphore(max_children), ChildPool(STOP_REASON)

    async def begin(self) -> None:
        """Start the fork server. Its imports go on meanwhile."""
        start_fork_server()

    async def start_run(self, due: DueSource) -> None:
        """Run a source once and report its start and its end."""
        async with self._slots:
            if not await due.confirm():
                return
            source, now = due.source, datetime.now(self._zone)
            self._observer.on_step(RunStarted(source=source, at=now))
            recording = due.record(is_answered=True, last_due_at=due.due_at, last_started_at=now)
            # The row is written while the child starts, so that nothing is awaited between the check and the fork.
            updating = asyncio.ensure_future(recording)
            outcome = await self._make_run(source)
            await updating
            now = datetime.now(self._zone)
            await due.record(last_finished_at=now)
            self._observer.on_step(make_end_step(outcome, now))

    async def _make_run(self, source: str) -> RunOutcome:
        try:
            plan = self._make_plan(source)
        except CrawlerError as error:
            return RunOutcome(source=source, exit_code=error.exit_code, reason=str(error))
        return await self._children.run(plan, self._observer.on_event)

    def stop(self) -> None:
        """End every run (TERM, TERM, KILL). The second call kills."""
        self._children.stop()

    async def close(self) -> None:
        """Do nothing: every run has ended."""


def make_end_step(outcome: RunOutcome, at: datetime, worker: str = "") -> RunFinished | RunSkipped:
    """Return the event for the end of a run: skipped, if another run of the source kept it from starting."""
    if outcome.run is None and outcome.exit_code == SourceLocked.exit_code:
        return RunSkipped(source=outcome.source, at=at, reason=outcome.reason)
    return RunFinished(source=outcome.source, at=at, outcome=outcome, worker=worker)
