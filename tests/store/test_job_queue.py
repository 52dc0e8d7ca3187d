"""The queue of runs in a real PostgreSQL: one run of a source and of a politeness group, silent workers, late ends."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crawler.config import Config
from crawler.errors import ConfigError
from crawler.extensions.lease import LEASE_POLL_SECONDS
from crawler.items import Health, Run
from crawler.service.child import CHECK_SECONDS
from crawler.service.job_queue import (
    LISTED_SILENCE_SECONDS,
    MAX_JOB_DEATHS,
    MAX_SILENCE_SECONDS,
    QUEUE_POLL_SECONDS,
    RESCUE_LOCK_KEY,
    RESCUE_SECONDS,
    WORKER_TIMEOUT_SECONDS,
    EnqueueResult,
    JobQueue,
    RunJob,
    StalledRun,
    list_migrations,
    make_given_up,
    open_job_queue,
)
from crawler.service.run import RunOutcome, RunPlan
from crawler.store import ScheduleState, Store, open_store
from crawler.store.leases import LEASE_TIMEOUT

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def make_queue_config(url: str) -> Config:
    return Config(database=url, engine="procrastinate")


@dataclass
class QueuePlace:
    """A store with its queue, and SQL in the queue's schema."""

    url: str
    store: Store
    queue: JobQueue
    connection: psycopg.Connection[Any]

    def enqueue(self, source: str, group: str = "") -> EnqueueResult:
        with self.store.database.transaction(exclusive=True) as connection:
            return self.queue.enqueue(connection, source, group, accepts_new_store=False)

    def take(self, worker: int, *known: RunJob) -> RunJob:
        job = self.queue.take_job(worker, {each.id for each in known})
        assert job is not None
        return job

    def silence_worker(self, worker: int, seconds: float = WORKER_TIMEOUT_SECONDS + 1) -> None:
        self.connection.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - make_interval(secs => %s) WHERE id = %s",
            (seconds, worker),
        )

    def list_statuses(self) -> list[tuple[str, str]]:
        query = "SELECT queueing_lock, status FROM procrastinate_jobs ORDER BY id"
        return [(row[0], row[1]) for row in self.connection.execute(query)]


@pytest.fixture(scope="module")
def opened(module_postgres_url: str) -> Iterator[QueuePlace]:
    with open_store(module_postgres_url) as store:
        queue = open_job_queue(make_queue_config(module_postgres_url))
        with psycopg.connect(module_postgres_url, autocommit=True) as connection:
            row = connection.execute("SELECT current_schema()").fetchone()
            assert row is not None
            schema = f"{row[0]}_jobs"
            connection.execute(f"SET search_path TO {schema}")
            yield QueuePlace(module_postgres_url, store, queue, connection)
            queue.close()
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def place(opened: QueuePlace) -> QueuePlace:
    opened.connection.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
    return opened


def make_outcome(source: str, code: int = 0) -> RunOutcome:
    health = Health.FAILED if code else Health.HEALTHY
    run = Run(id=7, source=source, started_at=NOON, finished_at=NOON, health=health, exit_code=code, measures={"a": 1})
    return RunOutcome(source=source, run=run, exit_code=code, reason="1 new.", seconds=1.5)


def test_runs_of_a_failed_worker_wait_less_than_a_minute() -> None:
    """The sums of docs/workers.md. Runs have ended before others take them, also those of a worker that was cut off."""
    assert MAX_SILENCE_SECONDS + 2 * RunPlan(source="mfa").grace + CHECK_SECONDS < WORKER_TIMEOUT_SECONDS
    longest = WORKER_TIMEOUT_SECONDS + RESCUE_SECONDS + 2 * QUEUE_POLL_SECONDS
    assert 2 * longest <= 50
    assert longest < LEASE_TIMEOUT.total_seconds() + LEASE_POLL_SECONDS <= 50


def test_opening_again_or_at_the_same_time_changes_nothing(postgres_url: str) -> None:
    open_store(postgres_url).close()
    with ThreadPoolExecutor(3) as pool:
        queues = list(pool.map(open_job_queue, [make_queue_config(postgres_url)] * 3))
    workers = [queue.register_worker(1) for queue in queues]
    assert len(set(workers)) == 3
    for queue in queues:
        queue.close()


