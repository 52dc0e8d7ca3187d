"""Kazakh: plural × possessive × case with vowel harmony, in Cyrillic and in the Latin spellings in use.

Only the last word of a term is inflected. So a term is a stem and the set of endings that may follow it to the end of
the word: "Қызыл Крест" + "тің" counts, "крестик" does not. A stem may change its last letter before a vowel (құқық,
құқығы).

A suffix is a first letter, which depends on the stem's last sound, and a tail. The first letters and the cases after a
possessive are in `defaults/inflection.toml`; the tails ("ың", "ағы", "мыз") are in this module, in back vowels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from crawler.defaults import load_default_toml
from crawler.text.folding import fold_term

BACK_VOWELS = "аоұыяё"
FRONT_VOWELS = "әеөүіэ"
NEUTRAL_VOWELS = "уию"
VOWELS = BACK_VOWELS + FRONT_VOWELS
VOICELESS = "кқпстфхцчшщһ"
VOICED_FINALS = {"қ": "ғ", "к": "г", "п": "б"}
VOICELESS_FINALS = {voiced: voiceless for voiceless, voiced in VOICED_FINALS.items()}
TO_FRONT_VOWELS = str.maketrans("аығқ", "еігк")
ABBREVIATION = "*"
"""The class of a sound that readers pronounce in several ways."""
FINAL_CLASSES = (
    ("n", "мнң"),
    ("l", "л"),
    ("r", "руйию"),
    ("z", "зж"),
    ("t", VOICELESS + "бвгд"),
)
"""Consonants by the endings that follow them; the keys of `kazakh.first_letters` in `inflection.toml`."""

Spellings = tuple[Callable[[str], str], ...]
"""Functions that write a Kazakh text in Cyrillic (`str`) or in Latin letters."""
BaseKind = Literal["noun", "owned", "voiced"]
"""`noun` takes every ending, `owned` (a possessive) only cases, `voiced` only endings that begin with a vowel."""

_KAZAKH = load_default_toml("inflection.toml")["kazakh"]
_FIRST_LETTERS: dict[str, dict[str, str]] = _KAZAKH["first_letters"]
_CASES_AFTER_THIRD_PERSON = frozenset(_KAZAKH["cases_after_third_person"].split())
_LATIN: dict[str, Any] = _KAZAKH["latin"]
_POSSESSIVES: list[str] = _KAZAKH["possessives"].split()
_PLURALS: list[str] = _KAZAKH["plurals"].split()
MIN_STEM_LETTERS = 3
"""Letters before the ending of a plural; before fewer the ending is a part of the word."""


@dataclass(frozen=True, slots=True)
class KazakhStem:
    """Folded bytes that begin a term's last word, and the endings that may follow up to the end of the word."""

    text: bytes
    endings: frozenset[bytes]


class LatinSpelling:
    """One way of writing Kazakh in Latin letters. It has no accents, because folding drops them."""

    def __init__(self, changes: dict[str, str]) -> None:
        plain = dict(zip(_LATIN["letters"], _LATIN["latin"], strict=True))
        self.translation = str.maketrans(plain | _LATIN["other"] | changes)

    def __call__(self, text: str) -> str:
        """Return the text in this spelling."""
        return text.translate(self.translation)


_LATIN_SPELLINGS = tuple(LatinSpelling(changes) for changes in _LATIN["spellings"])


def make_stems(term: str) -> list[KazakhStem]:
    """Return the stems of a term in Cyrillic and Latin, folded, with their endings."""
    stems: dict[KazakhStem, None] = {}
    for base, kind in _list_bases(term.lower()):
        endings = _list_endings(base, kind)
        for written, spellings in _list_spellings(base).items():
            if text := fold_term(written):
                stems[KazakhStem(text, _fold_endings(endings, spellings))] = None
    return list(stems)


def make_search_stems(word: str) -> list[KazakhStem]:
    """Return the stems that a search of a single word finds beyond `make_stems`: those of the singular of a plural."""
    plain = word.lower()
    ending = next((each for each in _PLURALS if plain.endswith(each)), "")
    bare = plain.removesuffix(ending)
    return make_stems(bare) if ending and " " not in word and len(bare) >= MIN_STEM_LETTERS else []


def make_spellings(text: str) -> set[bytes]:
    """Return a text, folded, in Cyrillic and in every Latin spelling."""
    return {fold_term(written) for written in _list_spellings(text.lower())}


def _list_spellings(text: str) -> dict[str, Spellings]:
    """Return every way of writing a text, with the spellings that write it so.

    Latin spellings also differ in single letters: ц is ts, s or c.
    """
    variants = [text]
    for letters, alternatives in _LATIN["alternatives"].items():
        if letters in text:
            variants = [variant.replace(letters, each) for variant in variants for each in alternatives]
    written: dict[str, Spellings] = {text: (str,)}
    for spelling in _LATIN_SPELLINGS:
        for variant in variants:
            latin = spelling(variant)
            written[latin] = (*written.get(latin, ()), spelling)
    return written


def make_forms(term: str) -> set[str]:
    """Return every Cyrillic form of a term, in small letters."""
    return {base + ending for base, kind in _list_bases(term.lower()) for ending in _list_endings(base, kind)}


