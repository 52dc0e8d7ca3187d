"""Find what a text counts: "three hostages", "491,6 миллион теңге", by kind (`defaults/event_facts.toml`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from crawler.defaults import load_default_toml
from crawler.text.number_words import load_cardinal_words, load_scale_words

MAX_WORDS_TO_UNIT = 3
"""Words from a number to what it counts, itself included: "seven Israeli hostages"."""
CURRENCY_SIGNS = {"$": "dollar", "€": "euro", "₸": "tenge"}
_YEARS = range(1900, 2101)
_TOKEN_PATTERN = re.compile(r"\d{1,3}(?:[\u00a0\u202f ,]\d{3})+(?!\d)|\d+(?:[.,]\d+)?|[^\W\d_]+|[$€₸.;:,()–—]")


def find_counts(sentences: Iterable[str]) -> dict[str, frozenset[float]]:
    """Return the numbers of each kind of thing that the sentences count."""
    found: dict[str, set[float]] = {}
    for sentence in sentences:
        lower = sentence.lower()
        if not _get_unit_search().search(lower) and not any(sign in lower for sign in CURRENCY_SIGNS):
            continue
        tokens = _TOKEN_PATTERN.findall(lower)
        for at, token in enumerate(tokens):
            value = _parse_value(token)
            if value is None or value in _YEARS or _get_scale(token):
                continue
            currency = CURRENCY_SIGNS.get(tokens[at - 1]) if at else None
            kind = currency or _find_kind(tokens, at + 1)
            if kind is not None:
                found.setdefault(kind, set()).add(value * (_get_scale("".join(tokens[at + 1 : at + 2])) or 1))
    return {kind: frozenset(values) for kind, values in found.items()}


def _parse_value(token: str) -> float | None:
    if not token[0].isdecimal():  # "²" is a digit but no number
        return load_cardinal_words().get(token)
    grouped = re.sub(r"[\u00a0\u202f ]|,(?=\d{3})", "", token)
    return float(grouped.replace(",", "."))


def _get_scale(token: str) -> float | None:
    """Return by how much a word multiplies the number before it, or None."""
    if not token.startswith(_load_scale_starts()):
        return None
    return next(value for start, value in load_scale_words().items() if token.startswith(start))


def _find_kind(tokens: list[str], start: int) -> str | None:
    """Return the kind of the first counted thing after a number, before the next number or mark."""
    for token in tokens[start : start + MAX_WORDS_TO_UNIT]:
        if not token[0].isalpha() or (token in load_cardinal_words() and not _get_scale(token)):
            return None
        match = _get_unit_pattern().match(token)
        if match:
            return _load_kinds()[match[0]]
    return None


@cache
def _load_scale_starts() -> tuple[str, ...]:
    return tuple(load_scale_words())


@cache
def _load_kinds() -> Mapping[str, str]:
    """Return the kind by the beginning of its word."""
    counted = load_default_toml("event_facts.toml")["counted"]
    return {start: kind for kind, starts in counted.items() for start in starts.split()}


@cache
def _get_unit_search() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_get_unit_pattern().pattern})")


@cache
def _get_unit_pattern() -> re.Pattern[str]:
    return re.compile("|".join(sorted(_load_kinds(), key=len, reverse=True)))