def test_a_user_without_the_right_to_make_a_schema_is_told_what_to_do(place: QueuePlace) -> None:
    role = f"poor_{place.store.name.__hash__() & 0xFFFF}"
    with psycopg.connect(place.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute("CREATE SCHEMA IF NOT EXISTS poor_place")
        connection.execute(f"GRANT USAGE ON SCHEMA poor_place TO {role}")
        head, _, rest = place.url.partition("://postgres:@")
        url = f"{head}://{role}@{rest.partition('options=')[0]}options=-csearch_path%3Dpoor_place"
        with pytest.raises(ConfigError, match="CREATE SCHEMA poor_place_jobs AUTHORIZATION"):
            open_job_queue(make_queue_config(url))
        connection.execute("DROP SCHEMA poor_place")
        connection.execute(f"DROP ROLE {role}")


def test_one_run_of_a_politeness_group_at_a_time(place: QueuePlace) -> None:
    worker, other = place.queue.register_worker(2), place.queue.register_worker(2)
    for source, group in (("mfa", "www.gov.kz"), ("mod", "www.gov.kz"), ("ktkz", "www.kt.kz")):
        assert place.enqueue(source, group) is EnqueueResult.QUEUED
    first, second = place.take(worker), place.take(other)
    assert (first.source, second.source) == ("mfa", "ktkz")
    assert place.queue.take_job(other, {second.id}) is None
    assert place.queue.finish_job(first, make_outcome("mfa"))
    assert place.take(other, second).source == "mod"


def test_a_source_waits_once_and_not_beside_its_own_run(place: QueuePlace) -> None:
    worker = place.queue.register_worker(1)
    assert place.enqueue("mfa") is EnqueueResult.QUEUED
    assert place.enqueue("mfa") is EnqueueResult.STILL_WAITING
    job = place.take(worker)
    assert place.enqueue("mfa") is EnqueueResult.STILL_RUNNING
    place.queue.finish_job(job, make_outcome("mfa"))
    assert place.enqueue("mfa") is EnqueueResult.QUEUED


def test_a_start_is_claimed_exactly_if_its_job_is_there(place: QueuePlace) -> None:
    row = ScheduleState(source="mfa", cron="* * * * *", last_due_at=NOON)
    with pytest.raises(RuntimeError), place.store.database.transaction(exclusive=True) as connection:
        place.store.schedules.save(row)
        place.queue.enqueue(connection, "mfa", "", accepts_new_store=False)
        raise RuntimeError
    assert place.store.schedules.get("mfa") is None
    assert place.list_statuses() == []


def test_each_end_is_collected_once_with_its_outcome(place: QueuePlace) -> None:
    worker = place.queue.register_worker(2)
    outcomes = [make_outcome("mfa"), make_outcome("ktkz", 10)]
    for outcome in outcomes:
        place.enqueue(outcome.source)
        assert place.queue.finish_job(place.take(worker), outcome)
    place.enqueue("paused")
    assert place.queue.finish_job(place.take(worker), None)
    with ThreadPoolExecutor(2) as pool:
        collected = [each for ended in pool.map(lambda _: place.queue.collect_ended(), range(2)) for each in ended]
    assert [each.outcome for each in collected] == outcomes
    assert all(each.worker.startswith(f"worker {worker} on ") for each in collected)
    assert place.list_statuses() == []


def test_an_end_that_cannot_be_read_hides_no_other_one(place: QueuePlace) -> None:
    """As that of a worker of a newer version."""
    worker = place.queue.register_worker(2)
    for source in ("mfa", "ktkz"):
        place.enqueue(source)
        assert place.queue.finish_job(place.take(worker), make_outcome(source))
    place.connection.execute(
        """UPDATE procrastinate_jobs SET args = jsonb_set(args, '{outcome,run,health}', '"asleep"')
        WHERE queueing_lock = 'mfa'"""
    )
    broken, good = place.queue.collect_ended()
    assert (good.outcome.source, good.outcome.exit_code) == ("ktkz", 0)
    assert (broken.outcome.source, broken.outcome.exit_code) == ("mfa", 1)
    assert broken.outcome.reason.startswith("The end of the run of mfa cannot be read (run.health: ")


def test_the_run_of_a_silent_worker_is_given_back_and_its_late_end_refused(place: QueuePlace) -> None:
    frozen, other = place.queue.register_worker(1), place.queue.register_worker(1)
    place.enqueue("mfa", "www.gov.kz")
    job = place.take(frozen)
    place.silence_worker(frozen, WORKER_TIMEOUT_SECONDS - 1)
    assert place.queue.rescue_stalled() == []
    place.silence_worker(frozen)
    assert not place.queue.renew_worker(frozen)
    assert place.queue.rescue_stalled() == [StalledRun(source="mfa", is_given_back=True)]
    again = place.take(other)
    assert (again.id, again.attempts) == (job.id, job.attempts + 1)
    assert not place.queue.finish_job(job, make_outcome("mfa", 1))
    assert not place.queue.give_back(job)
    assert not place.queue.renew_worker(frozen)
    assert place.list_statuses() == [("mfa", "doing")]
    assert place.queue.finish_job(again, make_outcome("mfa"))
    assert [each.outcome.exit_code for each in place.queue.collect_ended()] == [0]


def test_a_silent_worker_is_listed_until_it_registers_again(place: QueuePlace) -> None:
    frozen, other = place.queue.register_worker(1), place.queue.register_worker(1)
    place.enqueue("mfa")
    place.silence_worker(frozen)
    assert place.queue.rescue_stalled() == []
    assert place.queue.take_job(frozen, set()) is None
    assert [(each.id, each.is_silent) for each in place.queue.get_state().workers] == [(frozen, True), (other, False)]
    woken = place.queue.register_worker(1)
    assert [(each.id, each.is_silent) for each in place.queue.get_state().workers] == [(other, False), (woken, False)]
    assert place.take(woken).source == "mfa"
    place.silence_worker(other, LISTED_SILENCE_SECONDS + 1)
    place.queue.rescue_stalled()
    assert [each.id for each in place.queue.get_state().workers] == [woken]


def test_a_worker_that_ends_gives_its_run_back(place: QueuePlace) -> None:
    worker, other = place.queue.register_worker(1), place.queue.register_worker(1)
    place.enqueue("mfa")
    assert place.queue.give_back(place.take(worker))
    place.queue.unregister_worker(worker)
    assert place.take(other).source == "mfa"


def test_one_scheduler_at_a_time_rescues(place: QueuePlace) -> None:
    worker = place.queue.register_worker(1)
    place.enqueue("mfa")
    place.take(worker)
    place.silence_worker(worker)
    with place.connection.transaction():
        lock = "SELECT pg_advisory_xact_lock(%s, hashtext(current_schema()))"
        place.connection.execute(lock, (RESCUE_LOCK_KEY,))
        assert place.queue.rescue_stalled() == []
    assert len(place.queue.rescue_stalled()) == 1


def test_a_dead_run_whose_next_one_waits_frees_its_group(place: QueuePlace) -> None:
    dead, other = place.queue.register_worker(1), place.queue.register_worker(1)
    place.enqueue("mfa", "www.gov.kz")
    place.take(dead)
    place.connection.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock) "
        "VALUES ('runs', 'run_source', 'www.gov.kz', 'mfa')"
    )
    place.silence_worker(dead)
    assert place.queue.rescue_stalled() == [StalledRun(source="mfa", is_given_back=False)]
    assert place.list_statuses() == [("mfa", "failed"), ("mfa", "todo")]
    assert place.take(other).source == "mfa"


