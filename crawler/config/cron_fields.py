"""The five fields of a cron expression: what each may say, and what is wrong with one that cannot be used.

The fields are minute, hour, day, month and weekday. Weekdays are 0-7 (Sunday is 0 and 7) or `mon` … `sun`.
"""

from __future__ import annotations

import re

from crawler.errors import suggest_nearest
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
MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""The most days of each month."""


def parse_cron_fields(text: str) -> list[str]:
    """Return the fields of an expression. Raise ValueError that names an invalid one, and what may have been meant."""
    values = _split_fields(text)
    for (name, bounds), value in zip(FIELD_BOUNDS.items(), values, strict=True):
        for item in value.split(","):
            if fault := _find_fault(item, name, *bounds):
                raise ValueError(f"{text!r} is no cron expression: its {name} {item!r} {fault}")
    days, months = list_field_values(values[2], "day"), list_field_values(values[3], "month")
    if min(days) > max(MONTH_DAYS[month - 1] for month in months):
        raise ValueError(f"{text!r} names a day that never comes; look at its day and month.")
    return values


def list_field_values(field: str, name: str) -> set[int]:
    """Return the numbers that a valid field means. Sunday may be 0 or 7."""
    lowest, highest = FIELD_BOUNDS[name]
    if name == "weekday":
        highest = 6  # A step counts Sunday once.
    values: set[int] = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        first, _, last = (str(lowest), "-", str(highest)) if span == "*" else span.partition("-")
        low = _parse_number(first, name)
        high = _parse_number(last, name, last=True) if last else (max(low, highest) if step else low)
        values |= set(range(low, high + 1, int(step or 1)))
    return values


def _split_fields(text: str) -> list[str]:
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
    raise ValueError(
        f"{text!r} is no cron expression: it needs five fields ({names}) and has {len(values)}, did you mean {meant!r}?"
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
    step, most = found["step"], highest - lowest
    if ends and name != "weekday":  # Weekdays become a list.
        most = (_parse_number(ends[1], name) if len(ends) == 2 else highest) - _parse_number(ends[0], name)
    if step and not (step.isdecimal() and 1 <= int(step) <= most):
        return f"has a step that is not from 1 to {most}." if most else "has a step, but names one value."
    return None


def _parse_number(end: str, name: str, last: bool = False) -> int:
    if last and end == "sun":
        return 7
    return int(end) if end.isdecimal() else NAMED_VALUES[name][end]
