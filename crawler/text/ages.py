"""Ages as owners write them in options and in crawler.toml: `45m`, `36h`, `3d`, `2w`."""

from __future__ import annotations

import re
from datetime import timedelta

AGE_PATTERN = re.compile(r"(\d{1,12})\s*([mhdw])")
AGE_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def parse_age(text: str) -> timedelta | None:
    """Return the length of an age, or None if the text is none or is too long for a timedelta."""
    found = AGE_PATTERN.fullmatch(text.strip())
    try:
        return int(found[1]) * AGE_UNITS[found[2]] if found else None
    except OverflowError:
        return None
