"""What press releases share: a dateline at the beginning of the text, an attribution line at its end."""

from __future__ import annotations

import re
from datetime import tzinfo
from functools import cache

from crawler.defaults import load_default_toml
from crawler.pages.blocks import Block
from crawler.pages.boilerplate import is_boilerplate
from crawler.text.dates import parse_date

DATELINE_PATTERN = re.compile(r"(?P<place>[^\W\d_][\w.\-]*(?: [\w.\-]+){0,3}),\s+(?P<date>[\w\s.,]{6,40}?)\s*[–—-]\s")


MAX_ATTRIBUTION_LENGTH = 80
MAX_CREDIT_LENGTH = 60
SENTENCE_END = re.compile(r"\w{3,}[.!?…]\s+\S|[;!?]")


@cache
def _load_attribution_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the pattern of an attribution line, and that of a word which only a sentence has."""
    words = load_default_toml("page_labels.toml")
    labels, credits, verbs = ("|".join(words[key]) for key in ("attribution", "credits", "sentence_words"))
    credit = rf"(?:(?:{credits})\s*:.{{1,{MAX_CREDIT_LENGTH}}}?[.,;|/]?\s+)?"
    line = rf"{credit}(?:{labels})\s*:\s*(?P<name>.{{1,{MAX_ATTRIBUTION_LENGTH}}})"
    return re.compile(line, re.IGNORECASE), re.compile(rf"\b(?:{verbs})\b")


def split_attribution(lines: list[Block]) -> tuple[list[Block], str | None]:
    """Return the lines without a short last one "Источник: …", and the name in it (None without such a line).

    Images, credits and other lines of the page may come after it. They stay, because `make_article` removes them.
    """
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number]
        if line.is_image:
            continue
        if name := find_attribution(line.text):
            return lines[:number] + lines[number + 1 :], name
        if not is_boilerplate(line.text):
            break
    return lines, None


def find_attribution(line: str) -> str | None:
    """Return the name in an attribution line, or None for any other line. A sentence stays in the text."""
    attribution, sentence_word = _load_attribution_patterns()
    found = attribution.fullmatch(line)
    if found is None or SENTENCE_END.search(found["name"]) or sentence_word.search(found["name"]):
        return None
    return found["name"].strip(" .") or None


def find_dateline_place(lines: list[Block], zone: tzinfo) -> str | None:
    """Return the city of a dateline ("Астана, 6 марта 2026 года – …"), or None. The dateline stays in the text."""
    first = next((line.text for line in lines if not line.is_image), "")
    found = DATELINE_PATTERN.match(first)
    if found and _is_name(found["place"]) and parse_date(found["date"], zone):
        return found["place"]
    return None


def _is_name(place: str) -> bool:
    # "Rio de Janeiro" is a name, the beginning of a sentence is none.
    words = place.split()
    return words[0][0].isupper() and words[-1][0].isupper()
