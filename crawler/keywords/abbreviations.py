"""How a text itself spells out an abbreviation: "International Hockey League (IHL)" is no humanitarian law."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_GAP_BETWEEN_WORDS = re.compile(r"[\s\-‐‑\"«»“”„'’]{1,4}")
_SMALL_WORDS = "of the for and on in to at de la le der und и в на по при для о об с имени от из мен және"
_SKIPPED_WORDS = frozenset(_SMALL_WORDS.split())


def is_abbreviation(term: str) -> bool:
    """Whether a term is written like an abbreviation: two to seven capitals."""
    return 2 <= len(term) <= 7 and term.isalpha() and term.isupper()


def find_expansions(text: str, abbreviation: str) -> list[tuple[int, int]]:
    """Offsets of the phrases whose words begin with the letters of the abbreviation.

    Words like "of" may stand between. The words must be capitalised, all in Latin script, the first in Cyrillic, unless
    the abbreviation stands directly behind ("международная гильдия писателей (МГП)").
    """
    words = list(_WORD.finditer(text))
    letters = abbreviation.lower()
    found = []
    for index, word in enumerate(words):
        if word[0][0].lower() == letters[0] and (last := _find_last_word(text, words, index, letters)) is not None:
            chosen = words[index : last + 1]
            behind = re.match(
                rf"[\s\"»”]*[(\[,–—-]\s*(?:далее\W+)?{re.escape(abbreviation)}\b", text[chosen[-1].end() :]
            )
            if behind or _is_capitalized(chosen):
                found.append((word.start(), chosen[-1].end()))
    return found


def _find_last_word(text: str, words: list[re.Match[str]], index: int, letters: str) -> int | None:
    """The index of the word for the last letter, or None when the words do not spell the abbreviation."""
    done = 1
    while done < len(letters):
        index += 1
        if index >= len(words) or not _GAP_BETWEEN_WORDS.fullmatch(text, words[index - 1].end(), words[index].start()):
            return None
        word = words[index][0].lower()
        if word[0] == letters[done]:
            done += 1
        elif word not in _SKIPPED_WORDS:
            return None
    return index


def _is_capitalized(words: list[re.Match[str]]) -> bool:
    first = words[0][0]
    if not first[0].isupper() or any(len(word[0]) == 1 for word in words):
        return False
    return not first.isascii() or all(word[0][0].isupper() for word in words if word[0].lower() not in _SKIPPED_WORDS)