def test_a_run_that_kills_its_workers_is_given_up_with_an_outcome(place: QueuePlace) -> None:
    place.enqueue("mfa")
    for death in range(MAX_JOB_DEATHS):
        worker = place.queue.register_worker(1)
        place.take(worker)
        place.silence_worker(worker)
        assert len(place.queue.rescue_stalled()) == (1 if death < MAX_JOB_DEATHS - 1 else 0)
    (ended,) = place.queue.collect_ended()
    lost = RunOutcome(source="mfa", exit_code=1, reason="", lost=True)
    assert ended.outcome == make_given_up(lost, MAX_JOB_DEATHS)
    assert ended.worker == ""


def test_a_run_that_is_given_back_comes_before_those_that_wait(place: QueuePlace) -> None:
    dead, other = place.queue.register_worker(1), place.queue.register_worker(1)
    place.enqueue("mfa", "www.gov.kz")
    place.take(dead)
    for source in ("mod", "ktkz", "qazmonitor"):
        place.enqueue(source, "www.gov.kz" if source == "mod" else source)
    place.silence_worker(dead)
    assert len(place.queue.rescue_stalled()) == 1
    assert place.take(other).source == "mfa"


def test_a_job_whose_fetch_had_no_answer_is_taken_again(place: QueuePlace) -> None:
    worker = place.queue.register_worker(2)
    place.enqueue("mfa")
    lost = place.take(worker)
    assert place.take(worker) == lost
    assert place.queue.take_job(worker, {lost.id}) is None


def test_state_names_workers_runs_and_what_waits(place: QueuePlace) -> None:
    worker, idle = place.queue.register_worker(2), place.queue.register_worker(1)
    for source in ("mfa", "ktkz"):
        place.enqueue(source, f"www.{source}")
    place.take(worker)
    state = place.queue.get_state()
    assert [(each.id, each.concurrency, [run.source for run in each.runs]) for each in state.workers] == [
        (worker, 2, ["mfa"]),
        (idle, 1, []),
    ]
    assert (state.waiting, state.workers[0].runs[0].politeness_group) == (1, "www.mfa")


def test_migrations_after_a_version_in_order(tmp_path: Path) -> None:
    for name in ("03.09.00_01_pre_a", "03.10.00_01_pre_b", "03.11.00_50_post_d", "03.11.00_01_pre_c"):
        (tmp_path / f"{name}.sql").write_text(name, encoding="utf-8")
    assert list_migrations("3.10.0", tmp_path) == ["03.11.00_01_pre_c", "03.11.00_50_post_d"]


@pytest.mark.parametrize(("database", "expected"), [("sqlite:///a.db", "needs PostgreSQL"), (None, "needs PostgreSQL")])
def test_the_engine_needs_postgresql(database: str | None, expected: str, tmp_path: Path) -> None:
    from crawler.config import load_config

    file = tmp_path / "crawler.toml"
    line = f'database = "{database}"\n' if database else ""
    file.write_text(f'{line}engine = "procrastinate"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=expected) as caught:
        load_config(file)
    assert f"{file}:{2 if database else 1}" in str(caught.value)
