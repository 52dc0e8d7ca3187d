"""`crawler watch` for the benchmark of watching: `python -m benchmarks.watched_by_slots NOTES SECONDS`.

Starts fall due every SECONDS of the clock instead of by cron. Each start, with the slot it answers, each start that is
left out, each slot that came together with the next one, and each end is a line of NOTES.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.triggers.base import BaseTrigger

from crawler.cli.commands import watch
from crawler.service.fork_server import start_fork_server
from crawler.service.reloader import ConfigReloader
from crawler.service.scheduler import RunSkipped, SchedulerEvent
from crawler.store.schedules import ScheduleRepository, ScheduleState

SOURCE = "qazmonitor"


class SlotTrigger(BaseTrigger):
    """Every `seconds` of the clock; like a cron it knows no past."""

    def __init__(self, seconds: float, note: Callable[..., None]) -> None:
        self.seconds, self.note = seconds, note

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The first slot after `previous`, or from now on."""
        after = min(now, previous + timedelta(microseconds=1)) if previous else now
        slot = datetime.fromtimestamp(-(-after.timestamp() // self.seconds) * self.seconds, now.tzinfo)
        if previous and slot <= now:  # both are due by now, the watch was late: the scheduler makes one start of them
            self.note(kind="together", due=previous)
        return slot


class RecordingSchedules:
    """The book, with a line for each start and each end that is written into it."""

    def __init__(self, room: ScheduleRepository, note: Callable[..., None]) -> None:
        self.get, self.all, self._room, self._note = room.get, room.list_all, room, note

    def change(self, source: str, how: Callable[[ScheduleState | None], ScheduleState]) -> ScheduleState:
        """As the room does."""
        before, row = self._room.get(source), self._room.update(source, how)
        if row.last_started_at and (before is None or row.last_started_at != before.last_started_at):
            self._note(kind="started", due=row.last_due_at, at=row.last_started_at)
        if row.last_finished_at and (before is None or row.last_finished_at != before.last_finished_at):
            self._note(kind="finished", due=row.last_due_at, at=row.last_finished_at)
        return row


def main(notes: Path, seconds: float) -> None:
    with notes.open("a", encoding="utf-8", buffering=1) as file:

        def note(**values: Any) -> None:
            plain = {key: value.timestamp() if isinstance(value, datetime) else value for key, value in values.items()}
            file.write(json.dumps(plain) + "\n")

        def line(step: SchedulerEvent) -> str:
            if isinstance(step, RunSkipped):
                note(kind="left out", due=step.at)
            return said(step)

        said, watch.format_step = watch.format_step, line  # type: ignore[assignment]
        wishes = ConfigReloader(None, (SOURCE,))
        wishes.store.schedules = RecordingSchedules(wishes.store.schedules, note)  # type: ignore[assignment]
        note(kind="began", at=datetime.now(UTC))
        with wishes.store:
            start_fork_server()
            time.sleep(0.1)
            asyncio.run(watch.run_watch(wishes, parse=lambda *_: SlotTrigger(seconds, note)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
