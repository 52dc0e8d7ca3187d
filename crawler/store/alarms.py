"""The operator's alarms: at most one open for each source, from the first bad run to the next healthy one.

Several processes and threads note and send at the same time. So an alarm is read and changed in one transaction, and
who sends it takes it first; what came of the sending is written down only if nothing new is to be told meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from crawler.store.database import Database
from crawler.store.watch_schema import alarms


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One trouble of one source.

    `kind` is the worst verdict that was told, `severity` its exit code as text, `latest` the verdict of the last run
    that met it; `times` counts the runs that met it. `untold` is what the
    operator has still to hear (opened, escalated, healed), None for nothing; `done` are the channels that have it
    already; `told_at` is when a message of it last arrived everywhere.
    """

    id: int | None = None
    source: str
    kind: str
    severity: str
    last_health: str
    message: str
    opened_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None = None
    run_count: int = 1
    run_id: int | None = None
    pending_notice: str | None = None
    notified_at: datetime | None = None
    notified_channels: tuple[str, ...] = ()
    tries: int = 0
    next_try_at: datetime | None = None
    failure: str | None = None


class AlarmRepository:
    """`store.alarms`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_open(self, source: str) -> Alarm | None:
        """The source's open alarm, None for a source that is well."""
        found = self._select(alarms.c.source == source, alarms.c.closed_at.is_(None))
        return found[0] if found else None

    def list_open(self) -> list[Alarm]:
        """Every open alarm, the latest first."""
        return self._select(alarms.c.closed_at.is_(None))

    def list_open_between(self, source: str, begin: datetime, end: datetime) -> list[Alarm]:
        """The source's alarms that were open at some time from `begin` on and before `end`, the latest first."""
        after = alarms.c.closed_at.is_(None) | (alarms.c.closed_at >= begin)
        return self._select(alarms.c.source == source, alarms.c.opened_at < end, after)

    def list_due(self, now: datetime) -> list[Alarm]:
        """Those of which something is still to be told and due to be tried, the latest first."""
        due = alarms.c.next_try_at.is_(None) | (alarms.c.next_try_at <= now)
        return self._select(alarms.c.untold.is_not(None), due)

    def update_open(self, source: str, how: Callable[[Alarm | None], Alarm | None]) -> None:
        """Put what `how` makes of the source's open alarm; nothing else writes meanwhile. None changes nothing.

        An alarm that begins to be told overtakes what was still to be told of the source's closed ones: "well again"
        would be untrue by now.
        """
        with self._database.transaction(batch=True):
            former = self.get_open(source)
            changed = how(former)
            if changed is None or changed == former:
                return
            self.save(changed)
            if changed.pending_notice == "opened":
                with self._database.transaction() as connection:
                    old = (alarms.c.source == source, alarms.c.closed_at.is_not(None), alarms.c.untold.is_not(None))
                    connection.execute(update(alarms).where(*old).values(untold=None, next_try_at=None))

    def claim(self, alarm: Alarm, now: datetime, until: datetime) -> Alarm | None:
        """The alarm for one who sends it, nobody else's until then; None when another took it or it changed."""
        due = alarms.c.next_try_at.is_(None) | (alarms.c.next_try_at <= now)
        return replace(alarm, next_try_at=until) if self._written(alarm, due, next_try_at=until) else None

    def save_result(self, taken: Alarm, outcome: Alarm) -> bool:
        """Write what came of sending; False, with nothing written, when there is something new to tell by now."""
        return self._written(
            taken,
            alarms.c.next_try_at == taken.next_try_at,
            untold=outcome.pending_notice,
            told_at=outcome.notified_at,
            done=json.dumps(outcome.notified_channels),
            tries=outcome.tries,
            next_try_at=outcome.next_try_at,
            failure=outcome.failure,
        )

    def save(self, alarm: Alarm) -> None:
        """Write an alarm: a new one, or over its former state."""
        values = {name: getattr(alarm, name) for name in Alarm.__slots__ if name != "id"}
        values["done"] = json.dumps(alarm.notified_channels)
        with self._database.transaction() as connection:
            if alarm.id is None:
                connection.execute(insert(alarms), values)
            else:
                connection.execute(update(alarms).where(alarms.c.id == alarm.id).values(**values))

    def _written(self, alarm: Alarm, also: Any, **values: Any) -> bool:
        same = (alarms.c.id == alarm.id, alarms.c.untold == alarm.pending_notice, alarms.c.message == alarm.message)
        with self._database.transaction() as connection:
            return connection.execute(update(alarms).where(*same, also).values(**values)).rowcount == 1

    def _select(self, *wanted: Any) -> list[Alarm]:
        rows = self._database.fetch_all(select(alarms).where(*wanted).order_by(alarms.c.id.desc()))
        return [_alarm(row) for row in rows]


def _alarm(row: Row[Any]) -> Alarm:
    return Alarm(**{**row._mapping, "done": tuple(json.loads(row.done))})
