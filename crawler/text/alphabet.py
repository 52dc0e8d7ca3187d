"""The folded alphabet: which byte is which letter, and which letters count as the same.

Folded text is bytes, one byte a letter, because `bytes` are searched and translated several times faster than `str`
(the matcher needs 54 µs an article with it and 134 µs without). Capitals, accents, ё and е, й and и, and the letters
that Kazakh adds to the Russian keyboard (қ and к, ү ұ and у) fold together, because people type one for the other.
Latin and Cyrillic letters that only look alike stay different, except inside a word that mixes both scripts.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import cache

from crawler.text.characters import COMBINING_MARKS, JOINERS, SOFT_HYPHEN, ZERO_WIDTH

PHRASE_END = ord(".")
"""The byte for every mark that ends a phrase: . , ; : ! ? ( ) [ ] / and the like, a spaced dash, an empty line."""

RUSSIAN_LETTERS = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
KAZAKH_LETTERS = "әғқңөұүһі"
SPACE_CHARACTERS = "\u00a0\u2007\u2009\u200a\u202f"
INVISIBLE_CHARACTERS = SOFT_HYPHEN + ZERO_WIDTH + JOINERS + COMBINING_MARKS
QUOTATION_MARKS = "«»“”„‟‘’‚‹›ʼ"
DASHES = "‐‑‒–—―−"
FOREIGN_LETTER = "\ue000"
"""Replaces a letter of any other script: it belongs to a word and matches nothing."""

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
_CYRILLIC = frozenset(_LETTERS + _LETTERS.upper())
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
"""Folded byte → `L` for a Latin letter, `C` for a Cyrillic one, else a space. It shows words that mix scripts."""


def _make_look_alike_table(letters: dict[str, str]) -> dict[int, int]:
    return {
        DECODING_TABLE.index(letter): DECODING_TABLE.index(other)
        for letter, other in letters.items()
        if letter in DECODING_TABLE
    }


CYRILLIC_BYTES = _make_look_alike_table(LATIN_TO_CYRILLIC)
LATIN_BYTES = _make_look_alike_table(CYRILLIC_TO_LATIN)
"""Byte before folding → folded letter of the other script. M looks Cyrillic and m does not, so capitals matter."""


_WORD = re.compile(r"[^\W\d_]+")


def unify_scripts(text: str) -> str:
    """Return a text whose words that mix Latin and Cyrillic look-alikes are in one script, as folding sees them.

    >>> unify_scripts("Кpасный") == "Красный"
    True
    """
    return _WORD.sub(lambda found: _unify_word(found[0]), text)


def _unify_word(word: str) -> str:
    cyrillic = set(word) & _CYRILLIC
    latin = set(word) - cyrillic
    for letters, table in ((latin, LATIN_TO_CYRILLIC), (cyrillic, CYRILLIC_TO_LATIN)):
        if latin and cyrillic and letters <= table.keys():
            unified = {letter: table[letter].upper() if letter.isupper() else table[letter] for letter in letters}
            return "".join(unified.get(letter, letter) for letter in word)
    return word


@cache
def encode_character(character: str) -> bytes:
    """Return the bytes of a character outside the alphabet: its plain letters, a space, or FOREIGN_LETTER.

    A raised digit is a footnote's mark or a power: it is dropped, as an apostrophe is.
    """
    if unicodedata.category(character) == "No" and unicodedata.decomposition(character).startswith("<super>"):
        return b"'"
    plain = unicodedata.normalize("NFKD", LETTER_REPLACEMENTS.get(character.lower(), character))
    if unicodedata.category(character)[0] in "NSP" and not character.isdecimal() and plain == character:
        return b" "
    encoded = b""
    for letter in plain:
        part = GREEK_TO_LATIN.get(letter.lower(), letter)
        if unicodedata.category(part)[0] in "MC":
            continue
        if part not in KNOWN_CHARACTERS:
            part = FOREIGN_LETTER if part.isalpha() else " "
        encoded += codecs.charmap_encode(part, "strict", ENCODING_TABLE)[0]
    return b" " + encoded if unicodedata.category(character) == "No" else encoded


def _handle_encode_error(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return b"".join(map(encode_character, error.object[error.start : error.end])), error.end


FOLDING_ERROR_HANDLER = "crawler.text.fold"
"""Name of the codec error handler that encodes characters outside the alphabet."""
codecs.register_error(FOLDING_ERROR_HANDLER, _handle_encode_error)
