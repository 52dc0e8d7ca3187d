"""Compare the capitals of a hit with those of the term in the rules, and say whether they mean anything there."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto
from functools import lru_cache

from crawler.text.capitals import measure_capital_share
from crawler.text.sentences import locate_sentence

_LETTERS = re.compile(r"[^\W_]+")
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
MIN_HEADLINE_WORDS = 3
"""Long words that a sentence needs besides the term before it may count as a headline."""
MIN_CAPITALIZED_SHARE = 0.8
"""Share of these words that begin with a capital in a headline."""
OPENING_CHARACTERS = " \t\u00a0«\"“„'(–—-"
"""Characters between the end of a sentence and the first letter of the next."""


class Capitalization(Enum):
    """The meaning of a hit's capitals."""

    CORRECT = auto()
    INCONCLUSIVE = auto()
    """Any word has a capital there: in a headline, at the beginning of a sentence."""
    MISSING = auto()


def check_capitalization(
    text: str, start: int, end: int, term: str, find_sentence: Callable[[], tuple[int, int]] | None = None
) -> Capitalization:
    """Compare the hit from `start` to `end` with the term as the rules write it.

    `find_sentence` returns the offsets of the hit's sentence; None locates it here.

    Russian and Kazakh names need one capital ("Красный крест"), so the beginning of a sentence is inconclusive.
    English names have a capital in every word, so a single one there means that the name's are missing.
    """
    written = _LETTERS.findall(text[start:end])
    term_words = _split_words(term)
    pairs = [(word, wanted) for word, wanted in zip(written, term_words, strict=False) if wanted[0].isupper()]
    if not pairs:
        return Capitalization.CORRECT
    if any(_is_all_capitals(wanted) and not word[: len(wanted)].isupper() for word, wanted in pairs):
        return Capitalization.MISSING
    if all(_is_all_capitals(wanted) for _, wanted in pairs):
        return Capitalization.CORRECT
    if not pairs[0][0][0].isupper():
        return Capitalization.MISSING
    if text[start:end].isupper() or _is_in_headline(
        text, start, end, find_sentence() if find_sentence else locate_sentence(text, start, end)
    ):
        return Capitalization.INCONCLUSIVE
    if all(word[0].isupper() for word, _ in pairs) and (len(pairs) > 1 or len(term_words) == 1):
        return Capitalization.CORRECT
    if not _starts_sentence(text, start):
        return Capitalization.CORRECT
    return Capitalization.MISSING if term_words[0].isascii() else Capitalization.INCONCLUSIVE


@lru_cache(maxsize=4096)
def _split_words(term: str) -> tuple[str, ...]:
    return tuple(_LETTERS.findall(term))


def _is_all_capitals(word: str) -> bool:
    return len(word) > 1 and word.isupper()


def _is_in_headline(text: str, start: int, end: int, sentence: tuple[int, int]) -> bool:
    """Return whether the longer words around are capitalised, as in English headlines."""
    first, last = sentence
    others = _LONG_WORD.findall(text[first:start]) + _LONG_WORD.findall(text[end:last])
    return measure_capital_share(others, min_words=MIN_HEADLINE_WORDS) >= MIN_CAPITALIZED_SHARE


def _starts_sentence(text: str, start: int) -> bool:
    while start > 0 and text[start - 1] in OPENING_CHARACTERS:
        start -= 1
    return start == 0 or text[start - 1] in ".!?…\n:•"
