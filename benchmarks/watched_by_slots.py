"""Run `crawler watch` for `benchmarks.watching`: `python -m benchmarks.watched_by_slots NOTES SECONDS`.

Starts fall due every SECONDS of the clock instead of by cron. NOTES gets a JSON line for each start with its slot, each
start that is left out, each slot that comes together with the next one, and each end.
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

from benchmarks.loopback import SOURCE
from crawler.cli.commands.watch import WatchConsole
from crawler.service.fork_server import start_fork_server
from crawler.service.reloader import ConfigReloader
from crawler.service.run_engine import RunSkipped, SchedulerEvent
from crawler.service.scheduler import RunScheduler
from crawler.store.schedules import ScheduleRepository, ScheduleState

RecordNote = Callable[..., None]


class SlotTrigger(BaseTrigger):
    """Fires every `seconds` of the clock. Like a cron it knows no past."""

    def __init__(self, seconds: float, record_note: RecordNote) -> None:
        self.seconds, self.record_note = seconds, record_note

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """Return the first slot after `previous`, or from now on."""
        after = min(now, previous + timedelta(microseconds=1)) if previous else now
        slot = datetime.fromtimestamp(-(-after.timestamp() // self.seconds) * self.seconds, now.tzinfo)
        if previous and slot <= now:  # The service was late: both are due, and the scheduler makes one start of them.
            self.record_note(kind="together", due=previous)
        return slot


class RecordingSchedules:
    """`store.schedules`, with a note for each start and each end."""

    def __init__(self, schedules: ScheduleRepository, record_note: RecordNote) -> None:
        self._schedules, self._record_note = schedules, record_note

    def __getattr__(self, name: str) -> Any:
        return getattr(self._schedules, name)

    def update(self, source: str, change: Callable[[ScheduleState | None], ScheduleState]) -> ScheduleState:
        """Update the schedule and record what changed."""
        before, state = self._schedules.get(source), self._schedules.update(source, change)
        if state.last_started_at and (before is None or state.last_started_at != before.last_started_at):
            self._record_note(kind="started", due=state.last_due_at, at=state.last_started_at)
        if state.last_finished_at and (before is None or state.last_finished_at != before.last_finished_at):
            self._record_note(kind="finished", due=state.last_due_at, at=state.last_finished_at)
        return state


class RecordingConsole(WatchConsole):
    """The command's observer, with a note for each start that is left out."""

    def __init__(self, reloader: ConfigReloader, record_note: RecordNote) -> None:
        super().__init__(reloader)
        self._record_note = record_note

    def on_step(self, event: SchedulerEvent) -> None:
        """Record a skipped start, then print as the command does."""
        if isinstance(event, RunSkipped):
            self._record_note(kind="left out", due=event.at)
        super().on_step(event)


async def run_watch(reloader: ConfigReloader, record_note: RecordNote, seconds: float) -> None:
    """Run the scheduler until a signal ends it."""
    console = RecordingConsole(reloader, record_note)
    try:
        await RunScheduler(reloader, console, parse=lambda *_: SlotTrigger(seconds, record_note)).serve()
    finally:
        console.stop()


def main(notes: Path, seconds: float) -> None:
    with notes.open("a", encoding="utf-8", buffering=1) as file:

        def record_note(**values: Any) -> None:
            plain = {key: value.timestamp() if isinstance(value, datetime) else value for key, value in values.items()}
            file.write(json.dumps(plain) + "\n")

        reloader = ConfigReloader(None, (SOURCE,))
        reloader.store.schedules = RecordingSchedules(reloader.store.schedules, record_note)  # type: ignore[assignment]
        record_note(kind="began", at=datetime.now(UTC))
        with reloader.store:
            start_fork_server()
            time.sleep(0.1)
            asyncio.run(run_watch(reloader, record_note, seconds))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
