"""Stopping a run: asked, asked again, killed; a child never outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.child_processes import (
    finish_misbehaving_run,
    make_misbehaving_plan,
)
from support.process_tree import wait_until_dead
from support.server_thread import start_server_thread
from support.waiting import wait_until

from crawler.service.child import ChildProcess, run_all


@pytest.mark.slow
def test_stopping_asks_once_and_keeps_what_the_run_then_reports() -> None:
    def stop_twice(child: ChildProcess, event: dict[str, Any]) -> None:
        child.stop()
        child.stop()

    outcome, events = finish_misbehaving_run("stops_in_order", stop_twice, grace=120)
    assert {"type": "heard", "times": 1} in events
    assert (outcome.stopped, outcome.killed, outcome.exit_code) == (True, False, 0)
    assert outcome.run is not None


@pytest.mark.slow
def test_a_stopped_run_without_a_report_has_failed() -> None:
    outcome, _ = finish_misbehaving_run("sleeps", lambda child, event: child.stop())
    assert (outcome.exit_code, outcome.stopped, outcome.killed) == (1, True, False)
    assert outcome.reason == "The run of sleeps was stopped."


TESTS = Path(__file__).parents[1]
PARENT = """
import sys
from crawler.service.child import ChildProcess, run_all
from support.child_processes import make_misbehaving_plan
target, grace, pid_file = sys.argv[1], float(sys.argv[2]), sys.argv[3]
variables = {"PID_FILE": pid_file}
plans = [make_misbehaving_plan(name, target, grace=grace, variables=variables) for name in ("one", "waiting")]
tell = lambda event: print(event["type"], event.get("times", ""), flush=True)
for outcome in run_all(plans, tell, max_children=1):
    print(outcome.source, outcome.exit_code, outcome.stopped, outcome.killed, flush=True)
"""


@contextmanager
def parent(target: str, grace: float, pid_file: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that runs `target`, in a group of its own as a shell would start it."""
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
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
@pytest.mark.slow
def test_a_child_ends_when_its_parent_is_killed(target: str, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with parent(target, 0.3, pid_file) as process:
        wait_until(pid_file.exists)
        wait_until(lambda: bool(pid_file.read_text()))
        process.kill()
        process.wait()
        wait_until_dead(int(pid_file.read_text()))


@pytest.mark.slow
def test_ctrl_c_stops_each_child_in_good_order_exactly_once(tmp_path: Path) -> None:
    with parent("stops_in_order", 120, tmp_path / "pid") as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        os.killpg(process.pid, signal.SIGINT)
        lines = [line.strip() for line in process.stdout]
        assert process.wait() == 0
    assert "heard 1" in lines
    assert lines[-2:] == ["one 0 True False", "waiting 1 True False"]


@pytest.mark.slow
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
        thread = start_server_thread(server)
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_scrapy_crawls_in_one_child_after_another(site: str) -> None:
    plans = [make_misbehaving_plan(f"site-{number}", "crawls", url=f"{site}/last") for number in range(3)]
    events: list[dict[str, Any]] = []
    outcomes = run_all(plans, events.append)
    assert [outcome.exit_code for outcome in outcomes] == [0, 0, 0], outcomes
    assert len({event["pid"] for event in events if event["type"] == "fetched"}) == 3
    assert [event["why"] for event in events if event["type"] == "finished"] == ["finished"] * 3


def test_scrapy_closes_its_spider_when_stopped(site: str) -> None:
    outcome, events = finish_misbehaving_run("crawls", lambda child, event: child.stop(), grace=120, url=site)
    assert {"type": "finished", "why": "shutdown"} in events
    assert not [event for event in events if event["type"] == "log"]
    assert (outcome.stopped, outcome.killed) == (True, False)
