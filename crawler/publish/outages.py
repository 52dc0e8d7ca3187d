"""Sources that could not be seen to the full in a time: what kept us from it, since when, and until when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile

from crawler import spiders
from crawler.items import Health
from crawler.store import Alarm, Store

UNREAD_KIND = "unread"
"""Kind of a source of which no live run ended in that time."""
MOMENTARY_KIND = "unreachable"
"""What is no trouble when one run met it and the next one did not."""
MAX_RUNS_EXAMINED = 200
"""Runs that are looked at for the beginning of a trouble."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One trouble of one source: `kind` is a run's verdict, or `unread`.

    `since` (aware, in UTC) is None for a source that was never read, and for one that is silent when it published last;
    `until` is when it was seen to the full again, None where it was not by the end of that time.
    """

    source: str
    source_title: str
    kind: str
    since: datetime | None
    until: datetime | None = None


def list_outages(
    store: Store, sources: Iterable[str], begin: datetime, end: datetime, language: str = "en"
) -> tuple[Outage, ...]:
    """The trouble of each source from `begin` on and before `end`, for those that had one, the gravest."""
    found = (_find_outage(store, source, begin, end) for source in sources)
    return tuple(
        replace(trouble, source_title=spiders.get_title(trouble.source, language)) for trouble in found if trouble
    )


def _find_outage(store: Store, source: str, begin: datetime, end: datetime) -> Outage | None:
    ended = store.runs.list_ended_before(source, end, MAX_RUNS_EXAMINED, mode="live")
    last = ended[0] if ended else None
    if last is None or last.finished_at is None or last.finished_at < begin:
        return _make_outage(store, source, UNREAD_KIND, last.finished_at if last else None)
    if alarm := _pick_worst(store.alarms.list_open_between(source, begin, end), end):
        closed = alarm.closed_at if alarm.closed_at and alarm.closed_at < end else None
        return _make_outage(store, source, alarm.kind, alarm.opened_at, closed)
    if last.health is Health.HEALTHY:
        return None
    bad = list(takewhile(lambda run: run.health is not Health.HEALTHY, ended))
    return _make_outage(store, source, str(last.health or Health.FAILED), bad[-1].started_at)


def _pick_worst(alarms: list[Alarm], end: datetime) -> Alarm | None:
    """The one that is still open at the end, else the one that lasted longest."""
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
