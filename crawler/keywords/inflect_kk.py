"""Kazakh: plural × possessive × case with vowel harmony, in Cyrillic and in the Latin spellings in use.

Only the last word of a term is inflected, so a term is a stem and the set of endings that may follow it to the end of
the word: "Қызыл Крест" + "тің" counts, "крестик" does not. A stem may change its last letter before a vowel (құқық,
құқығы).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from crawler.text.folding import fold_term

BACK_VOWELS = "аоұыяё"
FRONT_VOWELS = "әеөүіэ"
NEUTRAL_VOWELS = "уию"
VOWELS = BACK_VOWELS + FRONT_VOWELS
VOICELESS = "кқпстфхцчшщһ"
VOICED_FINALS = {"қ": "ғ", "к": "г", "п": "б"}


@dataclass(frozen=True, slots=True)
class KazakhStem:
    """Folded bytes that begin a term's last word, and what may follow up to the end of the word."""

    text: bytes
    endings: frozenset[bytes]


def make_stems(term: str) -> list[KazakhStem]:
    """The stems of a term in Cyrillic and Latin, folded, with their endings."""
    found: dict[KazakhStem, None] = {}
    for base, kind in _list_bases(term.lower()):
        endings = _list_endings(base, kind)
        for spelling in (str, *_LATIN_SPELLINGS):
            if (stem := fold_term(spelling(base))) and not (spelling is not str and stem == fold_term(base)):
                found[KazakhStem(stem, _fold_endings(endings, spelling))] = None
    return list(found)


def make_forms(term: str) -> set[str]:
    """Every Cyrillic form of a term, in small letters."""
    return {base + ending for base, kind in _list_bases(term.lower()) for ending in _list_endings(base, kind)}


@cache
def list_hyphen_endings() -> frozenset[bytes]:
    """Endings, folded, that may follow an abbreviation behind a hyphen ("МККК-нің", "МГП-да")."""
    return frozenset(
        filter(None, _fold_endings(_generate_endings("b", "*", "noun") | _generate_endings("f", "*", "noun"), str))
    )


def _list_bases(term: str) -> list[tuple[str, str]]:
    """Stems with their kind: `noun` takes everything, `owned` cases after a possessive, `soft` vowels only."""
    nouns, bases = [term], []
    if " " in term and term[-1] in "ыі":
        bases.append((term, "owned"))
        nouns += _strip_possessive(term)
    for noun in nouns:
        bases.append((noun, "noun"))
        if noun[-1] in VOICED_FINALS and not _is_abbreviation(noun):
            bases.append((noun[:-1] + VOICED_FINALS[noun[-1]], "soft"))
        if len(noun) > 4 and noun[-2] in "ыі" and noun[-3] not in VOWELS:
            bases.append((noun[:-2] + noun[-1], "soft"))
    return bases


def _strip_possessive(term: str) -> list[str]:
    """The bare nouns that a possessive ("комитеті", "конвенциялары") may come from."""
    found = []
    for ending in ("лары", "лері", "дары", "дері", "тары", "тері", "сы", "сі", "ы", "і"):
        if term.endswith(ending):
            bare = term.removesuffix(ending)
            found.append(bare)
            if bare[-1] in "ғгб":
                found.append(bare[:-1] + {"ғ": "қ", "г": "к", "б": "п"}[bare[-1]])
            if len(ending) == 4:
                break
    return found


def _is_abbreviation(term: str) -> bool:
    return not any(letter in VOWELS + NEUTRAL_VOWELS for letter in term.split()[-1])


def _list_endings(base: str, kind: str) -> frozenset[str]:
    abbreviation = _is_abbreviation(base)
    last = next((letter for letter in reversed(base) if letter in VOWELS + NEUTRAL_VOWELS), "")
    soft = base.endswith("ь")
    harmonies = "bf" if abbreviation or soft or last in NEUTRAL_VOWELS else "b" if last in BACK_VOWELS else "f"
    final = "*" if abbreviation else base.rstrip("ьъ")[-1:]
    return frozenset().union(*(_generate_endings(harmony, _classify_final(final), kind) for harmony in harmonies))


def _classify_final(final: str) -> str:
    """Vowel, nasal, l, r (with й and у), z, voiceless (t), or * for an abbreviation, which is read in many ways."""
    if final == "*" or final in VOWELS:
        return final if final == "*" else "v"
    for name, letters in (("n", "мнң"), ("l", "л"), ("r", "руйию"), ("z", "зж"), ("t", VOICELESS + "бвгд")):
        if final in letters:
            return name
    return "*"


