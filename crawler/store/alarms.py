"""The operator's alarms. A source has at most one open alarm, from the first bad run to the next healthy one.

Several processes and threads write and send alarms at the same time. So an alarm is read and changed in one
transaction, and a sender claims it first. The result of sending is written only if nothing new has to be sent by then.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from crawler.store.database import Database
from crawler.store.schema import alarms
from crawler.store.statements import select_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A trouble of a source, from the first bad run to the next healthy one.

    `kind` is the worst health that was announced, `severity` its exit code as text, `last_health` the health of the
    last bad run. `run_count` counts the bad runs. `pending_notice` is what the operator still has to be sent (opened,
    escalated, healed), or None. `notified_channels` have it already; `notified_at` is when a message last reached all
    channels.
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


_SELECT = select(*select_columns(alarms, (field.name for field in fields(Alarm))))


class AlarmRepository:
    """`store.alarms`. Lists start with the newest alarm."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_open(self, source: str) -> Alarm | None:
        """Return the source's open alarm, or None."""
        found = self._list_where(alarms.c.source == source, alarms.c.closed_at.is_(None))
        return found[0] if found else None

    def list_open_between(self, source: str, begin: datetime, end: datetime) -> list[Alarm]:
        """Return the source's alarms that were open at any time from `begin` to before `end`."""
        after = alarms.c.closed_at.is_(None) | (alarms.c.closed_at >= begin)
        return self._list_where(alarms.c.source == source, alarms.c.opened_at < end, after)

    def list_due(self, now: datetime) -> list[Alarm]:
        """Return the alarms with a notice that has to be sent now."""
        is_due = alarms.c.next_try_at.is_(None) | (alarms.c.next_try_at <= now)
        return self._list_where(alarms.c.pending_notice.is_not(None), is_due)

    def has_waiting_failure(self) -> bool:
        """Return whether a channel did not take an alarm, which waits for its next attempt."""
        return bool(self._list_where(alarms.c.pending_notice.is_not(None), alarms.c.failure.is_not(None)))

    def update_open(self, source: str, change: Callable[[Alarm | None], Alarm | None]) -> None:
        """Read, change and write the source's open alarm. No other process writes meanwhile.

        If `change` returns None, nothing is written. A new alarm cancels what was still to be sent about the source's
        closed ones: "well again" would no longer be true.
        """
        with self._database.transaction(exclusive=True) as connection:
            former = self.get_open(source)
            changed = change(former)
            if changed is None or changed == former:
                return
            self.save(changed)
            if changed.pending_notice == "opened":
                closed = (
                    alarms.c.source == source,
                    alarms.c.closed_at.is_not(None),
                    alarms.c.pending_notice.is_not(None),
                )
                connection.execute(update(alarms).where(*closed).values(pending_notice=None, next_try_at=None))

    def claim(self, alarm: Alarm, now: datetime, until: datetime) -> Alarm | None:
        """Return the alarm, reserved for the caller until then. None if another sender has it or it has changed."""
        is_due = alarms.c.next_try_at.is_(None) | (alarms.c.next_try_at <= now)
        return (
            replace(alarm, next_try_at=until) if self._update_if_unchanged(alarm, is_due, next_try_at=until) else None
        )

    def save_result(self, claimed: Alarm, result: Alarm) -> bool:
        """Write the result of sending. Return False and write nothing if something new has to be sent by now."""
        return self._update_if_unchanged(
            claimed,
            alarms.c.next_try_at == claimed.next_try_at,
            pending_notice=result.pending_notice,
            notified_at=result.notified_at,
            notified_channels=json.dumps(result.notified_channels),
            tries=result.tries,
            next_try_at=result.next_try_at,
            failure=result.failure,
        )

    def save(self, alarm: Alarm) -> None:
        """Write a new alarm (its id is None), or write over its former state."""
        values = {field.name: getattr(alarm, field.name) for field in fields(Alarm) if field.name != "id"}
        values["notified_channels"] = json.dumps(alarm.notified_channels)
        with self._database.transaction() as connection:
            if alarm.id is None:
                connection.execute(insert(alarms), values)
            else:
                connection.execute(update(alarms).where(alarms.c.id == alarm.id).values(**values))

    def _update_if_unchanged(self, alarm: Alarm, condition: Any, **values: Any) -> bool:
        """Update the alarm if its notice and severity are still the same. Return whether they are.

        The message of a pending notice changes only together with the severity.
        """
        is_same = (
            alarms.c.id == alarm.id,
            alarms.c.pending_notice == alarm.pending_notice,
            alarms.c.severity == alarm.severity,
        )
        with self._database.transaction() as connection:
            return connection.execute(update(alarms).where(*is_same, condition).values(**values)).rowcount == 1

    def _list_where(self, *conditions: Any) -> list[Alarm]:
        rows = self._database.fetch_all(_SELECT.where(*conditions).order_by(alarms.c.id.desc()))
        return [_make_alarm(row) for row in rows]


def _make_alarm(row: Row[Any]) -> Alarm:
    return Alarm(**{**row._mapping, "notified_channels": tuple(json.loads(row.notified_channels))})
