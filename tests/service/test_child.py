"""A run in a child: whatever it does, the parent gets one outcome with a sentence."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest
from support.child_processes import finish_misbehaving_run, make_misbehaving_plan
from support.process_tree import wait_until_dead

from crawler.errors import CrawlerError
from crawler.items import Health
from crawler.service.child import ChildProcess, run_all
from crawler.service.fork_server import start_fork_server
from crawler.service.run import RunOutcome, RunPlan, record_unreported_end


def test_a_good_run_reports_its_events_and_its_run_unchanged() -> None:
    outcome, events = finish_misbehaving_run("good")
    assert events == [{"type": "page", "url": "https://example.org/good", "at": "2026-01-02T00:00:00+00:00"}]
    assert outcome.run is not None
    assert outcome.run.health is Health.HEALTHY
    assert outcome.run.problems[0].message == "Қазақстан"
    assert outcome.run.started_at.isoformat() == "2026-01-02T03:04:05+00:00"
    assert (outcome.exit_code, outcome.reason, outcome.killed, outcome.stopped) == (
        0,
        "1 page, nothing new.",
        False,
        False,
    )


BAD = {
    "raises": (1, "ZeroDivisionError: of all things"),
    "refuses": (10, "https://example.org does not answer."),
    "segfaults": (1, "SIGSEGV"),
    "exits": (1, "sys.exit(0)"),
    "exits_at_once": (1, "ended itself with status 0"),
    "loops": (1, "after 3 s, the most that limits.run_seconds allows"),
    "ignores_sigterm": (1, "was killed"),
    "hoards": (1, "more than limits.memory_mb = 400 allows"),
    "grabs": (1, "no more memory"),
    "closes_its_pipes": (1, "without a result"),
    "returns_nothing": (1, "NoneType, not a Run"),
}


@pytest.mark.slow
def test_good_runs_beside_every_kind_of_bad_run_all_succeed() -> None:
    names = [name for bad in BAD for name in (bad, f"good-beside-{bad}")]
    plans = [make_misbehaving_plan(name, "by_source") for name in names]
    outcomes = run_all(plans, lambda event: None, max_children=6)
    assert [outcome.source for outcome in outcomes] == [plan.source for plan in plans]
    for bad, good in zip(outcomes[::2], outcomes[1::2], strict=True):
        code, words = BAD[bad.source]
        assert (bad.exit_code, bad.run) == (code, None)
        assert words in bad.reason
        assert (good.exit_code, good.killed) == (0, False), good


def test_a_crash_in_a_compiled_library_names_its_python_line() -> None:
    assert ", in string_at (" in finish_misbehaving_run("segfaults")[0].reason


def test_a_run_that_somebody_else_killed_is_lost() -> None:
    outcome, _ = finish_misbehaving_run("sleeps", lambda child, event: os.kill(child.pid, signal.SIGKILL))
    assert (outcome.lost, outcome.killed, outcome.exit_code) == (True, False, 1)
    assert "memory ran out" in outcome.reason
    assert not finish_misbehaving_run("segfaults")[0].lost


@pytest.mark.slow
def test_only_a_run_that_ignores_sigterm_is_killed() -> None:
    assert finish_misbehaving_run("ignores_sigterm")[0].killed
    assert not finish_misbehaving_run("hoards")[0].killed


def test_what_a_run_leaves_running_ends_with_it() -> None:
    outcome, events = finish_misbehaving_run("leaves_grandchildren")
    assert outcome.exit_code == 0
    wait_until_dead(*events[0]["pids"])


def test_a_thread_left_behind_does_not_keep_the_process() -> None:
    outcome, _ = finish_misbehaving_run("lingers")
    assert (outcome.exit_code, outcome.killed) == (0, False)


def test_what_a_run_prints_disturbs_no_one(capfd: pytest.CaptureFixture[str]) -> None:
    outcome, events = finish_misbehaving_run("floods")
    assert outcome.exit_code == 0
    assert [event["type"] for event in events] == ["page"]
    assert capfd.readouterr() == ("", "")


def test_an_event_that_json_cannot_hold_costs_only_itself() -> None:
    outcome, events = finish_misbehaving_run("emits_the_impossible")
    assert outcome.exit_code == 0
    assert "'circle' could not be sent" in events[0]["message"]
    assert events[1] == {"type": "lock", "lock": "<lock>"}


def test_log_records_come_as_events_from_the_level_asked_for() -> None:
    _, events = finish_misbehaving_run("logs")
    told = [(event["level"], event["logger"], event["message"]) for event in events if event["type"] == "log"]
    assert told == [
        ("WARNING", "somewhere", "look at this"),
        ("WARNING", "somewhere", "%d (this record could not be formatted)"),
    ]


def test_a_child_has_our_folder_and_variables_and_no_reactor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start_fork_server()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/set/after/the/server/started")
    variables = {"CRAWLER_TEST_VALUE": "from the plan"}
    outcome, events = finish_misbehaving_run("tells_its_surroundings", variables=variables)
    assert outcome.exit_code == 0
    assert events[0] == {
        "type": "surroundings",
        "folder": str(tmp_path),
        "variable": "from the plan",
        "path": "/set/after/the/server/started",
        "reactor": False,
        "scrapy": True,
        "threads": ["MainThread", "end with parent", "send messages"],
        "main": None,
        "leads": True,
    }


def test_a_child_does_not_outlive_its_follower() -> None:
    async def follow_shortly() -> int:
        child = ChildProcess(make_misbehaving_plan("sleeps"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(child.follow(lambda event: None), 0.2)
        return child.pid

    wait_until_dead(asyncio.run(follow_shortly()))


def test_a_failing_listener_leaves_no_process_behind() -> None:
    pids: list[int] = []

    def fails(event: dict[str, Any]) -> None:
        pids.append(event["pid"])
        raise BrokenPipeError("no one reads")

    with pytest.raises(BrokenPipeError):
        run_all([make_misbehaving_plan("sleeps")] * 2, fails)
    wait_until_dead(*pids)


@pytest.mark.slow
def test_a_server_that_died_is_replaced() -> None:
    assert finish_misbehaving_run("good")[0].exit_code == 0
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    os.kill(server, signal.SIGKILL)
    assert finish_misbehaving_run("good")[0].exit_code == 0
    assert forkserver._forkserver._forkserver_pid != server  # type: ignore[attr-defined]


def test_runs_that_lose_their_server_are_given_up_and_ended() -> None:
    def kill_server(child: ChildProcess, event: dict[str, Any]) -> None:
        os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)  # type: ignore[attr-defined]

    outcome, events = finish_misbehaving_run("sleeps", kill_server)
    assert outcome.exit_code == 1
    assert "the server process that all runs come from is gone" in outcome.reason
    assert outcome.lost
    wait_until_dead(events[0]["pid"])


@pytest.mark.slow
def test_signals_meant_for_everyone_do_not_end_the_server() -> None:
    servers = []

    def send_signals(child: ChildProcess, event: dict[str, Any]) -> None:
        if event["type"] == "ready":
            servers.append(forkserver._forkserver._forkserver_pid)  # type: ignore[attr-defined]
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                os.kill(servers[0], number)
            child.stop()

    assert finish_misbehaving_run("stops_in_order", send_signals, grace=120)[0].exit_code == 0
    assert finish_misbehaving_run("good")[0].exit_code == 0
    assert servers == [forkserver._forkserver._forkserver_pid]  # type: ignore[attr-defined]


@pytest.mark.slow
def test_an_unknown_target_is_one_failed_run() -> None:
    outcome, _ = finish_misbehaving_run("missing")
    assert outcome.exit_code == 1
    assert "missing" in outcome.reason


@pytest.mark.slow
def test_two_hundred_runs_leave_the_parent_as_it_was() -> None:
    def measured() -> tuple[float, int]:
        gc.collect()  # what an earlier test left is not what the runs left
        memory = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        return memory, len(list(Path("/proc/self/fd").iterdir()))

    def runs(count: int) -> None:
        plans = [make_misbehaving_plan("good")] * count
        outcomes = run_all(plans, lambda event: None, max_children=2)
        assert [outcome.exit_code for outcome in outcomes] == [0] * count

    runs(20)
    memory, files = measured()
    runs(200)
    assert measured()[0] - memory < 3
    assert measured()[1] == files


@pytest.mark.slow
def test_no_process_for_a_run_is_a_sentence() -> None:
    start_fork_server()
    files = len(list(Path("/proc/self/fd").iterdir()))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + 3, hard))
    try:
        with pytest.raises(CrawlerError, match="No process could be started for the run of mfa"):
            ChildProcess(make_misbehaving_plan("mfa", "good"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(list(Path("/proc/self/fd").iterdir())) <= files


def test_runs_that_end_at_once_leave_the_environment_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each end is recorded in a thread, in the store that the run's own variables name."""
    monkeypatch.setenv("CRAWLER_DATA_DIR", str(tmp_path / "other"))
    before = dict(os.environ)
    plans = [
        RunPlan(source="one", variables={"CRAWLER_DATA_DIR": str(tmp_path / f"{number}"), "CRAWLER_CONTACT": "a@b.kz"})
        for number in range(8)
    ]
    crashed = RunOutcome(source="one", run=None, exit_code=1, reason="It crashed.", seconds=1.0)
    with ThreadPoolExecutor(len(plans)) as threads:
        list(threads.map(lambda plan: record_unreported_end(plan, crashed, 1), plans))
    assert dict(os.environ) == before
    assert all((tmp_path / f"{number}" / "crawler.db").exists() for number in range(8))
