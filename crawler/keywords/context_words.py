"""The words of contexts in an article, by place: which of them count for a hit, and how much."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import NamedTuple

CLOSE_WORD_CHARACTERS = 40
"""Characters between a hit and a context word that counts double."""
FIELDS_THAT_COUNT_EVERYWHERE = ("title", "lead")
"""Context words in these fields count for a hit in any field."""
OPENING_BYTES = 2_000
"""Folded bytes at the beginning of the body in which context words count for a hit in title or lead."""


class Polarity(Enum):
    """Whether a context word speaks for or against the meaning that the rule wants."""

    SUPPORT = auto()
    SUPPORT_UNCAPITALIZED = auto()
    """For it, in place of SUPPORT, when the hit lacks its capitals and the context has such words."""
    AGAINST = auto()
    AGAINST_UNCAPITALIZED = auto()
    """Against, unless the hit has the capitals of a name."""
    NO_SUPPORT = auto()
    """Against, and no word speaks for it: the text is a joke, a game or a story."""


class ContextWordKey(NamedTuple):
    """The key of a context word in the automaton. `context` is the number of its CompiledContext."""

    context: int
    polarity: Polarity
    word: str


ContextWordHit = tuple[ContextWordKey, int, int]
"""A context word with its start and its end in the folded bytes of a field."""


class WordHitIndex:
    """The context words of one context by place, and those that count for hits in other fields.

    Those of title and lead count for every hit. Those in the opening of the body count for hits in title and lead.
    """

    def __init__(self, word_hits: Mapping[str, list[ContextWordHit]]) -> None:
        """`word_hits` are those of each field. A context may count the same word in several languages."""
        keys = {id(key): (key.polarity, key.word) for found in word_hits.values() for key, _, _ in found}
        self._words = list(dict.fromkeys(keys.values()))
        numbers = {word: number for number, word in enumerate(self._words)}
        numbers_by_key = {identity: numbers[word] for identity, word in keys.items()}
        # Words as numbers: thousands of hits may have hundreds of words within reach, and an enum hashes slowly.
        self._places = {
            name: sorted((start, end, numbers_by_key[id(key)]) for key, start, end in found)
            for name, found in word_hits.items()
        }
        self._starts = {name: array("Q", (start for start, _, _ in found)) for name, found in self._places.items()}
        self._max_length = max((end - start for found in self._places.values() for start, end, _ in found), default=0)
        self._everywhere = {
            name: Counter(number for _, _, number in self._places.get(name, ()))
            for name in FIELDS_THAT_COUNT_EVERYWHERE
        }
        opening = (number for start, _, number in self._places.get("body", ()) if start < OPENING_BYTES)
        self._opening = dict.fromkeys(opening)

    def iterate_words(self, field: str, start: int, end: int, reach: int) -> Iterator[tuple[Polarity, str, int]]:
        """Yield the polarity, the word and the weight of the words that count for a hit; a word may come twice.

        A word weighs 2 when it is close to the hit, and 1 within reach of it or in a field that counts for it.
        """
        near: dict[int, int] = {}
        parts_of_hit: Counter[int] = Counter()
        if field in self._places:
            starts = self._starts[field]
            if field in FIELDS_THAT_COUNT_EVERYWHERE:
                reach = max(reach, CLOSE_WORD_CHARACTERS)
            first = bisect_left(starts, start - reach - self._max_length)
            for word_start, word_end, number in self._places[field][first : bisect_right(starts, end + reach)]:
                distance = word_start - end if word_start >= end else start - word_end
                if distance < 0:
                    parts_of_hit[number] += 1
                elif distance <= CLOSE_WORD_CHARACTERS:
                    near[number] = 2
                elif distance <= reach:
                    near.setdefault(number, 1)
        for name, counts in self._everywhere.items():
            for number, count in counts.items():
                if name != field or count > parts_of_hit[number]:
                    yield (*self._words[number], 1)
        if field in FIELDS_THAT_COUNT_EVERYWHERE:
            yield from ((*self._words[number], 1) for number in self._opening)
        for number, weight in near.items():
            yield (*self._words[number], weight)
