"""`crawler schedule`: the next starts of each source."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from crawler.config import Config
from crawler.schedule import ScheduleBook, Timing, Upcoming, merged, upcoming


def schedule(config: Config, timings: Mapping[str, Timing], book: ScheduleBook, *, count: int = 3) -> int:
    """Print the next `count` starts of each source in the owner's time zone; the exit code, 0.

    ConfigError when a cron cannot be used.
    """
    for entry in upcoming(merged(book, timings), datetime.now(UTC), count, config.timezone):
        print(line(entry))
    return 0


def line(entry: Upcoming) -> str:
    """One source's next starts: `mfa  */15 * * * *  2026-11-22 09:15, 09:30 (each up to 60 s later)`."""
    head = f"{entry.source}  {entry.cron}"
    if entry.paused:
        return f"{head}  paused"
    times, day = [], None
    for moment in entry.times:
        times.append(f"{moment:%H:%M}" if moment.date() == day else f"{moment:%Y-%m-%d %H:%M}")
        day = moment.date()
    late = f" (each up to {entry.jitter} s later)" if entry.jitter else ""
    return f"{head}  {', '.join(times)}{late}"
