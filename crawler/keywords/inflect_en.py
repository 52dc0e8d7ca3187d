"""English: the plural of a term. Possessives need no forms, because folding writes "Cross’s" as two words."""

from __future__ import annotations

import re

from crawler.defaults import load_default_toml

_ENGLISH = load_default_toml("inflection.toml")["english"]
_PREPOSITIONS = frozenset(_ENGLISH["prepositions"].split())
_REGULAR_IN_MAN = frozenset(_ENGLISH["regular_in_man"].split())
_SINGULARS_IN_S = frozenset(_ENGLISH["singulars_in_s"].split())
_ROMAN_NUMERAL = re.compile(r"\(?[IVX]+\)?")
_IRREGULAR_PLURALS: dict[str, str] = _ENGLISH["irregular_plurals"]


def make_forms(term: str) -> set[str]:
    """Return the term and the term with its head noun in the plural, in small letters. A final I or IV is no noun.

    >>> sorted(make_forms("Convention on Road Traffic"))
    ['convention on road traffic', 'conventions on road traffic']
    """
    words = term.lower().split()
    last = len(words) - 2 if _ROMAN_NUMERAL.fullmatch(term.rpartition(" ")[2]) else len(words) - 1
    head = next((index for index, word in enumerate(words[1:]) if word in _PREPOSITIONS), last)
    if not words or not re.fullmatch(r"[a-z'’&.-]*[a-z]", words[head]):
        return {term.lower()}
    return {" ".join(words), " ".join([*words[:head], make_plural(words[head]), *words[head + 1 :]])}


def make_number_forms(word: str) -> set[str]:
    """Return a single searched word in its other number: of a plural the singular, of "bus" also "buses".

    >>> sorted(make_number_forms("bodies")), sorted(make_number_forms("bus"))
    (['body'], ['buses'])
    """
    plain = word.lower()
    found = {singular for singular, plural in _IRREGULAR_PLURALS.items() if plural == plain}
    if not re.fullmatch(r"[a-z]{2,}s", plain):
        return found
    if plain.endswith(("us", "is", "as")) or plain in _SINGULARS_IN_S:
        return {plain + "es"}
    if plain.endswith("ss"):
        return found
    if plain.endswith("ies") and len(plain) > 4:
        return found | {plain[:-3] + "y"}
    candidates = {plain[:-1], plain[:-2]} if len(plain) > 3 else set()
    return found | {one for one in candidates if make_plural(one) == plain or (one[-1] == "s" and one + "es" == plain)}


def make_plural(word: str) -> str:
    """Return the plural of an English noun. A word in -s that is not -ss is a plural already."""
    if word in _IRREGULAR_PLURALS:
        return _IRREGULAR_PLURALS[word]
    if word.endswith("man") and word not in _REGULAR_IN_MAN:
        return word[:-2] + "en"
    if word.endswith(("ss", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("s"):
        return word
    if word.endswith("y") and word[-2:-1] not in tuple("aeiou"):
        return word[:-1] + "ies"
    return word + "s"
