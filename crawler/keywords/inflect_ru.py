"""Russian: every case and number of a term, from tables of endings in `inflection.toml`.

The tables produce forms that the language lacks ("красные креста"). Such a form costs nothing, because no text contains
it; a missing form costs an article. Adjectives and their noun take the same case. What follows the noun does not change
("комитета Красного Креста").
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from crawler.defaults import load_default_toml

CaseForms = tuple[tuple[str, ...], ...]
"""Variants of the twelve forms: nominative, genitive, dative, accusative, instrumental, locative; then the plural."""

SIBILANTS = "жшчщ"
VELARS = "кгх"
CASES = 12
MIN_STEM, MIN_OBLIQUE_STEM = 3, 5
"""Letters before an ending of the plural, and before longer ones, which are the end of a stem more often."""
MAX_INFLECTED_WORDS = 6
"""Words of a term that are inflected. Each may have two forms a case, so every further one would double the forms."""
ACCUSATIVE_CASES = (3, 9)
"""An empty accusative equals the nominative of things and the genitive of living beings."""
GENITIVE_PLURAL_CASES = (7, 9)
"""The genitive plural, and the accusative of living beings."""
VOWELS = "аеиоуыэюя"
CONSONANTS = "бвгджзклмнпрстфхцчшщ"

_RUSSIAN = load_default_toml("inflection.toml")["russian"]
PREPOSITIONS = frozenset(_RUSSIAN["prepositions"].split())
_ADJECTIVE_ENDINGS: dict[str, str] = _RUSSIAN["adjective_endings"]
_NOUN_ENDINGS: dict[str, str] = _RUSSIAN["noun_endings"]
_MASCULINE_ENDINGS: str = _RUSSIAN["other_endings"]["masculine"]
_MASCULINE_SURNAME_ENDINGS: str = _RUSSIAN["other_endings"]["masculine_surname"]
_FEMININE_SURNAME_ENDINGS: str = _RUSSIAN["other_endings"]["feminine_surname"]
_ABBREVIATION_ENDINGS: list[str] = _RUSSIAN["abbreviation_endings"].split("|")
_OBLIQUE_ENDINGS = tuple(_RUSSIAN["oblique_endings"].split())
_BASE_ENDINGS = tuple(_RUSSIAN["base_endings"].split())
_IRREGULAR_NOUNS: dict[str, str] = _RUSSIAN["irregular_nouns"]
_STEMS_WITHOUT_VOWEL: dict[str, str] = _RUSSIAN["stems_without_vowel"]
_NOUN_ENDINGS_IN_IE = tuple(_RUSSIAN["noun_endings_in_ie"].split())
_ADJECTIVE_ENDINGS_IN_IE = tuple(_RUSSIAN["adjective_endings_in_ie"].split())
_LETTERS_BEFORE_ADJECTIVE_IY = VELARS + SIBILANTS
_ENDINGS_OF_OBLIQUE_CASES = ("ого", "его", "ых", "их", "ому", "ему", "ии", "ы", "и")
_NO_FORM = "\0"
"""Marks a form that a table of endings must not produce."""


def make_forms(term: str) -> set[str]:
    """Return every form of a term given in the nominative, in small letters, with ё as е.

    >>> sorted(make_forms("Красный Крест"))[:3]
    ['красного креста', 'красном кресте', 'красному кресту']
    """
    words = [_inflect_word(word, inflected) for word, inflected in _mark_inflected_words(term.split())]
    forms = {term.lower().replace("ё", "е")}
    for case in range(CASES):
        for substitute in (case - 3, case - 2) if case in ACCUSATIVE_CASES else (case,):
            forms.update(" ".join(parts) for parts in product(*(word[case] or word[substitute] for word in words)))
    return forms


def make_search_forms(word: str) -> set[str]:
    """Return the forms that a search of a single word finds beyond `make_forms`.

    An adjective is also in its other genders. A word in the plural or an oblique case is also in the forms of the words
    that it may come from.

    >>> {"визит", "визитов"} <= make_search_forms("визиты")
    True
    """
    if " " in word or "-" in word or word.isupper():
        return set()
    forms = make_gender_forms(word)
    for base in _list_bases(word):
        forms |= make_forms(base) | make_gender_forms(base)
    return forms


def _list_bases(word: str) -> Iterator[str]:
    """Yield the words of which a word in another form than the nominative may be a form."""
    plain = word.lower().replace("ё", "е")
    ending = next((each for each in _OBLIQUE_ENDINGS if plain.endswith(each)), "")
    stem = plain.removesuffix(ending)
    if ending and len(stem) >= (MIN_OBLIQUE_STEM if len(ending) > 1 else MIN_STEM):
        for base_ending in ("", *_BASE_ENDINGS):
            if plain in make_forms(stem + base_ending):
                yield stem + base_ending


def make_gender_forms(word: str) -> set[str]:
    """Return the forms of a single adjective in all genders; nothing for any other term.

    >>> sorted(make_gender_forms("гуманитарный") - make_forms("гуманитарный"))
    ['гуманитарная', 'гуманитарное', 'гуманитарной', 'гуманитарною', 'гуманитарную']
    """
    plain = word.lower().replace("ё", "е")
    if not _is_adjective(plain):
        return set()
    stem, ending = plain[:-2], plain[-2:]
    is_soft = ending in ("яя", "ее") or (ending in ("ий", "ие") and stem[-1] not in _LETTERS_BEFORE_ADJECTIVE_IY)
    endings = ("ий", "яя", "ее", "ие") if is_soft else ("ый", "ая", "ое", "ые")
    return {form for each in endings for case in _inflect_adjective(stem + each) for form in case} | {plain}


def _mark_inflected_words(words: list[str]) -> list[tuple[str, bool]]:
    """Return each word with whether it is inflected: adjectives up to a noun, the noun, the same again after "и".

    In a name of two or three capitalised nouns ("Касым-Жомарт Токаев") each of them is inflected. After
    `MAX_INFLECTED_WORDS` nothing is.
    """
    marked: list[tuple[str, bool]] = []
    is_before_noun, is_name = True, _is_name(words)
    count = 0
    for index, word in enumerate(words):
        if count == MAX_INFLECTED_WORDS:
            marked += [(rest, False) for rest in words[index:]]
            break
        plain = word.lower().replace("ё", "е")
        if plain in ("и", "или") and (is_before_noun or marked[-1][1]):
            marked.append((word, False))
            is_before_noun = True
        elif plain in PREPOSITIONS:
            marked += [(rest, False) for rest in words[index:]]
            break
        else:
            marked.append((word, is_before_noun or is_name))
            count += marked[-1][1]
            is_before_noun = is_before_noun and _is_adjective(plain) and index < len(words) - 1
    return marked


def _is_name(words: list[str]) -> bool:
    """Return whether the words look like a person's name: capitalised nouns in the nominative."""
    return 2 <= len(words) <= 3 and all(
        word[:1].isupper()
        and not word.isupper()
        and not word.lower().endswith(_ENDINGS_OF_OBLIQUE_CASES)
        and not _is_adjective(word.lower())
        for word in words
    )


