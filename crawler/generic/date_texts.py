"""Dates in texts: in the words and the orders of numbers that pages use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date

from crawler.generic.month_words import get_month_number
from crawler.items import Precision
from crawler.text.dates import HALF, convert_half_day, parse_date, parse_iso_time

MAX_DATE_LINE_LENGTH = 60
MIN_DATE_SHARE = 0.7
DATE_LINE_MARKS = re.compile(r"\s*[|/·•,]\s*")
LABEL_OR_COUNTER = re.compile(r"(?:[^\W\d_]+\s*){0,2}:?\s*\d*")
"""What is beside a date in its line: "Published:", "Views: 300", a day of the week."""
MIN_YEAR, MAX_YEAR = 1990, 2100
ISO_BEGINNING = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2})?(?!\d)")
OFFSET_END = re.compile(r"(?:[+-]\d{2}:?\d{2}|Z|GMT|UTC?|[ECMP][SD]T)$")
YEAR_WORD = r"(?:[\s-]*(?:г|года|году|ж|жыл|жылы|жылғы|yil|йил)\.?(?![^\W\d_]))?"
UTC_NAME = r"(?-i:UTC|GMT|Z(?!\s+[^\W\d_]))(?!\w|\s?[+-]\d)"
"""A zone that is UTC. `UTC+5` is not, and in Polish `Z` is a word."""
TIME_TAIL = rf"(?P<tail>(?::[0-5]\d(?:[.,]\d+)?)?\s*(?:{HALF}(?:\s*{UTC_NAME})?|{UTC_NAME}))?"
TIME = (
    rf"{YEAR_WORD}(?:[\s,|T/·•–-]*(?:um|at|à|в|в\s|ore|a las|kl\.?)?[\s,|]*"
    r"(?P<hour>[01]?\d|2[0-3])[:.h](?P<minute>[0-5]\d)(?![\d.])"
    rf"{TIME_TAIL})?"
)
TIME_BEFORE = re.compile(
    r"(?<![\d:.,–-])(?<![–-]\s)(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)"
    rf"{TIME_TAIL}(?::[0-5]\d)?(?:\s*[,/|·•–—-]\s*|\s+)$",
    re.IGNORECASE,
)
"""A time directly before its date: `14:05 / 27.11.2026`."""
YEAR = r"(?P<year>(?:19|20)\d{2})"
YEAR_END = r"(?!\d(?!\d?:[0-5]\d))"
"""No digit but those of a time in the next element: `03.05.202614:30`."""
DAY = r"(?<![\d.,/])(?<!\d:)(?P<day>[0-3]?\d)"
NEXT_ELEMENT = r"(?-i:(?<=[a-zа-яё])(?=[A-ZА-ЯЁ]))"
"""A place where an element's text begins without a space, as in `Ann MillerMay 3, 2026`."""
FIRST_MONTH = rf"(?:(?<![^\W\d_])|{NEXT_ELEMENT})(?P<word>[^\W\d_](?:(?!{NEXT_ELEMENT})[^\W\d_]){{2,11}})"
MONTH = r"(?P<word>[^\W\d_]{3,12})"
TEXT_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{DAY}(?:st|nd|rd|th|er|-?у?ми)?[\s.,/–-]*(?:of\s|de\s|d['’])?\s*{MONTH}\.?[\s,./'’–-]*(?:de\s|del\s|соли\s)?\s*{YEAR}{YEAR_END}{TIME}",
        rf"{FIRST_MONTH}\.?\s+(?P<day>[0-3]?\d)(?:st|nd|rd|th)?,?\s+{YEAR}{YEAR_END}{TIME}",
        rf"(?<!\d){YEAR}[\s-]*(?:жылғы|жылы|жылдын|жылдың|жыл|ж\.|йилнинг|йил|yilning|yil|года|соли)?[\s,-]+(?P<day>[0-3]?\d)[\s–-]+{MONTH}{TIME}",
        rf"(?<!\d){YEAR}\.?\s+(?!(?:set|out|ago)\b){MONTH}\.?\s+(?P<day>[0-3]?\d)(?![\d:]|,?\s*(?:19|20)\d\d)\.?{TIME}",
        rf"(?<![\d./-]){YEAR}(?P<mark>[-./])(?P<number>[01]?\d)(?P=mark)(?P<day>[0-3]?\d)(?![\d]){TIME}",
        rf"(?<![\d./-])(?P<day>[0-3]?\d)(?P<mark>[./-]|\.\s)(?P<number>[01]?\d)(?P=mark){YEAR}{YEAR_END}{TIME}",
        rf"(?<![\d./-])(?P<number>[01]?\d)(?P<mark>[./-])(?P<day>[0-3]?\d)(?P=mark){YEAR}{YEAR_END}{TIME}",
        rf"(?<![\d./-])(?P<day>[0-3]?\d)\.(?P<number>[01]?\d)\.(?P<short>[0-4]\d)(?![\d.]){TIME}",
        rf"(?<![\d./-])(?P<day>[0-3]?\d)(?P<mark>/)(?P<number>[01]?\d)/(?P<short>[0-4]\d)(?![\d./%-]){TIME}",
        rf"(?<![\d./-])(?P<number>[01]?\d)(?P<mark>/)(?P<day>[0-3]?\d)/(?P<short>[0-4]\d)(?![\d./%-]){TIME}",
        rf"{YEAR}\s*[年년]\s*(?P<number>[01]?\d)\s*[月월]\s*(?P<day>[0-3]?\d)\s*[日일]",
    )
)
NUMBERS_ONLY = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{4}(?!\d)")
"""A date whose day and month only the language of the page tells apart."""
SHORT_NUMBERS = re.compile(r"\d{1,2}/\d{1,2}/\d{2}(?!\d)")
"""A date that may as well be a score."""
YEAR_MARK = re.compile(r"(?:19|20)\d{2}|[./][0-4]\d(?!\d)")
"""What every text has that one of TEXT_DATES matches. It spares most lines the search for them."""


