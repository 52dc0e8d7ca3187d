"""Sources that could not be read completely in a period: why, since when, and until when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile

from crawler import spiders
from crawler.items import Health, Run
from crawler.store import Alarm, Store

UNREAD_KIND = "unread"
"""Kind of outage of a source that no run read to the end in the period, though one was due."""
MOMENTARY_KIND = "unreachable"
"""No outage if one run found it and the next one did not: networks fail for a moment."""
MAX_RUNS_EXAMINED = 200
"""Runs that are searched for the beginning of an outage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One outage of one source. `kind` is a run's health, or `unread`.

    `since` (aware, in UTC) is None for a source that was never read. For a silent one it is its last publication.
    `until` is when the source was read completely again, None if that was not before the end of the period.
    """

    source: str
    source_title: str
    kind: str
    since: datetime | None
    until: datetime | None = None


def list_outages(
    store: Store, sources: Iterable[str], begin: datetime, end: datetime, language: str = "en"
) -> tuple[Outage, ...]:
    """Return the worst outage of each source from `begin` until before `end`, for sources that had one.

    Live runs decide. A source that has none is judged by its replays and backfills.
    """
    found = (_find_outage(store, source, begin, end) for source in sources)
    return tuple(replace(outage, source_title=spiders.get_title(outage.source, language)) for outage in found if outage)


def _find_outage(store: Store, source: str, begin: datetime, end: datetime) -> Outage | None:
    # None: replays and backfills are all that says how a source of stored pages was read, as in the demo.
    newest = store.runs.get_last(source, mode="live")
    mode = "live" if newest else None
    ended = store.runs.list_ended_before(source, end, MAX_RUNS_EXAMINED, mode=mode)
    runs = [run for run in ended if run.health is not Health.STOPPED]
    last = runs[0] if runs else None
    if last is None and mode is None and store.runs.get_last(source):
        # Such a run reads pages of any time, so one after the period may have read what was new in it.
        return None
    if last is None or last.finished_at is None:
        return _make_outage(store, source, UNREAD_KIND, None)
    if last.finished_at < begin and not _is_current(store, last, newest, end):
        return _make_outage(store, source, UNREAD_KIND, last.finished_at)
    if alarm := _pick_worst(store.alarms.list_open_between(source, begin, end), end):
        closed = alarm.closed_at if alarm.closed_at and alarm.closed_at < end else None
        return _make_outage(store, source, alarm.kind, alarm.opened_at, closed)
    if last.health is Health.HEALTHY:
        return None
    bad = list(takewhile(lambda run: run.health is not Health.HEALTHY, runs))
    return _make_outage(store, source, str(last.health or Health.FAILED), bad[-1].started_at)


def _is_current(store: Store, last: Run, newest: Run | None, end: datetime) -> bool:
    """Return whether the last run was healthy, none has ended since, and a watch plans the next one at `end` or later.

    `newest` is the source's newest live run, which may not have ended.
    So a source that runs every three hours is no outage in the hours between.
    """
    row = store.schedules.get(last.source)
    if row is None or row.paused or row.next_due_at is None or newest is None or last.health is not Health.HEALTHY:
        return False
    return row.next_due_at >= end and (newest.id == last.id or newest.finished_at is None)


def _pick_worst(alarms: list[Alarm], end: datetime) -> Alarm | None:
    """Return the alarm that is still open at the end, else the longest one."""
    lasting = [
        alarm
        for alarm in alarms
        if not (_is_over(alarm, end) and alarm.kind == MOMENTARY_KIND and alarm.run_count == 1)
    ]
    return max(lasting, key=lambda alarm: (not _is_over(alarm, end), _get_duration(alarm, end)), default=None)


def _is_over(alarm: Alarm, end: datetime) -> bool:
    return alarm.closed_at is not None and alarm.closed_at < end


def _get_duration(alarm: Alarm, end: datetime) -> float:
    return ((alarm.closed_at or end) - alarm.opened_at).total_seconds()


def _make_outage(store: Store, source: str, kind: str, since: datetime | None, until: datetime | None = None) -> Outage:
    if kind == Health.SILENT and until is None:
        newest = next(store.articles.iter_newest(source=source, limit=1), None)
        since = (newest.published_at if newest else None) or since
    return Outage(source=source, source_title=source, kind=kind, since=since, until=until)
