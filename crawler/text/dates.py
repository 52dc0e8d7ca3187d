"""Dates as the watched sites write them, in English, Russian and Kazakh.

`parse_date` takes a text that is a date and nothing else. It returns None for a text with one unknown character, so
that no date is guessed. A general date library reads more and invents more (docs/decisions/dates.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from crawler.defaults import load_default_toml
from crawler.items import Precision
from crawler.text.months import get_month_numbers_of_dates, get_weekdays

_MONTH = "(?P<month>[^\\W\\d_]+)"
_YEAR = r"(?P<year>\d{4})(?:\s*(?:года?|год|г\.?|жылғы|жыл|ж\.?))?"
_ORDINAL = "(?:st|nd|rd|th)?"
HALF = r"(?P<half>[ap])(?:m\b|\.\s?m\b\.?)"
"""The half of a day after a time: `PM`, `p.m.`."""
_TIME = rf"(?:[\s,|/·•–—-]+(?:в\s+)?(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?::\d{{2}})?(?:\s*{HALF})?)?"
DATE_PATTERNS = tuple(
    re.compile(pattern + _TIME + r"\.?", re.IGNORECASE)
    for pattern in (
        rf"(?P<day>\d{{1,2}}){_ORDINAL}\s+{_MONTH}\.?,?\s+{_YEAR}",  # 08 February, 2023 | 10:28 · 13 июля 2026 17:29
        rf"{_MONTH}\.?\s+(?P<day>\d{{1,2}}){_ORDINAL},?\s+{_YEAR}",  # February 20, 2025
        rf"{_YEAR}\s+(?P<day>\d{{1,2}})\s+{_MONTH}\.?",  # 2026 жылғы 6 наурыз
        rf"(?P<day>\d{{1,2}})\.(?P<digits>\d{{2}})\.{_YEAR}",  # 03.12.2025, 14:05
    )
)
# Only the zones of RFC 822: for the letters of any other, the standard library returns a time without a zone.
RFC822_PATTERN = re.compile(
    r"(?:[A-Za-z]{3},\s)?\d{1,2}\s[A-Za-z]{3}\s(?:19|20)\d{2}\s\d{2}:\d{2}(?::\d{2})?\s(?:[+-]\d{4}|GMT|UTC?|Z|[ECMP][SD]T)"
)
TIME_FIRST_PATTERN = re.compile(r"(?P<time>\d{1,2}:\d{2}(?::\d{2})?)[\s,|/·•–—-]+(?P<date>.*\D.*)")
WORD_PATTERN = re.compile(r"\(?(?P<name>[^\W\d_]{2,11})\)?[.,]*")
SEPARATOR_PATTERN = re.compile(r"[\s,;|/·•]+")
MAX_COUNTED_LENGTH = 120
"""Characters of a date with the counters after it."""
UTC_END = re.compile(r"(?:\s[+-]0000)?\s?(?:UTC|GMT|Z)$")
"""How Ruby and Go end a time in UTC: `UTC`, `+0000 UTC`."""
ISO_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?")


@dataclass(frozen=True, slots=True)
class ParsedDate:
    """A date that a page states: the time (aware), its precision, and the text that was parsed."""

    at: datetime
    precision: Precision
    raw: str


class _PackagedZone(ZoneInfo):
    """A time zone that can be copied and pickled by its name. A `ZoneInfo` that was read from a file cannot."""

    def __reduce__(self) -> tuple[Callable[[str], tzinfo], tuple[str]]:
        return load_time_zone, (self.key,)


@lru_cache
def load_time_zone(name: str) -> tzinfo:
    """Return a time zone from the `tzdata` package, never from the system's own tables.

    Systems of 2023 have Kazakhstan an hour wrong since 1 March 2024, and `ZoneInfo(name)` asks the system first. Raise
    ValueError when there is no time zone of that name.
    """
    package = resources.files("tzdata")
    if name not in package.joinpath("zones").read_text(encoding="utf-8").splitlines():
        raise ValueError(f"{name!r} is no time zone name such as Asia/Almaty")
    with package.joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return _PackagedZone.from_file(file, key=name)


def convert_to_zone(time: datetime, zone: tzinfo) -> datetime:
    """Return the same time with the zone's offset at that time, as a fixed offset.

    A naive time is wall time in the zone. In the hour that comes twice it is the first one.
    """
    local = time.replace(tzinfo=zone) if time.tzinfo is None else time.astimezone(zone)
    offset = local.utcoffset()
    assert offset is not None
    return local.replace(tzinfo=timezone(offset), fold=0)


def parse_iso_time(text: str) -> datetime:
    """Return the time that an ISO 8601 text is, which may name UTC after it. Raise ValueError for another text."""
    return datetime.fromisoformat(UTC_END.sub("+00:00", text))


def convert_half_day(hour: int, half: str) -> int:
    """Return the hour of the day that is an hour in its first half, `a`, or in its second, `p`.

    Raise ValueError for an hour that is not from 1 to 12.
    """
    if not 1 <= hour <= 12:
        raise ValueError(f"{hour} is no hour of half a day")
    return hour % 12 + (12 if half.lower() == "p" else 0)


def parse_date(text: str, zone: tzinfo) -> ParsedDate | None:
    """Return the date that a text is, with the zone's offset, or None when it is no date.

    A time without an offset is wall time in the zone. A day without a time is its midnight, with precision `day`. The
    counters that many pages have after a date, such as `| Просмотров: 5`, do not count.
    """
    text = " ".join(text.split())
    if ISO_PATTERN.fullmatch(text):
        return _parse_iso(text, zone)
    date = _remove_weekday(text)
    if time_first := TIME_FIRST_PATTERN.fullmatch(date):  # 10:15, 20 ноября 2026
        date = f"{time_first['date']} {time_first['time']}"
    for pattern in DATE_PATTERNS:
        if found := pattern.fullmatch(date):
            return _parse_groups(found, zone, text)
    return _parse_rfc822(text, zone) or _parse_counted(text, zone)


@cache
def _load_counter_pattern() -> re.Pattern[str]:
    return re.compile(
        "|".join(f"(?:{each})" for each in load_default_toml("boilerplate.toml")["counters"]), re.IGNORECASE
    )


def _parse_counted(text: str, zone: tzinfo) -> ParsedDate | None:
    """Return the date before a counter of views or comments, or None."""
    if len(text) > MAX_COUNTED_LENGTH:
        return None
    for separator in reversed(list(SEPARATOR_PATTERN.finditer(text))):
        if _load_counter_pattern().fullmatch(text, separator.end()):
            found = parse_date(text[: separator.start()], zone)
            if found is not None:
                return replace(found, raw=text)
    return None


def _remove_weekday(text: str) -> str:
    """Return a date without its day of the week, which may be at its beginning, its end or before its time."""
    for word in WORD_PATTERN.finditer(text):
        if word["name"].lower() in get_weekdays():
            return f"{text[: word.start()].rstrip(' ,')} {text[word.end() :].strip(' ,')}".strip()
    return text


def _parse_iso(text: str, zone: tzinfo) -> ParsedDate | None:
    try:
        at = convert_to_zone(parse_iso_time(text), zone)
    except (ValueError, OverflowError):  # OverflowError: an offset leads out of the calendar
        return None
    return ParsedDate(at, Precision.MINUTE if len(text) > len("2026-03-06") else Precision.DAY, text)


def _parse_groups(found: re.Match[str], zone: tzinfo, text: str) -> ParsedDate | None:
    part = found.groupdict()
    month = int(part["digits"]) if part.get("digits") else get_month_numbers_of_dates().get(part["month"].lower())
    if month is None:
        return None
    hour, minute = (int(part["hour"]), int(part["minute"])) if part["hour"] else (0, 0)
    try:
        hour = convert_half_day(hour, part["half"]) if part["half"] else hour
        at = datetime(int(part["year"]), month, int(part["day"]), hour, minute)  # noqa: DTZ001 - wall time, zoned below
    except ValueError:
        return None
    return ParsedDate(convert_to_zone(at, zone), Precision.MINUTE if part["hour"] else Precision.DAY, text)


def _parse_rfc822(text: str, zone: tzinfo) -> ParsedDate | None:
    if not RFC822_PATTERN.fullmatch(text):  # the standard library reads almost anything
        return None
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    # "-0000" means UTC and is parsed to a naive time.
    return ParsedDate(convert_to_zone(at if at.tzinfo else at.replace(tzinfo=UTC), zone), Precision.MINUTE, text)