_PLURAL = {"v": "л", "r": "л", "n": "д", "l": "д", "z": "д", "t": "т", "*": "лдт"}
_GENITIVE = {"v": "н", "n": "н", "r": "д", "l": "д", "z": "д", "t": "т", "*": "ндт"}
_ACCUSATIVE = {"v": "н", "n": "д", "r": "д", "l": "д", "z": "д", "t": "т", "*": "ндт"}
_DATIVE = {"t": "қ", "*": "ғқ"}
_LOCATIVE = {"t": "т", "*": "дт"}
_ABLATIVE = {"n": "н", "t": "т", "*": "ндт"}
_WITH = {"z": "б", "t": "п", "*": "мбп"}


@cache
def _generate_endings(harmony: str, final: str, kind: str) -> frozenset[str]:
    """All endings in one harmony (`b` back, `f` front) after a stem of one class."""
    if kind == "owned":
        found = {"", *_make_third_person_cases()}
    else:
        found = _make_possessives(vowel=final == "v") | (_make_possessives(vowel=False) if final == "*" else set())
        if kind == "noun":
            found |= {"", *_make_case_endings(final)}
            for letter in _PLURAL[final]:
                found |= {
                    letter + "ар" + ending for ending in ("", *_make_case_endings("r"), *_make_possessives(vowel=False))
                }
    return frozenset(_front_vowels(ending) for ending in found) if harmony == "f" else frozenset(found)


def _make_case_endings(final: str) -> set[str]:
    """Case endings, back vowels, after a stem of one class."""
    found = {letter + "ың" for letter in _GENITIVE[final]} | {letter + "ы" for letter in _ACCUSATIVE[final]}
    found |= {letter + "а" for letter in _DATIVE.get(final, "ғ")}
    for letter in _LOCATIVE.get(final, "д"):
        found |= {letter + "а", letter + "ағы", letter + "ай"}
    found |= {letter + "ан" for letter in _ABLATIVE.get(final, "д")}
    found |= {letter + "ікі" for letter in _GENITIVE[final]}
    return found | {letter + "ен" for letter in _WITH.get(final, "м")}


def _make_third_person_cases() -> set[str]:
    """Case endings after a possessive of the third person."""
    return {"ның", "на", "н", "нда", "ндағы", "нан", "мен", "ндай", "нікі", "нша"}


def _make_possessives(*, vowel: bool) -> set[str]:
    """Possessives, alone and with their cases, back vowels."""
    link = "" if vowel else "ы"
    third = "сы" if vowel else "ы"
    found = {third, *(third + case for case in _make_third_person_cases())}
    for person in ("м", "ң"):
        found |= {link + person + case for case in ("", "а", *_make_case_endings("n"))}
    for person in ("мыз", "ңыз"):
        found |= {link + person + case for case in ("", *_make_case_endings("z"))}
    return found


def _front_vowels(ending: str) -> str:
    return ending.translate(str.maketrans("аығқ", "еігк"))


@cache
def _fold_endings(endings: frozenset[str], spelling: type[str] | LatinSpelling) -> frozenset[bytes]:
    return frozenset(fold_term(spelling(ending)) for ending in endings)


class LatinSpelling:
    """One way of writing Kazakh in Latin letters; accents are left out, as folding leaves them out."""

    def __init__(self, changes: dict[str, str]) -> None:
        plain = dict(zip("абвгдеёжзиклмнопрстуфхыіэәғқңөұүһ", "abvgdeejziklmnoprstufhyieagqnouuh", strict=True))
        self.translation = str.maketrans(
            plain | {"ь": "", "ъ": "", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sh"} | changes
        )

    def __call__(self, text: str) -> str:
        """The text in this spelling."""
        return text.translate(self.translation)


_LATIN_SPELLINGS = (
    LatinSpelling({"й": "i", "у": "y", "ю": "iy", "я": "ia"}),
    LatinSpelling({"й": "i", "ю": "iu", "я": "ia", "ш": "s"}),
    LatinSpelling({"й": "y", "ю": "yu", "я": "ya"}),
    LatinSpelling({"й": "y", "ю": "yu", "я": "ya", "ж": "zh", "х": "kh"}),
)
