"""Whether a term is written with the capitals it has in the rules, and whether that says anything."""

from __future__ import annotations

import re
from enum import Enum

from crawler.text.sentences import locate_sentence

_LETTERS = re.compile(r"[^\W_]+")
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")


class Capitalization(Enum):
    """What the capitals of a surface say."""

    CORRECT = "right"
    INCONCLUSIVE = "they would stand there anyway: a headline, the beginning of a sentence"
    MISSING = "missing"


def check_capitalization(text: str, start: int, end: int, term: str) -> Capitalization:
    """How the term is written from `start` to `end`, against how the rules write it.

    In Russian and Kazakh only the first word of a name need have one ("Красный крест"), so that the beginning of a
    sentence tells nothing; in English every word has one.
    """
    written = _LETTERS.findall(text[start:end])
    wanted = _LETTERS.findall(term)
    pairs = [(word, like) for word, like in zip(written, wanted, strict=False) if like[0].isupper()]
    if not pairs:
        return Capitalization.CORRECT
    if any(len(like) > 1 and like.isupper() and not word[: len(like)].isupper() for word, like in pairs):
        return Capitalization.MISSING
    if all(len(like) > 1 and like.isupper() for _, like in pairs):
        return Capitalization.CORRECT
    if not pairs[0][0][0].isupper():
        return Capitalization.MISSING
    if text[start:end].isupper() or _is_in_headline(text, start, end):
        return Capitalization.INCONCLUSIVE
    if all(word[0].isupper() for word, _ in pairs) and (len(pairs) > 1 or len(wanted) == 1):
        return Capitalization.CORRECT
    if not _starts_sentence(text, start):
        return Capitalization.CORRECT
    return Capitalization.MISSING if wanted[0].isascii() else Capitalization.INCONCLUSIVE


def _is_in_headline(text: str, start: int, end: int) -> bool:
    """Whether all longer words around are capitalised, as in English headlines."""
    first, last = locate_sentence(text, start, end)
    others = _LONG_WORD.findall(text[first:start]) + _LONG_WORD.findall(text[end:last])
    return len(others) >= 3 and sum(word[0].isupper() for word in others) >= 0.8 * len(others)


def _starts_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \t\u00a0«\"“„'(–—-")
    return not before or before[-1] in ".!?…\n:•"
