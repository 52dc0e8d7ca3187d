"""When each source is due, last started and last finished: what an in-memory scheduler is rebuilt from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

from sqlalchemy import select

from crawler.store import schema
from crawler.store.connection import Database
from crawler.store.statements import insert_or_update

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""`next_due_at` of a source that somebody asked to start now; a time that no clock has to agree about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """One source's schedule. `cron` has five fields in the owner's time zone, `jitter` is in seconds."""

    source: str
    cron: str
    jitter: int = 0
    paused: bool = False
    last_due_at: datetime | None = None
    last_started_at: datetime | None = None
    last_finished_at: datetime | None = None
    next_due_at: datetime | None = None


_ALL = select(*(schema.schedules.c[field.name] for field in fields(ScheduleRow))).order_by(schema.schedules.c.source)
_PUT = insert_or_update(schema.schedules, key=("source",))


class ScheduleRoom:
    """`store.schedules`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, source: str) -> ScheduleRow | None:
        """The source's schedule, None when it never had one."""
        rows = self._database.read(_ALL.where(schema.schedules.c.source == source))
        return ScheduleRow(**rows[0]._mapping) if rows else None

    def all(self) -> list[ScheduleRow]:
        """Every schedule, by source name."""
        return [ScheduleRow(**row._mapping) for row in self._database.read(_ALL)]

    def put(self, row: ScheduleRow) -> None:
        """Write a schedule over the source's former one."""
        with self._database.writing() as connection:
            _PUT.run(connection, asdict(row))

    def change(self, source: str, how: Callable[[ScheduleRow | None], ScheduleRow]) -> ScheduleRow:
        """Write what `how` makes of the source's schedule; nobody else writes meanwhile, so a pause is never lost."""
        with self._database.writing(batch=True):
            row = how(self.get(source))
            self.put(row)
        return row
