"""Find concepts: words that mean the same in English, Russian and Kazakh (`defaults/concepts.toml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from crawler.defaults import load_default_toml
from crawler.text.folding import split_folded_words

MIN_PREFIX_LETTERS = 4
"""A shorter beginning must be the whole word."""
MAX_WORDS_BETWEEN = 1
"""Other words between two words of a phrase."""

Phrase = tuple[str, ...]
"""The beginnings of the words of a phrase, folded."""


@dataclass(frozen=True, slots=True)
class ConceptLexicon:
    """All concepts: how much each says when two texts share it, and its phrases by their first two letters."""

    weights: Mapping[str, float]
    phrases: Mapping[str, list[tuple[Phrase, str]]]


@cache
def load_lexicon() -> ConceptLexicon:
    """Return the lexicon that ships with the program."""
    weights: dict[str, float] = {}
    phrases: dict[str, list[tuple[Phrase, str]]] = {}
    for concept, entry in load_default_toml("concepts.toml").items():
        weights[concept] = entry["weight"]
        for start in entry["starts"].split():
            phrase = tuple("".join(split_folded_words(part)) for part in start.split("+"))
            phrases.setdefault(phrase[0][:2], []).append((phrase, concept))
    return ConceptLexicon(weights, phrases)


def get_concept_weight(concept: str) -> float:
    """Return how much a concept says when two texts share it."""
    return load_lexicon().weights[concept]


def find_concepts(words: tuple[str, ...]) -> frozenset[str]:
    """Return the concepts that folded words name."""
    concepts: set[str] = set()
    for at, word in enumerate(words):
        for phrase, concept in _list_candidates(word):
            if concept not in concepts and _is_phrase_at(phrase, words, at):
                concepts.add(concept)
    return frozenset(concepts)


@lru_cache(maxsize=50_000)
def _list_candidates(word: str) -> tuple[tuple[Phrase, str], ...]:
    """Return the phrases, with their concepts, whose first beginning fits the word."""
    phrases = load_lexicon().phrases.get(word[:2], ())
    return tuple((phrase, concept) for phrase, concept in phrases if _fits(phrase[0], word, len(phrase) > 1))


def _is_phrase_at(phrase: Phrase, words: tuple[str, ...], at: int) -> bool:
    """Return whether each further beginning fits one of the two words after the one before."""
    for start in phrase[1:]:
        following = range(at + 1, min(at + 2 + MAX_WORDS_BETWEEN, len(words)))
        at = next((place for place in following if _fits(start, words[place], True)), -1)
        if at < 0:
            return False
    return True


def _fits(start: str, word: str, is_in_phrase: bool) -> bool:
    return word == start or (word.startswith(start) and (is_in_phrase or len(start) >= MIN_PREFIX_LETTERS))
