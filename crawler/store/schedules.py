"""When each source is due, last started and last finished: what an in-memory scheduler is rebuilt from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

from sqlalchemy import select

from crawler.store import schema
from crawler.store.database import Database
from crawler.store.statements import make_upsert

RUN_NOW = datetime(1970, 1, 1, tzinfo=UTC)
"""`next_due_at` of a source that somebody asked to start now; a time that no clock has to agree about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleState:
    """One source's schedule. `cron` has five fields in the owner's time zone, `jitter` is in seconds."""

    source: str
    cron: str
    jitter: int = 0
    paused: bool = False
    last_due_at: datetime | None = None
    last_started_at: datetime | None = None
    last_finished_at: datetime | None = None
    next_due_at: datetime | None = None


_ALL = select(*(schema.schedules.c[field.name] for field in fields(ScheduleState))).order_by(schema.schedules.c.source)
_PUT = make_upsert(schema.schedules, key=("source",))


class ScheduleRepository:
    """`store.schedules`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, source: str) -> ScheduleState | None:
        """The source's schedule, None when it never had one."""
        rows = self._database.fetch_all(_ALL.where(schema.schedules.c.source == source))
        return ScheduleState(**rows[0]._mapping) if rows else None

    def list_all(self) -> list[ScheduleState]:
        """Every schedule, by source name."""
        return [ScheduleState(**row._mapping) for row in self._database.fetch_all(_ALL)]

    def save(self, row: ScheduleState) -> None:
        """Write a schedule over the source's former one."""
        with self._database.transaction() as connection:
            _PUT.execute(connection, asdict(row))

    def update(self, source: str, how: Callable[[ScheduleState | None], ScheduleState]) -> ScheduleState:
        """Write what `how` makes of the source's schedule; nobody else writes meanwhile, so a pause is never lost."""
        with self._database.transaction(batch=True):
            row = how(self.get(source))
            self.save(row)
        return row
