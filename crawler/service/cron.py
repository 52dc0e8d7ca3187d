"""Parse cron expressions with the five fields of crontab(5), in the owner's time zone, and list the next starts.

The fields are minute, hour, day, month and weekday. Weekdays are 0-7 (Sunday is 0 and 7) or `mon` … `sun`. Because
APScheduler counts from Monday, it gets names. Unlike in crontab(5), a restricted day and a restricted weekday must both
match. Several expressions may be joined by `|`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from crawler.config.cron_fields import WEEKDAYS, list_field_values, parse_cron_fields
from crawler.errors import ConfigError
from crawler.store.schedules import ScheduleState
from crawler.text.dates import load_time_zone


@dataclass(frozen=True, slots=True, kw_only=True)
class UpcomingStarts:
    """The next starts of one source, earliest first. None if it is paused. Each may be up to `jitter` s late."""

    source: str
    cron: str
    jitter: int
    is_paused: bool
    times: tuple[datetime, ...]


def parse_cron(text: str, where: str, timezone: str = "Asia/Almaty", jitter: int = 0) -> BaseTrigger:
    """Return the trigger of an expression.

    Raise ConfigError that names `where`, the invalid field, and what may have been meant. `jitter` delays each start by
    up to so many seconds. A start is never early, because another would follow at the due time itself. Delays do not
    add up, because each start is computed from the clock.
    """
    zone = load_time_zone(timezone)
    triggers = [_parse_expression(part, where, zone, jitter) for part in text.split("|")]
    return triggers[0] if len(triggers) == 1 else OrTrigger(triggers)


def _parse_expression(text: str, where: str, zone: tzinfo, jitter: int) -> CronTrigger:
    try:
        minute, hour, day, month, weekday = parse_cron_fields(text)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error
    return CronTrigger(
        minute=minute,
        hour=hour,
        day=day,
        month=month,
        day_of_week=_name_weekdays(weekday),
        timezone=zone,
        jitter=jitter or None,
    )


def list_upcoming_starts(
    rows: Iterable[ScheduleState], now: datetime, count: int, timezone: str = "Asia/Almaty"
) -> list[UpcomingStarts]:
    """Return the next `count` starts of each row after `now` (aware). The first may be one that a watch has planned."""
    return [
        UpcomingStarts(source=row.source, cron=row.cron, jitter=row.jitter, is_paused=row.paused, times=tuple(times))
        for row in rows
        for times in [[] if row.paused else _list_start_times(row, now, count, timezone)]
    ]


def _list_start_times(row: ScheduleState, now: datetime, count: int, timezone: str) -> list[datetime]:
    trigger = parse_cron(row.cron, f"sources.{row.source}.cron", timezone)
    times = [row.next_due_at.astimezone(load_time_zone(timezone))] if row.next_due_at and row.next_due_at > now else []
    while len(times) < count:
        last = times[-1] if times else now
        # APScheduler searches from the earlier of these two times.
        next_time = trigger.get_next_fire_time(last, last)
        if next_time is None:
            break
        times.append(next_time)
    return times[:count]


def _name_weekdays(field: str) -> str:
    """Return the weekday field with names instead of numbers."""
    if field == "*":
        return field
    return ",".join(WEEKDAYS[day] for day in sorted({day % 7 for day in list_field_values(field, "weekday")}))
