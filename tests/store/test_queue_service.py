"""Schedulers and workers around one queue: no start twice, runs given back, nothing lost while the database is away."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest
from support.child_processes import make_misbehaving_plan
from support.process_tree import wait_until_dead
from support.scheduler_process import FixedConfig, Recorder, parse_seconds_cron

from crawler.config import Config, LimitsConfig
from crawler.context.modes import Storage
from crawler.errors import StoreError
from crawler.service import queue_worker
from crawler.service.job_queue import MAX_JOB_DEATHS, JobQueue, RunJob, make_given_up, open_job_queue
from crawler.service.queue_engine import QueueEngine
from crawler.service.queue_worker import QueueWorker
from crawler.service.run import RunOutcome, RunPlan
from crawler.service.run_engine import RunFinished, RunQueued, RunReturned, RunSkipped, RunStarted, SchedulerEvent
from crawler.service.schedule_state import Timing
from crawler.service.scheduler import RunScheduler
from crawler.store import ScheduleState, Store, open_store

pytestmark = pytest.mark.slow


@dataclass
class SharedQueue:
    """A store with its queue in an empty schema."""

    config: Config
    store: Store
    queue: JobQueue

    def enqueue(self, *sources: str) -> None:
        for source in sources:
            with self.store.database.transaction(exclusive=True) as connection:
                self.queue.enqueue(connection, source, "", accepts_new_store=False)


@pytest.fixture
def shared(postgres_url: str) -> Iterator[SharedQueue]:
    config = Config(database=postgres_url, engine="procrastinate")
    with open_store(postgres_url) as store:
        queue = open_job_queue(config)
        yield SharedQueue(config, store, queue)
        queue.close()


@dataclass
class WorkerRecorder:
    """An observer that keeps a worker's steps. It calls `react` after each, and `react_to_run` with events of runs."""

    react: Callable[[SchedulerEvent], None] = lambda event: None
    react_to_run: Callable[[dict[str, Any]], object] = lambda event: None
    ready: list[int] = field(default_factory=list)
    steps: list[SchedulerEvent] = field(default_factory=list)

    def on_ready(self, worker_id: int, concurrency: int) -> None:
        self.ready.append(worker_id)

    def on_step(self, event: SchedulerEvent) -> None:
        self.steps.append(event)
        self.react(event)

    def on_event(self, event: dict[str, Any]) -> None:
        self.react_to_run(event)

    def on_draining(self, running: int, seconds: float) -> None:
        """Keep nothing."""


def serve_worker(shared: SharedQueue, target: str, recorder: WorkerRecorder, folder: Path, **options: Any) -> None:
    """Serve until `recorder.react` stops the worker, which is `recorder.worker`, at most 60 s."""
    variables = {
        "NOTES": str(folder / "notes"),
        "SECONDS": options.pop("seconds", "0.2"),
        "PID_FILE": str(folder / "pid"),
    }

    def make_plan(job: RunJob) -> RunPlan:
        limits = LimitsConfig.model_validate({"run_seconds": 60})
        return make_misbehaving_plan(job.source, target, variables=variables, limits=limits, storage=Storage.NONE)

    async def serve() -> None:
        worker = QueueWorker(None, shared.store, shared.queue, recorder, make_plan=make_plan, **options)
        recorder.worker = worker
        await asyncio.wait_for(worker.serve(), 180)

    asyncio.run(serve())


def stop_after(count: int, kind: type) -> WorkerRecorder:
    """Return an observer that stops its worker after so many steps of a kind."""
    recorder = WorkerRecorder()

    def react(event: SchedulerEvent) -> None:
        if sum(isinstance(step, kind) for step in recorder.steps) == count:
            recorder.worker.stop()

    recorder.react = react
    return recorder


