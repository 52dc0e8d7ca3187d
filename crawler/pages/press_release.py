"""What press releases share: a dateline at the beginning of the text, an attribution line at its end."""

from __future__ import annotations

import re
from datetime import tzinfo
from functools import cache

from crawler.defaults import load_default_toml
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


def split_attribution(paragraphs: list[str]) -> tuple[list[str], str | None]:
    """Return the paragraphs without a short last line "Источник: …", and the name in it (None without such a line).

    Credits and other lines of the page may come after it. They stay, because `make_article` removes them.
    """
    last = len(paragraphs) - 1
    while last >= 0 and is_boilerplate(paragraphs[last]) and not find_attribution(paragraphs[last]):
        last -= 1
    name = find_attribution(paragraphs[last]) if last >= 0 else None
    return (paragraphs[:last] + paragraphs[last + 1 :], name) if name else (paragraphs, None)


def find_attribution(line: str) -> str | None:
    """Return the name in an attribution line, or None for any other line. A sentence stays in the text."""
    attribution, sentence_word = _load_attribution_patterns()
    found = attribution.fullmatch(line)
    if found is None or SENTENCE_END.search(found["name"]) or sentence_word.search(found["name"]):
        return None
    return found["name"].strip(" .") or None


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