def _is_adjective(word: str) -> bool:
    if len(word) < 5 or word[-2:] not in _ADJECTIVE_ENDINGS:
        return False
    if word.endswith("ие"):
        before = word[-3]
        return not word.endswith(_NOUN_ENDINGS_IN_IE) and (
            before in _LETTERS_BEFORE_ADJECTIVE_IY or word.endswith(_ADJECTIVE_ENDINGS_IN_IE)
        )
    if word.endswith("ий"):
        return word[-3] in _LETTERS_BEFORE_ADJECTIVE_IY or (word[-3] == "н" and word[-4] in CONSONANTS)
    return True


def _inflect_word(word: str, inflected: bool) -> CaseForms:
    plain = word.lower().replace("ё", "е")
    if not inflected:
        return ((plain,),) * CASES
    if word.isupper() and len(word) > 1:
        return _inflect_abbreviation(plain)
    first, hyphen, last = plain.rpartition("-")
    last_forms = _inflect_adjective(last) if _is_adjective(last) else _inflect_noun(last, surname=word[:1].isupper())
    if last.endswith(("ой", "ний")) and len(last) > 3:
        last_forms = _merge_forms(_inflect_adjective(last), _inflect_noun(last, surname=False))
    if not hyphen:
        return last_forms
    if "-" in first or len(first) < 4:
        first_forms: CaseForms = ((first,),) * CASES
    else:
        first_forms = _add_unchanged_form(first, _inflect_noun(first, surname=False))
    return tuple(
        tuple(f"{one}-{other}" for one, other in product(*pair)) for pair in zip(first_forms, last_forms, strict=True)
    )


def _add_unchanged_form(word: str, forms: CaseForms) -> CaseForms:
    return tuple(tuple(dict.fromkeys((word, *variants))) for variants in forms)


def _inflect_abbreviation(word: str) -> CaseForms:
    """Abbreviations do not change. One that ends in a consonant may also take endings ("МИДа")."""
    if word[-1] not in CONSONANTS:
        return ((word,),) * CASES
    return tuple(tuple(dict.fromkeys((word, word + ending))) for ending in _ABBREVIATION_ENDINGS)


def _inflect_adjective(word: str) -> CaseForms:
    stem, ending = word[:-2], word[-2:]
    return _apply_endings(stem, _ADJECTIVE_ENDINGS["ый" if ending == "ий" and stem[-1] in VELARS else ending])


