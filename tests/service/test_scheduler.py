"""The watch: each source on its own schedule, one run at a time, ended by a signal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.scheduler_process import SqliteScheduleStore, list_finished, parse_seconds_cron, run_scheduler_until

from crawler.cli.commands.watch import format_step
from crawler.config import LimitsConfig
from crawler.errors import ConfigError
from crawler.service.run_engine import RunFinished, RunSkipped, RunStarted, SchedulerEvent
from crawler.service.schedule_state import Timing
from crawler.store.schedules import ScheduleState

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
OFTEN = {"one": Timing(cron="*/1")}


def test_each_source_runs_again_and_again_and_is_remembered(tmp_path: Path) -> None:
    timings = {"one": Timing(cron="*/1"), "two": Timing(cron="*/1")}
    began = datetime.now(UTC)
    steps = run_scheduler_until(tmp_path, timings, lambda steps: len(list_finished(steps)) >= 6)
    assert {step.source for step in steps} == {"one", "two"}
    assert all(step.outcome.exit_code == 0 for step in list_finished(steps))
    for row in SqliteScheduleStore(tmp_path / "book.db").list_all():
        assert row.last_due_at and row.last_started_at and row.last_finished_at and row.next_due_at
        assert began - timedelta(seconds=1) <= row.last_due_at <= row.last_started_at <= row.last_finished_at
        assert row.next_due_at > row.last_due_at


def test_two_runs_of_one_source_never_overlap(tmp_path: Path) -> None:
    steps = run_scheduler_until(
        tmp_path, OFTEN, lambda steps: len(list_finished(steps)) >= 2, seconds="1.5", max_children=4
    )
    assert any(isinstance(step, RunSkipped) for step in steps)
    assert (tmp_path / "notes").read_text().split()[:4] == ["+one", "-one", "+one", "-one"]


def test_no_more_sources_than_asked_for_run_at_once(tmp_path: Path) -> None:
    timings = {name: Timing(cron="0 0 1 1 *") for name in ("one", "two", "three")}
    run_scheduler_until(
        tmp_path,
        timings,
        lambda steps: len(list_finished(steps)) == 3,
        seconds="0.3",
        max_children=1,
        parse=lambda *_: parse_seconds_cron("59", *_[1:]),
    )
    notes = (tmp_path / "notes").read_text().split()
    assert [note[0] for note in notes[:6]] == ["+", "-"] * 3


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (None, 1),
        (ScheduleState(source="one", cron="0 0 * * *", last_due_at=datetime.now(UTC) - timedelta(days=30)), 1),
        (ScheduleState(source="one", cron="0 0 * * *", last_due_at=datetime.now(UTC) + timedelta(days=1)), 0),
        (ScheduleState(source="one", cron="0 0 * * *", paused=True), 0),
    ],
)
def test_a_missed_start_is_made_up_for_once(row: ScheduleState | None, expected: int, tmp_path: Path) -> None:
    """`two` is always due at once and takes longer, so by its end `one` has had its chance."""
    from crawler.service.cron import parse_cron

    book = SqliteScheduleStore(tmp_path / "book.db")
    if row:
        book.save(row)
    timings = {"one": Timing(cron="0 0 * * *"), "two": Timing(cron="0 0 * * *")}
    steps = run_scheduler_until(
        tmp_path,
        timings,
        lambda steps: any(step.source == "two" for step in list_finished(steps)),
        seconds="1",
        parse=parse_cron,
    )
    assert len([step for step in steps if isinstance(step, RunStarted) and step.source == "one"]) == expected


def test_a_restart_makes_up_for_nothing_that_was_done(tmp_path: Path) -> None:
    from crawler.service.cron import parse_cron

    timings = {"one": Timing(cron="0 0 * * *")}
    first = run_scheduler_until(tmp_path, timings, lambda steps: len(list_finished(steps)) == 1, parse=parse_cron)
    assert len(list_finished(first)) == 1
    again = {**timings, "two": Timing(cron="0 0 * * *")}
    second = run_scheduler_until(
        tmp_path, again, lambda steps: len(list_finished(steps)) == 1, seconds="1", parse=parse_cron
    )
    assert {step.source for step in second} == {"two"}


def test_bad_runs_do_not_end_the_run_scheduler_until(tmp_path: Path) -> None:
    timings = {name: Timing(cron="*/1") for name in ("segfaults", "exits_at_once", "ignores_sigterm", "good")}
    limits = LimitsConfig.model_validate({"run_seconds": 1})

    def enough(steps: list[SchedulerEvent]) -> bool:
        good = [step for step in list_finished(steps) if step.source == "good"]
        return {step.source for step in list_finished(steps)} == set(timings) and len(good) >= 3

    steps = run_scheduler_until(tmp_path, timings, enough, "by_source", limits=limits, max_children=4)
    for step in list_finished(steps):
        assert (step.outcome.exit_code == 0) is (step.source == "good"), step


def test_stopping_ends_a_run_that_would_not_end(tmp_path: Path) -> None:
    ready = []

    def stop(event: dict[str, Any]) -> None:
        ready.append(event)
        if event["type"] == "ready":
            os.kill(os.getpid(), signal.SIGTERM)

    steps = run_scheduler_until(tmp_path, OFTEN, lambda steps: False, "ignores_sigterm", on_event=stop)
    outcome = list_finished(steps)[0].outcome
    assert (outcome.killed, outcome.stopped) == (True, True)
    assert "because the watch ends" in outcome.reason
    assert [event["type"] for event in ready] == ["ready", "stopping"]


def test_a_store_that_fails_does_not_stop_the_runs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(SqliteScheduleStore):
        puts = 0

        def save(self, row: ScheduleState) -> None:
            Failing.puts += 1
            if Failing.puts > 1:
                raise OSError("no space left")

    steps = run_scheduler_until(
        tmp_path, OFTEN, lambda steps: len(list_finished(steps)) >= 2, book=Failing(tmp_path / "book.db")
    )
    assert all(step.outcome.exit_code == 0 for step in list_finished(steps)[:2])
    assert "The schedule of one could not be written" in caplog.text


def test_sighup_loads_new_timings_and_refuses_bad_ones(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    answers: list[Mapping[str, Timing] | ConfigError] = [ConfigError("cron is bad"), {"two": Timing(cron="*/1")}]

    def reload() -> Mapping[str, Timing]:
        answer = answers.pop(0)
        if isinstance(answer, ConfigError):
            raise answer
        return answer

    def enough(steps: list[SchedulerEvent]) -> bool:
        if answers and isinstance(steps[-1], RunFinished):
            os.kill(os.getpid(), signal.SIGHUP)
        return len([step for step in list_finished(steps) if step.source == "two"]) >= 2

    steps = run_scheduler_until(tmp_path, OFTEN, enough, reload=reload)
    names = [step.source for step in steps]
    assert "one" in names[: names.index("two")]
    assert "one" not in names[names.index("two") :]
    assert "The watch keeps its former configuration: cron is bad" in caplog.text


def test_a_bad_cron_ends_the_watch_before_it_begins(tmp_path: Path) -> None:
    from crawler.service.cron import parse_cron

    with pytest.raises(ConfigError, match=r"sources\.one\.cron: '61 \* \* \* \*'"):
        run_scheduler_until(tmp_path, {"one": Timing(cron="61 * * * *")}, lambda steps: True, parse=parse_cron)
    assert SqliteScheduleStore(tmp_path / "book.db").list_all() == []


def processes_with(variable: str) -> list[int]:
    """Processes, zombies aside, whose environment holds `variable`."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and variable.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("target", ["sleeps", "ignores_sigterm", "loops", "takes_a_while"])
