"""The folded alphabet: which byte stands for which letter, and which letters count as the same.

Folded text is bytes, one byte a letter, so that searching and translating run at the speed of `bytes`. Capitals,
accents, ё and е, й and и, and the letters that Kazakh adds to the Russian keyboard (қ and к, ү ұ and у) fold together:
people type one for the other. Latin and Cyrillic letters that only look alike stay apart, except inside a word that
mixes both scripts.
"""

from __future__ import annotations

import codecs
import unicodedata

STOP = ord(".")
"""The byte for every mark that ends a phrase: . , ; : ! ? ( ) [ ] / and the like, a spaced dash, an empty line."""

RUSSIAN = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
KAZAKH = "әғқңөұүһі"
SPACES = "\u00a0\u2007\u2009\u200a\u202f"
INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff\u0300\u0301\u0304\u0306\u0308"
QUOTES = "«»“”„‟‘’‚‹›ʼ"
DASHES = "‐‑‒–—―−"
OTHER_LETTER = "\ue000"
"""Stands for a letter of any other script: it belongs to a word and matches nothing."""

APOSTROPHES = "'’‘ʼ`´"
SAME_LETTERS = {
    "ё": "е",
    "й": "и",
    "і": "и",
    "ә": "а",
    "ғ": "г",
    "қ": "к",
    "ң": "н",
    "ө": "о",
    "ұ": "у",
    "ү": "у",
    "һ": "х",
}
LOOKS_CYRILLIC = dict(zip("aceopxyiABCEHIKMOPTXY", "асеорхуиавсеникмортху", strict=True))
LOOKS_LATIN = dict(zip("аеорсухіАВЕКМНОРСТУХІ", "aeopcyxiabekmhopctyxi", strict=True))
SINGLE = {
    "ı": "i",
    "ł": "l",
    "ø": "o",
    "đ": "d",
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "є": "е",
    "ґ": "г",
    "ј": "j",
    "ѕ": "s",
    "ӏ": "l",
    "…": ".",
}
GREEK = dict(zip("αβεζηικμνορτυχ", "abezhikmvoptyx", strict=True))

_LETTERS = RUSSIAN + "ё" + KAZAKH
_CHARACTERS = (
    "".join(map(chr, range(128)))
    + _LETTERS
    + "".join(letter.upper() for letter in _LETTERS)
    + SPACES
    + INVISIBLE
    + QUOTES
    + DASHES
    + "…№´"
    + OTHER_LETTER
)
KNOWN = frozenset(_CHARACTERS)
DECODING = _CHARACTERS.ljust(256, "\ufffe")
ENCODING = codecs.charmap_build(DECODING)
LETTERS = frozenset(DECODING.index(letter) for letter in "abcdefghijklmnopqrstuvwxyz" + _LETTERS + OTHER_LETTER)


def _folded(character: str) -> str:
    if character in APOSTROPHES:
        return "'"
    if character in QUOTES or character in '"*_#@~^|№' or character in SPACES:
        return " "
    if character in DASHES or character == "-":
        return "-"
    if character in " \n" or character == OTHER_LETTER:
        return character
    if character < " " or character == "\x7f":
        return " "
    lower = character.lower()
    return SAME_LETTERS.get(lower, lower) if lower.isalnum() else "."


TRANSLATION = bytes(DECODING.index(_folded(character)) if character != "\ufffe" else 32 for character in DECODING)
DELETED = codecs.charmap_encode(INVISIBLE, "strict", ENCODING)[0]

SCRIPT = bytes(76 if 97 <= code <= 122 else 67 if DECODING[code] in _LETTERS else 32 for code in range(256))
"""Folded byte → `L` for a Latin letter, `C` for a Cyrillic one, else a space: shows words that mix scripts."""


def _look_alikes(table: dict[str, str]) -> dict[int, int]:
    return {DECODING.index(one): DECODING.index(other) for one, other in table.items() if one in DECODING}


TO_CYRILLIC = _look_alikes(LOOKS_CYRILLIC)
TO_LATIN = _look_alikes(LOOKS_LATIN)
"""Letters, capitals and small ones apart (M looks Cyrillic, m does not), → the folded letter of the other script."""

_known: dict[str, bytes] = {}


def encoded(character: str) -> bytes:
    """The bytes of one character outside the alphabet: its plain letters, a space, or a letter that matches nothing."""
    found = _known.get(character)
    if found is None:
        found = _known[character] = _plain(character)
    return found


def _plain(character: str) -> bytes:
    plain = unicodedata.normalize("NFKD", SINGLE.get(character.lower(), character))
    if unicodedata.category(character)[0] in "NSP" and not character.isdecimal() and plain == character:
        return b" "
    out = b""
    for letter in plain:
        part = GREEK.get(letter.lower(), letter)
        if unicodedata.category(part)[0] in "MC":
            continue
        known = part in KNOWN
        out += codecs.charmap_encode(part if known else OTHER_LETTER if part.isalpha() else " ", "strict", ENCODING)[0]
    return b" " + out if unicodedata.category(character) == "No" else out


def _replace(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return b"".join(map(encoded, error.object[error.start : error.end])), error.end


FOLD = "crawler.text.fold"
"""Name of the error handler that spells characters outside the alphabet."""
codecs.register_error(FOLD, _replace)
