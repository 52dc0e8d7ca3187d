"""What press releases share: a dateline at the beginning of the text, an attribution line at its end."""

from __future__ import annotations

import re
from datetime import tzinfo
from functools import cache
from typing import NamedTuple

from crawler.defaults import load_default_toml
from crawler.pages.blocks import Block
from crawler.pages.boilerplate import is_boilerplate
from crawler.text.dates import parse_date

DATELINE_PATTERN = re.compile(r"(?P<place>[^\W\d_][\w.\-]*(?: [\w.\-]+){0,3}),\s+(?P<date>[\w\s.,]{6,40}?)\s*[–—-]\s")


MAX_ATTRIBUTION_LENGTH = 80
MAX_CREDIT_LENGTH = 60
QUOTED_PART = re.compile(r"«[^»]*»|\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]")
NAME_WORD = re.compile(r"[^\s,;:|/()«»\"“”„№–—]+")
SENTENCE_END = re.compile(r"\w{3,}[.!?…]\s+\S|[;!?]")


class _AttributionPatterns(NamedTuple):
    line: re.Pattern[str]
    name_start: re.Pattern[str]
    name_adjective: re.Pattern[str]
    name_word: re.Pattern[str]


@cache
def _load_attribution_patterns() -> _AttributionPatterns:
    words = load_default_toml("page_labels.toml")
    labels, credits = ("|".join(words[key]) for key in ("attribution", "credits"))
    credit = rf"(?:{credits})\s*:.{{1,{MAX_CREDIT_LENGTH}}}?"
    name = rf"(?P<name>.{{1,{MAX_ATTRIBUTION_LENGTH}}}?)"
    separator = r"(?:\s*:\s*|\s+(?P<dash>[–—-])\s+)"
    line = rf"(?:{credit}[.,;|/]?\s+)?(?P<label>{labels}){separator}{name}(?:\s*[.,;|/]?\s+{credit})?"
    keys = ("name_starts", "name_adjectives", "name_words")
    starts, adjectives, others = (f"(?:{'|'.join(words[key])})" for key in keys)
    patterns = (line, starts, adjectives, f"{starts}|{adjectives}|{others}")
    return _AttributionPatterns(*(re.compile(pattern, re.IGNORECASE) for pattern in patterns))


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
    patterns = _load_attribution_patterns()
    found = patterns.line.fullmatch(line)
    if found is None or SENTENCE_END.search(found["name"]):
        return None
    name = found["name"].strip(" .")
    if found["dash"] and not name[:1].isupper():  # "Источник – родник у дороги"
        return None
    return name if _is_name(name, patterns, is_latin=found["label"].isascii()) else None


def _is_name(name: str, patterns: _AttributionPatterns, *, is_latin: bool) -> bool:
    """Return whether a text is the name of a source and no sentence. `is_latin`: its line is in English."""
    words = NAME_WORD.findall(QUOTED_PART.sub(" ", name))
    small = [
        # A Latin word in a Russian or Kazakh line is a name.
        word[0].islower() and "." not in word and not (word.isascii() and (not is_latin or len(words) == 1))
        for word in words
    ]
    if small[:1] == [True] and not patterns.name_start.fullmatch(words[0]):
        is_before_start = len(words) > 1 and patterns.name_start.fullmatch(words[1])
        if not (is_before_start and patterns.name_adjective.fullmatch(words[0])):
            return False
    return bool(name) and all(
        patterns.name_word.fullmatch(word) for word, is_small in zip(words[1:], small[1:], strict=True) if is_small
    )


def find_dateline_place(lines: list[Block], zone: tzinfo) -> str | None:
    """Return the city of a dateline ("Астана, 6 марта 2026 года – …"), or None. The dateline stays in the text."""
    first = next((line.text for line in lines if not line.is_image), "")
    found = DATELINE_PATTERN.match(first)
    if found and _is_place(found["place"]) and parse_date(found["date"], zone):
        return found["place"]
    return None


def _is_place(place: str) -> bool:
    # "Rio de Janeiro" is a name, the beginning of a sentence is none.
    words = place.split()
    return words[0][0].isupper() and words[-1][0].isupper()
