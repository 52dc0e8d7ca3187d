"""A scheduler for tests: as a script (`scheduler_process.py DATABASE NOTES TARGET`), or with parts from a test."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from support.child_processes import make_misbehaving_plan

from crawler.cli.commands.watch import format_step
from crawler.config import LimitsConfig
from crawler.service.run import RunPlan
from crawler.service.run_engine import RunFinished, SchedulerEvent
from crawler.service.schedule_state import Timing
from crawler.service.scheduler import RunScheduler
from crawler.store.schedules import ScheduleState

TIMES = ("last_due_at", "last_started_at", "last_finished_at", "next_due_at")


class SqliteScheduleStore:
    """Rows in one SQLite file, readable while a watch in another process writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as database:
            names = ", ".join(f.name for f in dataclasses.fields(ScheduleState) if f.name != "source")
            database.execute(f"CREATE TABLE IF NOT EXISTS schedules (source PRIMARY KEY, {names})")

    def get(self, source: str) -> ScheduleState | None:
        return next((row for row in self.list_all() if row.source == source), None)

    def list_all(self) -> list[ScheduleState]:
        with self._open() as database:
            database.row_factory = sqlite3.Row
            rows = [dict(row) for row in database.execute("SELECT * FROM schedules ORDER BY source")]
        for row in rows:
            row |= {name: datetime.fromisoformat(row[name]) if row[name] else None for name in TIMES}
            row["paused"] = bool(row["paused"])
        return [ScheduleState(**row) for row in rows]

    def save(self, row: ScheduleState) -> None:
        values = dataclasses.asdict(row)
        values |= {name: values[name].isoformat() if values[name] else None for name in TIMES}
        with self._open() as database:
            database.execute(
                f"INSERT OR REPLACE INTO schedules ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
                tuple(values.values()),
            )

    def update(self, source: str, how: Callable[[ScheduleState | None], ScheduleState]) -> ScheduleState:
        row = how(self.get(source))
        self.save(row)
        return row

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path)


def parse_seconds_cron(text: str, where: str, timezone: str, jitter: int) -> CronTrigger:
    """As `parse_cron`, for one field that counts seconds: no test can wait for minutes."""
    return CronTrigger(second=text, timezone=ZoneInfo(timezone), jitter=jitter or None)


class FixedConfig:
    """In place of a `ConfigReloader`: timings and plans from a test, a store with schedules only."""

    def __init__(
        self,
        schedules: SqliteScheduleStore,
        timings: Mapping[str, Timing],
        make_plan: Callable[[str], RunPlan],
        *,
        reload: Callable[[], Mapping[str, Timing]] | None = None,
        has_changed: Callable[[], bool] = lambda: False,
    ) -> None:
        self.store = SimpleNamespace(schedules=schedules)
        self.config = SimpleNamespace(timezone="Asia/Almaty")
        self.has_changed = has_changed
        self._timings, self._reload, self.make_plan = timings, reload or (lambda: timings), make_plan
        self._is_loaded = False

    def load_timings(self) -> Mapping[str, Timing]:
        if self._is_loaded:
            return self._reload()
        self._is_loaded = True
        return self._timings


class Recorder:
    """An observer that keeps the steps, and stops the scheduler as soon as `until(steps)` holds."""

    scheduler: RunScheduler

    def __init__(
        self,
        until: Callable[[list[SchedulerEvent]], bool],
        on_event: Callable[[dict[str, Any]], None],
        on_check: Callable[[], None],
    ) -> None:
        self.steps: list[SchedulerEvent] = []
        self.on_event, self._until, self._on_check = on_event, until, on_check

    def on_step(self, step: SchedulerEvent) -> None:
        self.steps.append(step)
        if self._until(self.steps):
            self.scheduler.stop()

    def on_ready(self, sources: Sequence[str], first_starts: Mapping[str, datetime]) -> None:
        pass

    def on_check(self, sources: Sequence[str]) -> None:
        self._on_check()

    def on_reload(self, at: datetime, sources: Sequence[str]) -> None:
        pass


class Printer:
    """An observer that prints."""

    def on_step(self, step: SchedulerEvent) -> None:
        print(format_step(step), flush=True)

    def on_ready(self, sources: Sequence[str], first_starts: Mapping[str, datetime]) -> None:
        pass

    def on_event(self, event: dict[str, Any]) -> None:
        print("event", event["source"], event["type"], flush=True)

    def on_check(self, sources: Sequence[str]) -> None:
        pass

    def on_reload(self, at: datetime, sources: Sequence[str]) -> None:
        pass


def run_scheduler_until(
    folder: Path,
    timings: Mapping[str, Timing],
    until: Callable[[list[SchedulerEvent]], bool],
    target: str = "takes_a_while",
    **options: Any,
) -> list[SchedulerEvent]:
    """Return the steps of a scheduler that is stopped as soon as `until(steps)` holds, after 180 seconds at most."""
    variables = {"NOTES": str(folder / "notes"), "SECONDS": options.pop("seconds", "0")}
    schedules = options.pop("book", None) or SqliteScheduleStore(folder / "book.db")
    limits = options.pop("limits", LimitsConfig.model_validate({}))
    config = {name: options.pop(name) for name in ("reload", "has_changed") if name in options}
    reloader: Any = FixedConfig(
        schedules,
        timings,
        lambda source: make_misbehaving_plan(source, target, variables=variables, limits=limits),
        **config,
    )
    observer = Recorder(until, options.pop("on_event", lambda event: None), options.pop("on_check", lambda: None))

    async def serve() -> None:
        settings = {"parse": parse_seconds_cron, **options}
        observer.scheduler = RunScheduler(reloader, observer, **settings)
        await asyncio.wait_for(observer.scheduler.serve(), 180)

    asyncio.run(serve())
    return observer.steps


def list_finished(steps: list[SchedulerEvent]) -> list[RunFinished]:
    return [step for step in steps if isinstance(step, RunFinished)]


async def serve_two_sources(book: Path, notes: str, target: str) -> None:
    timings = {"one": Timing(cron="*/1"), "two": Timing(cron="*/1")}

    def make_plan(source: str) -> RunPlan:
        variables = {"NOTES": notes, "PID_FILE": f"{notes}.{source}"}
        return make_misbehaving_plan(source, target, variables=variables, limits=LimitsConfig.model_validate({}))

    reloader: Any = FixedConfig(SqliteScheduleStore(book), timings, make_plan)
    await RunScheduler(reloader, Printer(), parse=parse_seconds_cron).serve()


if __name__ == "__main__":
    asyncio.run(serve_two_sources(Path(sys.argv[1]), *sys.argv[2:]))
