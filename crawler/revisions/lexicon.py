"""Look up words that change what a sentence says (`defaults/revision_words.toml`): "must" is modality, obligation.

A word that another of its own group replaces leaves the meaning. A phrase counts as one word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from crawler.defaults import load_default_toml

_VOWELS = "aeiou"


class WordMeaning(NamedTuple):
    """A word or phrase with its groups. `start` and `end` are indexes of the words that it consists of."""

    groups: frozenset[str]
    start: int
    end: int


class _Pattern(NamedTuple):
    """One word of a phrase: a whole word, or its beginning."""

    text: str
    is_beginning: bool

    def matches(self, word: str) -> bool:
        return word.startswith(self.text) if self.is_beginning else word == self.text


_Phrase = tuple[str, tuple[_Pattern, ...]]
"""The group of a phrase, and its words after the first."""


@dataclass(slots=True)
class WordClass:
    """The words of one class, such as modality, by their first word."""

    whole: dict[str, list[_Phrase]] = field(default_factory=dict)
    beginnings: dict[str, list[_Phrase]] = field(default_factory=dict)

    def find_meanings(self, words: Sequence[str]) -> Iterator[WordMeaning]:
        """Yield the words and phrases of this class, the longest phrase at each place."""
        at = 0
        while at < len(words):
            found = self._find_longest(words, at)
            if found is None:
                at += 1
                continue
            yield found
            at = found.end

    def _find_longest(self, words: Sequence[str], at: int) -> WordMeaning | None:
        """Return the longest phrase that begins here, by its most exact spelling, or None."""
        best: WordMeaning | None = None
        best_length = 0
        for length, group, rest in self._list_phrases(words[at]):
            end = at + 1 + len(rest)
            if end > len(words) or not all(map(_Pattern.matches, rest, words[at + 1 : end])):
                continue
            if best is None or end > best.end:
                best, best_length = WordMeaning(frozenset({group}), at, end), length
            elif end == best.end and length == best_length:
                best = best._replace(groups=best.groups | {group})
        return best

    def _list_phrases(self, word: str) -> Iterator[tuple[int, str, tuple[_Pattern, ...]]]:
        """Yield the phrases whose first word this is, with the letters that fit: whole words before beginnings."""
        yield from ((len(word) + 1, group, rest) for group, rest in self.whole.get(word, ()))
        for length in range(len(word), 1, -1):
            yield from ((length, group, rest) for group, rest in self.beginnings.get(word[:length], ()))


@cache
def load_word_classes() -> Mapping[str, WordClass]:
    """Return the classes by name: modality, quantifiers, frequency, stance, actions, qualities, who, instruments."""
    data = load_default_toml("revision_words.toml")
    return {name: _make_class(groups) for name, groups in data.items()}


@cache
def load_function_words() -> frozenset[str]:
    """Return the words of grammar of all languages."""
    return _load_listed("function_words")


@cache
def load_support_verbs() -> frozenset[str]:
    """Return verbs that mean little beside a noun of action: to hold a meeting."""
    return _load_listed("support_verbs")


@cache
def list_groups(word: str) -> frozenset[tuple[str, str]]:
    """Return the class and group of each meaning of a word that no phrase needs."""
    return frozenset(
        (name, group)
        for name, one in load_word_classes().items()
        for meaning in one.find_meanings([word])
        for group in meaning.groups
    )


@cache
def load_grammar(name: str) -> frozenset[str]:
    """Return a list of small words: prepositions, postpositions, conjunctions and the like."""
    return frozenset(load_default_toml("claim_words.toml")["grammar"][name].split())


def is_listed(word: str) -> bool:
    """Return whether a word has a meaning by itself."""
    return bool(list_groups(word))


def list_english_forms(verb: str) -> Iterator[str]:
    """Yield the forms of a regular English verb.

    >>> list(list_english_forms("deny")), list(list_english_forms("urge"))
    (['deny', 'denies', 'denied', 'denying'], ['urge', 'urges', 'urged', 'urging'])
    """
    yield verb
    if verb.endswith("e"):
        yield from (f"{verb}s", f"{verb}d", f"{verb[:-1]}ing")
    elif verb.endswith("y") and verb[-2] not in _VOWELS:
        yield from (f"{verb[:-1]}ies", f"{verb[:-1]}ied", f"{verb}ing")
    else:
        ending = "es" if verb.endswith(("s", "x", "z", "ch", "sh", "o")) else "s"
        yield from (f"{verb}{ending}", f"{verb}ed", f"{verb}ing")


def _make_class(groups: Mapping[str, Mapping[str, str]]) -> WordClass:
    made = WordClass()
    for group, languages in groups.items():
        for entries in languages.values():
            for entry in entries.split():
                for phrase in _list_entry_phrases(entry):
                    first, *rest = phrase
                    table = made.beginnings if first.is_beginning else made.whole
                    table.setdefault(first.text, []).append((group, tuple(rest)))
    return made


def _list_entry_phrases(entry: str) -> Iterator[list[_Pattern]]:
    """Yield the phrases that an entry of the file stands for. Readers of a text drop its hyphens."""
    entry = entry.replace("ё", "е")
    words = [word for word in re.split(r"[_-]", entry) if word]
    if words[-1].endswith("~") and len(words) == 1:
        for form in list_english_forms(words[0][:-1]):
            yield [_Pattern(form, is_beginning=False)]
        return
    yield [_Pattern(word.rstrip("*"), word.endswith("*")) for word in words]


def _load_listed(name: str) -> frozenset[str]:
    lists = load_default_toml("claim_words.toml")[name].values()
    return frozenset(word for words in lists for word in words.replace("ё", "е").split())