def test_two_schedulers_queue_each_start_once(shared: SharedQueue, tmp_path: Path) -> None:
    """Jitter lets them fire at different times for one time of the cron. A worker ends each run at once."""
    timings = {"one": Timing(cron="*/3", jitter=1)}
    recorders = [Recorder(lambda steps: False, lambda event: None, lambda: None) for _ in range(2)]
    has_ended = threading.Event()

    def end_runs() -> None:
        worker = shared.queue.register_worker(1)
        while not has_ended.wait(0.05):
            if job := shared.queue.take_job(worker, set()):
                shared.queue.finish_job(job, RunOutcome(source="one", exit_code=0, reason="Done."))

    async def serve_both() -> None:
        schedulers = []
        for recorder in recorders:
            reloader: Any = FixedConfig(shared.store.schedules, timings, lambda source: RunPlan(source=source))
            reloader.store, reloader.config = shared.store, shared.config
            engine = QueueEngine(reloader, recorder)
            recorder.scheduler = RunScheduler(reloader, recorder, parse=parse_seconds_cron, engine=engine)
            schedulers.append(asyncio.create_task(recorder.scheduler.serve()))
        await asyncio.sleep(11)
        for recorder in recorders:
            recorder.scheduler.stop()
        await asyncio.gather(*schedulers)

    thread = threading.Thread(target=end_runs)
    thread.start()
    asyncio.run(serve_both())
    has_ended.set()
    thread.join()
    steps = [step for recorder in recorders for step in recorder.steps]
    queued = [step for step in steps if isinstance(step, RunQueued)]
    # The first start makes up for a missed one, at once; then one for each third second.
    slots = [int(step.at.timestamp()) // 3 for step in queued[1:]]
    assert len(queued) >= 3
    assert len(slots) == len(set(slots)), slots
    assert sum(isinstance(step, RunFinished) for step in steps) in (len(queued) - 1, len(queued))


def test_a_worker_runs_what_waits_and_skips_what_is_paused(shared: SharedQueue, tmp_path: Path) -> None:
    for source in ("one", "two", "still"):
        shared.store.schedules.save(ScheduleState(source=source, cron="* * * * *", paused=source == "still"))
    shared.enqueue("still", "one", "two")
    recorder = stop_after(2, RunFinished)
    serve_worker(shared, "takes_a_while", recorder, tmp_path)
    assert {step.source for step in recorder.steps if isinstance(step, RunSkipped)} == {"still"}
    assert [each.outcome.exit_code for each in shared.queue.collect_ended()] == [0, 0]
    row = shared.store.schedules.get("one")
    assert row is not None
    assert row.last_started_at is not None
    assert row.last_finished_at is not None
    assert row.last_started_at <= row.last_finished_at
    assert shared.queue.get_state().workers == ()


def test_a_worker_whose_configuration_is_deleted_makes_no_run_by_another_one(
    shared: SharedQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is in the working folder. The built-in configuration has another store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRAWLER_DATA_DIR", str(tmp_path / "other"))
    file = tmp_path / "crawler.toml"
    file.touch()
    recorder = stop_after(1, RunFinished)
    recorder.worker = QueueWorker(None, shared.store, shared.queue, recorder)
    file.unlink()
    shared.enqueue("mfa")
    asyncio.run(asyncio.wait_for(recorder.worker.serve(), 60))
    (ended,) = shared.queue.collect_ended()
    assert f"The configuration file {file} does not exist" in ended.outcome.reason
    assert not (tmp_path / "other").exists()


def test_a_worker_registers_when_it_can_start_runs_at_once(
    shared: SharedQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers: list[object] = []
    wait = queue_worker.wait_for_fork_server

    def wait_and_look() -> None:
        wait()
        workers.append(shared.queue.get_state().workers)

    monkeypatch.setattr(queue_worker, "wait_for_fork_server", wait_and_look)
    shared.enqueue("one")
    serve_worker(shared, "takes_a_while", stop_after(1, RunFinished), tmp_path)
    assert workers == [()]
    assert [each.outcome.exit_code for each in shared.queue.collect_ended()] == [0]


@pytest.mark.parametrize(("drain", "expected"), [(20, "finished"), (0, "given back")])
def test_an_ending_worker_gives_its_run_time_and_then_gives_it_back(
    drain: float, expected: str, shared: SharedQueue, tmp_path: Path
) -> None:
    shared.enqueue("one", "two")
    recorder = stop_after(1, RunStarted)
    serve_worker(shared, "takes_a_while", recorder, tmp_path, seconds="3", concurrency=1, drain_seconds=drain)
    state, ended = shared.queue.get_state(), shared.queue.collect_ended()
    assert [step.source for step in recorder.steps if isinstance(step, RunStarted)] == ["one"]
    if expected == "finished":
        assert (state.waiting, [each.outcome.exit_code for each in ended]) == (1, [0])
    else:
        assert (state.waiting, ended) == (2, [])
        assert recorder.steps[-1].reason == queue_worker.ENDING_REASON


def test_a_run_that_is_killed_alone_is_made_again_and_given_up_at_last(shared: SharedQueue, tmp_path: Path) -> None:
    shared.enqueue("one")
    recorder = stop_after(1, RunFinished)
    recorder.react_to_run = lambda event: os.kill(event["pid"], signal.SIGKILL) if event["type"] == "ready" else None
    serve_worker(shared, "sleeps", recorder, tmp_path)
    assert [type(step) for step in recorder.steps] == [*[RunStarted, RunReturned] * 2, RunStarted, RunFinished]
    assert {step.reason for step in recorder.steps if isinstance(step, RunReturned)} == {queue_worker.KILLED_REASON}
    (ended,) = shared.queue.collect_ended()
    assert ended.outcome.lost
    assert ended.outcome == make_given_up(ended.outcome, MAX_JOB_DEATHS)


def test_runs_that_lose_their_fork_server_are_ended_and_given_back_as_killed(
    shared: SharedQueue, tmp_path: Path
) -> None:
    pids: list[int] = []

    def kill_server(event: dict[str, Any]) -> None:
        if event["type"] == "ready":
            pids.append(event["pid"])
            if len(pids) == 2:
                os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)  # type: ignore[attr-defined]

    shared.enqueue("one", "two")
    recorder = stop_after(2, RunReturned)
    recorder.react_to_run = kill_server
    serve_worker(shared, "sleeps", recorder, tmp_path, drain_seconds=0)
    wait_until_dead(*pids)
    returned = [step for step in recorder.steps if isinstance(step, RunReturned)][:2]
    assert [(step.source, step.reason) for step in sorted(returned, key=lambda step: step.source)] == [
        ("one", queue_worker.KILLED_REASON),
        ("two", queue_worker.KILLED_REASON),
    ]
    worker = shared.queue.register_worker(2)
    first = shared.queue.take_job(worker, set())
    assert first is not None
    second = shared.queue.take_job(worker, {first.id})
    assert second is not None
    assert (first.deaths, second.deaths) == (1, 1)


def test_a_worker_that_cannot_renew_itself_stops_its_run_and_comes_back(
    shared: SharedQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_worker, "WORKER_HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(queue_worker, "MAX_SILENCE_SECONDS", 1.0)
    is_away = threading.Event()
    renew = shared.queue.renew_worker

    def renew_or_fail(worker_id: int) -> bool:
        if is_away.is_set():
            raise StoreError("the server is gone")
        return renew(worker_id)

    monkeypatch.setattr(shared.queue, "renew_worker", renew_or_fail)
    shared.enqueue("one")
    recorder = WorkerRecorder()

    def react(event: SchedulerEvent) -> None:
        if isinstance(event, RunReturned):
            is_away.clear()
        elif len(recorder.ready) == 1:
            is_away.set()
        else:
            recorder.worker.stop()

    recorder.react = react
    serve_worker(shared, "sleeps", recorder, tmp_path, drain_seconds=0)
    assert len(recorder.ready) == 2
    # The database answers: the run is given back at once, and the worker takes it again under its new number.
    assert [type(step) for step in recorder.steps] == [RunStarted, RunReturned] * 2
    assert [step.reason for step in recorder.steps if isinstance(step, RunReturned)] == [
        queue_worker.SILENT_REASON,
        queue_worker.ENDING_REASON,
    ]
    job = shared.queue.take_job(shared.queue.register_worker(1), set())
    assert job is not None
    assert job.deaths == 0


def test_a_start_waits_for_the_database(shared: SharedQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [StoreError("the server is gone")] * 2
    enqueue = shared.queue.enqueue

    def enqueue_or_fail(*values: Any, **options: Any) -> Any:
        if failures:
            raise failures.pop()
        return enqueue(*values, **options)

    monkeypatch.setattr(shared.queue, "enqueue", enqueue_or_fail)
    # On a busy machine a start may come so late that it is skipped first.
    recorder = Recorder(lambda steps: isinstance(steps[-1], RunQueued), lambda event: None, lambda: None)
    reloader: Any = FixedConfig(
        shared.store.schedules, {"one": Timing(cron="*/5")}, lambda source: RunPlan(source=source)
    )
    reloader.store, reloader.config = shared.store, shared.config

    async def serve() -> None:
        engine = QueueEngine(reloader, recorder, open_queue=lambda config: shared.queue)
        recorder.scheduler = RunScheduler(reloader, recorder, parse=parse_seconds_cron, engine=engine)
        await asyncio.wait_for(recorder.scheduler.serve(), 180)

    asyncio.run(serve())
    assert isinstance(recorder.steps[-1], RunQueued)
    assert failures == []
