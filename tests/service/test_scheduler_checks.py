"""Checks of the scheduler: a requested start, a pause, a changed configuration, a source that runs elsewhere."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.scheduler_process import (
    FixedConfig,
    Recorder,
    SqliteScheduleStore,
    list_finished,
    parse_seconds_cron,
    run_scheduler_until,
)

from crawler.cli.commands.watch import format_step
from crawler.errors import ConfigError, StoreError
from crawler.service.cron import parse_cron
from crawler.service.run import RunPlan
from crawler.service.run_engine import DueSource, LocalEngine, RunFinished, RunStarted, SchedulerEvent
from crawler.service.schedule_state import Timing
from crawler.service.scheduler import RunScheduler
from crawler.store.schedules import RUN_NOW, ScheduleState

pytestmark = pytest.mark.slow

OFTEN = {"one": Timing(cron="*/1")}


def test_a_requested_start_comes_once_at_the_next_check(tmp_path: Path) -> None:
    """`one` has run today, so it is not due; `two` runs each second and tells when the time is up."""
    book = SqliteScheduleStore(tmp_path / "book.db")
    book.save(ScheduleState(source="one", cron="0 0 1 1 *", last_due_at=datetime.now(UTC) + timedelta(minutes=1)))
    looks: list[int] = []

    def on_look() -> None:
        looks.append(1)
        if len(looks) == 3:
            book.update("one", lambda row: dataclasses.replace(row, next_due_at=RUN_NOW))

    timings = {"one": Timing(cron="0 0 1 1 *"), "two": Timing(cron="0 0 1 1 *")}
    steps = run_scheduler_until(
        tmp_path,
        timings,
        lambda steps: len(looks) > 12,
        parse=lambda text, where, *more: (
            parse_seconds_cron("*/1", where, *more) if "two" in where else parse_cron(text, where)
        ),
        book=book,
        on_check=on_look,
        check_seconds=0.3,
    )
    assert [type(step).__name__ for step in steps if step.source == "one"] == ["RunStarted", "RunFinished"]
    row = book.get("one")
    assert row is not None
    assert row.next_due_at is not None
    assert row.next_due_at > datetime.now(UTC)


def test_a_requested_start_outlives_the_end_of_a_run(tmp_path: Path) -> None:
    """The wish comes while the second run goes on: the first one waits for the fork server."""
    book = SqliteScheduleStore(tmp_path / "book.db")
    wish = partial(book.update, "one", lambda row: dataclasses.replace(row, next_due_at=RUN_NOW))

    def enough(steps: list[SchedulerEvent]) -> bool:
        if isinstance(steps[-1], RunStarted) and len(list_finished(steps)) == 1:
            threading.Timer(0.4, wish).start()
        return len(list_finished(steps)) == 2

    run_scheduler_until(tmp_path, {"one": Timing(cron="*/2")}, enough, book=book, seconds="0.9", check_seconds=60)
    row = book.get("one")
    assert row is not None
    assert row.next_due_at == RUN_NOW


def test_a_paused_source_does_not_start_again(tmp_path: Path) -> None:
    book = SqliteScheduleStore(tmp_path / "book.db")

    def enough(steps: list[SchedulerEvent]) -> bool:
        if len(list_finished([step for step in steps if step.source == "one"])) == 1:
            book.update("one", lambda row: dataclasses.replace(row, paused=True))
        return len([step for step in list_finished(steps) if step.source == "two"]) >= 4

    steps = run_scheduler_until(tmp_path, {"one": Timing(cron="*/1"), "two": Timing(cron="*/1")}, enough, book=book)
    assert len(list_finished([step for step in steps if step.source == "one"])) <= 2
    row = book.get("one")
    assert row is not None
    assert row.paused


def test_a_changed_configuration_is_loaded_and_a_broken_one_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[Mapping[str, Timing] | ConfigError] = [ConfigError("cron is bad"), {"two": Timing(cron="*/1")}]
    changes = [False, True, False, False, True]

    def reload() -> Mapping[str, Timing]:
        answer = answers.pop(0)
        if isinstance(answer, ConfigError):
            raise answer
        return answer

    steps = run_scheduler_until(
        tmp_path,
        OFTEN,
        lambda steps: len([step for step in list_finished(steps) if step.source == "two"]) >= 2,
        reload=reload,
        has_changed=lambda: bool(changes) and changes.pop(0),
        check_seconds=0.2,
    )
    taken_over = next(at for at, step in enumerate(steps) if step.source == "two")
    assert "one" not in [step.source for step in steps[taken_over:] if isinstance(step, RunStarted)]
    assert caplog.text.count("The watch keeps its former configuration: cron is bad") == 1


def test_what_keeps_its_timing_keeps_its_planned_start(tmp_path: Path) -> None:
    """Taken over again while it runs, `one` is neither started anew nor left out."""
    changes = [False, *[True] * 20]
    book = SqliteScheduleStore(tmp_path / "book.db")
    book.save(ScheduleState(source="one", cron="0 0 1 1 *", last_due_at=datetime.now(UTC) + timedelta(minutes=1)))
    steps = run_scheduler_until(
        tmp_path,
        {"one": Timing(cron="0 0 1 1 *")},
        lambda steps: bool(list_finished(steps)) and not changes,
        seconds="0.7",
        book=book,
        parse=lambda text, where, *more: parse_seconds_cron("*/2", where, *more),
        reload=lambda: {"one": Timing(cron="0 0 1 1 *")},
        has_changed=lambda: bool(changes) and changes.pop(0),
        check_seconds=0.1,
    )
    kinds = [type(step).__name__ for step in steps]
    assert kinds == ["RunStarted", "RunFinished"] * (len(kinds) // 2)


def test_a_source_that_is_crawled_elsewhere_is_skipped(tmp_path: Path) -> None:
    """A slow machine may report further steps before the scheduler ends, such as a start that comes too early."""
    skipped = "  one  skipped: one is being crawled by process 7 on host elsewhere."

    def is_reported(steps: list[SchedulerEvent]) -> bool:
        return any(format_step(step).endswith(skipped) for step in steps)

    steps = run_scheduler_until(tmp_path, OFTEN, is_reported, "is_held")
    assert is_reported(steps)
    assert not list_finished(steps)


def test_recording_a_crash_does_not_delay_other_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is locked for two seconds as a run dies; the other source goes on meanwhile."""
    from crawler.store import open_store

    monkeypatch.setenv("CRAWLER_DATABASE", f"sqlite:///{tmp_path / 'crawler.db'}")
    open_store(f"sqlite:///{tmp_path / 'crawler.db'}").close()
    timings = {"exits_at_once": Timing(cron="0 0 1 1 *"), "good": Timing(cron="*/1")}
    with closing(sqlite3.connect(tmp_path / "crawler.db", isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        releases = threading.Timer(3, lambda: other.execute("ROLLBACK"))
        releases.start()
        steps = run_scheduler_until(
            tmp_path,
            timings,
            lambda steps: any(step.source == "exits_at_once" for step in list_finished(steps)),
            "by_source",
            parse=lambda text, where, *more: parse_seconds_cron("*/1" if "good" in where else "30", where, *more),
        )
        releases.join()
    assert len([step for step in list_finished(steps) if step.source == "good"]) >= 2


class ClaimingEngine:
    """An engine that claims starts, as that of several schedulers does, and runs nothing."""

    def __init__(self, book: SqliteScheduleStore, on_claim: Callable[[], None]) -> None:
        self._book, self._on_claim = book, on_claim

    async def begin(self) -> None:
        """Do nothing."""

    async def start_run(self, due: DueSource) -> None:
        row = due.claim(self._book.get(due.source))
        if row is not None:
            self._book.save(row)
            self._on_claim()

    def stop(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""


def test_a_start_that_a_wrong_clock_dated_ahead_stops_no_later_one(tmp_path: Path) -> None:
    """A machine whose clock was a month ahead claimed a start. Its clock is right again."""
    book = SqliteScheduleStore(tmp_path / "book.db")
    book.save(ScheduleState(source="one", cron="*/1", last_due_at=datetime.now(UTC) + timedelta(days=30)))
    claims: list[int] = []
    looks: list[int] = []

    def look() -> None:
        looks.append(1)
        if claims or len(looks) > 20:
            os.kill(os.getpid(), signal.SIGTERM)

    engine = ClaimingEngine(book, lambda: claims.append(1))
    run_scheduler_until(
        tmp_path, OFTEN, lambda steps: False, book=book, engine=engine, on_check=look, check_seconds=0.2
    )
    assert claims
    row = book.get("one")
    assert row is not None
    assert row.last_due_at is not None
    assert row.last_due_at <= datetime.now(UTC)


def test_another_time_zone_moves_the_starts(tmp_path: Path) -> None:
    """The cron stays as it is. What is due at 9 in Almaty is due at 9 in Honolulu then."""
    book = SqliteScheduleStore(tmp_path / "book.db")
    timings = {"one": Timing(cron="0 9 * * *")}
    book.save(ScheduleState(source="one", cron="0 9 * * *", last_due_at=datetime.now(UTC)))
    reloader: Any = FixedConfig(book, timings, lambda source: RunPlan(source=source), has_changed=lambda: True)
    observer = Recorder(lambda steps: False, lambda event: None, lambda: None)

    async def serve() -> list[datetime]:
        scheduler = observer.scheduler = RunScheduler(reloader, observer, check_seconds=0.1)
        serving = asyncio.create_task(scheduler.serve())
        planned = []
        for zone in ("Asia/Almaty", "Pacific/Honolulu"):
            reloader.config.timezone = zone
            await asyncio.sleep(1)
            row = book.get("one")
            assert row is not None
            assert row.next_due_at is not None
            planned.append(row.next_due_at.astimezone(ZoneInfo(zone)))
        scheduler.stop()
        await serving
        return planned

    assert [planned.hour for planned in asyncio.run(serve())] == [9, 9]


def test_a_run_whose_plan_cannot_be_made_has_an_end() -> None:
    """As when the store of `crawler watch --new-store` cannot be read."""
    recorder = Recorder(lambda steps: False, lambda event: None, lambda: None)

    def fail(source: str) -> RunPlan:
        raise StoreError("The store is locked.")

    async def confirm() -> bool:
        return True

    async def record(**changes: object) -> None:
        """Write nothing."""

    due = DueSource(
        source="one",
        politeness_group="",
        due_at=datetime.now(UTC),
        confirm=confirm,
        record=record,
        claim=lambda row: row,
    )
    asyncio.run(LocalEngine(fail, recorder, UTC, 1).start_run(due))
    started, ended = recorder.steps
    assert isinstance(started, RunStarted)
    assert isinstance(ended, RunFinished)
    assert (ended.outcome.exit_code, ended.outcome.reason) == (17, "The store is locked.")
