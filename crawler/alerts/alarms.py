"""From a run's verdict to an alarm: opened once, told again when it gets worse, closed when the source is well."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from crawler.errors import OUTRANKS
from crawler.store import Alarm, Store

PATIENT = {"unreachable": 2}
"""Runs in a row that must meet a trouble before it is told: networks fail for a moment; all else is told at once."""


def note(
    store: Store, *, source: str, verdict: str, exit_code: int, sentence: str, run_id: int | None, at: datetime
) -> None:
    """Take in how a run ended; what has to be told of it is left as `untold`."""
    former = store.alarms.open_of(source)
    if exit_code == 0:
        if former is not None:
            store.alarms.put(_closed(former, at))
        return
    if former is None:
        former = Alarm(
            source=source,
            kind=verdict,
            severity=str(exit_code),
            message=sentence,
            opened_at=at,
            last_seen_at=at,
            times=0,
        )
    store.alarms.put(_met(former, verdict, exit_code, sentence, run_id, at))


def _met(alarm: Alarm, verdict: str, exit_code: int, sentence: str, run_id: int | None, at: datetime) -> Alarm:
    worse = _rank(exit_code) < _rank(int(alarm.severity))
    met = replace(alarm, last_seen_at=at, times=alarm.times + 1, run_id=run_id)
    if worse or alarm.times == 0:
        met = replace(met, kind=verdict, severity=str(exit_code), message=sentence)
    heard = alarm.told_at is not None or alarm.untold is not None
    if not heard and met.times >= PATIENT.get(met.kind, 1):
        return _to_tell(met, "opened")
    return _to_tell(met, "escalated") if worse and alarm.told_at is not None else met


def _closed(alarm: Alarm, at: datetime) -> Alarm:
    """Whoever heard of it, or was to hear, hears that it is over; of a moment's trouble nobody ever hears."""
    closed = replace(alarm, closed_at=at)
    return _to_tell(closed, "healed") if alarm.told_at or alarm.untold else closed


def _to_tell(alarm: Alarm, what: str) -> Alarm:
    return replace(alarm, untold=what, done=(), tries=0, next_try_at=None, failure=None)


def _rank(code: int) -> int:
    return OUTRANKS.index(code) if code in OUTRANKS else 0
