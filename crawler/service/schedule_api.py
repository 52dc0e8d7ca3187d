"""When each source runs.

cron   five fields in the owner's time zone → a trigger; the next starts of each source
auto   a cron learned from when the source publishes, and why
book   the rows that remember, and what was missed
watch  the service: APScheduler in memory, rebuilt from the rows at every start
steps  what it tells of its runs
presence  that a watch is there, for commands in other processes
"""

from __future__ import annotations

from crawler.service.adaptive_cron import ADAPTIVE_CRON, LearnedCron, learn_cron
from crawler.service.cron import UpcomingStarts, list_upcoming_starts, parse_cron
from crawler.service.heartbeat import Heartbeat, get_watch_lease
from crawler.service.schedule_state import ScheduleStore, Timing, apply_timing, merge_timings
from crawler.service.scheduler import RunScheduler
from crawler.service.scheduler_events import RunFinished, RunSkipped, RunStarted, SchedulerEvent
from crawler.store.schedules import RUN_NOW, ScheduleState

__all__ = [
    "RUN_NOW",
    "ADAPTIVE_CRON",
    "RunFinished",
    "RunSkipped",
    "Heartbeat",
    "LearnedCron",
    "ScheduleStore",
    "ScheduleState",
    "RunStarted",
    "SchedulerEvent",
    "Timing",
    "UpcomingStarts",
    "RunScheduler",
    "learn_cron",
    "merge_timings",
    "parse_cron",
    "apply_timing",
    "list_upcoming_starts",
    "get_watch_lease",
]
