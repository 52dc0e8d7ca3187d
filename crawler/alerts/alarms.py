"""From a run's verdict to an alarm: opened once, told again when it gets worse, closed when the source is well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from crawler.errors import OUTRANKS
from crawler.store import Alarm, Store

PATIENT = frozenset({"unreachable"})
"""What two runs in a row must meet before it is told: networks fail for a moment; all else is told at once."""
RUNS, OFTEN = 6, 3
"""Of the last RUNS runs, so many that met it are told too, though well ones stood between them."""


def note(
    store: Store, *, source: str, verdict: str, exit_code: int, sentence: str, run_id: int | None, at: datetime
) -> None:
    """Take in how a run ended; what has to be told of it is left as `untold`."""
    wavers = _wavers([str(run.health) for run in store.runs.recent(source, 2 * RUNS, mode="live") if run.finished_at])

    def how(former: Alarm | None) -> Alarm | None:
        if exit_code == 0:
            return _closed(former, at) if former and not (wavers and former.kind in PATIENT) else None
        met = Alarm(
            source=source,
            kind=verdict,
            severity=str(exit_code),
            latest=verdict,
            message=sentence,
            opened_at=at,
            last_seen_at=at,
            run_id=run_id,
        )
        return _again(former, met, wavers) if former else _first(met, wavers)

    store.alarms.change(source, how)


def _wavers(verdicts: Sequence[str]) -> bool:
    """Whether a source comes and goes: often met of late, with well runs between. `verdicts` are newest first."""
    met = [verdict in PATIENT for verdict in verdicts[:RUNS]]
    begun = sum(here and not before for here, before in pairwise([*met, False]))
    return sum(met) >= OFTEN and begun > 1


def _first(met: Alarm, wavers: bool) -> Alarm:
    return met if met.kind in PATIENT and not wavers else _to_tell(met, "opened")


def _again(former: Alarm, met: Alarm, wavers: bool) -> Alarm:
    """The open alarm after one more run that met trouble."""
    is_sure = met.kind not in PATIENT or former.latest == met.kind or wavers
    seen = replace(former, latest=met.kind, last_seen_at=met.last_seen_at, times=former.times + 1, run_id=met.run_id)
    now = replace(seen, kind=met.kind, severity=met.severity, message=met.message)
    if former.told_at is None and former.untold is None:  # so far a moment's trouble
        return _to_tell(now, "opened") if is_sure else now
    if not is_sure or _rank(int(met.severity)) >= _rank(int(former.severity)):
        return seen
    return _to_tell(now, "escalated") if _is_heard(former) else now


def _closed(alarm: Alarm, at: datetime) -> Alarm:
    """Whoever heard of it, or was tried to be told, hears that it is over; of a moment's trouble nobody ever hears."""
    closed = replace(alarm, closed_at=at)
    if _is_heard(alarm) or alarm.next_try_at is not None:  # it failed, or is on its way just now
        return _to_tell(closed, "healed")
    return replace(closed, untold=None)


def _is_heard(alarm: Alarm) -> bool:
    return alarm.told_at is not None or bool(alarm.done)


def _to_tell(alarm: Alarm, what: str) -> Alarm:
    return replace(alarm, untold=what, done=(), tries=0, next_try_at=None, failure=None)


def _rank(code: int) -> int:
    return OUTRANKS.index(code) if code in OUTRANKS else 0
