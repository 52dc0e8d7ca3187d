"""`crawler workers` as people and programs read it, and the lines of a watch whose runs are made by workers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from crawler.cli.commands.health import format_silent_workers
from crawler.cli.commands.watch import format_step
from crawler.cli.commands.worker import format_workers, worker_to_dict
from crawler.config import Config
from crawler.service.job_queue import QueueState, WorkerRun, WorkerState
from crawler.service.run import RunOutcome
from crawler.service.run_engine import RunFinished, RunQueued, RunReturned

NOW = datetime(2026, 11, 29, 17, 12, tzinfo=UTC)
BUSY = WorkerState(
    id=1,
    host="laptop",
    pid=27662,
    concurrency=2,
    started_at=NOW - timedelta(minutes=1),
    heartbeat_at=NOW - timedelta(seconds=5),
    runs=tuple(
        WorkerRun(source=name, politeness_group=f"www.{name}.kz", started_at=NOW - timedelta(seconds=seconds))
        for name, seconds in (("mfa", 3), ("ktkz", 12))
    ),
)
IDLE = WorkerState(
    id=12, host="b", pid=7, concurrency=1, started_at=NOW, heartbeat_at=NOW - timedelta(seconds=25), runs=()
)


def test_table_has_a_line_for_each_run_and_each_idle_worker() -> None:
    lines = format_workers(QueueState(workers=(BUSY, IDLE), waiting=1, at=NOW), "Asia/Almaty")
    assert [line.split() for line in lines[:-1]] == [
        ["worker", "host", "process", "since", "heartbeat", "runs", "for"],
        ["1", "laptop", "27662", "2026-11-29", "22:11", "5", "s", "ago", "mfa", "3", "s"],
        ["ktkz", "12", "s"],
        ["12", "b", "7", "2026-11-29", "22:12", "25", "s", "ago", "nothing"],
    ]
    assert lines[-1] == "2 workers, 2 runs in progress, 1 run waits for a worker."


def test_silent_worker_is_named() -> None:
    frozen = replace(IDLE, heartbeat_at=NOW - timedelta(seconds=312), is_silent=True)
    *_, line, total = format_workers(QueueState(workers=(BUSY, frozen), waiting=0, at=NOW), "Asia/Almaty")
    assert line.split() == ["12", "b", "7", "2026-11-29", "22:12", "312", "s", "ago,", "silent", "nothing"]
    assert total == (
        "1 worker, 2 runs in progress, 0 runs wait for a worker. "
        "Silent, and without runs: 1 worker; look at the process or its machine."
    )
    assert worker_to_dict(frozen, QueueState(workers=(frozen,), waiting=0, at=NOW), Config())["is_silent"] is True
    *_, total = format_workers(QueueState(workers=(frozen,), waiting=2, at=NOW), "Asia/Almaty")
    assert total.startswith("No worker is there; start `crawler worker`. 2 runs wait for a worker. Silent, ")


def test_health_names_silent_workers_alone() -> None:
    frozen = replace(BUSY, heartbeat_at=NOW - timedelta(seconds=312), is_silent=True)
    assert format_silent_workers(QueueState(workers=(frozen, IDLE), waiting=0, at=NOW), "Asia/Almaty") == [
        "Worker 1 on laptop (process 27662) is silent since 2026-11-29 22:06. Look at the process or its machine."
    ]


def test_no_worker_says_what_to_do() -> None:
    lines = format_workers(QueueState(workers=(), waiting=3, at=NOW), "Asia/Almaty")
    assert lines == ["No worker is there; start `crawler worker`. 3 runs wait for a worker."]


def test_json_has_local_times() -> None:
    values = worker_to_dict(BUSY, QueueState(workers=(BUSY,), waiting=0, at=NOW), Config())
    assert (values["worker"], values["heartbeat"], values["waiting"]) == (1, "2026-11-29T22:11:55+05:00", 0)
    assert values["runs"][1] == {
        "source": "ktkz",
        "politeness_group": "www.ktkz.kz",
        "since": "2026-11-29T22:11:48+05:00",
    }


def test_lines_of_a_queued_run() -> None:
    outcome = RunOutcome(source="mfa", exit_code=1, reason="It crashed.", seconds=1.26)
    events = (
        RunQueued(source="mfa", at=NOW),
        RunReturned(source="mfa", at=NOW, reason="given back: its worker is silent"),
        RunFinished(source="mfa", at=NOW, outcome=outcome, worker="worker 1 on laptop"),
    )
    assert [format_step(event).partition("  mfa  ")[2] for event in events] == [
        "queued",
        "given back: its worker is silent",
        "failed: It crashed. (1.3 s, exit 1, worker 1 on laptop)",
    ]
