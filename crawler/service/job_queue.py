"""The queue of runs in PostgreSQL: procrastinate's tables and SQL functions in a schema of their own beside the store.

One job is one run of one source. `queueing_lock` is the source, so that it waits at most once. `lock` is its politeness
group: procrastinate lets one job of a lock run at a time. A worker is known by its row in `procrastinate_workers`, one
try of a job by the job's `attempts`. Only the worker that has a job, at this try, can finish it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any

from procrastinate import sql
from procrastinate.schema import SchemaManager
from psycopg.types.json import Jsonb
from pydantic import ValidationError
from sqlalchemy import URL, Connection, Row, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from crawler.config import Config
from crawler.errors import ConfigError
from crawler.service.child import OUTCOME_ADAPTER
from crawler.service.run import RunOutcome
from crawler.store import redact_url
from crawler.store.database import Database, format_database_error, make_engine
from crawler.store.process_identity import get_current_process
from crawler.store.store import parse_store_url

# How long the runs of a failed worker wait is the sum of these times (docs/workers.md).
WORKER_HEARTBEAT_SECONDS = 3.0
MAX_SILENCE_SECONDS = 10.0
"""Longest time without a heartbeat before a worker stops its runs. They end within 9 s, before others take them."""
WORKER_TIMEOUT_SECONDS = 20.0
"""A worker without a heartbeat for this long has lost its runs: they are given to others."""
RESCUE_SECONDS = 2.0
"""Time between two looks of a watch for silent workers."""
QUEUE_POLL_SECONDS = 1.0
"""Time between two looks of a watch or a worker at the queue, and between two tries while the database is away."""
MAX_JOB_DEATHS = 3
"""Times that the process of one job may be killed, alone or with its worker. Then the job is given up: the run itself
may be what takes the memory."""
LISTED_SILENCE_SECONDS = 3600.0
"""A silent worker is listed for this long, so that people see which machine to look at."""
QUEUE_NAME, TASK_NAME = "runs", "run_source"
RESCUE_LOCK_KEY = 0x72657363
"""First half of the key of the advisory lock that one scheduler at a time has while it rescues."""
WORKER_TABLE = """
CREATE TABLE crawler_workers (
    worker_id bigint PRIMARY KEY REFERENCES procrastinate_workers ON DELETE CASCADE,
    host text NOT NULL,
    pid integer NOT NULL,
    concurrency integer NOT NULL,
    started_at timestamp with time zone NOT NULL DEFAULT now()
)"""
_GET_SCHEMA_VERSION = text("SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = :name")
_LOCK_TRY = """
SELECT id FROM procrastinate_jobs
WHERE id = %(id)s AND worker_id IS NOT DISTINCT FROM %(worker_id)s AND attempts = %(attempts)s AND status = 'doing'
FOR UPDATE"""
_LIST_WORKERS = """
SELECT w.id, c.host, c.pid, c.concurrency, c.started_at, w.last_heartbeat
FROM procrastinate_workers w JOIN crawler_workers c ON c.worker_id = w.id ORDER BY w.id"""
_LIST_RUNS = """
SELECT j.worker_id, j.queueing_lock AS source, j.lock, max(e.at) AS started_at
FROM procrastinate_jobs j JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'started'
WHERE j.status = 'doing' GROUP BY j.id ORDER BY j.id"""
_FIND_ORPHAN = """
SELECT id, queueing_lock, args, attempts, worker_id FROM procrastinate_jobs
WHERE worker_id = %(worker_id)s AND status = 'doing' AND id <> ALL(%(known)s) LIMIT 1"""
_LOCK_LIVE_WORKER = """
SELECT id FROM procrastinate_workers
WHERE id = %(id)s AND last_heartbeat > now() - make_interval(secs => %(timeout)s) FOR KEY SHARE"""
_DELETE_FORMER = """
DELETE FROM procrastinate_workers w USING crawler_workers c
WHERE c.worker_id = w.id AND c.host = %(host)s AND c.pid = %(pid)s
AND w.last_heartbeat <= now() - make_interval(secs => %(timeout)s)"""
_RENEW_WORKER = """
UPDATE procrastinate_workers SET last_heartbeat = now()
WHERE id = %(id)s AND last_heartbeat > now() - make_interval(secs => %(timeout)s) RETURNING id"""


class EnqueueResult(StrEnum):
    """What became of a start."""

    QUEUED = "queued"
    STILL_WAITING = "its last start still waits for a worker"
    STILL_RUNNING = "its last run is still in progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunJob:
    """One try of one run, which a worker has taken. `deaths`: how often its process was killed in all tries."""

    id: int
    source: str
    attempts: int
    deaths: int
    worker_id: int
    accepts_new_store: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedRun:
    """How a run ended, and the worker that made it (empty: none, the run was given up)."""

    outcome: RunOutcome
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StalledRun:
    """A run whose worker is silent. `is_given_back`: another worker takes it, else its next run waits already."""

    source: str
    is_given_back: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRun:
    """A run that a worker has taken. Times are aware."""

    source: str
    politeness_group: str
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """A worker and what it runs. Times are aware, by the database's clock.

    `is_silent`: it sent no heartbeat for so long that its runs were given to others.
    """

    id: int
    host: str
    pid: int
    concurrency: int
    started_at: datetime
    heartbeat_at: datetime
    runs: tuple[WorkerRun, ...]
    is_silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """All workers, the number of runs that wait for one, and the time of the database."""

    workers: tuple[WorkerState, ...]
    waiting: int
    at: datetime


class JobQueue:
    """Adds, takes and finishes jobs. Any thread may use it. A failed statement raises StoreError."""

    def __init__(self, database: Database, schema: str) -> None:
        """`database` has the schema as its search path."""
        self._database, self._schema = database, schema

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    # --- the scheduler's side

    def enqueue(
        self, connection: Connection, source: str, politeness_group: str, *, accepts_new_store: bool
    ) -> EnqueueResult:
        """Add a run in the caller's exclusive transaction of the store, as its last statement.

        So a schedule says that a start was made exactly if the job is there.
        """
        connection.exec_driver_sql(f'SET LOCAL search_path TO "{self._schema}"')
        query = (
            "SELECT status FROM procrastinate_jobs WHERE queueing_lock = %s AND status IN ('todo', 'doing') "
            "ORDER BY status LIMIT 1"
        )
        match connection.exec_driver_sql(query, (source,)).scalar():
            case "todo":
                return EnqueueResult.STILL_WAITING
            case "doing":
                return EnqueueResult.STILL_RUNNING
        arguments = Jsonb({"accepts_new_store": accepts_new_store})
        job = (QUEUE_NAME, TASK_NAME, 0, politeness_group or source, source, arguments, None)
        connection.exec_driver_sql(sql.queries["defer_jobs"], {"jobs": [job]})
        return EnqueueResult.QUEUED

    def collect_ended(self) -> list[CollectedRun]:
        """Delete the jobs that have ended, and return the outcomes that workers recorded.

        Of several schedulers, one gets each outcome.
        """
        with self._database.transaction() as connection:
            rows = connection.exec_driver_sql(
                "DELETE FROM procrastinate_jobs WHERE status NOT IN ('todo', 'doing') RETURNING id, queueing_lock, args"
            ).all()
        ended = [row for row in sorted(rows, key=lambda row: int(row.id)) if "outcome" in row.args]
        return [
            CollectedRun(
                outcome=_read_outcome(row.queueing_lock, row.args["outcome"]), worker=row.args.get("worker", "")
            )
            for row in ended
        ]

    def rescue_stalled(self) -> list[StalledRun]:
        """Give the runs of silent workers back, or do nothing while another scheduler does.

        A run is given up, as failed, after `MAX_JOB_DEATHS`.
        """
        with self._database.transaction() as connection:
            lock = "SELECT pg_try_advisory_xact_lock(%s, hashtext(current_schema()))"
            if not connection.exec_driver_sql(lock, (RESCUE_LOCK_KEY,)).scalar():
                return []
            silence = {"seconds_since_heartbeat": WORKER_TIMEOUT_SECONDS}
            filters = {"queue": None, "task_name": None}
            query = sql.queries["select_stalled_jobs_by_heartbeat"]
            rows = connection.exec_driver_sql(query, {**silence, **filters}).all()
            found = [_rescue_job(connection, row) for row in rows]
            former = {"seconds_since_heartbeat": LISTED_SILENCE_SECONDS}
            connection.exec_driver_sql(sql.queries["prune_stalled_workers"], former)
        return [stalled for stalled in found if stalled is not None]

    def get_state(self) -> QueueState:
        """Return the workers, their runs, and how many runs wait."""
        with self._database.transaction() as connection:
            workers = connection.exec_driver_sql(_LIST_WORKERS).all()
            runs = connection.exec_driver_sql(_LIST_RUNS).all()
            counts = connection.exec_driver_sql(
                "SELECT count(*) AS waiting, now() AS at FROM procrastinate_jobs WHERE status = 'todo'"
            ).one()
        by_worker: dict[int, list[WorkerRun]] = {}
        for row in runs:
            run = WorkerRun(source=row.source, politeness_group=row.lock, started_at=row.started_at)
            by_worker.setdefault(row.worker_id, []).append(run)
        states = [
            WorkerState(
                id=row.id,
                host=row.host,
                pid=row.pid,
                concurrency=row.concurrency,
                started_at=row.started_at,
                heartbeat_at=row.last_heartbeat,
                runs=tuple(by_worker.get(row.id, ())),
                is_silent=(counts.at - row.last_heartbeat).total_seconds() > WORKER_TIMEOUT_SECONDS,
            )
            for row in workers
        ]
        return QueueState(workers=tuple(states), waiting=counts.waiting, at=counts.at)

    # --- the worker's side

    def register_worker(self, concurrency: int) -> int:
        """Add this process as a worker that is alive now, in place of the silent one that it was. Return its number."""
        process = get_current_process()
        with self._database.transaction() as connection:
            former = {"host": process.host, "pid": process.pid, "timeout": WORKER_TIMEOUT_SECONDS}
            connection.exec_driver_sql(_DELETE_FORMER, former)
            worker_id = int(connection.exec_driver_sql(sql.queries["register_worker"]).scalar_one())
            connection.exec_driver_sql(
                "INSERT INTO crawler_workers (worker_id, host, pid, concurrency) VALUES (%s, %s, %s, %s)",
                (worker_id, process.host, process.pid, concurrency),
            )
        return worker_id

    def renew_worker(self, worker_id: int) -> bool:
        """Write a heartbeat. Return False for a worker that was silent too long, whose runs others may have."""
        with self._database.transaction() as connection:
            values = {"id": worker_id, "timeout": WORKER_TIMEOUT_SECONDS}
            return connection.exec_driver_sql(_RENEW_WORKER, values).first() is not None

    def unregister_worker(self, worker_id: int) -> None:
        """Delete a worker that ends. Jobs that it still has are given back as those of a silent one."""
        with self._database.transaction() as connection:
            connection.exec_driver_sql(sql.queries["unregister_worker"], {"worker_id": worker_id})

    def take_job(self, worker_id: int, known: set[int]) -> RunJob | None:
        """Return the next job, which is now this worker's, or None. `known` are the jobs that it is working on.

        A job of this worker that it does not know is one whose fetch had no answer, because the connection was lost.
        A worker that was silent too long gets none: it must register again.
        """
        with self._database.transaction() as connection:
            values = {"id": worker_id, "timeout": WORKER_TIMEOUT_SECONDS}
            if connection.exec_driver_sql(_LOCK_LIVE_WORKER, values).first() is None:
                return None
            row = connection.exec_driver_sql(_FIND_ORPHAN, {"worker_id": worker_id, "known": list(known)}).first()
            if row is None:
                row = connection.exec_driver_sql(
                    sql.queries["fetch_job"], {"queues": [QUEUE_NAME], "worker_id": worker_id}
                ).one()
        if row.id is None:
            return None
        return RunJob(
            id=row.id,
            source=row.queueing_lock,
            attempts=row.attempts,
            deaths=row.args.get("deaths", 0),
            worker_id=worker_id,
            accepts_new_store=row.args.get("accepts_new_store", False),
        )

    def finish_job(self, job: RunJob, outcome: RunOutcome | None) -> bool:
        """End a job with its outcome, for a scheduler to report; None: there was no run.

        Return False, and write nothing, if the job was given to another worker meanwhile.
        """
        with self._database.transaction() as connection:
            if not _lock_try(connection, job.id, job.worker_id, job.attempts):
                return False
            worker = f"worker {job.worker_id} on {get_current_process().host}"
            is_good = outcome is None or not outcome.exit_code
            _finish_job(connection, job.id, is_good=is_good, outcome=outcome, worker=worker)
        return True

    def give_back(self, job: RunJob) -> bool:
        """Let another worker make this run. Return False if it has it already, or if the source waits anyway."""
        with self._database.transaction() as connection:
            if not _lock_try(connection, job.id, job.worker_id, job.attempts):
                return False
            _add_arguments(connection, job.id, {"deaths": job.deaths})
            return _retry_job(connection, job.id)


def _read_outcome(source: str, values: object) -> RunOutcome:
    """Return the outcome that a worker recorded, or a failure if this program cannot read it."""
    try:
        return OUTCOME_ADAPTER.validate_python(values)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        reason = (
            f"The end of the run of {source} cannot be read ({where}: {problem['msg']}). "
            "Watch and workers must have the same version."
        )
        return RunOutcome(source=source, exit_code=1, reason=reason)


def make_given_up(outcome: RunOutcome, deaths: int) -> RunOutcome:
    """Return the outcome of a run whose process was killed so often that no worker tries it again."""
    reason = (
        f"The run of {outcome.source} was given up: its process was killed {deaths} times, alone or with its worker. "
        "Look at the workers' memory and their logs."
    )
    return replace(outcome, reason=reason)


def _lock_try(connection: Connection, job_id: int, worker_id: int | None, attempts: int) -> bool:
    """Return whether this try of a job is in progress. It stays so to the end of the transaction."""
    values = {"id": job_id, "worker_id": worker_id, "attempts": attempts}
    return connection.exec_driver_sql(_LOCK_TRY, values).first() is not None


def _rescue_job(connection: Connection, row: Row[Any]) -> StalledRun | None:
    source, deaths = row.queueing_lock, row.args.get("deaths", 0) + 1
    if not _lock_try(connection, row.id, row.worker_id, row.attempts):
        return None  # it has just ended
    if deaths >= MAX_JOB_DEATHS:
        outcome = make_given_up(RunOutcome(source=source, exit_code=1, reason="", lost=True), deaths)
        _finish_job(connection, row.id, is_good=False, outcome=outcome)
        return None
    _add_arguments(connection, row.id, {"deaths": deaths})
    return StalledRun(source=source, is_given_back=_retry_job(connection, row.id))


def _retry_job(connection: Connection, job_id: int) -> bool:
    """Let a job wait for a worker again. If the source's next run waits already, end the job as failed.

    A job that stays as it is would block all sources of its politeness group.
    """
    values = dict.fromkeys(("retry_at", "new_priority", "new_queue_name", "new_lock"))
    connection.exec_driver_sql("SAVEPOINT retry_job")
    try:
        connection.exec_driver_sql(sql.queries["retry_job"], {"job_id": job_id, **values})
    except IntegrityError:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT retry_job")
        _finish_job(connection, job_id, is_good=False)
        return False
    return True


def _finish_job(
    connection: Connection, job_id: int, *, is_good: bool, outcome: RunOutcome | None = None, worker: str = ""
) -> None:
    if outcome is not None:
        _add_arguments(
            connection, job_id, {"outcome": OUTCOME_ADAPTER.dump_python(outcome, mode="json"), "worker": worker}
        )
    values = {"job_id": job_id, "status": "succeeded" if is_good else "failed", "delete_job": False}
    connection.exec_driver_sql(sql.queries["finish_job"], values)


def _add_arguments(connection: Connection, job_id: int, arguments: dict[str, Any]) -> None:
    query = "UPDATE procrastinate_jobs SET args = args || %s WHERE id = %s"
    connection.exec_driver_sql(query, (Jsonb(arguments), job_id))


# --- the tables


def open_job_queue(config: Config) -> JobQueue:
    """Return the queue in the store's database. Make its schema at the first use, and upgrade it after an update.

    Raise ConfigError if the database cannot be reached, or its user may not make a schema.
    """
    address = parse_store_url(config.database_url)
    name = redact_url(config.database_url)
    engine = make_engine(address)
    database = Database(engine, name)
    try:
        store_schema = str(database.fetch_all(select(func.current_schema()))[0][0])
        schema = "crawler_jobs" if store_schema == "public" else f"{store_schema}_jobs"
        # Only a queue that is made or upgraded waits for the writers of the store.
        if database.fetch_all(_GET_SCHEMA_VERSION, {"name": schema}) != [(_get_installed_version(),)]:
            with database.transaction(exclusive=True) as connection:
                _prepare_schema(connection, schema, name)
    finally:
        database.close()
    return JobQueue(Database(make_engine(_add_search_path(address, schema)), name), schema)


def _add_search_path(address: URL, schema: str) -> URL:
    written = address.query.get("options", "")
    options = written if isinstance(written, str) else " ".join(written)
    return address.update_query_dict({"options": f"{options} -csearch_path={schema}".strip()})


def _get_installed_version() -> str:
    """Return the comment of a schema that this program made."""
    return f"procrastinate {version('procrastinate')}"


def _prepare_schema(connection: Connection, schema: str, name: str) -> None:
    """Make or upgrade the tables, in the caller's exclusive transaction: two processes that start take turns."""
    has_schema = connection.exec_driver_sql("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).first()
    try:
        if not has_schema:
            connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
        connection.exec_driver_sql(f'SET LOCAL search_path TO "{schema}"')
        installed = _get_installed_version()
        former = connection.execute(_GET_SCHEMA_VERSION, {"name": schema}).scalar()
        if former == installed:
            return
        for script in [SchemaManager.get_schema(), WORKER_TABLE] if not former else list_migrations(former.split()[1]):
            # Without parameters, so that a percent sign is one.
            connection.execution_options(no_parameters=True).exec_driver_sql(script)
        connection.exec_driver_sql(f"COMMENT ON SCHEMA \"{schema}\" IS '{installed}'")
    except DBAPIError as error:
        raise ConfigError(
            f"The queue of runs cannot be made in the schema {schema} of the store {name}: "
            f"{format_database_error(error)}. Let its user make it, or make it as an administrator: "
            f"CREATE SCHEMA {schema} AUTHORIZATION the_user."
        ) from error


def list_migrations(former: str, folder: Path | None = None) -> list[str]:
    """Return procrastinate's migrations after a version, in order."""
    known = tuple(int(part) for part in former.split("."))
    paths = sorted((folder or Path(SchemaManager.get_migrations_path())).glob("*.sql"))
    return [
        path.read_text(encoding="utf-8")
        for path in paths
        if tuple(int(part) for part in path.name.partition("_")[0].split(".")) > known
    ]
