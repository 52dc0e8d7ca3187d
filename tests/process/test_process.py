from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import forkserver
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from crawler.config import Limits
from crawler.errors import CrawlerError
from crawler.items import Health
from crawler.process import Child, Outcome, run_all, start, warm
from crawler.run import RunPlan

HERE = Path(__file__).parent
TIGHT = Limits.model_validate({"run_seconds": 3, "memory_mb": 400})


def child_of(name: str, grace: float = 0.5, **variables: str) -> Child:
    plan = RunPlan(source=name, variables=variables)
    return start(plan, target=f"misbehaving_runs:{name}", limits=TIGHT, grace=grace)


def finished(name: str) -> tuple[Outcome, list[dict[str, Any]]]:
    child = child_of(name)
    events = list(child.events())
    assert child.outcome is not None
    return child.outcome, events


def gone(pid: int) -> bool:
    """Whether no such process runs any more; waits a while for it."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_good_run_reports_its_events_and_its_run_unchanged() -> None:
    outcome, events = finished("good")
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


def test_good_runs_beside_every_kind_of_bad_run_all_succeed() -> None:
    plans = [RunPlan(source=name) for bad in BAD for name in (bad, f"good-beside-{bad}")]
    outcomes = run_all(
        plans, lambda event: None, at_once=6, target="misbehaving_runs:by_source", limits=TIGHT, grace=0.5
    )
    assert [outcome.source for outcome in outcomes] == [plan.source for plan in plans]
    for bad, good in zip(outcomes[::2], outcomes[1::2], strict=True):
        code, words = BAD[bad.source]
        assert (bad.exit_code, bad.run) == (code, None)
        assert words in bad.reason
        assert (good.exit_code, good.killed) == (0, False), good


def test_a_crash_in_a_compiled_library_is_told_with_its_python_line() -> None:
    assert ", in string_at (" in finished("segfaults")[0].reason


def test_only_a_run_that_ignores_sigterm_is_killed() -> None:
    assert finished("ignores_sigterm")[0].killed
    assert not finished("hoards")[0].killed


def test_what_a_run_leaves_running_ends_with_it() -> None:
    outcome, events = finished("leaves_grandchildren")
    assert outcome.exit_code == 0
    assert all(gone(pid) for pid in events[0]["pids"])


def test_a_thread_left_behind_does_not_keep_the_process() -> None:
    outcome, _ = finished("lingers")
    assert (outcome.exit_code, outcome.killed) == (0, False)


def test_a_flood_of_output_is_cut_and_said() -> None:
    outcome, events = finished("floods")
    assert outcome.exit_code == 0
    assert sum(len(event["message"]) for event in events if event["type"] == "output") < 1_100_000
    assert any("the rest is left out" in event["message"] for event in events if event["type"] == "log")


def test_an_event_that_json_cannot_hold_costs_only_itself() -> None:
    outcome, events = finished("emits_the_impossible")
    assert outcome.exit_code == 0
    assert "'circle' could not be sent" in events[0]["message"]
    assert events[1] == {"type": "lock", "lock": "<lock>"}


def test_log_records_come_as_events_from_the_level_asked_for() -> None:
    _, events = finished("logs")
    told = [(event["level"], event["logger"], event["message"]) for event in events if event["type"] == "log"]
    assert told == [
        ("WARNING", "somewhere", "look at this"),
        ("WARNING", "somewhere", "%d (this record could not be formatted)"),
    ]


def test_a_child_has_our_folder_and_variables_and_no_reactor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warm()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/set/after/the/server/started")
    child = child_of("tells_its_surroundings", CRAWLER_TEST_VALUE="from the plan")
    told = next(child.events())
    assert told == {
        "type": "surroundings",
        "folder": str(tmp_path),
        "variable": "from the plan",
        "path": "/set/after/the/server/started",
        "reactor": False,
        "scrapy": True,
        "threads": ["MainThread", "end with parent"],
        "main": None,
        "leads": True,
    }
    assert child.wait().exit_code == 0


def test_stopping_asks_once_and_keeps_what_the_run_then_reports() -> None:
    child = child_of("stops_in_order", grace=30)
    events = child.events()
    assert next(events)["type"] == "ready"
    child.stop()
    child.stop()
    assert {"type": "heard", "times": 1} in list(events)
    assert child.outcome is not None
    assert (child.outcome.stopped, child.outcome.killed, child.outcome.exit_code) == (True, False, 0)
    assert child.outcome.run is not None


def test_a_stopped_run_without_a_report_has_failed() -> None:
    with child_of("sleeps") as child:
        assert next(child.events())["type"] == "ready"
        child.stop()
        outcome = child.wait()
    assert (outcome.exit_code, outcome.stopped, outcome.killed) == (1, True, False)
    assert outcome.reason == "The run of sleeps was stopped."


def test_a_child_does_not_outlive_its_with_block() -> None:
    with child_of("sleeps") as child:
        pass
    assert child.outcome is not None
    assert child.outcome.killed
    assert gone(child.pid)


def test_a_failing_listener_leaves_no_process_behind() -> None:
    pids: list[int] = []

    def fails(event: dict[str, Any]) -> None:
        pids.append(event["pid"])
        raise BrokenPipeError("no one reads")

    with pytest.raises(BrokenPipeError):
        run_all([RunPlan(source="sleeps")] * 2, fails, target="misbehaving_runs:sleeps")
    assert all(gone(pid) for pid in pids)


def test_a_server_that_died_is_replaced() -> None:
    assert finished("good")[0].exit_code == 0
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    os.kill(server, signal.SIGKILL)
    assert finished("good")[0].exit_code == 0
    assert forkserver._forkserver._forkserver_pid != server  # type: ignore[attr-defined]


def test_signals_meant_for_everyone_do_not_end_the_server() -> None:
    child = child_of("stops_in_order", grace=30)
    events = child.events()
    assert next(events)["type"] == "ready"
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        os.kill(server, number)
    child.stop()
    assert child.wait().exit_code == 0
    assert finished("good")[0].exit_code == 0
    assert forkserver._forkserver._forkserver_pid == server  # type: ignore[attr-defined]


def test_an_unknown_target_is_one_failed_run() -> None:
    with start(RunPlan(source="mfa"), target="misbehaving_runs:missing") as child:
        outcome = child.wait()
    assert outcome.exit_code == 1
    assert "missing" in outcome.reason


PARENT = """
import sys
from crawler.process import run_all
from crawler.run import RunPlan
target, grace, pid_file = sys.argv[1], float(sys.argv[2]), sys.argv[3]
plans = [RunPlan(source="one", variables={"PID_FILE": pid_file}), RunPlan(source="waiting")]
tell = lambda event: print(event["type"], event.get("times", ""), flush=True)
for outcome in run_all(plans, tell, at_once=1, target=f"misbehaving_runs:{target}", grace=grace):
    print(outcome.source, outcome.exit_code, outcome.stopped, outcome.killed, flush=True)
