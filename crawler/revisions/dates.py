"""Find dates and clock times of a sentence, each in one form: 1 July 2026 is July 1, 2026 and 01.07.2026."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from crawler.text.months import get_month_numbers

_KAZAKH_CASE = (
    r"(?:да|де|та|те|нда|нде|дан|ден|нан|нен|тан|тен|ға|ге|қа|ке|ның|нің|дың|дің|тың|тің|ы|і|сы|сі|ды|ді|ты|ті)?"
)
_YEAR = r"(?:19|20)\d\d"
_YEAR_WORD = r"(?:\s*(?:г\b\.?|год(?:а|у|ом|е)?\b|ж\b\.?|жыл(?:ы|ғы)?\b))?"
_DATE_FORMS = "12345"
"""Suffixes of the groups of `_get_date_pattern`: d1, m1, y1 are day, month and year of its first form."""


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A date in a text. Its keys are the day, such as `date:07-01`, then the year, `#2026`; or a time, `time:17:45`."""

    start: int
    end: int
    text: str
    keys: tuple[str, ...]


def find_dates(text: str) -> Iterator[FoundDate]:
    """Yield the dates and clock times in their order. Years alone are none."""
    for found in _get_date_pattern().finditer(text):
        keys = tuple(_list_keys(found))
        if keys:
            yield FoundDate(found.start(), found.end(), found[0].strip(), keys)


def _list_keys(found: re.Match[str]) -> Iterator[str]:
    groups = found.groupdict()
    for form in _DATE_FORMS:
        day, month, year = groups.get(f"d{form}"), groups.get(f"m{form}"), groups.get(f"y{form}")
        if day and month:
            name = month.lower().replace("ı", "i")  # `i` in a pattern matches both
            number = get_month_numbers().get(name) or (int(name) if name.isdecimal() else 0)
            if int(day) <= 31 and 1 <= number <= 12:
                yield f"date:{number:02}-{int(day):02}"
                if year:
                    yield f"#{year if len(year) == 4 else '20' + year}"
            return
    hour, minute, half = groups["hour"] or groups["full_hour"], groups["minute"], groups["half"] or groups["full_half"]
    if hour:
        yield f"time:{_read_hour(int(hour), half)}:{minute or '00'}"


def _read_hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    return hour % 12 + (12 if half[0] in "pP" else 0)


@cache
def _get_date_pattern() -> re.Pattern[str]:
    month = "|".join(sorted(get_month_numbers(), key=len, reverse=True))
    return re.compile(
        rf"(?<![\d.,])(?P<d1>\d{{1,2}})(?:-?(?:го|е|st|nd|rd|th))?\s+(?:of\s+)?(?P<m1>{month}){_KAZAKH_CASE}\b\.?"
        rf"(?:,?\s+(?P<y1>{_YEAR})\b{_YEAR_WORD})?"
        rf"|\b(?P<m2>{month})\.?\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?![.,:]\d)(?:,?\s+(?P<y2>{_YEAR})\b)?"
        rf"|(?<![\d.,])(?P<d3>\d{{1,2}})[./](?P<m3>\d{{1,2}})[./](?P<y3>{_YEAR}|\d\d)(?![\d.]\d)"
        rf"|\b(?P<y4>{_YEAR})-(?P<m4>\d\d)-(?P<d4>\d\d)\b"
        rf"|\b(?P<y5>{_YEAR})\s*(?:жылғы|жылы|жыл|ж\.?)\s+(?P<d5>\d{{1,2}})\s+(?P<m5>{month}){_KAZAKH_CASE}\b"
        r"|(?<![\d.,:])(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?!\d)(?:\s*(?P<half>[ap]\.?m\b\.?))?(?:-(?:де|да|ге|ке|ға|ден|дан|тен))?"
        r"|\b(?P<full_hour>1[0-2]|0?[1-9])\s*(?P<full_half>[ap]\.?m\b\.?)",
        re.IGNORECASE,
    )
