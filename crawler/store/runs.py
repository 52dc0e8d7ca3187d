"""Runs: one row a crawl of one source, written when it begins and when it ends."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from crawler.items import Health, Problem, Run
from crawler.store.database import Database
from crawler.store.http_cache import HttpCacheEntry, write_cache_entries
from crawler.store.process_identity import ProcessIdentity, get_current_process, has_ended
from crawler.store.schema import runs
from crawler.store.statements import PreparedStatement

KILLED_REASON = "killed: its process ended without a word"
"""Reason of a run that a later one found unfinished."""

_BEGIN = insert(runs)
_UNFINISHED = select(runs.c.id, runs.c.host, runs.c.pid, runs.c.born).where(
    runs.c.source == bindparam("source"), runs.c.finished_at.is_(None)
)
_FINISH = update(runs).where(runs.c.id == bindparam("run"))
_UNLED = update(runs).where(runs.c.mode == "live", runs.c.finished_at.is_(None))
_COUNT = PreparedStatement(update(runs).where(runs.c.id == bindparam("run")).values(counts=bindparam("json")))


def write_counts(connection: Connection, run_id: int, counts: dict[str, int]) -> None:
    """Write a running run's counts in the caller's transaction, so that they outlive a kill."""
    _COUNT.execute(connection, {"run": run_id, "json": json.dumps(counts)})


def close_unfinished_runs(connection: Connection, source: str, at: datetime) -> None:
    """Close the source's unfinished live runs, of whatever host, for the one who takes its lease: they are over."""
    connection.execute(_UNLED.where(runs.c.source == source).values(**_killed(at, KILLED_REASON)))


class RunRepository:
    """`store.runs`. `mode` narrows a question to runs of one kind (`live`, `replay`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record_start(self, run: Run) -> Run:
        """Record that a run begins; it comes back with its id.

        Unfinished runs of the same source whose process is gone are closed as failed, their counts as last written.
        """
        mine = get_current_process()
        with self._database.transaction() as connection:
            _close_abandoned(connection, run.source, _killed(run.started_at, KILLED_REASON))
            values = {"source": run.source, "mode": run.mode, "started_at": run.started_at, **mine._asdict()}
            key = connection.execute(_BEGIN, {**values, **_ending(run)}).inserted_primary_key
        assert key is not None
        return replace(run, id=key[0])

    def close_abandoned(self, source: str, at: datetime, reason: str, *, pid: int) -> int:
        """Close the source's unfinished run of this process of this host, now gone, as failed with this reason; how
        many were closed."""
        with self._database.transaction() as connection:
            return _close_abandoned(connection, source, _killed(at, reason), pid)

    def record_end(self, run: Run, cache_entries: Iterable[HttpCacheEntry] = ()) -> None:
        """Record how a run ended, and what it learned about addresses, in one transaction."""
        if run.id is None or run.finished_at is None:
            raise ValueError("Only a run that began and has a finished_at can be finished.")
        with self._database.transaction() as connection:
            if connection.execute(_FINISH, {"run": run.id, **_ending(run)}).rowcount != 1:
                raise ValueError(f"Run {run.id} of {run.source} never began in this store.")
            write_cache_entries(connection, cache_entries)

    def get_last(self, source: str, *, mode: str | None = None) -> Run | None:
        """The run of this source that began last, finished or not."""
        return next(iter(self.list_recent(source, limit=1, mode=mode)), None)

    def get_last_healthy(self, source: str, *, mode: str | None = None) -> Run | None:
        """The last run of this source that ended healthy."""
        found = self._select(source, mode, 1, runs.c.health == Health.HEALTHY.value)
        return found[0] if found else None

    def list_recent(self, source: str | None = None, limit: int = 50, *, mode: str | None = None) -> list[Run]:
        """The last runs, of one source or of all, newest first."""
        return self._select(source, mode, limit)

    def list_ended_before(self, source: str, before: datetime, limit: int, *, mode: str | None = None) -> list[Run]:
        """The last runs of this source that ended before a moment, newest first."""
        return self._select(source, mode, limit, runs.c.finished_at < before)

    def list_started_between(
        self, source: str, first: datetime, last: datetime, *, mode: str | None = None
    ) -> list[Run]:
        """The runs of this source that began between two moments, these included, the oldest first."""
        between = (runs.c.started_at >= first, runs.c.started_at <= last)
        query = select(runs).where(*_of(source, mode), *between).order_by(runs.c.started_at, runs.c.id)
        return [_run(row) for row in self._database.fetch_all(query)]

    def list_with_measure(self, source: str, name: str, *, since: datetime, limit: int = 60) -> list[Run]:
        """The last live runs, begun since then, that ended healthy or degraded and measured `name`; newest first."""
        well = runs.c.health.in_((Health.HEALTHY.value, Health.DEGRADED.value))
        has = runs.c.measures.contains(f'"{name}": ', autoescape=True)
        return self._select(source, "live", limit, well, has, runs.c.started_at >= since)

    def get_streak_start(self, run: Run) -> datetime:
        """When the source's runs of this mode began to end as this one did, without another end between."""
        alike = (*_of(run.source, run.mode), runs.c.finished_at.is_not(None), runs.c.id <= run.id)
        other = select(func.max(runs.c.id)).where(*alike, runs.c.health != run.health)
        after = self._database.fetch_all(other)[0][0] or 0
        found: datetime | None = self._database.fetch_all(
            select(func.min(runs.c.started_at)).where(*alike, runs.c.id > after)
        )[0][0]
        return found or run.started_at

    def save_measures(self, run: Run) -> None:
        """Write an ended run's measures anew: what later runs carry on from it."""
        with self._database.transaction() as connection:
            values = {"measures": json.dumps(run.measures, ensure_ascii=False)}
            connection.execute(update(runs).where(runs.c.id == run.id).values(**values))

    def get_last_complete(self, source: str, *, mode: str | None = None) -> Run | None:
        """The last run that read every list page it set out to read.

        Paging may stop at an article whose first run has this run's id or a lower one.
        """
        found = self._select(source, mode, 1, runs.c.complete.is_(True))
        return found[0] if found else None

    def get_last_complete_id(self, source: str, *, mode: str | None = None) -> int | None:
        """The id of that run."""
        found = self.get_last_complete(source, mode=mode)
        return found.id if found else None

    def _select(self, source: str | None, mode: str | None, limit: int, *conditions: Any) -> list[Run]:
        query = select(runs).where(*_of(source, mode), *conditions).order_by(runs.c.id.desc()).limit(limit)
        return [_run(row) for row in self._database.fetch_all(query)]


def _of(source: str | None, mode: str | None) -> list[Any]:
    wanted = ((runs.c.source, source), (runs.c.mode, mode))
    return [column == value for column, value in wanted if value is not None]


def _ending(run: Run) -> dict[str, Any]:
    """The columns that `finish` writes."""
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


def _close_abandoned(connection: Connection, source: str, ending: dict[str, Any], pid: int | None = None) -> int:
    rows = list(connection.execute(_UNFINISHED, {"source": source}))
    rows = [row for row in rows if pid in (None, row.pid)]
    gone = [row.id for row in rows if has_ended(ProcessIdentity(row.host, row.pid, row.born))]
    for number in gone:
        connection.execute(_FINISH, {"run": number, **ending})
    return len(gone)


def _killed(at: datetime, reason: str) -> dict[str, Any]:
    return {"finished_at": at, "health": Health.FAILED, "reason": reason, "exit_code": 1, "complete": False}


def _run(row: Row[Any]) -> Run:
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
