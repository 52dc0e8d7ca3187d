"""The folded alphabet: which byte stands for which letter, and which letters count as the same.

Folded text is bytes, one byte a letter, so that searching and translating run at the speed of `bytes`. Capitals,
accents, ё and е, й and и, and the letters that Kazakh adds to the Russian keyboard (қ and к, ү ұ and у) fold together:
people type one for the other. Latin and Cyrillic letters that only look alike stay apart, except inside a word that
mixes both scripts.
"""

from __future__ import annotations

import codecs
import unicodedata

PHRASE_END = ord(".")
"""The byte for every mark that ends a phrase: . , ; : ! ? ( ) [ ] / and the like, a spaced dash, an empty line."""

RUSSIAN_LETTERS = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
KAZAKH_LETTERS = "әғқңөұүһі"
SPACE_CHARACTERS = "\u00a0\u2007\u2009\u200a\u202f"
INVISIBLE_CHARACTERS = "\u00ad\u200b\u200c\u200d\u2060\ufeff\u0300\u0301\u0304\u0306\u0308"
QUOTATION_MARKS = "«»“”„‟‘’‚‹›ʼ"
DASHES = "‐‑‒–—―−"
FOREIGN_LETTER = "\ue000"
"""Stands for a letter of any other script: it belongs to a word and matches nothing."""

APOSTROPHES = "'’‘ʼ`´"
EQUIVALENT_LETTERS = {
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
LATIN_TO_CYRILLIC = dict(zip("aceopxyiABCEHIKMOPTXY", "асеорхуиавсеникмортху", strict=True))
CYRILLIC_TO_LATIN = dict(zip("аеорсухіАВЕКМНОРСТУХІ", "aeopcyxiabekmhopctyxi", strict=True))
LETTER_REPLACEMENTS = {
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
GREEK_TO_LATIN = dict(zip("αβεζηικμνορτυχ", "abezhikmvoptyx", strict=True))

_LETTERS = RUSSIAN_LETTERS + "ё" + KAZAKH_LETTERS
_CHARACTERS = (
    "".join(map(chr, range(128)))
    + _LETTERS
    + "".join(letter.upper() for letter in _LETTERS)
    + SPACE_CHARACTERS
    + INVISIBLE_CHARACTERS
    + QUOTATION_MARKS
    + DASHES
    + "…№´"
    + FOREIGN_LETTER
)
KNOWN_CHARACTERS = frozenset(_CHARACTERS)
DECODING_TABLE = _CHARACTERS.ljust(256, "\ufffe")
ENCODING_TABLE = codecs.charmap_build(DECODING_TABLE)
LETTER_BYTES = frozenset(
    DECODING_TABLE.index(letter) for letter in "abcdefghijklmnopqrstuvwxyz" + _LETTERS + FOREIGN_LETTER
)


def _fold_character(character: str) -> str:
    if character in APOSTROPHES:
        return "'"
    if character in QUOTATION_MARKS or character in '"*_#@~^|№' or character in SPACE_CHARACTERS:
        return " "
    if character in DASHES or character == "-":
        return "-"
    if character in " \n" or character == FOREIGN_LETTER:
        return character
    if character < " " or character == "\x7f":
        return " "
    lower = character.lower()
    return EQUIVALENT_LETTERS.get(lower, lower) if lower.isalnum() else "."


FOLDING_TABLE = bytes(
    DECODING_TABLE.index(_fold_character(character)) if character != "\ufffe" else 32 for character in DECODING_TABLE
)
INVISIBLE_BYTES = codecs.charmap_encode(INVISIBLE_CHARACTERS, "strict", ENCODING_TABLE)[0]

SCRIPT_TABLE = bytes(76 if 97 <= code <= 122 else 67 if DECODING_TABLE[code] in _LETTERS else 32 for code in range(256))
"""Folded byte → `L` for a Latin letter, `C` for a Cyrillic one, else a space: shows words that mix scripts."""


def _make_look_alike_table(table: dict[str, str]) -> dict[int, int]:
    return {
        DECODING_TABLE.index(one): DECODING_TABLE.index(other) for one, other in table.items() if one in DECODING_TABLE
    }


CYRILLIC_BYTES = _make_look_alike_table(LATIN_TO_CYRILLIC)
LATIN_BYTES = _make_look_alike_table(CYRILLIC_TO_LATIN)
"""Letters, capitals and small ones apart (M looks Cyrillic, m does not), → the folded letter of the other script."""

_encoded_characters: dict[str, bytes] = {}


def encode_character(character: str) -> bytes:
    """The bytes of one character outside the alphabet: its plain letters, a space, or a letter that matches nothing."""
    found = _encoded_characters.get(character)
    if found is None:
        found = _encoded_characters[character] = _encode_unknown(character)
    return found


def _encode_unknown(character: str) -> bytes:
    plain = unicodedata.normalize("NFKD", LETTER_REPLACEMENTS.get(character.lower(), character))
    if unicodedata.category(character)[0] in "NSP" and not character.isdecimal() and plain == character:
        return b" "
    out = b""
    for letter in plain:
        part = GREEK_TO_LATIN.get(letter.lower(), letter)
        if unicodedata.category(part)[0] in "MC":
            continue
        known = part in KNOWN_CHARACTERS
        out += codecs.charmap_encode(
            part if known else FOREIGN_LETTER if part.isalpha() else " ", "strict", ENCODING_TABLE
        )[0]
    return b" " + out if unicodedata.category(character) == "No" else out


def _handle_encode_error(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return b"".join(map(encode_character, error.object[error.start : error.end])), error.end


FOLDING_ERROR_HANDLER = "crawler.text.fold"
"""Name of the error handler that spells characters outside the alphabet."""
codecs.register_error(FOLDING_ERROR_HANDLER, _handle_encode_error)
