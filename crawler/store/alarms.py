"""The operator's alarms: at most one open for each source, from the first bad run to the next healthy one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from crawler.store.connection import Database
from crawler.store.watch_schema import alarms


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One trouble of one source.

    `kind` is the verdict, `severity` its exit code as text; `times` counts the runs that met it. `untold` is what the
    operator has still to hear (opened, escalated, healed), None for nothing; `done` are the channels that have it
    already; `told_at` is when a message of it last arrived everywhere.
    """

    id: int | None = None
    source: str
    kind: str
    severity: str
    message: str
    opened_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None = None
    times: int = 1
    run_id: int | None = None
    untold: str | None = None
    told_at: datetime | None = None
    done: tuple[str, ...] = ()
    tries: int = 0
    next_try_at: datetime | None = None
    failure: str | None = None


class AlarmRoom:
    """`store.alarms`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open_of(self, source: str) -> Alarm | None:
        """The source's open alarm, None for a source that is well."""
        found = self._select(alarms.c.source == source, alarms.c.closed_at.is_(None))
        return found[0] if found else None

    def open(self) -> list[Alarm]:
        """Every open alarm, the latest first."""
        return self._select(alarms.c.closed_at.is_(None))

    def untold(self, now: datetime) -> list[Alarm]:
        """Those of which something is still to be told and due to be tried, the latest first."""
        due = alarms.c.next_try_at.is_(None) | (alarms.c.next_try_at <= now)
        return self._select(alarms.c.untold.is_not(None), due)

    def put(self, alarm: Alarm) -> None:
        """Write an alarm: a new one, or over its former state."""
        values = {name: getattr(alarm, name) for name in Alarm.__slots__ if name != "id"}
        values["done"] = json.dumps(alarm.done)
        with self._database.writing() as connection:
            if alarm.id is None:
                connection.execute(insert(alarms), values)
            else:
                connection.execute(update(alarms).where(alarms.c.id == alarm.id).values(**values))

    def _select(self, *wanted: Any) -> list[Alarm]:
        rows = self._database.read(select(alarms).where(*wanted).order_by(alarms.c.id.desc()))
        return [_alarm(row) for row in rows]


def _alarm(row: Row[Any]) -> Alarm:
    return Alarm(**{**row._mapping, "done": tuple(json.loads(row.done))})
