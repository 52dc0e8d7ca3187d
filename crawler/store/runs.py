"""Runs: one row per crawl of a source, written when it starts and when it ends."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from crawler.errors import StoreError
from crawler.items import Health, Problem, Run
from crawler.store.database import Database
from crawler.store.http_cache import HttpCacheEntry, write_cache_entries
from crawler.store.process_identity import ProcessIdentity, get_current_process, has_ended
from crawler.store.schema import runs
from crawler.store.statements import select_columns

BACKFILL_MODE = "backfill"
"""Mode of a run that walks a source's history. It is no measure of the source."""
KILLED_REASON = "killed: its process ended unexpectedly"
"""Reason of a run that a later one found unfinished."""

_SELECT = select(*select_columns(runs, (field.name for field in fields(Run))))
_LIST_UNFINISHED = select(*select_columns(runs, ("id", "host", "pid", "start_mark"))).where(
    runs.c.source == bindparam("of_source"), runs.c.finished_at.is_(None)
)
_UPDATE = update(runs).where(runs.c.id == bindparam("of_run"))
_CLOSE_LEASED = update(runs).where(runs.c.mode.in_(("live", BACKFILL_MODE)), runs.c.finished_at.is_(None))


def write_counts(connection: Connection, run_id: int, counts: dict[str, int]) -> None:
    """Write a running run's counts in the caller's transaction, so that they survive a kill."""
    connection.execute(_UPDATE, {"of_run": run_id, "counts": json.dumps(counts)})


def close_unfinished_runs(connection: Connection, source: str, at: datetime) -> None:
    """Close the source's unfinished runs of every host, but no replays. The caller has its lease, so they are over."""
    connection.execute(_CLOSE_LEASED.where(runs.c.source == source).values(**_make_killed_row(at, KILLED_REASON)))


class RunRepository:
    """`store.runs`. `mode` selects runs of one kind (`live`, `replay`). Lists start with the newest run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record_start(self, run: Run) -> Run:
        """Write that a run starts, and return the run with its id.

        Unfinished runs of the same source whose process has ended are closed as failed, with the counts they wrote.
        """
        process = get_current_process()
        with self._database.transaction() as connection:
            _close_abandoned(connection, run.source, _make_killed_row(run.started_at, KILLED_REASON))
            values = {"source": run.source, "mode": run.mode, "started_at": run.started_at, **process._asdict()}
            key = connection.execute(insert(runs), {**values, **_make_end_row(run)}).inserted_primary_key
        assert key is not None
        return replace(run, id=key[0])

    def close_abandoned(self, source: str, at: datetime, reason: str, *, pid: int) -> int:
        """Close the unfinished run of an ended process of this host as failed. Return how many were closed."""
        with self._database.transaction() as connection:
            return _close_abandoned(connection, source, _make_killed_row(at, reason), pid)

    def close_stopped(self, source: str, at: datetime, reason: str, *, pid: int, run_id: int | None) -> None:
        """Close a run that a person or the end of the watch stopped. It has no id if its process reported no end."""
        end = {**_make_killed_row(at, reason), "health": Health.STOPPED}
        with self._database.transaction() as connection:
            if run_id is None:
                _close_abandoned(connection, source, end, pid)
            else:
                connection.execute(_UPDATE, {"of_run": run_id, "health": Health.STOPPED, "reason": reason})

    def record_end(self, run: Run, cache_entries: Iterable[HttpCacheEntry] = ()) -> None:
        """Write how a run of this process ended and the responses it saw, in one transaction.

        Raise StoreError if the store does not have the run: then it is another store than the one at the start. A run
        that lost its lease can record only that it failed; else raise LeaseLost.
        """
        if run.id is None or run.finished_at is None:
            raise ValueError("Only a run that started and has a finished_at can end.")
        entries = list(cache_entries)
        with self._database.transaction(is_fenced=run.complete or bool(entries)) as connection:
            process = get_current_process()
            ours = _UPDATE.where(runs.c.source == run.source, runs.c.host == process.host, runs.c.pid == process.pid)
            if connection.execute(ours, {"of_run": run.id, **_make_end_row(run)}).rowcount != 1:
                raise StoreError(
                    f"The store {self._database.name} does not have the run of {run.source} that started there: it was "
                    "replaced meanwhile. Run the source again."
                )
            write_cache_entries(connection, entries)

    def get(self, run_id: int) -> Run | None:
        """Return a run, or None."""
        rows = self._database.fetch_all(_SELECT.where(runs.c.id == run_id))
        return _make_run(rows[0]) if rows else None

    def get_last(self, source: str, *, mode: str | None = None) -> Run | None:
        """Return the source's newest run, finished or not."""
        return next(iter(self.list_recent(source, limit=1, mode=mode)), None)

    def get_last_healthy(self, source: str, *, mode: str | None = None) -> Run | None:
        """Return the source's newest run that ended healthy."""
        found = self._list_where(source, mode, 1, runs.c.health == Health.HEALTHY.value)
        return found[0] if found else None

    def list_recent(self, source: str | None = None, limit: int = 50, *, mode: str | None = None) -> list[Run]:
        """Return the newest runs, of a source or of all sources."""
        return self._list_where(source, mode, limit)

    def list_ended_before(self, source: str, before: datetime, limit: int, *, mode: str | None = None) -> list[Run]:
        """Return the source's newest runs that ended before a time."""
        return self._list_where(source, mode, limit, runs.c.finished_at < before)

    def list_started_between(
        self, source: str, first: datetime, last: datetime, *, mode: str | None = None
    ) -> list[Run]:
        """Return the source's runs that started between two times, both included, the oldest run first."""
        between = (runs.c.started_at >= first, runs.c.started_at <= last)
        query = _SELECT.where(*_make_conditions(source, mode), *between).order_by(runs.c.started_at, runs.c.id)
        return [_make_run(row) for row in self._database.fetch_all(query)]

    def list_with_measure(self, source: str, name: str, *, since: datetime, limit: int = 60) -> list[Run]:
        """Return the live runs started since then that ended healthy or degraded and have the measure `name`."""
        ended_well = runs.c.health.in_((Health.HEALTHY.value, Health.DEGRADED.value))
        has_measure = runs.c.measures.contains(f'"{name}": ', autoescape=True)
        return self._list_where(source, "live", limit, ended_well, has_measure, runs.c.started_at >= since)

    def get_streak_start(self, run: Run) -> datetime:
        """Return the start of the first of the source's runs in a row that ended with this run's health."""
        same = (*_make_conditions(run.source, run.mode), runs.c.finished_at.is_not(None), runs.c.id <= run.id)
        last_other = select(func.max(runs.c.id)).where(*same, runs.c.health != run.health)
        other_id = self._database.fetch_all(last_other)[0][0] or 0
        found: datetime | None = self._database.fetch_all(
            select(func.min(runs.c.started_at)).where(*same, runs.c.id > other_id)
        )[0][0]
        return found or run.started_at

    def save_measures(self, run: Run) -> None:
        """Write the measures of an ended run again. Later runs are compared with them."""
        with self._database.transaction() as connection:
            connection.execute(_UPDATE, {"of_run": run.id, "measures": json.dumps(run.measures, ensure_ascii=False)})

    def get_last_complete(self, source: str, *, mode: str | None = None) -> Run | None:
        """Return the newest run that read every list page it had to read.

        Paging may stop at an article whose first run has this run's id or a lower one.
        """
        found = self._list_where(source, mode, 1, runs.c.complete.is_(True))
        return found[0] if found else None

    def get_last_complete_id(self, source: str, *, mode: str | None = None) -> int | None:
        """Return the id of that run."""
        found = self.get_last_complete(source, mode=mode)
        return found.id if found else None

    def _list_where(self, source: str | None, mode: str | None, limit: int, *conditions: Any) -> list[Run]:
        query = _SELECT.where(*_make_conditions(source, mode), *conditions).order_by(runs.c.id.desc()).limit(limit)
        return [_make_run(row) for row in self._database.fetch_all(query)]