"""


@contextmanager
def parent(target: str, grace: float, pid_file: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that runs `target`, in a group of its own as a shell would start it."""
    path = os.pathsep.join([str(HERE), str(HERE.parent.parent)])
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, target, str(grace), str(pid_file)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        process_group=0,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("target", ["sleeps", "closes_its_pipes_and_stays"])
def test_a_child_ends_when_its_parent_is_killed(target: str, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with parent(target, 0.3, pid_file) as process:
        until(pid_file.exists)
        until(lambda: bool(pid_file.read_text()))
        process.kill()
        process.wait()
        assert gone(int(pid_file.read_text()))


def until(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def test_ctrl_c_stops_each_child_in_good_order_exactly_once(tmp_path: Path) -> None:
    with parent("stops_in_order", 30, tmp_path / "pid") as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        os.killpg(process.pid, signal.SIGINT)
        lines = [line.strip() for line in process.stdout]
        assert process.wait() == 0
    assert "heard 1" in lines
    assert lines[-2:] == ["one 0 True False", "waiting 1 True False"]


def test_a_second_ctrl_c_kills(tmp_path: Path) -> None:
    with parent("ignores_sigterm", 600, tmp_path / "pid") as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.readline().strip() == "stopping"
        os.killpg(process.pid, signal.SIGINT)
        assert [line.strip() for line in process.stdout] == ["one 1 True True", "waiting 1 True False"]


class Endless(BaseHTTPRequestHandler):
    """Each page leads to the next; `/last` to none."""

    def do_GET(self) -> None:
        number = int(self.path.strip("/") or 0) if self.path != "/last" else 0
        body = b"<p>the end</p>" if self.path == "/last" else f"<a href='/{number + 1}'>next</a>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_scrapy_crawls_in_one_child_after_another(site: str) -> None:
    plans = [RunPlan(source=f"site-{number}", url=f"{site}/last") for number in range(3)]
    events: list[dict[str, Any]] = []
    outcomes = run_all(plans, events.append, target="misbehaving_runs:crawls")
    assert [outcome.exit_code for outcome in outcomes] == [0, 0, 0], outcomes
    assert len({event["pid"] for event in events if event["type"] == "fetched"}) == 3
    assert [event["why"] for event in events if event["type"] == "finished"] == ["finished"] * 3


def test_scrapy_closes_its_spider_when_stopped(site: str) -> None:
    with start(RunPlan(source="site", url=site), target="misbehaving_runs:crawls", grace=30) as child:
        events = child.events()
        assert next(events)["type"] == "fetched"
        child.stop()
        told = list(events)
    assert {"type": "finished", "why": "shutdown"} in told
    assert not [event for event in told if event["type"] in ("output", "log")]
    assert child.outcome is not None
    assert (child.outcome.stopped, child.outcome.killed) == (True, False)


@pytest.mark.slow
def test_two_hundred_runs_leave_the_parent_as_it_was() -> None:
    def measured() -> tuple[float, int]:
        memory = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        return memory, len(list(Path("/proc/self/fd").iterdir()))

    def runs(count: int) -> None:
        plans = [RunPlan(source="good")] * count
        outcomes = run_all(plans, lambda event: None, at_once=2, target="misbehaving_runs:good")
        assert [outcome.exit_code for outcome in outcomes] == [0] * count

    runs(20)
    memory, files = measured()
    runs(200)
    assert measured()[0] - memory < 3
    assert measured()[1] == files


def test_no_process_for_a_run_is_a_sentence() -> None:
    warm()
    files = len(list(Path("/proc/self/fd").iterdir()))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + 5, hard))
    try:
        with pytest.raises(CrawlerError, match="No process could be started for the run of mfa"):
            start(RunPlan(source="mfa"), target="misbehaving_runs:good")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(list(Path("/proc/self/fd").iterdir())) == files
