"""The stored row of a source's schedule. The scheduler itself remembers nothing between two starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crawler.store.schedules import RUN_NOW, ScheduleState

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger

    from crawler.store.schedules import ScheduleRepository


MAX_CLOCK_DIFFERENCE = timedelta(hours=1)
"""Largest believable difference of two schedulers' clocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a source runs. `cron` has five fields in the owner's time zone. `jitter` is the maximum delay in seconds.

    `reason` explains a learned cron. `politeness_group` is the host of the source's requests, or a name for all
    sources that must not run at the same time; empty: the source alone.
    """

    cron: str
    jitter: int = 0
    politeness_group: str = ""
    reason: str | None = field(default=None, compare=False)


def merge_timings(schedules: ScheduleRepository, timings: Mapping[str, Timing]) -> list[ScheduleState]:
    """Return a row for each source in `timings`, with its cron and jitter instead of the stored ones."""
    return [apply_timing(schedules.get(source), source, timing) for source, timing in timings.items()]


def apply_timing(row: ScheduleState | None, source: str, timing: Timing) -> ScheduleState:
    """Return the row with this timing. A start planned by another timing is dropped, a requested start is kept."""
    if row is None:
        return ScheduleState(source=source, cron=timing.cron, jitter=timing.jitter)
    if (row.cron, row.jitter) == (timing.cron, timing.jitter):
        return row
    requested = RUN_NOW if row.next_due_at == RUN_NOW else None
    return replace(row, cron=timing.cron, jitter=timing.jitter, next_due_at=requested)


def is_start_overdue(row: ScheduleState, trigger: BaseTrigger, now: datetime) -> bool:
    """Return whether a start was missed or requested. A source that never started is overdue."""
    if row.last_due_at is None or row.next_due_at == RUN_NOW:
        return True
    due = trigger.get_next_fire_time(row.last_due_at, now)
    return due is not None and due <= now


def is_start_claimed(row: ScheduleState, trigger: BaseTrigger, now: datetime) -> bool:
    """Return whether another scheduler has made the start that is due now.

    A last start far in the future counts for nothing: a wrong clock dated it, and it would stop the source until then.
    """
    is_dated_ahead = row.last_due_at is not None and row.last_due_at > now + MAX_CLOCK_DIFFERENCE
    return not is_dated_ahead and not is_start_overdue(row, trigger, now)
