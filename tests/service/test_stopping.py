"""Stopping a run: asked, asked again, killed; a child never outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from support.child_processes import (
    is_process_gone,
    iterate_events,
    start_misbehaving_run,
    wait_for_outcome,
    wait_until,
)

from crawler.service.child import start_child
from crawler.service.pool import run_all
from crawler.service.run import RunPlan


def test_stopping_asks_once_and_keeps_what_the_run_then_reports() -> None:
    child = start_misbehaving_run("stops_in_order", grace=30)
    events = iterate_events(child)
    assert next(events)["type"] == "ready"
    child.stop()
    child.stop()
    assert {"type": "heard", "times": 1} in list(events)
    assert child.outcome is not None
    assert (child.outcome.stopped, child.outcome.killed, child.outcome.exit_code) == (True, False, 0)
    assert child.outcome.run is not None


def test_a_stopped_run_without_a_report_has_failed() -> None:
    with closing(start_misbehaving_run("sleeps")) as child:
        assert next(iterate_events(child))["type"] == "ready"
        child.stop()
        outcome = wait_for_outcome(child)
    assert (outcome.exit_code, outcome.stopped, outcome.killed) == (1, True, False)
    assert outcome.reason == "The run of sleeps was stopped."


TESTS = Path(__file__).parents[1]
PARENT = """
import sys
from crawler.service.pool import run_all
from crawler.service.run import RunPlan
target, grace, pid_file = sys.argv[1], float(sys.argv[2]), sys.argv[3]
plans = [RunPlan(source="one", variables={"PID_FILE": pid_file}), RunPlan(source="waiting")]
tell = lambda event: print(event["type"], event.get("times", ""), flush=True)
for outcome in run_all(plans, tell, max_children=1, target=f"support.misbehaving_runs:{target}", grace=grace):
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
def test_a_child_ends_when_its_parent_is_killed(target: str, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with parent(target, 0.3, pid_file) as process:
        wait_until(pid_file.exists)
        wait_until(lambda: bool(pid_file.read_text()))
        process.kill()
        process.wait()
        assert is_process_gone(int(pid_file.read_text()))


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
    outcomes = run_all(plans, events.append, target="support.misbehaving_runs:crawls")
    assert [outcome.exit_code for outcome in outcomes] == [0, 0, 0], outcomes
    assert len({event["pid"] for event in events if event["type"] == "fetched"}) == 3
    assert [event["why"] for event in events if event["type"] == "finished"] == ["finished"] * 3


def test_scrapy_closes_its_spider_when_stopped(site: str) -> None:
    with closing(
        start_child(RunPlan(source="site", url=site), target="support.misbehaving_runs:crawls", grace=30)
    ) as child:
        events = iterate_events(child)
        assert next(events)["type"] == "fetched"
        child.stop()
        told = list(events)
    assert {"type": "finished", "why": "shutdown"} in told
    assert not [event for event in told if event["type"] in ("output", "log")]
    assert child.outcome is not None
    assert (child.outcome.stopped, child.outcome.killed) == (True, False)
