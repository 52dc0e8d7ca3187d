"""From a run's verdict to an alarm: opened once, told again when it gets worse, closed when the source is well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from crawler.errors import EXIT_CODE_PRECEDENCE
from crawler.store import Alarm, Store

CONFIRMED_BY_SECOND_RUN = frozenset({"unreachable"})
"""What two runs in a row must meet before it is told: networks fail for a moment; all else is told at once."""
FLAPPING_WINDOW_RUNS, MIN_BAD_RUNS = 6, 3
"""Of the last RUNS runs, so many that met it are told too, though well ones stood between them."""


def record_run_result(
    store: Store, *, source: str, verdict: str, exit_code: int, message: str, run_id: int | None, finished_at: datetime
) -> None:
    """Take in how a run ended; what has to be told of it is left as `untold`."""
    wavers = _is_flapping(
        [
            str(run.health)
            for run in store.runs.list_recent(source, 2 * FLAPPING_WINDOW_RUNS, mode="live")
            if run.finished_at
        ]
    )

    def how(former: Alarm | None) -> Alarm | None:
        if exit_code == 0:
            return (
                _close_alarm(former, finished_at)
                if former and not (wavers and former.kind in CONFIRMED_BY_SECOND_RUN)
                else None
            )
        met = Alarm(
            source=source,
            kind=verdict,
            severity=str(exit_code),
            last_health=verdict,
            message=message,
            opened_at=finished_at,
            last_seen_at=finished_at,
            run_id=run_id,
        )
        return _update_alarm(former, met, wavers) if former else _open_alarm(met, wavers)

    store.alarms.update_open(source, how)


def _is_flapping(newest_verdicts: Sequence[str]) -> bool:
    """Whether a source comes and goes: often met of late, with well runs between. `verdicts` are newest first."""
    met = [verdict in CONFIRMED_BY_SECOND_RUN for verdict in newest_verdicts[:FLAPPING_WINDOW_RUNS]]
    begun = sum(here and not before for here, before in pairwise([*met, False]))
    return sum(met) >= MIN_BAD_RUNS and begun > 1


def _open_alarm(alarm: Alarm, is_flapping: bool) -> Alarm:
    return alarm if alarm.kind in CONFIRMED_BY_SECOND_RUN and not is_flapping else _queue_notice(alarm, "opened")


def _update_alarm(alarm: Alarm, met: Alarm, is_flapping: bool) -> Alarm:
    """The open alarm after one more run that met trouble."""
    is_sure = met.kind not in CONFIRMED_BY_SECOND_RUN or alarm.last_health == met.kind or is_flapping
    seen = replace(alarm, latest=met.kind, last_seen_at=met.last_seen_at, times=alarm.run_count + 1, run_id=met.run_id)
    now = replace(seen, kind=met.kind, severity=met.severity, message=met.message)
    if alarm.notified_at is None and alarm.pending_notice is None:  # so far a moment's trouble
        return _queue_notice(now, "opened") if is_sure else now
    if not is_sure or _rank_exit_code(int(met.severity)) >= _rank_exit_code(int(alarm.severity)):
        return seen
    return _queue_notice(now, "escalated") if _is_notified(alarm) else now


def _close_alarm(alarm: Alarm, at: datetime) -> Alarm:
    """Whoever heard of it, or was tried to be told, hears that it is over; of a moment's trouble nobody ever hears."""
    closed = replace(alarm, closed_at=at)
    if _is_notified(alarm) or alarm.next_try_at is not None:  # it failed, or is on its way just now
        return _queue_notice(closed, "healed")
    return replace(closed, untold=None)


def _is_notified(alarm: Alarm) -> bool:
    return alarm.notified_at is not None or bool(alarm.notified_channels)


def _queue_notice(alarm: Alarm, notice: str) -> Alarm:
    return replace(alarm, untold=notice, done=(), tries=0, next_try_at=None, failure=None)


def _rank_exit_code(code: int) -> int:
    return EXIT_CODE_PRECEDENCE.index(code) if code in EXIT_CODE_PRECEDENCE else 0
