"""The forms of terms as patterns of folded text, and an Aho-Corasick automaton that finds them all in one pass."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Generic, TypeVar

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from crawler.keywords import inflect_en, inflect_kk, inflect_ru
from crawler.text.alphabet import SCRIPT_TABLE
from crawler.text.folding import SPACE_BYTE, fold_term

Endings = frozenset[bytes] | None
"""The endings that may follow a pattern to the end of its word. None: any ending, or none after a final space."""
Key = TypeVar("Key")

SHAPE_TABLE = bytes(
    ord("0") if chr(code).isdigit() and code < 128 else ord("L") if SCRIPT_TABLE[code] != SPACE_BYTE else SPACE_BYTE
    for code in range(256)
)
"""Folded byte → `L` for a letter, `0` for a digit, else a space."""
FOOTNOTE_NUMBER = re.compile(rb"(?<=LL)0{1,2}(?![L0])")
"""One or two digits at the end of a word. A longer number, as in ICRC2024, is a part of another name."""
MAX_CACHED_TERMS = 20_000
MAX_CACHED_SEARCH_TERMS = 64
MAX_PATTERN_BYTES = 512
"""Bytes of a pattern in the automaton. The rest is compared, because a phrase that repeats itself takes a time that
grows with the square of its length."""
GIVEN_FORMS = "forms"
"""In place of a language: the term has no other forms than the given ones."""
_MAKE_FORMS: Mapping[str, Callable[[str], Iterable[str]]] = {
    "en": inflect_en.make_forms,
    "ru": inflect_ru.make_forms,
    "kk": inflect_kk.make_forms,
    GIVEN_FORMS: lambda term: (term,),
}


@lru_cache(maxsize=MAX_CACHED_TERMS)
def make_folded_forms(term: str, language: str) -> frozenset[bytes]:
    """Return every form of a term, folded."""
    return frozenset(fold_term(form) for form in _MAKE_FORMS[language](term))


# A second matcher, and every run that the fork server starts, finds the forms of the shipped terms here.
@lru_cache(maxsize=MAX_CACHED_TERMS)
def make_patterns(term: str, language: str) -> tuple[tuple[bytes, Endings], ...]:
    """Return folded bytes that begin with a space, and the endings that may follow each.

    A term that ends in `*` takes any ending. A term that begins with `=` takes none. A Kazakh term has one pattern for
    each stem, because its some 100 endings would be 90 % of all patterns. Other terms have one for each form.
    """
    if term.startswith("="):
        return ((b" " + fold_term(term[1:]) + b" ", None),)
    if term.endswith("*"):
        prefixes = inflect_kk.make_spellings(term[:-1]) if language == "kk" else {fold_term(term[:-1])}
        return tuple((b" " + prefix, None) for prefix in prefixes)
    if language == "kk":
        return tuple((b" " + stem.text, stem.endings) for stem in inflect_kk.make_stems(term))
    return tuple((b" " + form + b" ", None) for form in make_folded_forms(term, language))


# A search needs them twice: to ask the index, and to find the places in the texts.
@lru_cache(maxsize=MAX_CACHED_SEARCH_TERMS)
def make_search_patterns(term: str, language: str) -> tuple[tuple[bytes, Endings], ...]:
    """Return the patterns of a term in a search: those of a rule, and more forms of a single word.

    The term of a rule is in its base form: "гуманитарный" has one gender. Who searches it also wants "гуманитарная
    помощь", and may write "визиты" for every form of "визит".
    """
    patterns = dict.fromkeys(make_patterns(term, language))
    if language != GIVEN_FORMS and not term.startswith("=") and not term.endswith("*"):
        if language == "kk":
            patterns |= {(b" " + stem.text, stem.endings): None for stem in inflect_kk.make_search_stems(term)}
        else:
            forms = (inflect_en.make_number_forms if language == "en" else inflect_ru.make_search_forms)(term)
            patterns |= {(b" " + fold_term(form) + b" ", None): None for form in forms}
    return tuple(patterns)


def _move_hits(hits: Iterable[tuple[Key, int, int]], marks: list[tuple[int, int]]) -> Iterator[tuple[Key, int, int]]:
    """Yield hits in bytes from which the marks were removed with their places in the bytes as they were."""
    lengths = [0, *accumulate(end - start for start, end in marks)]
    places = [start - removed for (start, _), removed in zip(marks, lengths, strict=False)]
    for key, start, end in hits:
        yield key, start + lengths[bisect_right(places, start)], end + lengths[bisect_left(places, end)]


class TermAutomaton(Generic[Key]):
    """Finds every form of many terms in one pass. The caller chooses a key for each term.

    Call `add_term` for all terms, then `build` once, then `find_terms`.
    """

    def __init__(self) -> None:
        self._patterns: dict[bytes, list[tuple[Key, Endings]]] = {}
        self._owners: list[list[tuple[Key, Endings]]] = []
        self._whole_words: list[bool] = []
        self._long_patterns: dict[bytes, list[tuple[bytes, Key, Endings]]] = {}
        self._search: BytesAhoCorasick | None = None

    def add_term(self, term: str, language: str, *keys: Key) -> None:
        """Add all forms of a term, each found under every key."""
        self.add_patterns(make_patterns(term, language), *keys)

    def add_patterns(self, patterns: Iterable[tuple[bytes, Endings]], *keys: Key) -> None:
        """Add patterns, each found under every key."""
        for pattern, endings in patterns:
            if len(pattern) > MAX_PATTERN_BYTES:
                start = pattern[:MAX_PATTERN_BYTES]
                self._patterns.setdefault(start, [])
                self._long_patterns.setdefault(start, []).extend((pattern, key, endings) for key in keys)
            else:
                self._patterns.setdefault(pattern, []).extend((key, endings) for key in keys)

    def build(self) -> None:
        """Make the automaton from the terms added."""
        self._owners = list(self._patterns.values())
        self._whole_words = [pattern.endswith(b" ") for pattern in self._patterns]
        if self._patterns:
            self._search = BytesAhoCorasick(list(self._patterns), matchkind=MatchKind.Standard)
        self._patterns = {}

    def find_terms(self, data: bytes) -> list[tuple[Key, int, int]]:
        """Return key, start and end of every term in folded bytes, without the spaces around.

        The number of a footnote that is glued to a word ("МККК3") hides no term, and is in none. A term that has such a
        number itself ("CO2") is found too.
        """
        found = self._search_terms(data)
        shape = data.translate(SHAPE_TABLE)
        if b"L0" in shape and (marks := [mark.span() for mark in FOOTNOTE_NUMBER.finditer(shape)]):
            bare = b"".join(data[end:start] for (_, end), (start, _) in pairwise([(0, 0), *marks, (len(data), 0)]))
            found += _move_hits(self._search_terms(bare), marks)
            found = list(dict.fromkeys(found))
        return found

    def _search_terms(self, data: bytes) -> list[tuple[Key, int, int]]:
        if self._search is None:
            return []
        found: list[tuple[Key, int, int]] = []
        for number, start, end in self._search.find_matches_as_indexes(data, overlapping=True):
            if end - start == MAX_PATTERN_BYTES:
                found += self._compare_long_patterns(data, start)
            if self._whole_words[number]:
                found += [(key, start + 1, end - 1) for key, _ in self._owners[number]]
                continue
            word_end = data.index(b" ", end)
            ending = data[end:word_end]
            found += [
                (key, start + 1, word_end)
                for key, endings in self._owners[number]
                if endings is None or ending in endings
            ]
        return found

    def _compare_long_patterns(self, data: bytes, start: int) -> Iterator[tuple[Key, int, int]]:
        """Yield the terms whose patterns are too long for the automaton and are at a place."""
        for pattern, key, endings in self._long_patterns.get(data[start : start + MAX_PATTERN_BYTES], ()):
            if data.startswith(pattern, start):
                end = start + len(pattern)
                word_end = end - 1 if pattern.endswith(b" ") else data.index(b" ", end)
                if pattern.endswith(b" ") or endings is None or data[end:word_end] in endings:
                    yield key, start + 1, word_end
