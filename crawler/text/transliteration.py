"""Names in Cyrillic and Latin letters brought to one form: their consonants, sounds that are spelled alike merged.

"Токаев", "Тоқаевтың" and "Tokayev" have the same skeleton, as have "Сполярич" and "Spoljarić". A skeleton of fewer than
three consonants says too little; such a name keeps its vowels.
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
"""Spellings and their sounds, the longer first."""
_LATIN = re.compile("|".join(map(re.escape, sorted((spelling for spelling, _ in LATIN_SOUNDS), key=len, reverse=True))))
_SOUND = dict(LATIN_SOUNDS)
_IS_CYRILLIC = re.compile("[\u0400-\u04ff]")
_KAZAKH_ENDING = re.compile(
    "(?<=[^\\W\\d_]{4})(?:[лдт][ае]р(?:ы|і)?)?(?:[ндт][ыі]ң|[нд]а[нғ]?ы|[дт][ае]ғ[ыі]|[дтн][ае]н|[дт][ае]|[ғқгк][ае]"
    "|[мбп]ен|[дтн][ыі]|с[ыі])$"
)
_RUSSIAN_ENDING = re.compile("(?<=[^\\W\\d_]{3})(?:[оеыи]м|[ая]ми|[ая]х|[ое]го|[ое]му)$")
_VOWELS = re.compile("[aeiouy]")
_DOUBLED = re.compile(r"(.)\1+")
KAZAKH_LETTER = re.compile("[әғқңөұүһі]")


@lru_cache(maxsize=50_000)
def make_skeletons(name: str, is_kazakh: bool = False) -> frozenset[str]:
    """The forms a name is known by; two spellings of one name have one in common. `kazakh`: it may end in its cases.

    >>> skeletons("Spoljaric") & skeletons("Сполярич")
    frozenset({'splrc'})
    """
    lower = unicodedata.normalize("NFC", name).lower()
    found = _romanize_cyrillic(lower, is_kazakh) if _IS_CYRILLIC.search(lower) else _simplify_latin(lower)
    return frozenset(form for sound in found if (form := _make_skeleton(sound)))


def _romanize_cyrillic(lower: str, is_kazakh: bool) -> set[str]:
    stems = {lower}
    if is_kazakh or KAZAKH_LETTER.search(lower):
        stems.add(_KAZAKH_ENDING.sub("", lower))
    else:
        stems.add(_RUSSIAN_ENDING.sub("", lower))
    return {"".join(CYRILLIC_SOUNDS.get(letter, letter) for letter in stem) for stem in stems}


def _simplify_latin(lower: str) -> set[str]:
    lower = lower.removesuffix("'s").removesuffix("’s")
    sound = _LATIN.sub(lambda found: _SOUND[found[0]], lower)
    plain = "".join(c for c in unicodedata.normalize("NFKD", sound) if not unicodedata.combining(c))
    # A final c is ч in the names of the Balkans; elsewhere it is к. A j inside may be the soft sign or й.
    forms = {re.sub("c(?=$|[^h])", "k", plain), plain} if "c" in lower else {plain}
    if "j" in lower[1:]:
        forms |= {form[0] + form[1:].replace("j", "") for form in forms}
    return forms


def _make_skeleton(sound: str) -> str:
    sound = "".join(letter for letter in sound if letter.isalnum())
    consonants = _DOUBLED.sub(r"\1", _VOWELS.sub("", sound))
    if len(consonants) >= 3:
        return consonants
    short = _DOUBLED.sub(r"\1", sound).rstrip("aeiouy")
    return f"~{short}" if len(short) >= 3 else ""
