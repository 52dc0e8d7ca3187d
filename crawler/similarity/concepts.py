"""Find concepts: words that mean the same in English, Russian and Kazakh (`defaults/concepts.toml`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from ahocorasick_rs import BytesAhoCorasick

from crawler.defaults import load_default_toml
from crawler.text.folding import encode_folded, split_folded_words

MIN_PREFIX_LETTERS = 4
"""A shorter beginning must be the whole word."""
MAX_WORDS_BETWEEN = 1
"""Other words between two words of a phrase."""

Phrase = tuple[bytes, ...]
"""The beginnings of the words of a phrase, folded."""


@dataclass(frozen=True, slots=True)
class ConceptLexicon:
    """All concepts: how much each says when two texts share it, and its phrases.

    `automaton` finds where a phrase may begin, `phrases` has those of each of its patterns, with their concepts. One
    pass of it takes a tenth of the time of a look-up for every word.
    """

    weights: Mapping[str, float]
    phrases: Sequence[Sequence[tuple[Phrase, str]]]
    automaton: BytesAhoCorasick


@cache
def load_lexicon() -> ConceptLexicon:
    """Return the lexicon that ships with the program."""
    weights: dict[str, float] = {}
    phrases: dict[bytes, list[tuple[Phrase, str]]] = {}
    for concept, entry in load_default_toml("concepts.toml").items():
        weights[concept] = entry["weight"]
        for start in entry["starts"].split():
            phrase = tuple(encode_folded("".join(split_folded_words(part))) for part in start.split("+"))
            phrases.setdefault(_make_pattern(phrase), []).append((phrase, concept))
    return ConceptLexicon(weights, list(phrases.values()), BytesAhoCorasick(list(phrases)))


def get_concept_weight(concept: str) -> float:
    """Return how much a concept says when two texts share it."""
    return load_lexicon().weights[concept]


def find_concepts(data: bytes) -> frozenset[str]:
    """Return the concepts that a text names, as `SegmentedText.data` has it."""
    lexicon = load_lexicon()
    concepts: set[str] = set()
    for number, start, _ in lexicon.automaton.find_matches_as_indexes(data, overlapping=True):
        for phrase, concept in lexicon.phrases[number]:
            if concept not in concepts and (len(phrase) == 1 or _begins_with_phrase(data[start:], phrase)):
                concepts.add(concept)
    return frozenset(concepts)


def _make_pattern(phrase: Phrase) -> bytes:
    """Return what the bytes of a text contain where a phrase begins. Spaces are where words begin and end."""
    is_whole_word = len(phrase) == 1 and len(phrase[0]) < MIN_PREFIX_LETTERS
    return b" " + phrase[0] + b" " if is_whole_word else b" " + phrase[0]


def _begins_with_phrase(data: bytes, phrase: Phrase) -> bool:
    """Return whether each further beginning fits one of the two words after the one before."""
    at, count = 0, 1 + (len(phrase) - 1) * (1 + MAX_WORDS_BETWEEN)
    words = data.split(maxsplit=count)[:count]
    for start in phrase[1:]:
        following = range(at + 1, min(at + 2 + MAX_WORDS_BETWEEN, len(words)))
        at = next((place for place in following if words[place].startswith(start)), -1)
        if at < 0:
            return False
    return True
