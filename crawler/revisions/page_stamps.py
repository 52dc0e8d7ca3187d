"""Recognise what a page shows beside its text: view counters, time stamps ("2 hours ago"), numbers of list items.

They change at every visit and say nothing, so the comparison of two versions reads a sentence without them. Patterns
are in `defaults/page_stamps.toml`, and the counters of `defaults/boilerplate.toml` count as well.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from crawler.defaults import load_default_toml
from crawler.text.months import get_month_numbers

MAX_STAMP_LENGTH = 200
"""Characters: a longer passage is text, whatever it begins with."""
MAX_LINE_LENGTH = 2000
"""Characters: in a longer line nothing is searched, because the time of some patterns grows with its square."""
_SEGMENT_PATTERN = re.compile(r"[|·•\n]|[^|·•\n]+")
_PARENTHESES_PATTERN = re.compile(r"\([^()]{1,120}\)")
_SEPARATORS = r"[\s,;|·•/—–-]*"
_STAMP_END = r"(?!(?<=[^\W\d_])[^\W\d_])(?!(?<=\d)\d)(?![.:,]\d)"
"""A stamp ends at no place within a word or a number, so its group may be atomic. Marks, separators and item numbers
share characters: otherwise a line of dashes would be read in every way to divide them."""


def remove_page_stamps(sentence: str) -> str:
    """Return the sentence without counters, time stamps and its item number.

    >>> remove_page_stamps("Updated 17:45 | Views: 1 278"), remove_page_stamps("2) They met at 17:45.")
    ('', 'They met at 17:45.')
    """
    if len(sentence) > MAX_LINE_LENGTH:
        return sentence
    patterns = _load_patterns()
    text = patterns.item.sub(_drop_item_number, patterns.first_item.sub("", sentence.strip(), count=1))
    if is_page_stamp(text):
        return ""
    text = _PARENTHESES_PATTERN.sub(lambda found: " " if is_page_stamp(found[0][1:-1]) else found[0], text)
    text = "".join("" if is_page_stamp(segment) else segment for segment in _SEGMENT_PATTERN.findall(text))
    text = patterns.leading.sub("", text, count=1)
    return patterns.trailing.sub(r"\g<end>", text, count=1).strip()


def _drop_item_number(found: re.Match[str]) -> str:
    """Return nothing for the number of an item, and the text for one that closes a parenthesis: "(see part 5)"."""
    before = found.string[: found.start()]
    return " " if before.count("(") <= before.count(")") else found[0]


def is_page_stamp(text: str) -> bool:
    """Return whether a passage is nothing but counters, time stamps or an item number.

    >>> is_page_stamp("Опубликовано: 11.06.2026, 17:45"), is_page_stamp("Получено 12 комментариев к проекту.")
    (True, False)
    """
    text = text.strip(" \t\n.,;:()[]")
    return 0 < len(text) <= MAX_STAMP_LENGTH and _load_patterns().whole.fullmatch(text) is not None


def is_page_label(line: str) -> bool:
    """Return whether a line credits a photograph, links to another page or belongs to a control of the page."""
    return len(line) <= MAX_STAMP_LENGTH and _load_label_pattern().fullmatch(line.strip(" \t\n.•·►»>")) is not None


class _StampPatterns(NamedTuple):
    whole: re.Pattern[str]
    first_item: re.Pattern[str]
    item: re.Pattern[str]
    leading: re.Pattern[str]
    """A label with a clock time or an age, before a sentence that has no mark between."""
    trailing: re.Pattern[str]


@cache
def _load_patterns() -> _StampPatterns:
    data = load_default_toml("page_stamps.toml")
    month = "(?:" + "|".join(sorted(get_month_numbers(), key=len, reverse=True)) + r")(?:да|де|та|те|нда|нде)?"
    day = f"(?:{data['day'].replace('{month}', month)})"
    moment = rf"(?:{day}|{data['clock']}|{data['age']})"
    at = r"(?:\s*(?:в|at|on|in|сағат|с\.)\s+|[:,\s–—-]*)"
    label = rf"(?:{data['labels']})"
    sharp = rf"(?:{data['clock']}|{data['age']})"
    # A day alone may be what the text is about.
    stamp = rf"(?:{label}\s*:?{at}{moment}(?:{at}{moment})*|(?:{day}{at})?{sharp}(?:{at}{moment})*)(?:де|да)?"
    counters = [counter.replace("{count}", data["count"]) for counter in data["counters"]]
    # The patterns of boilerplate.toml are not verbose: their spaces count.
    counters += [counter.replace(" ", r"\ ") for counter in load_default_toml("boilerplate.toml")["counters"]]
    one = rf"(?:{stamp}|{'|'.join(counters)}|{data['item_number']})"
    timed = rf"{label}\s*:?{at}(?:{moment}{at})?{sharp}"
    flags = re.IGNORECASE | re.VERBOSE
    return _StampPatterns(
        whole=re.compile(rf"(?>\W?\W?\ ?{one}{_SEPARATORS}{_STAMP_END})++", flags),
        first_item=re.compile(rf"\A{data['item_number']}(?:\s+|$)", flags),
        item=re.compile(rf"\s+{data['inner_item_number']}\s+", flags),
        leading=re.compile(rf"{timed}[\s.,:;|—–-]+|\A{data['clock']}[\s|—–-]+(?=(?-i:[A-ZА-ЯӘҒҚҢӨҰҮҺІ]))", flags),
        trailing=re.compile(rf"(?P<end>[.!?])?[\s,;|(—–-]+{timed}[\s.)]*$", flags),
    )


@cache
def _load_label_pattern() -> re.Pattern[str]:
    data = load_default_toml("boilerplate.toml")
    patterns = (
        pattern for group in ("credits", "related", "sharing", "controls", "players") for pattern in data[group]
    )
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
