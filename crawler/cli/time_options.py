"""`--since`, `--until` and `--max-age`: a day, a time or an age, as a person writes it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from crawler.errors import UsageError
from crawler.text.dates import convert_to_zone, load_time_zone

AGE_PATTERN = re.compile(r"(\d+)\s*([hdw])")
CLOCK_PATTERN = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
HOURS_OF_UNIT = {"h": 1, "d": 24, "w": 168}


def parse_since(
    text: str | None, timezone: str, now: datetime | None = None, option: str = "--since"
) -> datetime | None:
    """The moment (aware) that such an option means; a day is its midnight in the owner's time zone, an age ends now."""
    if text is None:
        return None
    fault = f"{option} {text!r} is no day, time or age; write 2026-01-31, 2026-01-31T10:00+05:00 or 36h."
    if found := AGE_PATTERN.fullmatch(text.strip()):
        try:
            return (now or datetime.now(UTC)) - timedelta(hours=int(found[1]) * HOURS_OF_UNIT[found[2]])
        except OverflowError as error:  # before the first year there is
            raise UsageError(fault) from error
    return _parse_time(text, timezone, fault)


def parse_until(text: str | None, timezone: str, now: datetime) -> datetime:
    """The moment (aware) that `--until` means, `now` when it is left out; a time of day is today's.

    UsageError for one that has not come yet: nobody knows what will be found until then.
    """
    if text is None:
        return now
    if clock := CLOCK_PATTERN.fullmatch(text.strip()):
        today = now.astimezone(load_time_zone(timezone))
        moment = today.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
    else:
        fault = f"--until {text!r} is no time or day; write 08:30 (today), 2026-01-31T10:00+05:00 or 2026-01-31."
        moment = _parse_time(text, timezone, fault)
    if moment > now:
        raise UsageError(f"--until {text}: that time has not come yet.")
    return moment


def parse_age(text: str, option: str) -> timedelta:
    """The span that an option's age means."""
    if found := AGE_PATTERN.fullmatch(text.strip()):
        return timedelta(hours=int(found[1]) * HOURS_OF_UNIT[found[2]])
    raise UsageError(f"{option} {text!r} is no age; write 36h, 365d or 52w.")


def _parse_time(text: str, timezone: str, fault: str) -> datetime:
    """A day or a time; UsageError with these words for anything else."""
    try:
        return convert_to_zone(datetime.fromisoformat(text.strip()), load_time_zone(timezone))
    except ValueError as error:
        raise UsageError(fault) from error
