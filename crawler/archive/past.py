"""A past run as the archive holds it: which one was going on at a time, and its records.

Each response record says whose it is in a header of its own, `Crawler-Run`: JSON with the run's `id` in the store, when
it `started` (to the microsecond, for that is the run's clock) and what it was asked for (`since`, `limit`, `url`).
Records written before there was such a header are told apart by the store's record of the run where there is one, else
by the pauses between them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from crawler.archive.folder import source_folder
from crawler.archive.member import records
from crawler.archive.reader import Kept, date_of, read_kept
from crawler.errors import ArchiveError, NothingStored
from crawler.items import Run, iso

PAUSE = timedelta(minutes=3)
"""Records further apart than this are of two runs: longer than any wait within one (`politeness.longest_wait`)."""
DAY = re.compile(r"\d{4}-\d\d-\d\d")
NEAR = 3
"""Runs named when none was going on at the time asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One run of a source. `tag` is what its records say, None where they say nothing; times are aware.

    `started_at` is what the run took for now, `ended_at` when its last record was written (or the store says it ended).
    """

    source: str
    started_at: datetime
    ended_at: datetime
    tag: str | None = None
    since: datetime | None = None
    limit: int | None = None
    url: str | None = None


def tag_of(run: Run, *, since: datetime | None, limit: int | None, url: str | None) -> str:
    """What the records of a run say of it, one line of ASCII."""
    asked = {"since": since.isoformat() if since else None, "limit": limit, "url": url}
    said = {"id": run.id, "started": run.started_at.isoformat(), **asked}
    return json.dumps({name: value for name, value in said.items() if value is not None})


def find(root: Path, source: str, at: datetime, stored: Iterable[Run] = ()) -> PastRun:
    """The run of a source that was going on at a time; of several, the one that began last.

    A time of whole minutes is that minute: a person reads no seconds off a list of runs. NothingStored, naming the
    nearest runs, when none was going on: another run is never taken for it. `stored` are the runs that the store knows.
    """
    whole = at.replace(microsecond=0)  # as the records' times are
    until = at + timedelta(minutes=1, microseconds=-1) if not (at.second or at.microsecond) else at
    runs = _runs(root, source, at, stored)
    going = [run for run in runs if run.started_at.replace(microsecond=0) <= until and run.ended_at >= whole]
    if going:
        return max(going, key=lambda run: run.started_at)
    nearest = sorted(sorted(runs, key=lambda run: abs(run.started_at - at))[:NEAR], key=lambda run: run.started_at)
    begun = ", ".join(f"{iso(run.started_at.astimezone(at.tzinfo))}" for run in nearest)
    near = f"The nearest began at {begun}." if begun else "It holds none of that day or the days beside it."
    raise NothingStored(f"{root} holds no run of {source!r} that was going on at {iso(at)}. {near}")


def read_run(root: Path, past: PastRun) -> list[Kept]:
    """The responses of a run in the order they came, robots.txt among them; what is broken or cut off is left out."""
    found: list[Kept] = []
    for path in _files(root, past.source, *_days(past.started_at, past.ended_at)):
        with suppress(ArchiveError):  # after everything whole: whatever is missing is missed loudly when asked for
            found += (kept for kept in read_kept(path) if _is_of(kept, past))
    return found


def _is_of(kept: Kept, past: PastRun) -> bool:
    if past.tag is not None or kept.run is not None:
        return kept.run == past.tag
    moment = kept.snapshot.fetched_at
    return moment is not None and past.started_at.replace(microsecond=0) <= moment <= past.ended_at


def _runs(root: Path, source: str, at: datetime, stored: Iterable[Run]) -> list[PastRun]:
    tagged: dict[str, list[datetime]] = {}
    untagged: list[datetime] = []
    day = timedelta(days=1)
    for path in _files(root, source, *_days(at - day, at + day)):
        for tag, moment in _moments(path):
            (untagged if tag is None else tagged.setdefault(tag, [])).append(moment)
    known = [run for run in stored if run.finished_at]
    return [
        *(_tagged(source, tag, moments) for tag, moments in tagged.items()),
        *_by_store(source, untagged, known),
        *_bursts(source, [moment for moment in untagged if not any(_within(moment, run) for run in known)]),
    ]


def _moments(path: Path) -> Iterator[tuple[str | None, datetime]]:
    with suppress(ArchiveError):  # cut off by a kill, or being written to at this moment
        for record in records(path):
            if record.kind in ("response", "revisit") and (moment := date_of(record)):
                yield record.headers.get("crawler-run"), moment


def _tagged(source: str, tag: str, moments: Sequence[datetime]) -> PastRun:
    said = _said(tag)
    since = said.get("since")
    try:
        started = datetime.fromisoformat(said["started"])
        return PastRun(
            source=source,
            started_at=started,
            ended_at=max(started, *moments),  # a record's time has whole seconds
            tag=tag,
            since=datetime.fromisoformat(since) if since else None,
            limit=said.get("limit"),
            url=said.get("url"),
        )
    except (KeyError, TypeError, ValueError):  # not ours, or damaged: still one run's records
        return PastRun(source=source, started_at=min(moments), ended_at=max(moments), tag=tag)


def _said(tag: str) -> dict[str, Any]:
    try:
        said = json.loads(tag)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _by_store(source: str, moments: Sequence[datetime], known: Sequence[Run]) -> Iterator[PastRun]:
    for run in known:
        if run.finished_at and any(_within(moment, run) for moment in moments):
            yield PastRun(source=source, started_at=run.started_at, ended_at=run.finished_at)


def _within(moment: datetime, run: Run) -> bool:
    return bool(run.finished_at and run.started_at.replace(microsecond=0) <= moment <= run.finished_at)


def _bursts(source: str, moments: Iterable[datetime]) -> Iterator[PastRun]:
    burst: list[datetime] = []
    for moment in [*sorted(moments), None]:
        if burst and (moment is None or moment - burst[-1] > PAUSE):
            yield PastRun(source=source, started_at=burst[0], ended_at=burst[-1])
            burst = []
        if moment is not None:
            burst.append(moment)


def _files(root: Path, source: str, first: date, last: date) -> list[Path]:
    """The WARC files that may hold records of these days: by their names, where those say a day (UTC)."""
    place = source_folder(root, source)
    if place.is_file():
        return [place]
    days = (first.isoformat(), last.isoformat())
    paths = [path for path in sorted(place.iterdir()) if path.name.endswith((".warc", ".warc.gz"))]
    return [path for path in paths if not (day := DAY.match(path.name)) or days[0] <= day[0] <= days[1]]


def _days(first: datetime, last: datetime) -> tuple[date, date]:
    return first.astimezone(UTC).date(), last.astimezone(UTC).date()


def archive_root(root: Path, source: str) -> Path:
    """The folder that file names in records and memories are relative to."""
    return source_folder(root, source).absolute().parent if not root.is_file() else root.absolute().parent.parent
