"""Parse cron expressions with the five fields of crontab(5), in the owner's time zone, and list the next starts.

The fields are minute, hour, day, month and weekday. Weekdays are 0-7 (Sunday is 0 and 7) or `mon` … `sun`. Because
APScheduler counts from Monday, it gets names. Unlike in crontab(5), a restricted day and a restricted weekday must both
match. Several expressions may be joined by `|`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from crawler.errors import ConfigError, suggest_nearest
from crawler.store.schedules import ScheduleState
from crawler.text.dates import load_time_zone
from crawler.text.months import list_english_abbreviations

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NAMED_VALUES = {
    "month": {name: number for number, name in enumerate(list_english_abbreviations(), 1)},
    "weekday": {name: number for number, name in enumerate(WEEKDAYS)},
}
FIELD_BOUNDS = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7)}
CRON_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


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
    values = _split_fields(text, where)
    for (name, bounds), value in zip(FIELD_BOUNDS.items(), values, strict=True):
        for item in value.split(","):
            if fault := _find_fault(item, name, *bounds):
                raise ConfigError(f"{where}: {text!r} is no cron expression: its {name} {item!r} {fault}")
    minute, hour, day, month, weekday = values
    trigger = CronTrigger(
        minute=minute,
        hour=hour,
        day=day,
        month=month,
        day_of_week=_name_weekdays(weekday),
        timezone=zone,
        jitter=jitter or None,
    )
    if trigger.get_next_fire_time(None, datetime.now(zone)) is None:
        raise ConfigError(f"{where}: {text!r} names a day that never comes; look at its day and month.")
    return trigger


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


def _split_fields(text: str, where: str) -> list[str]:
    values = text.lower().split()
    if len(values) == len(FIELD_BOUNDS):
        return values
    meant = "*/15 * * * *"
    if len(values) == 1 and values[0].startswith("@"):
        meant = CRON_ALIASES.get(values[0], meant)
    elif 0 < len(values) < len(FIELD_BOUNDS) and re.fullmatch(r"[\d*/,\- ]+", text):
        meant = " ".join([*values, *["*"] * (len(FIELD_BOUNDS) - len(values))])
    elif len(values) == len(FIELD_BOUNDS) + 1 and re.fullmatch(r"[\d*/,\- ]+", text):
        meant = " ".join(values[1:])
    names = " ".join(FIELD_BOUNDS)
    raise ConfigError(
        f"{where}: {text!r} is no cron expression: it needs five fields ({names}) and has {len(values)}, "
        f"did you mean {meant!r}?"
    )


def _find_fault(item: str, name: str, lowest: int, highest: int) -> str | None:
    """Return what is wrong with one item of a field, or None."""
    found = re.fullmatch(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\w+))?", item)
    if found is None or (found["first"] == "*" and found["last"]):
        return "cannot be read; write a number, a range 9-18, a list 0,30, a step */15 or *."
    ends = [end for end in (found["first"], found["last"]) if end not in (None, "*")]
    for end in ends:
        names = NAMED_VALUES.get(name, {})
        if not end.isdecimal() and end not in names:
            return f"is no {name}{suggest_nearest(end, names) or f'; a {name} is a number from {lowest} to {highest}.'}"
        if not lowest <= _parse_number(end, name) <= highest:
            return f"is not from {lowest} to {highest}."
    if len(ends) == 2 and _parse_number(ends[0], name) > _parse_number(ends[1], name, last=True):
        return f"runs backwards, did you mean '{ends[1]}-{ends[0]}'?"
    if found["step"] and not (found["step"].isdecimal() and 1 <= int(found["step"]) <= highest - lowest):
        return f"has a step that is not from 1 to {highest - lowest}."
    return None


def _parse_number(end: str, name: str, last: bool = False) -> int:
    if last and end == "sun":
        return 7
    return int(end) if end.isdecimal() else NAMED_VALUES[name][end]


def _name_weekdays(weekdays: str) -> str:
    """Return the weekday field with names instead of numbers."""
    if weekdays == "*":
        return weekdays
    days: set[int] = set()
    for item in weekdays.split(","):
        span, _, step = item.partition("/")
        first, _, last = ("0", "-", "6") if span == "*" else span.partition("-")
        low = _parse_number(first, "weekday")
        high = _parse_number(last, "weekday", last=True) if last else (6 if step else low)
        days |= {day % 7 for day in range(low, high + 1, int(step or 1))}
    return ",".join(WEEKDAYS[day] for day in sorted(days))
