"""Find where a text spells an abbreviation out: an "International Hockey League (IHL)" is not humanitarian law."""

from __future__ import annotations

import re
from typing import NamedTuple

from crawler.defaults import load_default_toml

_WORDS = load_default_toml("inflection.toml")["abbreviations"]
_SKIPPED_WORDS = frozenset(_WORDS["skipped_words"].split())
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_GAP_BETWEEN_WORDS = re.compile(r"[\s\-‐‑\"«»“”„'’]{1,4}")
_INTRODUCTIONS = "|".join(re.escape(phrase) for phrase in _WORDS["introductions"])
_LINK = (
    r"[\"»”)]*+\s*+(?P<mark>[(\[,:–—-])?\s*+"
    rf"(?P<introduction>(?:\b(?:{_INTRODUCTIONS})\b[\s,]*+)*+)(?:as\b)?[\s\"«“„]*+"
)
"""What is between an abbreviation and the phrase that spells it out, in either order."""
_PHRASE_END = re.compile(r"\s*(?:[)\],;:.!?–—»”\"]|$)")
_BEFORE_SENTENCE = ".!?…\n:•"
MAX_WORDS_PER_LETTER = 4
"""Words of an expansion for each letter, skipped ones included. It keeps the search linear."""
MAX_CHARACTERS_BEFORE = 60
"""Characters before a phrase in which its abbreviation is looked for."""


class Expansion(NamedTuple):
    """A phrase whose words begin with the letters of an abbreviation. `is_adjacent`: the abbreviation is beside it."""

    start: int
    end: int
    is_adjacent: bool


def is_abbreviation(term: str) -> bool:
    """Return whether a term is two to seven capital letters."""
    return 2 <= len(term) <= 7 and term.isalpha() and term.isupper()


def find_expansions(text: str, abbreviation: str) -> list[Expansion]:
    """Return the phrases that may spell the abbreviation out. They may contain words such as "of".

    Beside the abbreviation small letters count too ("международная гильдия писателей (МГП)"). Elsewhere a phrase needs
    its capitals: in Latin script in all words, in Cyrillic in the first, which must not begin a sentence. The
    abbreviation is never the first word of its own expansion ("РКК Коми купил").
    """
    words = list(_WORD.finditer(text))
    letters = abbreviation.lower()
    abbreviation_behind = re.compile(rf"{_LINK}{re.escape(abbreviation)}(?![^\W_])")
    abbreviation_before = re.compile(rf"(?<![^\W_]){re.escape(abbreviation)}{_LINK}$")
    expansions = []
    for index, word in enumerate(words):
        if word[0][0].lower() != letters[0] or word[0].upper() == abbreviation:
            continue
        last = _find_last_word(text, words, index, letters)
        if last is None:
            continue
        phrase = words[index : last + 1]
        start, end = word.start(), phrase[-1].end()
        behind = abbreviation_behind.match(text, end)
        before = abbreviation_before.search(text, max(0, start - MAX_CHARACTERS_BEFORE), start)
        if (behind and _is_linked(behind, phrase)) or (before and _is_apposition(before, text, phrase)):
            expansions.append(Expansion(start, end, is_adjacent=True))
        elif _is_capitalized(phrase) and (word[0].isascii() or not _begins_sentence(text, start)):
            expansions.append(Expansion(start, end, is_adjacent=False))
    return expansions


def _find_last_word(text: str, words: list[re.Match[str]], index: int, letters: str) -> int | None:
    """Return the index of the word for the last letter, or None when the words do not spell the abbreviation."""
    spelled = 1
    final = index + MAX_WORDS_PER_LETTER * len(letters)
    while spelled < len(letters):
        index += 1
        if index >= min(len(words), final) or not _GAP_BETWEEN_WORDS.fullmatch(
            text, words[index - 1].end(), words[index].start()
        ):
            return None
        word = words[index][0].lower()
        if word[0] == letters[spelled]:
            spelled += 1
        elif word not in _SKIPPED_WORDS:
            return None
    return index


def _is_linked(link: re.Match[str], phrase: list[re.Match[str]]) -> bool:
    """Return whether an abbreviation behind a phrase stands for it: by a bracket, a word, or capitals and two marks."""
    if link["mark"] in ("(", "[") or link["introduction"]:
        return True
    return link["mark"] is not None and _is_capitalized(phrase) and bool(_PHRASE_END.match(link.string, link.end()))


def _is_apposition(link: re.Match[str], text: str, phrase: list[re.Match[str]]) -> bool:
    """Return whether a phrase behind an abbreviation spells it out: it has a mark at its end too.

    After a comma or a colon it also needs its capitals, because most sentences go on there.
    """
    if not _PHRASE_END.match(text, phrase[-1].end()):
        return False
    if link["introduction"] or link["mark"] in ("(", "[", "–", "—", "-"):
        return True
    return link["mark"] is not None and _is_capitalized(phrase)


def _is_capitalized(words: list[re.Match[str]]) -> bool:
    """Return whether a phrase has the capitals of a name, and neither initials nor another abbreviation."""
    first = words[0][0]
    acronyms = sum(word[0].isupper() for word in words)
    if not first[0].isupper() or any(len(word[0]) == 1 for word in words) or 0 < acronyms < len(words):
        return False
    return not first.isascii() or all(word[0][0].isupper() for word in words if word[0].lower() not in _SKIPPED_WORDS)


def _begins_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - MAX_CHARACTERS_BEFORE) : start].rstrip(" \t\u00a0\"«“„'(–—-")
    return not before or before[-1] in _BEFORE_SENTENCE