@dataclass(frozen=True, slots=True)
class StatedDate:
    """A date that a page states.

    `value` is ISO 8601: a day, or a time with the offset that the page states; without one it is the site's local time.
    `text` is what was read, and `origin` where it was, such as `JSON-LD datePublished` or `visible text`. A date that
    `is_in_frame` is in the head, a menu, a margin or the foot of the page. One that `is_doubtful` is called a change
    or is in a sentence. One that `is_named` is marked as the day of publication.
    """

    value: str
    text: str
    origin: str
    is_in_frame: bool = False
    is_doubtful: bool = False
    is_named: bool = False

    @property
    def day(self) -> str:
        """The day as `YYYY-MM-DD`."""
        return self.value[:10]


def parse_stated_date(text: str, origin: str, language: str = "") -> StatedDate | None:
    """Return the date of a text that is one and nothing else, or begins with one, or None."""
    text = " ".join(text.split())[:80]
    if ISO_BEGINNING.match(text):
        value = _format_iso(text) or next((each.value for each in find_dates(text, origin)), "")
        return _make_date(value, text, origin)
    if parsed := parse_date(text, UTC):
        at = parsed.at if OFFSET_END.search(text) else parsed.at.replace(tzinfo=None)
        value = at.isoformat(timespec="seconds") if parsed.precision is Precision.MINUTE else at.date().isoformat()
        return _make_date(value, text, origin)
    return next(iter(find_dates(text, origin, language)), None)


def find_dates(text: str, origin: str, language: str = "") -> Iterator[StatedDate]:
    """Yield the dates in a text, by their place."""
    if not YEAR_MARK.search(text):
        return
    matches = [(found.start(), number, found) for number, p in enumerate(TEXT_DATES) for found in p.finditer(text)]
    end = 0
    for start, _, found in sorted(matches, key=lambda each: each[:2]):
        if start >= end and (value := read_date_match(found, language)):
            before = TIME_BEFORE.search(text[end:start]) if "T" not in value else None
            if before:
                value += _format_time(before.groupdict())
            words = f"{before[0] if before else ''}{found[0]}".strip()
            end = found.end()
            yield StatedDate(value, words, origin)


def is_date_line(text: str) -> bool:
    """Return whether a line is a date and nothing else that counts."""
    if len(text) > MAX_DATE_LINE_LENGTH:
        return False
    found = next(iter(find_dates(text, "")), None)
    if found is None:
        return False
    others = DATE_LINE_MARKS.split(text.replace(found.text, "|", 1))
    return len(found.text) >= MIN_DATE_SHARE * len(text) or all(LABEL_OR_COUNTER.fullmatch(each) for each in others)


def read_date_match(found: re.Match[str], language: str) -> str | None:
    """Return what a pattern found as ISO 8601, or None where it is no date."""
    parts = found.groupdict()
    month = get_month_number(parts["word"], language) if parts.get("word") else int(parts["number"])
    if month is None:
        return None
    year = int(parts["year"]) if parts.get("year") else 2000 + int(parts["short"])
    day = int(parts["day"])
    if parts.get("mark") == "/" and language == "en" and found.start("day") < found.start("number") and day <= 12:
        day, month = month, day  # the order of the United States
    try:
        written = date(year, month, day).isoformat()
    except ValueError:
        return None
    if not MIN_YEAR <= year <= MAX_YEAR:
        return None
    return written + _format_time(parts)


def _format_time(parts: Mapping[str, str | None]) -> str:
    """Return the time of a match as the end of an ISO 8601 time, or "" where it has none."""
    if not (written := parts.get("hour")):
        return ""
    hour = int(written)
    if (half := parts["half"]) and 1 <= hour <= 12:  # some sites write 17:29 PM
        hour = convert_half_day(hour, half)
    is_utc = (parts["tail"] or "").endswith(("UTC", "GMT", "Z"))
    return f"T{hour:02d}:{parts['minute']}:00{'+00:00' if is_utc else ''}"


def is_day(text: str) -> bool:
    """Return whether a text is a day as `YYYY-MM-DD` in the years of web pages."""
    try:
        return MIN_YEAR <= date.fromisoformat(text).year <= MAX_YEAR
    except ValueError:
        return False


def _make_date(value: str, text: str, origin: str) -> StatedDate | None:
    return StatedDate(value, text, origin) if is_day(value[:10]) else None


def _format_iso(text: str) -> str | None:
    """Return an ISO 8601 time with the offset that it has, or a day; None for another text."""
    try:
        at = parse_iso_time(text)
    except ValueError:
        return None
    return at.isoformat(timespec="seconds") if len(text) > len("2026-01-01") else at.date().isoformat()
