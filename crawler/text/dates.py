"""Dates as the watched sites write them, in en, ru and kk: read whole or not at all.

A date is never guessed: `read` takes a text that is a date and nothing else, and gives None for anything it does not
know to the last character. A general date library reads more and invents more (docs/decisions/dates.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from crawler.items import Precision

MONTH_NUMBERS = {
    name: number
    for number, names in enumerate(
        (
            "january jan январь января янв қаңтар",
            "february feb февраль февраля фев ақпан",
            "march mar март марта мар наурыз",
            "april apr апрель апреля апр сәуір",
            "may май мая мамыр",
            "june jun июнь июня июн маусым",
            "july jul июль июля июл шілде",
            "august aug август августа авг тамыз",
            "september sep sept сентябрь сентября сен қыркүйек",
            "october oct октябрь октября окт қазан",
            "november nov ноябрь ноября ноя қараша",
            "december dec декабрь декабря дек желтоқсан",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = "(?P<month>[^\\W\\d_]+)"
_YEAR = r"(?P<year>\d{4})(?:\s*(?:года?|год|г\.?|жылғы|жыл|ж\.?))?"
_TIME = r"(?:[\s,|]+(?:в\s+)?(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::\d{2})?)?"
DATE_PATTERNS = tuple(
    re.compile(shape + _TIME + r"\.?", re.IGNORECASE)
    for shape in (
        rf"(?P<day>\d{{1,2}})\s+{_MONTH}\.?,?\s+{_YEAR}",  # 08 February, 2023 | 10:28 · 13 июля 2026 17:29
        rf"{_MONTH}\s+(?P<day>\d{{1,2}}),?\s+{_YEAR}",  # February 20, 2025
        rf"{_YEAR}\s+(?P<day>\d{{1,2}})\s+{_MONTH}",  # 2026 жылғы 6 наурыз
        r"(?P<day>\d{1,2})\.(?P<digits>\d{2})\.(?P<year>\d{4})",  # 03.12.2025, 14:05
    )
)
RFC822_PATTERN = re.compile(
    r"(?:[A-Za-z]{3},\s)?\d{1,2}\s[A-Za-z]{3}\s(?:19|20)\d{2}\s\d{2}:\d{2}(?::\d{2})?\s(?:[+-]\d{4}|GMT|UTC?|Z)"
)  # other zones' letters would be taken for UTC
ISO_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?")


@dataclass(frozen=True, slots=True)
class ParsedDate:
    """A date as read: the moment (aware), how exact it is, and the text it was read from."""

    at: datetime
    precision: Precision
    raw: str


@lru_cache
def load_time_zone(name: str) -> tzinfo:
    """A time zone from the `tzdata` package, whatever the system's own tables say.

    Systems of 2023 have Kazakhstan an hour wrong since 1 March 2024, and zoneinfo asks the system first.
    """
    with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def convert_to_zone(time: datetime, zone: tzinfo) -> datetime:
    """The same moment (naive: wall time there) with that zone's offset at that time, as a fixed offset."""
    there = time.replace(tzinfo=zone) if time.tzinfo is None else time.astimezone(zone)
    offset = there.utcoffset()
    assert offset is not None
    return there.replace(tzinfo=timezone(offset), fold=0)


def parse_date(text: str, zone: tzinfo) -> ParsedDate | None:
    """The moment a text names, with `where`'s offset; a day without a time is its midnight. None when it is no date."""
    text = " ".join(text.split())
    if ISO_PATTERN.fullmatch(text):
        return _parse_iso(text, zone)
    for shape in DATE_PATTERNS:
        if found := shape.fullmatch(text):
            return _parse_groups(found, zone, text)
    return _parse_rfc822(text, zone)


def _parse_iso(text: str, where: tzinfo) -> ParsedDate | None:
    try:
        moment = convert_to_zone(datetime.fromisoformat(text), where)
    except (ValueError, OverflowError):  # an offset may lead out of the calendar
        return None
    return ParsedDate(moment, Precision.MINUTE if len(text) > 10 else Precision.DAY, text)


def _parse_groups(found: re.Match[str], where: tzinfo, text: str) -> ParsedDate | None:
    part = found.groupdict()
    month = int(part["digits"]) if part.get("digits") else MONTH_NUMBERS.get(part["month"].lower())
    if month is None:
        return None
    clock = (int(part["hour"]), int(part["minute"])) if part["hour"] else (0, 0)
    try:
        moment = datetime(int(part["year"]), month, int(part["day"]), *clock)  # noqa: DTZ001 - wall time, zoned below
    except ValueError:
        return None
    return ParsedDate(convert_to_zone(moment, where), Precision.MINUTE if part["hour"] else Precision.DAY, text)


def _parse_rfc822(text: str, where: tzinfo) -> ParsedDate | None:
    if not RFC822_PATTERN.fullmatch(text):  # the standard library reads almost anything
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    # "-0000" means UTC without a local zone and comes back naive.
    return ParsedDate(
        convert_to_zone(moment if moment.tzinfo else moment.replace(tzinfo=UTC), where), Precision.MINUTE, text
    )
