"""Parse the times of `--since`, `--until` and `--max-age`: a day, a time, a time of day or an age."""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta

from crawler.errors import UsageError
from crawler.text.ages import parse_age
from crawler.text.dates import convert_to_zone, load_time_zone

CLOCK_PATTERN = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def parse_since(
    text: str | None, timezone: str, now: datetime | None = None, option: str = "--since"
) -> datetime | None:
    """Return the aware time that a day, a time or an age means, None for None.

    A day is its midnight in `timezone`. An age ends at `now`.
    """
    if text is None:
        return None
    message = (
        f"{option} {text!r} is not a day, time or age. "
        "Write 2026-01-31, 2026-01-31T10:00+05:00 or an age: 36h, 90d, 2w."
    )
    if (age := parse_age(text)) is not None:
        try:
            return (now or datetime.now(UTC)) - age
        except OverflowError as error:  # before the year 1
            raise UsageError(message) from error
    return _parse_time(text, timezone, message)


def parse_until(text: str | None, timezone: str, now: datetime) -> datetime:
    """Return the aware time that `--until` means, `now` for None. A time of day is today's.

    Raise UsageError for a time in the future: a review of it would be incomplete.
    """
    if text is None:
        return now
    if clock := CLOCK_PATTERN.fullmatch(text.strip()):
        today = now.astimezone(load_time_zone(timezone))
        until = today.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
    else:
        message = f"--until {text!r} is not a time or day. Write 08:30 (today), 2026-01-31T10:00+05:00 or 2026-01-31."
        until = _parse_time(text, timezone, message)
    if until > now:
        raise UsageError(f"--until {text} is in the future. Give a time that has passed.")
    return until


def parse_period(since: str, until: str | None, timezone: str, now: datetime) -> tuple[datetime, datetime]:
    """Return the begin and the end of a period. An age begins that long before the end."""
    end = parse_until(until, timezone, now)
    begin = parse_since(since, timezone, end)
    if begin is None or begin >= end:
        raise UsageError(f"--since {since} is not before --until {until or 'now'}.")
    return begin, end


def parse_age_option(text: str, option: str) -> timedelta:
    """Return the length of an age such as `36h`. Raise UsageError for anything else."""
    age = parse_age(text)
    if age is None:
        raise UsageError(f"{option} {text!r} is not an age. Write 36h, 365d or 52w.")
    return age


def _parse_time(text: str, timezone: str, message: str) -> datetime:
    """Return the aware time of an ISO 8601 day or time. Raise UsageError with this message for anything else."""
    try:
        time = convert_to_zone(datetime.fromisoformat(text.strip()), load_time_zone(timezone))
    except (ValueError, OverflowError) as error:
        raise UsageError(message) from error
    if time.year in (MINYEAR, MAXYEAR):  # Its time in another zone may be one that no datetime can be.
        raise UsageError(message)
    return time
