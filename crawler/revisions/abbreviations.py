"""Recognise an abbreviation and the words that it stands for: МККК and Международный комитет Красного Креста."""

from __future__ import annotations

from collections.abc import Sequence

from crawler.revisions.tokens import Token, TokenKind

MIN_INITIALS = 2
MAX_SKIPPED_LENGTH = 3
"""Letters of a word that an abbreviation may skip: "of the"."""


def unify_abbreviations(old: Sequence[Token], new: Sequence[Token]) -> tuple[tuple[Token, ...], tuple[Token, ...]]:
    """Return both sentences with an abbreviation of the other one in place of its words."""
    return _abbreviate(old, new), _abbreviate(new, old)


def _abbreviate(tokens: Sequence[Token], others: Sequence[Token]) -> tuple[Token, ...]:
    own = {token.key for token in tokens}
    shortened = list(tokens)
    for other in others:
        is_abbreviation = other.kind is TokenKind.WORD and len(other.text) >= MIN_INITIALS and other.text.isupper()
        if is_abbreviation and other.key not in own and (span := _find_words(other.word, shortened)):
            shortened[slice(*span)] = [other]
    return tuple(shortened)


def _find_words(initials: str, tokens: Sequence[Token]) -> tuple[int, int] | None:
    """Return the start and end of the words that begin with these letters, or None."""
    ends = ((start, _match_initials(initials, tokens, start)) for start in range(len(tokens)))
    return next(((start, end) for start, end in ends if end is not None), None)


def _match_initials(initials: str, tokens: Sequence[Token], start: int) -> int | None:
    """Return the index behind the words that begin with these letters, or None. Small words may be skipped."""
    left = initials
    for index in range(start, len(tokens)):
        word = tokens[index].word
        if word.startswith(left[0]):
            left = left[1:]
        elif len(word) > MAX_SKIPPED_LENGTH or index == start or not word:
            return None
        if not left:
            return index + 1
    return None
