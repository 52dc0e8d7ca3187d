"""What press releases share: a dateline at the beginning of the text, an attribution line at its end."""

from __future__ import annotations

import re
from datetime import tzinfo

from crawler.text import dates

ATTRIBUTION_PATTERN = re.compile(r"(?:Источник|Source|Дереккөз(?:і)?)\s*:\s*(?P<name>.+)", re.IGNORECASE)
DATELINE_PATTERN = re.compile(r"(?P<place>[^\W\d_][\w.\-]*(?: [\w.\-]+){0,3}),\s+(?P<date>[\w\s.,]{6,40}?)\s*[–—-]\s")


def split_attribution(paragraphs: list[str]) -> tuple[list[str], str | None]:
    """The paragraphs without a last line "Источник: …", and whom it names (None without such a line)."""
    if paragraphs and (found := ATTRIBUTION_PATTERN.fullmatch(paragraphs[-1])):
        return paragraphs[:-1], found["name"].strip(" .")
    return paragraphs, None


def find_dateline_place(paragraphs: list[str], zone: tzinfo) -> str | None:
    """The city of a dateline ("Астана, 6 марта 2026 года – …"); the text keeps the dateline as it was written."""
    found = DATELINE_PATTERN.match(paragraphs[0]) if paragraphs else None
    if found and _is_name(found["place"]) and dates.parse_date(found["date"], zone):
        return found["place"]
    return None


def _is_name(place: str) -> bool:
    words = place.split()
    return words[0][0].isupper() and words[-1][0].isupper()  # "Rio de Janeiro", but no beginning of a sentence