def _inflect_noun(word: str, *, surname: bool) -> CaseForms:
    if word in _IRREGULAR_NOUNS:
        return _apply_endings("", _IRREGULAR_NOUNS[word])
    if word in _STEMS_WITHOUT_VOWEL:
        nominative: CaseForms = ((word,),) + ((),) * 2 + ((word,),) + ((),) * 8
        return _merge_forms(nominative, _apply_masculine_endings(_STEMS_WITHOUT_VOWEL[word]))
    forms = _apply_noun_endings(word)
    if forms is None:
        return ((word,),) * CASES
    forms = _add_fleeting_vowels(word, forms)
    if surname:
        if word.endswith(("ов", "ев", "ин", "ын")):
            forms = _merge_forms(forms, _apply_endings(word, _MASCULINE_SURNAME_ENDINGS))
        if word.endswith(("ова", "ева", "ина", "ына")):
            forms = _merge_forms(forms, _apply_endings(word[:-1], _FEMININE_SURNAME_ENDINGS))
        if word.endswith(("ич", "о", "е", "и")):
            forms = _add_unchanged_form(word, forms)
    return forms


def _apply_noun_endings(word: str) -> CaseForms | None:
    """Return the forms by the first ending that fits, or None for a noun that is not inflected."""
    for ending, table in _NOUN_ENDINGS.items():
        if word.endswith(ending) and len(word) > len(ending):
            return _apply_endings(word.removesuffix(ending), table)
    return _apply_endings(word, _MASCULINE_ENDINGS) if word and word[-1] in CONSONANTS else None


def _apply_masculine_endings(stem: str) -> CaseForms:
    """Return the forms of a stem that has lost its vowel; the nominative has none, because it keeps the vowel."""
    return _apply_endings(stem, _MASCULINE_ENDINGS.replace("_", _NO_FORM))


def _add_fleeting_vowels(word: str, forms: CaseForms) -> CaseForms:
    """Add the forms whose vowel comes or goes: "беженец, беженца", "день, дня", "сестра, сестер"."""
    stem = word[:-2]
    if word.endswith("ец") and len(word) > 3:
        sign = "й" if stem[-1] in VOWELS else "ь" if stem[-1] == "л" else ""
        return _merge_forms(forms, _apply_masculine_endings(f"{stem}{sign}ц"))
    if word.endswith(("ок", "ек")) and len(word) > 3:
        sign = "ь" if word.endswith("лек") else ""
        return _merge_forms(forms, _apply_masculine_endings(f"{stem}{sign}к"))
    if word.endswith("ень"):
        return _merge_forms(forms, _apply_endings(word[:-3] + "н", _NOUN_ENDINGS["ь"].replace("ь", _NO_FORM)))
    if word[-1:] in "аое" and len(word) > 3 and word[-2] in CONSONANTS and word[-3] in CONSONANTS + "ьй":
        base = word[:-3] if word[-3] in "ьй" else word[:-2]
        genitive = tuple(base + vowel + word[-2] for vowel in "ео")
        return tuple(
            variants + genitive if case in GENITIVE_PLURAL_CASES else variants for case, variants in enumerate(forms)
        )
    return forms


def _apply_endings(stem: str, table: str) -> CaseForms:
    """Return the forms that a row of `inflection.toml` describes."""
    return tuple(
        tuple(dict.fromkeys(form for ending in endings.split() if ending != "=" for form in _spell_form(stem, ending)))
        for endings in table.split("|")
    )


def _spell_form(stem: str, ending: str) -> tuple[str, ...]:
    """Join stem and ending by the rules of spelling.

    ы becomes и after г к х ж ш ч щ. An unstressed о becomes е after ж ш ч щ ц.
    """
    last = stem[-1:]
    if ending == "_":
        return (stem,)
    if ending == "ов":
        return {"ц": (stem + "ов", stem + "ев")}.get(last) or ((stem + "ей",) if last in SIBILANTS else (stem + "ов",))
    if last in VELARS and ending[0] in "ыея" and ending not in ("е", "ем"):
        return (stem + {"ы": "и", "е": "о", "я": "а"}[ending[0]] + ending[1:],)
    if last in SIBILANTS and ending[0] == "ы":
        return (stem + "и" + ending[1:],)
    if last in SIBILANTS + "ц" and ending[0] == "о" and ending != "о":
        return (stem + ending, stem + "е" + ending[1:])
    return (stem + ending,)


def _merge_forms(one: CaseForms, other: CaseForms) -> CaseForms:
    return tuple(
        tuple(dict.fromkeys(form for form in variants if _NO_FORM not in form))
        for variants in (a + b for a, b in zip(one, other, strict=True))
    )
