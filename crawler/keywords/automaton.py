"""A term's surface forms as patterns of folded text, and one automaton that finds many of them in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from crawler.keywords import inflect_en, inflect_kk, inflect_ru
from crawler.text.folding import fold_term

Endings = frozenset[bytes] | None
"""What may follow a pattern to the end of its word; None: anything, or nothing where the pattern ends in a space."""
Key = TypeVar("Key")


def make_patterns(term: str, language: str) -> Iterator[tuple[bytes, Endings]]:
    """Folded bytes beginning with a space, and the endings allowed behind them.

    A term ending in `*` takes any ending, one beginning with `=` none. Kazakh terms are stems with endings, the others
    every form in full.
    """
    if term.startswith("="):
        yield b" " + fold_term(term[1:]) + b" ", None
    elif term.endswith("*"):
        yield b" " + fold_term(term[:-1]), None
    elif language == "kk":
        for stem in inflect_kk.make_stems(term):
            yield b" " + stem.text, stem.endings
    else:
        for form in inflect_ru.make_forms(term) if language == "ru" else inflect_en.make_forms(term):
            yield b" " + fold_term(form) + b" ", None


class TermAutomaton(Generic[Key]):
    """Finds every form of many terms in one pass; each term is known by a key of the caller's."""

    def __init__(self) -> None:
        self._patterns: dict[bytes, list[tuple[Key, Endings]]] = {}
        self._owners: list[list[tuple[Key, Endings]]] = []
        self._whole_words: list[bool] = []
        self._search: BytesAhoCorasick | None = None

    def add_term(self, key: Key, term: str, language: str) -> None:
        """One term in all its forms."""
        for pattern, endings in make_patterns(term, language):
            self._patterns.setdefault(pattern, []).append((key, endings))

    def build(self) -> None:
        """Must be called after the last `add`, before the first `find`."""
        self._owners = list(self._patterns.values())
        self._whole_words = [pattern.endswith(b" ") for pattern in self._patterns]
        if self._patterns:
            self._search = BytesAhoCorasick(list(self._patterns), matchkind=MatchKind.Standard)
        self._patterns = {}

    def find_terms(self, data: bytes) -> list[tuple[Key, int, int]]:
        """Key, start and end (without the spaces around) of every term in folded bytes."""
        if self._search is None:
            return []
        found: list[tuple[Key, int, int]] = []
        for number, start, end in self._search.find_matches_as_indexes(data, overlapping=True):
            if self._whole_words[number]:
                found += [(key, start + 1, end - 1) for key, _ in self._owners[number]]
                continue
            close = data.index(b" ", end)
            rest = data[end:close]
            found += [
                (key, start + 1, close) for key, endings in self._owners[number] if endings is None or rest in endings
            ]
        return found
