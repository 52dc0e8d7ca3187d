"""Find where a text spells an abbreviation out: an "International Hockey League (IHL)" is not humanitarian law."""

from __future__ import annotations

import re

from crawler.defaults import load_default_toml

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_GAP_BETWEEN_WORDS = re.compile(r"[\s\-‐‑\"«»“”„'’]{1,4}")
_SKIPPED_WORDS = frozenset(load_default_toml("inflection.toml")["abbreviations"]["skipped_words"].split())
MAX_WORDS_PER_LETTER = 4
"""Words of an expansion for each letter, skipped ones included. It keeps the search linear."""


def is_abbreviation(term: str) -> bool:
    """Return whether a term is two to seven capital letters."""
    return 2 <= len(term) <= 7 and term.isalpha() and term.isupper()


def find_expansions(text: str, abbreviation: str) -> list[tuple[int, int]]:
    """Return the offsets of the phrases whose words begin with the letters of the abbreviation.

    A phrase may contain words such as "of". Its words must be capitalised: in Latin script all of them, in Cyrillic the
    first. Small letters count only directly before the abbreviation ("международная гильдия писателей (МГП)").
    """
    words = list(_WORD.finditer(text))
    letters = abbreviation.lower()
    abbreviation_behind = re.compile(rf"[\s\"»”]*[(\[,–—-]\s*(?:далее\W+)?{re.escape(abbreviation)}\b")
    expansions = []
    for index, word in enumerate(words):
        if word[0][0].lower() != letters[0]:
            continue
        last = _find_last_word(text, words, index, letters)
        if last is None:
            continue
        phrase = words[index : last + 1]
        start, end = word.start(), phrase[-1].end()
        if abbreviation_behind.match(text, end) or _is_capitalized(phrase):
            expansions.append((start, end))
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


def _is_capitalized(words: list[re.Match[str]]) -> bool:
    first = words[0][0]
    if not first[0].isupper() or any(len(word[0]) == 1 for word in words):
        return False
    return not first.isascii() or all(word[0][0].isupper() for word in words if word[0].lower() not in _SKIPPED_WORDS)
