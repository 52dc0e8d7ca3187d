"""What is remembered of each source's schedule, so that the scheduler itself need remember nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from apscheduler.triggers.base import BaseTrigger

from crawler.store.schedules import RUN_NOW, ScheduleState


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a source runs: `cron` has five fields in the owner's time zone, `jitter` is the most seconds of delay, `why`
    says how a learned cron came about."""

    cron: str
    jitter: int = 0
    reason: str | None = field(default=None, compare=False)


class ScheduleStore(Protocol):
    """Where the rows are kept (`store.schedules`)."""

    def get(self, source: str) -> ScheduleState | None:
        """The source's row, None when it never had one."""

    def list_all(self) -> Sequence[ScheduleState]:
        """Every row."""

    def update(self, source: str, how: Callable[[ScheduleState | None], ScheduleState]) -> ScheduleState:
        """Write what `how` makes of the source's row, and nobody else writes meanwhile."""


def merge_timings(book: ScheduleStore, timings: Mapping[str, Timing]) -> list[ScheduleState]:
    """A row for each source in `timings`, which outranks what was remembered of cron and jitter."""
    return [apply_timing(book.get(source), source, timing) for source, timing in timings.items()]


def apply_timing(row: ScheduleState | None, source: str, timing: Timing) -> ScheduleState:
    """The row under this timing; a start planned by another one is forgotten, one that was asked for is not."""
    if row is None:
        return ScheduleState(source=source, cron=timing.cron, jitter=timing.jitter)
    if (row.cron, row.jitter) == (timing.cron, timing.jitter):
        return row
    asked = RUN_NOW if row.next_due_at == RUN_NOW else None
    return replace(row, cron=timing.cron, jitter=timing.jitter, next_due_at=asked)


def plan_first_start(
    row: ScheduleState | None, *, source: str, timing: Timing, first: datetime | None
) -> ScheduleState:
    """The row under this timing, with its first start by it."""
    return replace(apply_timing(row, source, timing), next_due_at=first)


def is_start_overdue(row: ScheduleState, slots: BaseTrigger, now: datetime) -> bool:
    """Whether a start fell due that was not honoured, or was asked for. A source that never started is due: nothing is
    known of it."""
    if row.last_due_at is None or row.next_due_at == RUN_NOW:
        return True
    due = slots.get_next_fire_time(row.last_due_at, now)
    return due is not None and due <= now
