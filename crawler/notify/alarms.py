"""The operator's alarms: one opens when a run finds trouble, gets worse, and closes when the source is well again.

An alarm's `pending_notice` is what the operator has to be sent: opened, escalated or healed. Routing turns it into a
message of the subscription `operator`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from crawler.config import OPERATOR, Config
from crawler.errors import EXIT_CODE_PRECEDENCE
from crawler.notify.alarm_rendering import make_alarm_key
from crawler.notify.delays import DelayStats, format_delay, format_minutes
from crawler.store import Alarm, Store
from crawler.store.alarms import DELAY_TOPIC

CONFIRMED_BY_SECOND_RUN = frozenset({"unreachable"})
"""Health that is announced when two runs in a row have it: networks fail for a moment.

Any other is announced at once.
"""
FLAPPING_WINDOW_RUNS, MIN_BAD_RUNS = 6, 3
"""This many bad ones of so many recent runs are announced too, even with good runs between them."""


def record_run_result(
    store: Store, *, source: str, health: str, exit_code: int, message: str, run_id: int | None, finished_at: datetime
) -> None:
    """Open, update or close the source's alarm after a run with this health."""
    recent = store.runs.list_recent(source, 2 * FLAPPING_WINDOW_RUNS, mode="live")
    is_flapping = _is_flapping([str(run.health) for run in recent if run.finished_at])

    def change_alarm(alarm: Alarm | None) -> Alarm | None:
        if exit_code == 0:
            if alarm is None or (is_flapping and alarm.kind in CONFIRMED_BY_SECOND_RUN):
                return None
            return _close_alarm(alarm, finished_at)
        current = Alarm(
            source=source,
            kind=health,
            severity=str(exit_code),
            last_health=health,
            message=message,
            opened_at=finished_at,
            last_seen_at=finished_at,
            run_id=run_id,
        )
        return _update_alarm(alarm, current, is_flapping) if alarm else _open_alarm(current, is_flapping)

    store.alarms.update_open(source, change_alarm)


def _is_flapping(newest_healths: Sequence[str]) -> bool:
    """Return whether a source fails and recovers again and again: many bad runs of late, with good ones between."""
    bad = [health in CONFIRMED_BY_SECOND_RUN for health in newest_healths[:FLAPPING_WINDOW_RUNS]]
    starts = sum(is_bad and not before for is_bad, before in pairwise([*bad, False]))
    return sum(bad) >= MIN_BAD_RUNS and starts > 1


def _open_alarm(alarm: Alarm, is_flapping: bool) -> Alarm:
    return alarm if alarm.kind in CONFIRMED_BY_SECOND_RUN and not is_flapping else _queue_notice(alarm, "opened")


def _update_alarm(alarm: Alarm, current: Alarm, is_flapping: bool) -> Alarm:
    """Return the open alarm after one more bad run, which is described by `current`."""
    is_confirmed = current.kind not in CONFIRMED_BY_SECOND_RUN or alarm.last_health == current.kind or is_flapping
    seen = replace(
        alarm,
        last_health=current.kind,
        last_seen_at=current.last_seen_at,
        run_count=alarm.run_count + 1,
        run_id=current.run_id,
    )
    updated = replace(seen, kind=current.kind, severity=current.severity, message=current.message)
    if alarm.announced_at is None and alarm.pending_notice is None:  # So far it could have been a moment's failure.
        return _queue_notice(updated, "opened") if is_confirmed else updated
    if not is_confirmed or _rank_exit_code(int(current.severity)) >= _rank_exit_code(int(alarm.severity)):
        return seen
    return _queue_notice(updated, "escalated") if alarm.announced_at else updated


def _close_alarm(alarm: Alarm, at: datetime) -> Alarm:
    """Return the closed alarm. The operator hears of the end if a message about the alarm was made."""
    return replace(alarm, closed_at=at, pending_notice="healed" if alarm.announced_at else None)


def _queue_notice(alarm: Alarm, notice: str) -> Alarm:
    return replace(alarm, pending_notice=notice)


def _rank_exit_code(code: int) -> int:
    """Return the place of an exit code in the order of precedence: a smaller number is worse."""
    return EXIT_CODE_PRECEDENCE.index(code) if code in EXIT_CODE_PRECEDENCE else 0


def record_delay(store: Store, source: str, delay: DelayStats | None, max_delay: timedelta, now: datetime) -> None:
    """Open or close the source's alarm about the delay of its messages. None is no delay."""
    is_late = delay is not None and delay.p95 > max_delay
    if not is_late and store.alarms.get_open(source, DELAY_TOPIC) is None:
        return  # the usual case, without a lock

    def change_alarm(alarm: Alarm | None) -> Alarm | None:
        if delay is None or not is_late:
            return _close_alarm(alarm, now) if alarm else None
        if alarm:
            return replace(alarm, last_seen_at=now, run_count=alarm.run_count + 1)
        found = Alarm(
            source=source,
            topic=DELAY_TOPIC,
            kind="delayed",
            severity="0",
            last_health="delayed",
            message=f"From publication to message: {format_delay(delay)}. The limit is {format_minutes(max_delay)}.",
            opened_at=now,
            last_seen_at=now,
        )
        return _queue_notice(found, "opened")

    store.alarms.update_open(source, change_alarm, DELAY_TOPIC)


def route_alarms(store: Store, config: Config, now: datetime) -> int:
    """Add a message for each alarm with something to say. Return how many. Sends nothing.

    Without a channel for alarms they stay pending: a channel that is added later gets those still open.
    """
    operator = config.find_subscription(OPERATOR)
    # Look without a lock first, because a watch looks every half minute.
    if operator is None or not store.alarms.list_pending():
        return 0
    with store.transaction():
        pending = store.alarms.list_pending()
        for alarm in reversed(pending):
            message_id = store.messages.add(
                key=make_alarm_key(alarm, str(alarm.pending_notice)),
                subscription=OPERATOR,
                kind="alarm",
                channels=operator.channels,
                created_at=now,
                due_at=now,
            )
            store.alarms.save_announcement(alarm, message_id, now)
    return len(pending)
