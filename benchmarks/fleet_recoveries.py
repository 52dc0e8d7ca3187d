"""What became of the runs that failed workers of a fleet had, by a history of every job that the database keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row

from crawler.text.counts import format_count

HISTORY = """
CREATE TABLE job_history (
    id bigserial, at double precision DEFAULT extract(epoch FROM clock_timestamp()),
    job bigint, source text, status text, worker_id bigint, is_lost boolean
);
CREATE FUNCTION add_to_job_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job_history (job, source, status, worker_id, is_lost)
    VALUES (NEW.id, NEW.queueing_lock, NEW.status, NEW.worker_id,
        coalesce((NEW.args->'outcome'->>'lost')::boolean, false));
    RETURN NULL;
END $$;
CREATE TRIGGER keep_job_history AFTER UPDATE OF status ON procrastinate_jobs
FOR EACH ROW EXECUTE FUNCTION add_to_job_history()"""


class JobStep(NamedTuple):
    """A new status of a job, at a time in seconds. `is_lost`: the run was given up because its process was killed."""

    job: int
    source: str
    at: float
    status: str
    worker_id: int | None
    is_lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LostRun:
    """A run that a worker had when it failed. Times after `failed_at` are seconds since then, or None.

    `given_back`: it waits for a worker again. `taken`: another worker has it. `made`: a worker recorded how it ended.
    `given_up`: too many workers failed with it.
    """

    source: str
    failed_at: float
    given_back: float | None = None
    taken: float | None = None
    made: float | None = None
    given_up: float | None = None
    losses: int = 1
    """How often it was lost from now on, also by workers that were silent without being made to fail."""

    @property
    def is_decided(self) -> bool:
        """Whether a worker made it, or it was given up."""
        return self.made is not None or self.given_up is not None

    def __str__(self) -> str:
        """Return what happened, with the seconds."""
        steps = {"given back": self.given_back, "taken": self.taken, "made": self.made, "given up": self.given_up}
        times = ", ".join(f"{name} after {at:.1f} s" for name, at in steps.items() if at is not None)
        return f"{self.source}: {times or 'nothing more'}; lost {format_count(self.losses, 'time')}"


class JobHistory:
    """The history of the jobs in a queue of `crawler.service.job_queue`, from now on."""

    def __init__(self, url: str, schema: str = "crawler_jobs") -> None:
        """Add a trigger to the queue's tables."""
        self._url, self._schema = url, schema
        with self._connect() as connection:
            connection.execute(HISTORY)

    def find_worker_id(self, pid: int) -> int | None:
        """Return the number under which a process is registered now, or None if it is not ready yet."""
        query = "SELECT max(worker_id) AS number FROM crawler_workers WHERE pid = %s"
        with self._connect() as connection:
            row: Any = connection.execute(query, (pid,)).fetchone()
        return None if row[0] is None else int(row[0])

    def find_lost_runs(self, failures: Mapping[int, float]) -> list[LostRun]:
        """Return the runs of failed workers, which are given as number and time of failure."""
        query = "SELECT job, source, at, status, worker_id, is_lost FROM job_history ORDER BY id"
        with self._connect() as connection:
            steps = connection.cursor(row_factory=class_row(JobStep)).execute(query).fetchall()
        return find_lost_runs(steps, failures)

    def count_losses(self) -> int:
        """Return how often a run was given back or given up, whatever happened to its worker."""
        with self._connect() as connection:
            query = "SELECT count(*) FROM job_history WHERE status = 'todo' OR is_lost"
            row: Any = connection.execute(query).fetchone()
        return int(row[0])

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._url, options=f"-csearch_path={self._schema}")


def find_lost_runs(steps: Sequence[JobStep], failures: Mapping[int, float]) -> list[LostRun]:
    """Return what became of each run that a failed worker took and did not end, the first failure first."""
    by_job: dict[int, list[JobStep]] = {}
    for step in steps:
        by_job.setdefault(step.job, []).append(step)
    found = [
        make_lost_run(job[number + 1 :], step, failures)
        for job in by_job.values()
        for number, step in enumerate(job)
        if step.status == "doing" and step.worker_id in failures and not (job[number + 1 :] and is_end(job[number + 1]))
    ]
    return sorted(found, key=lambda run: run.failed_at)


def is_end(step: JobStep) -> bool:
    """Return whether a worker recorded how the run ended."""
    return step.status in ("succeeded", "failed") and not step.is_lost


def make_lost_run(later: Sequence[JobStep], taken: JobStep, failures: Mapping[int, float]) -> LostRun:
    """Return a run by the step with which the failed worker took it, and the later steps of the job."""
    assert taken.worker_id is not None
    failed_at = failures[taken.worker_id]

    def measure(is_wanted: Callable[[JobStep], bool]) -> float | None:
        return next((step.at - failed_at for step in later if is_wanted(step)), None)

    return LostRun(
        source=taken.source,
        failed_at=failed_at,
        given_back=measure(lambda step: step.status == "todo"),
        taken=measure(lambda step: step.status == "doing"),
        made=measure(is_end),
        given_up=measure(lambda step: step.is_lost),
        losses=max(1, sum(step.status == "todo" or step.is_lost for step in later)),
    )


def format_times(times: Sequence[float | None]) -> str:
    """Return median and longest of the times that are known, and of how many."""
    known = [each for each in times if each is not None]
    return f"{median(known):.1f}, {max(known):.1f} of {len(known)}" if known else "-"
