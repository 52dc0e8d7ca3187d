"""Bring names in Cyrillic and Latin letters to one form: their consonants, with sounds that are spelled alike merged.

"Токаев", "Тоқаевтың" and "Tokayev" have the same skeleton, and so have "Сполярич" and "Spoljarić". Fewer than three
consonants say too little, so such a name keeps its vowels.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

CYRILLIC_SOUNDS = {
    "а": "a", "ә": "a", "б": "b", "в": "v", "г": "h", "ғ": "h", "д": "d", "е": "e", "ё": "e", "ж": "j", "з": "s",
    "и": "i", "й": "i", "к": "k", "қ": "k", "л": "l", "м": "m", "н": "n", "ң": "n", "о": "o", "ө": "o", "п": "p",
    "р": "r", "с": "s", "т": "t", "у": "u", "ұ": "u", "ү": "u", "ф": "f", "х": "h", "һ": "h", "ц": "s", "ч": "c",
    "ш": "s", "щ": "s", "ъ": "", "ы": "y", "і": "i", "ь": "", "э": "e", "ю": "u", "я": "a",
}  # fmt: skip
LATIN_SOUNDS = (
    ("shch", "s"), ("tch", "c"), ("sch", "s"), ("dzh", "j"), ("kh", "h"), ("gh", "h"), ("zh", "j"), ("sh", "s"),
    ("ch", "c"), ("ph", "f"), ("th", "t"), ("ck", "k"), ("ts", "s"), ("tz", "s"), ("dj", "j"), ("ce", "se"),
    ("ci", "si"), ("cy", "sy"), ("g", "h"), ("q", "k"), ("w", "v"), ("x", "ks"), ("z", "s"), ("ć", "c"), ("č", "c"),
    ("š", "s"), ("ş", "s"), ("ž", "j"), ("ń", "n"), ("ğ", "h"), ("ı", "y"),
)  # fmt: skip
"""Spellings and their sounds."""
_LATIN = re.compile("|".join(map(re.escape, sorted((spelling for spelling, _ in LATIN_SOUNDS), key=len, reverse=True))))
_SOUND = dict(LATIN_SOUNDS)
_IS_CYRILLIC = re.compile("[\u0400-\u04ff]")
_KAZAKH_ENDING = re.compile(
    "(?<=[^\\W\\d_]{4})(?:[лдт][ае]р(?:ы|і)?)?(?:[ндт][ыі]ң|[нд]а[нғ]?ы|[дт][ае]ғ[ыі]|[дтн][ае]н|[дт][ае]|[ғқгк][ае]"
    "|[мбп]ен|[дтн][ыі]|с[ыі])$"
)
_RUSSIAN_ENDING = re.compile("(?<=[^\\W\\d_]{3})(?:[оеыи]м|[ая]ми|[ая]х|[ое]го|[ое]му)$")
MIN_CONSONANTS = 3
_VOWELS = re.compile("[aeiouy]")
_DOUBLED = re.compile(r"(.)\1+")
KAZAKH_LETTER = re.compile("[әғқңөұүһі]")


@lru_cache(maxsize=50_000)
def make_skeletons(name: str, is_kazakh: bool = False) -> frozenset[str]:
    """Return the forms of a name. Two spellings of one name share a form. `is_kazakh`: it may have a Kazakh ending.

    >>> make_skeletons("Spoljaric") & make_skeletons("Сполярич")
    frozenset({'splrc'})
    """
    lower = unicodedata.normalize("NFC", name).lower()
    romanized = _romanize_cyrillic(lower, is_kazakh) if _IS_CYRILLIC.search(lower) else _simplify_latin(lower)
    return frozenset(skeleton for form in romanized if (skeleton := _make_skeleton(form)))


def _romanize_cyrillic(lower: str, is_kazakh: bool) -> set[str]:
    """Return the name with and without its case ending, by sounds."""
    ending = _KAZAKH_ENDING if is_kazakh or KAZAKH_LETTER.search(lower) else _RUSSIAN_ENDING
    stems = {lower, ending.sub("", lower)}
    return {"".join(CYRILLIC_SOUNDS.get(letter, letter) for letter in stem) for stem in stems}


def _simplify_latin(lower: str) -> set[str]:
    lower = lower.removesuffix("'s").removesuffix("’s")
    sounds = _LATIN.sub(lambda match: _SOUND[match[0]], lower)
    plain = "".join(c for c in unicodedata.normalize("NFKD", sounds) if not unicodedata.combining(c))
    # A final c is ч in names of the Balkans and к elsewhere. A j inside a name is the soft sign or й.
    forms = {re.sub("c(?=$|[^h])", "k", plain), plain} if "c" in lower else {plain}
    if "j" in lower[1:]:
        forms |= {form[0] + form[1:].replace("j", "") for form in forms}
    return forms


def _make_skeleton(sounds: str) -> str:
    """Return the consonants, or `~` and the name without its final vowels. Return "" for one that is too short."""
    sounds = "".join(letter for letter in sounds if letter.isalnum())
    consonants = _DOUBLED.sub(r"\1", _VOWELS.sub("", sounds))
    if len(consonants) >= MIN_CONSONANTS:
        return consonants
    short = _DOUBLED.sub(r"\1", sounds).rstrip("aeiouy")
    return f"~{short}" if len(short) >= MIN_CONSONANTS else ""
