"""What is remembered of each source's schedule, so that the scheduler itself need remember nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from apscheduler.triggers.cron import CronTrigger

from crawler.store.schedules import ScheduleRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a source runs: `cron` has five fields in the owner's time zone, `jitter` is the most seconds of delay."""

    cron: str
    jitter: int = 0


class ScheduleBook(Protocol):
    """Where the rows are kept (`store.schedules`)."""

    def get(self, source: str) -> ScheduleRow | None:
        """The source's row, None when it never had one."""

    def all(self) -> Sequence[ScheduleRow]:
        """Every row."""

    def put(self, row: ScheduleRow) -> None:
        """Write a row, over the source's earlier one."""


def merged(book: ScheduleBook, timings: Mapping[str, Timing]) -> list[ScheduleRow]:
    """A row for each source in `timings`, which outranks what was remembered of cron and jitter."""
    rows = []
    for source, timing in timings.items():
        row = book.get(source) or ScheduleRow(source=source, cron=timing.cron)
        if (row.cron, row.jitter) != (timing.cron, timing.jitter):
            row = replace(row, cron=timing.cron, jitter=timing.jitter, next_due_at=None)
        rows.append(row)
    return rows


def missed(row: ScheduleRow, slots: CronTrigger, now: datetime) -> bool:
    """Whether a start fell due that was not honoured. A source that never started is due: nothing is known of it."""
    if row.last_due_at is None:
        return True
    due = slots.get_next_fire_time(row.last_due_at, now)
    return due is not None and due <= now
