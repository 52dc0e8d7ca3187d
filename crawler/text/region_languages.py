"""Tell Kyrgyz, Uzbek and Tajik from their neighbours by common words and endings (`defaults/region_languages.toml`).

A short text in these languages may have no letter that Russian lacks: «Министр Бишкекте эки келишимге кол койду».
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from crawler.defaults import load_default_toml

MAX_WORDS = 60
"""First words that are measured: more of them cost time and seldom decide."""
MIN_STEM_LENGTH = 2
"""Letters before an ending."""
ENDING_WEIGHT = 0.6
"""What an ending counts beside a common word: other languages may have it too."""


@dataclass(frozen=True, slots=True)
class _LanguageEvidence:
    code: str
    script: str
    words: frozenset[str]
    ending: re.Pattern[str]


def measure_languages(words: Sequence[str], script: str) -> dict[str, float]:
    """Return for each language of a script (`cyrillic`, `latin`) the share of words that show it.

    `words` are in small letters. An apostrophe of any shape is a letter.

    >>> found = measure_languages("министр бишкекте эки келишимге кол койду".split(), "cyrillic")
    >>> max(found, key=found.get)
    'ky'
    """
    first = words[:MAX_WORDS]
    if not first:
        return {}
    return {each.code: _measure(each, first) for each in _load_languages() if each.script == script}


def measure_common_words(words: Sequence[str], code: str) -> float:
    """Return the share of words that are common words of one language. It is much cheaper than `measure_languages`."""
    first = words[:MAX_WORDS]
    common = next(each.words for each in _load_languages() if each.code == code)
    return sum(map(common.__contains__, first)) / len(first) if first else 0.0


def _measure(language: _LanguageEvidence, words: Sequence[str]) -> float:
    known = sum(word in language.words for word in words)
    ended = sum(word not in language.words and language.ending.search(word) is not None for word in words)
    return (known + ENDING_WEIGHT * ended) / len(words)


def _make_pattern(endings: Iterable[str]) -> re.Pattern[str]:
    parts = [ending.strip("*") for ending in endings if ending.startswith("*")]
    ends = [ending for ending in endings if not ending.startswith("*")]
    return re.compile(rf"{'|'.join(parts) or '(?!)'}|.{{{MIN_STEM_LENGTH}}}(?:{'|'.join(ends)})$")


@cache
def _load_languages() -> tuple[_LanguageEvidence, ...]:
    return tuple(
        _LanguageEvidence(
            each["code"], each["script"], frozenset(each["words"].split()), _make_pattern(each["endings"].split())
        )
        for each in load_default_toml("region_languages.toml")["language"]
    )
