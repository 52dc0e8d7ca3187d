"""The state of each source's schedule, from which a scheduler in memory starts again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

from sqlalchemy import select

from crawler.store.database import Database
from crawler.store.schema import schedules
from crawler.store.statements import make_upsert, select_columns

RUN_NOW = datetime(1970, 1, 1, tzinfo=UTC)
"""`next_due_at` of a source that a person asked to start now. Clocks of several hosts agree that it is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleState:
    """One source's schedule. `cron` has five fields in the configured time zone, `jitter` is in seconds."""

    source: str
    cron: str
    jitter: int = 0
    paused: bool = False
    last_due_at: datetime | None = None
    last_started_at: datetime | None = None
    last_finished_at: datetime | None = None
    next_due_at: datetime | None = None


_SELECT = select(*select_columns(schedules, (field.name for field in fields(ScheduleState)))).order_by(
    schedules.c.source
)
_SAVE = make_upsert(schedules, key=("source",))


class ScheduleRepository:
    """`store.schedules`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, source: str) -> ScheduleState | None:
        """Return the source's schedule, or None if it never had one."""
        rows = self._database.fetch_all(_SELECT.where(schedules.c.source == source))
        return ScheduleState(**rows[0]._mapping) if rows else None

    def list_all(self) -> list[ScheduleState]:
        """Return all schedules in the order of the sources' names."""
        return [ScheduleState(**row._mapping) for row in self._database.fetch_all(_SELECT)]

    def save(self, state: ScheduleState) -> None:
        """Write the source's schedule over the former one."""
        with self._database.transaction() as connection:
            connection.execute(_SAVE[connection.dialect.name], asdict(state))

    def update(self, source: str, change: Callable[[ScheduleState | None], ScheduleState]) -> ScheduleState:
        """Read, change and write a schedule. No other process writes meanwhile, so that no pause is lost."""
        with self._database.transaction(exclusive=True):
            state = change(self.get(source))
            self.save(state)
        return state