@cache
def list_hyphen_endings() -> frozenset[bytes]:
    """Return the folded endings that may follow an abbreviation and a hyphen ("МККК-нің", "МГП-да")."""
    endings = _generate_endings("b", ABBREVIATION, "noun") | _generate_endings("f", ABBREVIATION, "noun")
    return frozenset(filter(None, _fold_endings(endings, (str,))))


def _list_bases(term: str) -> list[tuple[str, BaseKind]]:
    """Return the forms that endings are added to, with their kind."""
    nouns = [term]
    bases: list[tuple[str, BaseKind]] = []
    if " " in term and term[-1] in "ыі":
        bases.append((term, "owned"))
        nouns += _strip_possessive(term)
    for noun in nouns:
        bases.append((noun, "noun"))
        if noun[-1] in VOICED_FINALS and not _is_unpronounceable(noun):
            bases.append((noun[:-1] + VOICED_FINALS[noun[-1]], "voiced"))
        if len(noun) > 4 and noun[-2] in "ыі" and noun[-3] not in VOWELS:
            bases.append((noun[:-2] + noun[-1], "voiced"))
    return bases


def _strip_possessive(term: str) -> list[str]:
    """Return the bare nouns that a possessive ("комитеті", "конвенциялары") may come from."""
    nouns = []
    for ending in _POSSESSIVES:
        if term.endswith(ending):
            bare = term.removesuffix(ending)
            nouns.append(bare)
            if bare[-1] in VOICELESS_FINALS:
                nouns.append(bare[:-1] + VOICELESS_FINALS[bare[-1]])
            if len(ending) == 4:  # a plural: the shorter endings are part of it
                break
    return nouns


def _is_unpronounceable(term: str) -> bool:
    """Return whether the last word has no vowel, as most abbreviations."""
    return not any(letter in VOWELS + NEUTRAL_VOWELS for letter in term.split()[-1])


def _list_endings(base: str, kind: BaseKind) -> frozenset[str]:
    unpronounceable = _is_unpronounceable(base)
    last_vowel = next((letter for letter in reversed(base) if letter in VOWELS + NEUTRAL_VOWELS), "")
    if unpronounceable or base.endswith("ь") or last_vowel in NEUTRAL_VOWELS:
        harmonies = "bf"
    else:
        harmonies = "b" if last_vowel in BACK_VOWELS else "f"
    final = ABBREVIATION if unpronounceable else _classify_final(base.rstrip("ьъ")[-1:])
    return frozenset().union(*(_generate_endings(harmony, final, kind) for harmony in harmonies))


def _classify_final(letter: str) -> str:
    """Return the class of a stem's last letter; that of abbreviations for a letter that is not Kazakh."""
    if letter in VOWELS:
        return "v"
    return next((name for name, letters in FINAL_CLASSES if letter in letters), ABBREVIATION)


@cache
def _generate_endings(harmony: str, final: str, kind: BaseKind) -> frozenset[str]:
    """Return all endings in one harmony (`b` back, `f` front) after a stem whose last sound is of class `final`."""
    if kind == "owned":
        endings = {"", *_CASES_AFTER_THIRD_PERSON}
    else:
        endings = _make_possessives(vowel=final == "v")
        if final == ABBREVIATION:
            endings |= _make_possessives(vowel=False)
        if kind == "noun":
            endings |= {"", *_make_case_endings(final)}
            for letter in _FIRST_LETTERS["plural"][final]:
                plurals = ("", *_make_case_endings("r"), *_make_possessives(vowel=False))
                endings |= {letter + "ар" + ending for ending in plurals}
    if harmony == "f":
        return frozenset(ending.translate(TO_FRONT_VOWELS) for ending in endings)
    return frozenset(endings)


def _make_case_endings(final: str) -> set[str]:
    """Return the case endings, with back vowels, after a stem whose last sound is of class `final`."""

    def list_letters(case: str) -> str:
        letters = _FIRST_LETTERS[case]
        return letters.get(final) or letters["other"]

    endings = {letter + tail for letter in list_letters("genitive") for tail in ("ың", "ікі")}
    endings |= {letter + "ы" for letter in list_letters("accusative")}
    endings |= {letter + "а" for letter in list_letters("dative")}
    endings |= {letter + tail for letter in list_letters("locative") for tail in ("а", "ағы", "ай")}
    endings |= {letter + "ан" for letter in list_letters("ablative")}
    return endings | {letter + "ен" for letter in list_letters("instrumental")}


def _make_possessives(*, vowel: bool) -> set[str]:
    """Return the possessives after a stem (`vowel`: one that ends in a vowel), alone and with cases, in back vowels."""
    link = "" if vowel else "ы"
    third = "сы" if vowel else "ы"
    endings = {third, *(third + case for case in _CASES_AFTER_THIRD_PERSON)}
    for person in ("м", "ң"):
        endings |= {link + person + case for case in ("", "а", *_make_case_endings("n"))}
    for person in ("мыз", "ңыз"):
        endings |= {link + person + case for case in ("", *_make_case_endings("z"))}
    return endings


@cache
def _fold_endings(endings: frozenset[str], spellings: Spellings) -> frozenset[bytes]:
    """Return the endings in each spelling, folded. Many stems share one result."""
    written = {spelling(ending) for ending in endings for spelling in spellings}
    return frozenset(map(_fold_ending, written))


@cache
def _fold_ending(ending: str) -> bytes:
    return fold_term(ending)
