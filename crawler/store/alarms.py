"""The operator's alarms. A source has at most one open alarm of each topic, from the first trouble to its end.

Several processes and threads write alarms at the same time, so an alarm is read and changed in one transaction. What
the operator is to be sent becomes a message in the outbox in one transaction with the alarm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, insert, select, update

from crawler.store.database import Database
from crawler.store.schema import alarm_notices, alarms
from crawler.store.statements import select_columns

HEALTH_TOPIC, DELAY_TOPIC = "health", "delay"
"""What an alarm is about: the health of the source's runs, or the delay of its messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A trouble of a source, from its first sight to its end.

    `kind` is the worst health that was announced, `severity` its exit code as text, `last_health` the health of the
    last bad run. `run_count` counts the bad runs. `pending_notice` is what is not yet in the outbox (opened, escalated,
    healed), or None. `announced_at` is when its first message was put there.
    """

    id: int | None = None
    source: str
    topic: str = HEALTH_TOPIC
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
    announced_at: datetime | None = None


class AlarmNotice(NamedTuple):
    """What one message says about an alarm. `kind` and `message` are those of the alarm at that time.

    `notice` is opened, escalated or healed. `is_current`: no later notice is about the same source and topic, and the
    notice is still true.
    """

    alarm: Alarm
    notice: str
    kind: str
    message: str
    is_current: bool


_ALARM_FIELDS = tuple(field.name for field in fields(Alarm))
_SELECT = select(*select_columns(alarms, _ALARM_FIELDS))


class AlarmRepository:
    """`store.alarms`. Lists start with the newest alarm, those of notices with the oldest notice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_open(self, source: str, topic: str = HEALTH_TOPIC) -> Alarm | None:
        """Return the source's open alarm about a topic, or None."""
        found = self._list_where(alarms.c.source == source, alarms.c.topic == topic, alarms.c.closed_at.is_(None))
        return found[0] if found else None

    def list_open_between(self, source: str, begin: datetime, end: datetime) -> list[Alarm]:
        """Return alarms about the source's health that were open at any time from `begin` to before `end`."""
        is_after = alarms.c.closed_at.is_(None) | (alarms.c.closed_at >= begin)
        is_about = (alarms.c.source == source, alarms.c.topic == HEALTH_TOPIC)
        return self._list_where(*is_about, alarms.c.opened_at < end, is_after)

    def list_pending(self) -> list[Alarm]:
        """Return the alarms with a notice that is not yet in the outbox."""
        return self._list_where(alarms.c.pending_notice.is_not(None))

    def update_open(
        self, source: str, change: Callable[[Alarm | None], Alarm | None], topic: str = HEALTH_TOPIC
    ) -> None:
        """Read, change and write the source's open alarm about a topic. No other process writes meanwhile.

        If `change` returns None, nothing is written. A new alarm cancels what was still to be sent about the closed
        ones: "well again" would no longer be true.
        """
        with self._database.transaction(exclusive=True) as connection:
            former = self.get_open(source, topic)
            changed = change(former)
            if changed is None or changed == former:
                return
            self.save(changed)
            if changed.pending_notice == "opened":
                closed = (
                    alarms.c.source == source,
                    alarms.c.topic == topic,
                    alarms.c.closed_at.is_not(None),
                    alarms.c.pending_notice.is_not(None),
                )
                connection.execute(update(alarms).where(*closed).values(pending_notice=None))

    def save(self, alarm: Alarm) -> None:
        """Write a new alarm (its id is None), or write over its former state."""
        values = {name: getattr(alarm, name) for name in _ALARM_FIELDS if name != "id"}
        with self._database.transaction() as connection:
            if alarm.id is None:
                connection.execute(insert(alarms), values)
            else:
                connection.execute(update(alarms).where(alarms.c.id == alarm.id).values(**values))

    def save_announcement(self, alarm: Alarm, message_id: int, at: datetime) -> None:
        """Write that a message has the alarm's pending notice."""
        row = {
            "alarm_id": alarm.id,
            "notice": alarm.pending_notice,
            "kind": alarm.kind,
            "message": alarm.message,
            "message_id": message_id,
        }
        with self._database.transaction() as connection:
            connection.execute(insert(alarm_notices), row)
            announced_at = func.coalesce(alarms.c.announced_at, at)
            chosen = update(alarms).where(alarms.c.id == alarm.id)
            connection.execute(chosen.values(pending_notice=None, announced_at=announced_at))

    def list_notices(self, message_id: int) -> list[AlarmNotice]:
        """Return what a message says about alarms."""
        query = (
            select(alarm_notices.c.id.label("notice_id"), *select_columns(alarm_notices, ("notice", "kind", "message")))
            .add_columns(alarm_notices.c.alarm_id)
            .where(alarm_notices.c.message_id == message_id)
        )
        found = []
        for row in self._database.fetch_all(query.order_by(alarm_notices.c.id)):
            (alarm,) = self._list_where(alarms.c.id == row.alarm_id)
            is_true = row.notice == "healed" or alarm.closed_at is None
            is_current = is_true and row.notice_id == self._get_last_notice_id(alarm)
            found.append(AlarmNotice(alarm, row.notice, row.kind, row.message, is_current))
        return found

    def list_message_ids(self, alarm_id: int) -> list[int]:
        """Return the messages about an alarm, the oldest first."""
        query = select(alarm_notices.c.message_id).where(alarm_notices.c.alarm_id == alarm_id)
        query = query.where(alarm_notices.c.message_id.is_not(None)).order_by(alarm_notices.c.id)
        return [row.message_id for row in self._database.fetch_all(query)]

    def move_notices(self, from_message_id: int, to_message_id: int) -> None:
        """Write that another message says what this one was to say."""
        chosen = update(alarm_notices).where(alarm_notices.c.message_id == from_message_id)
        with self._database.transaction() as connection:
            connection.execute(chosen.values(message_id=to_message_id))

    def _get_last_notice_id(self, alarm: Alarm) -> int:
        """Return the newest notice about the alarm's source and topic."""
        query = (
            select(func.max(alarm_notices.c.id))
            .join_from(alarm_notices, alarms, alarm_notices.c.alarm_id == alarms.c.id)
            .where(alarms.c.source == alarm.source, alarms.c.topic == alarm.topic)
        )
        found: int = self._database.fetch_all(query)[0][0]
        return found

    def _list_where(self, *conditions: Any) -> list[Alarm]:
        rows = self._database.fetch_all(_SELECT.where(*conditions).order_by(alarms.c.id.desc()))
        return [Alarm(**row._mapping) for row in rows]
