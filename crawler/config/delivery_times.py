"""When a subscriber gets messages: the delivery schedule, and quiet hours without messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DeliveryFrequency = Literal["realtime", "hourly", "daily", "weekly"]
SCHEDULE_HINT = "write realtime, hourly, daily 08:30 or weekly mon 08:30"
QUIET_HOURS_HINT = "write hours such as 22:00-07:00"


class _ParsedValue:
    """A value that pydantic accepts as it is, because a parser below made it."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(cls)


@dataclass(frozen=True, slots=True)
class DeliverySchedule(_ParsedValue):
    """How often a subscriber gets messages. Daily and weekly digests have the local time `at`; Monday is weekday 0."""

    frequency: DeliveryFrequency
    at: time = time()
    weekday: int = 0

    def __str__(self) -> str:
        if self.frequency in ("realtime", "hourly"):
            return self.frequency
        day = f"{WEEKDAYS[self.weekday]} " if self.frequency == "weekly" else ""
        return f"{self.frequency} {day}{self.at:%H:%M}"

    def get_last_due(self, now: datetime) -> datetime:
        """Return the last time up to `now` at which a digest was due; `now` for `realtime`.

        `now` is aware and in the subscriber's time zone. So is the result.
        """
        if self.frequency == "realtime":
            return now
        if self.frequency == "hourly":
            return now.replace(minute=0, second=0, microsecond=0)
        days = (now.weekday() - self.weekday) % 7 if self.frequency == "weekly" else 0
        due = self._combine(now, now.date() - timedelta(days=days))
        period = timedelta(days=7 if self.frequency == "weekly" else 1)
        return due if due <= now else self._combine(now, due.date() - period)

    def _combine(self, now: datetime, day: date) -> datetime:
        return datetime.combine(day, self.at, now.tzinfo)


@dataclass(frozen=True, slots=True)
class QuietHours(_ParsedValue):
    """Local times without messages, from `begin` to `end`. They include midnight when `end` is the smaller one."""

    begin: time
    end: time

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"

    def get_end_if_quiet(self, now: datetime) -> datetime:
        """Return the end of the quiet hours when `now` is in them, else `now`.

        `now` is aware and in the subscriber's time zone. So is the result.
        """
        clock = now.time()
        over_midnight = self.end <= self.begin
        is_quiet = clock >= self.begin or clock < self.end if over_midnight else self.begin <= clock < self.end
        if not is_quiet:
            return now
        next_day = over_midnight and clock >= self.begin
        return datetime.combine(now.date() + timedelta(days=next_day), self.end, now.tzinfo)


def parse_delivery_schedule(value: object) -> object:
    """Return the schedule for `realtime`, `hourly`, `daily 08:30` or `weekly mon 08:30`. Else raise ValueError."""
    if isinstance(value, DeliverySchedule):
        return value
    match str(value).lower().split():
        case ["realtime"]:
            return DeliverySchedule("realtime")
        case ["hourly"]:
            return DeliverySchedule("hourly")
        case ["daily", clock]:
            return DeliverySchedule("daily", _parse_clock(clock, SCHEDULE_HINT))
        case ["weekly", day, clock] if day[:3] in WEEKDAYS:
            return DeliverySchedule("weekly", _parse_clock(clock, SCHEDULE_HINT), WEEKDAYS.index(day[:3]))
    raise ValueError(SCHEDULE_HINT)


def parse_quiet_hours(value: object) -> object:
    """Return the hours for `22:00-07:00`, None for None. Raise ValueError for anything else."""
    if value is None or isinstance(value, QuietHours):
        return value
    begin, dash, end = str(value).partition("-")
    if not dash:
        raise ValueError(QUIET_HOURS_HINT)
    hours = QuietHours(_parse_clock(begin.strip(), QUIET_HOURS_HINT), _parse_clock(end.strip(), QUIET_HOURS_HINT))
    if hours.begin == hours.end:
        raise ValueError("quiet hours that never end would block every message")
    return hours


def _parse_clock(text: str, hint: str) -> time:
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", text)
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise ValueError(hint)
    return time(int(found[1]), int(found[2]))


DeliveryScheduleField = Annotated[DeliverySchedule, BeforeValidator(parse_delivery_schedule)]
QuietHoursField = Annotated[QuietHours | None, BeforeValidator(parse_quiet_hours)]
