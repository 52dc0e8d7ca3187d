"""When each source runs.

cron   five fields in the owner's time zone → a trigger; the next starts of each source
auto   a cron learned from when the source publishes, and why
book   the rows that remember, and what was missed
watch  the service: APScheduler in memory, rebuilt from the rows at every start
steps  what it tells of its runs
presence  that a watch is there, for commands in other processes
"""

from __future__ import annotations

from crawler.schedule.auto import AUTO, Rhythm, learned
from crawler.schedule.book import ScheduleBook, Timing, merged, timed
from crawler.schedule.cron import Upcoming, parse_cron, upcoming
from crawler.schedule.presence import Presence, watching
from crawler.schedule.steps import Finished, LeftOut, Started, Step
from crawler.schedule.watch import Watch
from crawler.store.schedules import AT_ONCE, ScheduleRow

__all__ = [
    "AT_ONCE",
    "AUTO",
    "Finished",
    "LeftOut",
    "Presence",
    "Rhythm",
    "ScheduleBook",
    "ScheduleRow",
    "Started",
    "Step",
    "Timing",
    "Upcoming",
    "Watch",
    "learned",
    "merged",
    "parse_cron",
    "timed",
    "upcoming",
    "watching",
]
