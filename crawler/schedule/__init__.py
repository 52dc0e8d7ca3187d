"""When each source runs.

cron   five fields in the owner's time zone → a trigger; the next starts of each source
book   the rows that remember, and what was missed
watch  the service: APScheduler in memory, rebuilt from the rows at every start
"""

from __future__ import annotations

from crawler.schedule.book import ScheduleBook, Timing, merged
from crawler.schedule.cron import Upcoming, parse_cron, upcoming
from crawler.schedule.watch import Finished, LeftOut, Started, Step, Watch
from crawler.store.schedules import ScheduleRow

__all__ = [
    "Finished",
    "LeftOut",
    "ScheduleBook",
    "ScheduleRow",
    "Started",
    "Step",
    "Timing",
    "Upcoming",
    "Watch",
    "merged",
    "parse_cron",
    "upcoming",
]
