"""A watch for tests: as a script (`watched.py BOOK NOTES TARGET`), or taken to pieces by a test."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from crawler.cli.commands.watch import format_step
from crawler.service.run import RunPlan
from crawler.service.schedule_state import Timing
from crawler.service.scheduler import RunFinished, RunScheduler, SchedulerEvent
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


def run_scheduler_until(
    folder: Path,
    timings: Mapping[str, Timing],
    until: Callable[[list[SchedulerEvent]], bool],
    target: str = "takes_a_while",
    **options: Any,
) -> list[SchedulerEvent]:
    """The steps of a watch that is stopped as soon as `until(steps)` holds, and at the latest after 60 seconds."""
    steps: list[SchedulerEvent] = []
    variables = {"NOTES": str(folder / "notes"), "SECONDS": options.pop("seconds", "0")}

    async def served() -> None:
        def note(step: SchedulerEvent) -> None:
            steps.append(step)
            if until(steps):
                watched.stop()

        watched = RunScheduler(
            options.pop("book", None) or SqliteScheduleStore(folder / "book.db"),
            timings,
            on_step=note,
            on_event=options.pop("on_event", lambda event: None),
            make_plan=lambda source: RunPlan(source=source, variables=variables),
            grace=0.5,
            target=f"support.misbehaving_runs:{target}",
            **{"parse": parse_seconds_cron, **options},
        )
        await asyncio.wait_for(watched.serve(), 60)

    asyncio.run(served())
    return steps


def list_finished(steps: list[SchedulerEvent]) -> list[RunFinished]:
    return [step for step in steps if isinstance(step, RunFinished)]


async def serve_two_sources(book: Path, notes: str, target: str) -> None:
    await RunScheduler(
        SqliteScheduleStore(book),
        {"one": Timing(cron="*/1"), "two": Timing(cron="*/1")},
        on_step=lambda step: print(format_step(step), flush=True),
        on_event=lambda event: print("event", event["source"], event["type"], flush=True),
        make_plan=lambda source: RunPlan(source=source, variables={"NOTES": notes, "PID_FILE": f"{notes}.{source}"}),
        grace=0.5,
        target=f"support.misbehaving_runs:{target}",
        parse=parse_seconds_cron,
    ).serve()


if __name__ == "__main__":
    asyncio.run(serve_two_sources(Path(sys.argv[1]), *sys.argv[2:]))
