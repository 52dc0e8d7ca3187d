"""What a watch sees when it looks: a wish for a start, a pause, another configuration, a source that runs elsewhere."""

from __future__ import annotations

import dataclasses
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from watched import SqliteBook, ended, seconds_cron, watch

from crawler.cli.commands.watch import format_step
from crawler.errors import ConfigError
from crawler.service.schedule_api import (
    RUN_NOW,
    RunSkipped,
    RunStarted,
    SchedulerEvent,
    ScheduleState,
    Timing,
    parse_cron,
)

pytestmark = pytest.mark.slow

OFTEN = {"one": Timing(cron="*/1")}


def test_a_start_that_is_asked_for_comes_at_the_next_look_and_once(tmp_path: Path) -> None:
    """`one` has run today, so it is not due; `two` runs each second and tells when the time is up."""
    book = SqliteBook(tmp_path / "book.db")
    book.put(ScheduleState(source="one", cron="0 0 1 1 *", last_due_at=datetime.now(UTC) + timedelta(minutes=1)))
    looks: list[int] = []

    def on_look() -> None:
        looks.append(1)
        if len(looks) == 3:
            book.change("one", lambda row: dataclasses.replace(row, next_due_at=RUN_NOW))

    timings = {"one": Timing(cron="0 0 1 1 *"), "two": Timing(cron="0 0 1 1 *")}
    steps = watch(
        tmp_path,
        timings,
        lambda steps: len(looks) > 12,
        parse=lambda text, where, *more: (
            seconds_cron("*/1", where, *more) if "two" in where else parse_cron(text, where)
        ),
        book=book,
        on_look=on_look,
        look=0.3,
    )
    assert [type(step).__name__ for step in steps if step.source == "one"] == ["Started", "Finished"]
    row = book.get("one")
    assert row is not None
    assert row.next_due_at is not None
    assert row.next_due_at > datetime.now(UTC)


def test_a_wish_for_a_start_outlives_the_end_of_a_run(tmp_path: Path) -> None:
    """The wish comes while the second run goes on: the first one waits for the fork server."""
    book = SqliteBook(tmp_path / "book.db")
    wish = partial(book.change, "one", lambda row: dataclasses.replace(row, next_due_at=RUN_NOW))

    def enough(steps: list[SchedulerEvent]) -> bool:
        if isinstance(steps[-1], RunStarted) and len(ended(steps)) == 1:
            threading.Timer(0.4, wish).start()
        return len(ended(steps)) == 2

    watch(tmp_path, {"one": Timing(cron="*/2")}, enough, book=book, seconds="0.9", look=60)
    row = book.get("one")
    assert row is not None
    assert row.next_due_at == RUN_NOW


def test_a_paused_source_is_left_in_peace_from_its_next_start_on(tmp_path: Path) -> None:
    book = SqliteBook(tmp_path / "book.db")

    def enough(steps: list[SchedulerEvent]) -> bool:
        if len(ended([step for step in steps if step.source == "one"])) == 1:
            book.change("one", lambda row: dataclasses.replace(row, paused=True))
        return len([step for step in ended(steps) if step.source == "two"]) >= 4

    steps = watch(tmp_path, {"one": Timing(cron="*/1"), "two": Timing(cron="*/1")}, enough, book=book)
    assert len(ended([step for step in steps if step.source == "one"])) <= 2
    row = book.get("one")
    assert row is not None
    assert row.paused


def test_a_changed_configuration_is_taken_over_and_a_broken_one_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[Mapping[str, Timing] | ConfigError] = [ConfigError("cron is bad"), {"two": Timing(cron="*/1")}]
    changes = [False, True, False, False, True]

    def reload() -> Mapping[str, Timing]:
        answer = answers.pop(0)
        if isinstance(answer, ConfigError):
            raise answer
        return answer

    steps = watch(
        tmp_path,
        OFTEN,
        lambda steps: len([step for step in ended(steps) if step.source == "two"]) >= 2,
        reload=reload,
        has_changed=lambda: bool(changes) and changes.pop(0),
        look=0.2,
    )
    taken_over = next(at for at, step in enumerate(steps) if step.source == "two")
    assert "one" not in [step.source for step in steps[taken_over:] if isinstance(step, RunStarted)]
    assert caplog.text.count("The watch goes on as before: cron is bad") == 1


def test_what_keeps_its_timing_keeps_its_planned_start(tmp_path: Path) -> None:
    """Taken over again while it runs, `one` is neither started anew nor left out."""
    changes = [False, *[True] * 20]
    book = SqliteBook(tmp_path / "book.db")
    book.put(ScheduleState(source="one", cron="0 0 1 1 *", last_due_at=datetime.now(UTC) + timedelta(minutes=1)))
    steps = watch(
        tmp_path,
        {"one": Timing(cron="0 0 1 1 *")},
        lambda steps: bool(ended(steps)) and not changes,
        seconds="0.7",
        book=book,
        parse=lambda text, where, *more: seconds_cron("*/2", where, *more),
        reload=lambda: {"one": Timing(cron="0 0 1 1 *")},
        has_changed=lambda: bool(changes) and changes.pop(0),
        look=0.1,
    )
    kinds = [type(step).__name__ for step in steps]
    assert kinds == ["Started", "Finished"] * (len(kinds) // 2)


def test_a_source_that_is_crawled_elsewhere_is_left_out(tmp_path: Path) -> None:
    steps = watch(tmp_path, OFTEN, lambda steps: isinstance(steps[-1], RunSkipped), "is_held")
    assert not ended(steps)
    assert format_step(steps[-1]).endswith("  one  left out: one is being crawled by process 7 on host elsewhere.")


def test_a_death_is_written_down_without_stalling_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is locked for two seconds as a run dies; the other source goes on meanwhile."""
    from crawler.store import open_store

    monkeypatch.setenv("CRAWLER_DATABASE", f"sqlite:///{tmp_path / 'crawler.db'}")
    open_store(f"sqlite:///{tmp_path / 'crawler.db'}").close()
    timings = {"exits_at_once": Timing(cron="0 0 1 1 *"), "good": Timing(cron="*/1")}
    with closing(sqlite3.connect(tmp_path / "crawler.db", isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        releases = threading.Timer(3, lambda: other.execute("ROLLBACK"))
        releases.start()
        steps = watch(
            tmp_path,
            timings,
            lambda steps: any(step.source == "exits_at_once" for step in ended(steps)),
            "by_source",
            parse=lambda text, where, *more: seconds_cron("*/1" if "good" in where else "30", where, *more),
        )
        releases.join()
    assert len([step for step in ended(steps) if step.source == "good"]) >= 2