def test_sigterm_ends_the_service_with_exit_0_and_leaves_no_process(target: str, tmp_path: Path) -> None:
    mark = f"CRAWLER_TEST_MARK={tmp_path}"
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    with subprocess.Popen(
        [
            sys.executable,
            str(TESTS / "support" / "scheduler_process.py"),
            str(tmp_path / "book.db"),
            str(tmp_path / "notes"),
            target,
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path, "CRAWLER_TEST_MARK": str(tmp_path)},
    ) as process:
        assert process.stdout is not None
        # A start may be skipped before the first one is printed, because one is due each second.
        first = next((line for line in iter(process.stdout.readline, "") if line.endswith("started\n")), "")
        count = len(processes_with(mark))
        process.send_signal(signal.SIGTERM)  # before anything is asserted, so that a failure cannot wait for ever
        rest = process.stdout.read()
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  (one|two)  started$", first)
    assert count >= 2
    assert process.returncode == 0, rest
    assert len(re.findall("started", first + rest)) == len(re.findall(r"  (?:stopped|failed|healthy): ", rest))
    for _ in range(100):
        if not processes_with(mark):
            return
        time.sleep(0.05)
    raise AssertionError(f"still there: {processes_with(mark)}")


def test_each_event_is_one_plain_line() -> None:
    from crawler.service.run import RunOutcome

    at = datetime(2026, 11, 23, 9, 0, 5, tzinfo=UTC)
    outcome = RunOutcome(source="mfa", run=None, exit_code=1, reason="It crashed.", seconds=1.26)
    assert format_step(RunStarted(source="mfa", at=at)) == "2026-11-23 09:00:05  mfa  started"
    assert format_step(RunFinished(source="mfa", at=at, outcome=outcome)).endswith(
        "  mfa  failed: It crashed. (1.3 s, exit 1)"
    )
    assert format_step(RunSkipped(source="mfa", at=at)).endswith("  mfa  skipped: its last run is still in progress")
