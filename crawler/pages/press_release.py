"""What press releases share: a dateline at the beginning of the text, an attribution line at its end."""

from __future__ import annotations

import re
from datetime import tzinfo
from functools import cache

from crawler.defaults import load_default_toml
from crawler.text.dates import parse_date

DATELINE_PATTERN = re.compile(r"(?P<place>[^\W\d_][\w.\-]*(?: [\w.\-]+){0,3}),\s+(?P<date>[\w\s.,]{6,40}?)\s*[–—-]\s")


@cache
def _load_attribution_pattern() -> re.Pattern[str]:
    labels = "|".join(load_default_toml("page_labels.toml")["attribution"])
    return re.compile(rf"(?:{labels})\s*:\s*(?P<name>.+)", re.IGNORECASE)


def split_attribution(paragraphs: list[str]) -> tuple[list[str], str | None]:
    """Return the paragraphs without a last line "Источник: …", and the name in it (None without such a line)."""
    if paragraphs and (found := _load_attribution_pattern().fullmatch(paragraphs[-1])):
        return paragraphs[:-1], found["name"].strip(" .")
    return paragraphs, None


def find_dateline_place(paragraphs: list[str], zone: tzinfo) -> str | None:
    """Return the city of a dateline ("Астана, 6 марта 2026 года – …"), or None. The dateline stays in the text."""
    found = DATELINE_PATTERN.match(paragraphs[0]) if paragraphs else None
    if found and _is_name(found["place"]) and parse_date(found["date"], zone):
        return found["place"]
    return None


def _is_name(place: str) -> bool:
    # "Rio de Janeiro" is a name, the beginning of a sentence is none.
    words = place.split()
    return words[0][0].isupper() and words[-1][0].isupper()
