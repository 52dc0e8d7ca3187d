"""English: the plural of a term. Possessives need no forms: folding writes "Cross’s" as two words."""

from __future__ import annotations

import re

_PREPOSITIONS = "of on for in to at by from relating relative against between with"
_AFTER_HEAD = frozenset(_PREPOSITIONS.split())
_IRREGULAR = {"child": "children", "person": "people", "foot": "feet", "man": "men", "woman": "women"}


def make_forms(term: str) -> set[str]:
    """The term as it is and with its head noun in the plural, in small letters.

    >>> sorted(forms("Convention on Road Traffic"))
    ['convention on road traffic', 'conventions on road traffic']
    """
    words = term.lower().split()
    head = next((index for index, word in enumerate(words[1:]) if word in _AFTER_HEAD), len(words) - 1)
    if not words or not re.fullmatch(r"[a-z'’&.-]*[a-z]", words[head]):
        return {term.lower()}
    return {" ".join(words), " ".join([*words[:head], make_plural(words[head]), *words[head + 1 :]])}


def make_plural(word: str) -> str:
    """The regular plural of an English noun; a word in -s that is not -ss stands for a plural already."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("man") and word not in ("human", "german", "roman"):
        return word[:-2] + "en"
    if word.endswith(("ss", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("s"):
        return word
    if word.endswith("y") and word[-2:-1] not in tuple("aeiou"):
        return word[:-1] + "ies"
    return word + "s"