def _make_conditions(source: str | None, mode: str | None) -> list[Any]:
    return [column == value for column, value in ((runs.c.source, source), (runs.c.mode, mode)) if value is not None]


def _make_end_row(run: Run) -> dict[str, Any]:
    return {
        "finished_at": run.finished_at,
        "health": run.health,
        "reason": run.reason,
        "exit_code": run.exit_code,
        "complete": run.complete,
        "counts": json.dumps(run.counts),
        "problems": json.dumps([asdict(problem) for problem in run.problems]),
        "measures": json.dumps(run.measures, ensure_ascii=False),
    }


def _close_abandoned(connection: Connection, source: str, end: dict[str, Any], pid: int | None = None) -> int:
    """Close the source's unfinished runs whose process has ended; with `pid`, only the run of that process."""
    rows = [row for row in connection.execute(_LIST_UNFINISHED, {"of_source": source}) if pid in (None, row.pid)]
    abandoned = [row.id for row in rows if has_ended(ProcessIdentity(row.host, row.pid, row.start_mark))]
    for run_id in abandoned:
        connection.execute(_UPDATE, {"of_run": run_id, **end})
    return len(abandoned)


def _make_killed_row(at: datetime, reason: str) -> dict[str, Any]:
    return {"finished_at": at, "health": Health.FAILED, "reason": reason, "exit_code": 1, "complete": False}


def _make_run(row: Row[Any]) -> Run:
    return Run(
        id=row.id,
        source=row.source,
        mode=row.mode,
        started_at=row.started_at,
        finished_at=row.finished_at,
        health=Health(row.health) if row.health else None,
        reason=row.reason,
        exit_code=row.exit_code,
        complete=row.complete,
        counts=json.loads(row.counts),
        problems=tuple(Problem(**problem) for problem in json.loads(row.problems)),
        measures=json.loads(row.measures),
    )
