"""Characters that a reader does not see, in named groups. Each user removes the groups that mean nothing to it."""

from __future__ import annotations

SOFT_HYPHEN = "\u00ad"
ZERO_WIDTH = "\u180e\u200b\u2060\ufeff"
"""Mongolian vowel separator, zero-width space, word joiner, byte order mark."""
JOINERS = "\u034f\u200c\u200d"
"""Grapheme joiner, zero-width non-joiner and joiner."""
COMBINING_MARKS = "\u0300\u0301\u0304\u0306\u0308"
"""Accents that follow their letter: grave, acute, macron, breve, diaeresis."""
DIRECTION_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Marks, embeddings, overrides and isolates of writing direction. They can show a text in another order."""
LINE_SEPARATORS = "\u2028\u2029"
INVISIBLE_OPERATORS = "\u2061\u2062\u2063\u2064"
FORMAT_MARKS = "".join(map(chr, [*range(0x206A, 0x2070), 0xFFF9, 0xFFFA, 0xFFFB]))
"""Deprecated format characters and the marks of interlinear notes."""
VARIATION_SELECTORS = "".join(
    map(chr, [*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
)
TAGS = "".join(map(chr, range(0xE0000, 0xE0080)))
"""Invisible copies of ASCII."""
FILLERS = "\u115f\u1160\u17b4\u17b5\u3164\uffa0"
"""Letters of Hangul and Khmer that have no sign."""
OTHER_IGNORABLES = "".join(
    map(
        chr,
        [0x2065, *range(0xFFF0, 0xFFF9), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0080, 0xE0100)],
    )
) + "".join(map(chr, range(0xE01F0, 0xE1000)))
"""What else Unicode lets a program leave out: marks of shorthand and music, and places kept for such characters."""
CONTROLS = "".join(map(chr, [*range(0x09), *range(0x0E, 0x1C), *range(0x7F, 0x85), *range(0x86, 0xA0)]))
"""Control characters (C0, DEL and C1) except the white space among them."""
SURROGATES = "".join(map(chr, range(0xD800, 0xE000)))
"""Halves of a character; alone they cannot be encoded."""
UNSEEN_CHARACTERS = (
    SOFT_HYPHEN
    + ZERO_WIDTH
    + JOINERS
    + DIRECTION_MARKS
    + INVISIBLE_OPERATORS
    + FORMAT_MARKS
    + VARIATION_SELECTORS
    + TAGS
    + FILLERS
    + OTHER_IGNORABLES
    + CONTROLS
    + SURROGATES
)
"""Characters that no text of a site keeps. They can hide words, reverse a line or command a terminal."""
UNPRINTED_CHARACTERS = UNSEEN_CHARACTERS + LINE_SEPARATORS
"""Characters of a text for which a page of print has no sign."""


def make_character_class(characters: str) -> str:
    """Return a regular expression for one of the characters, written as ranges.

    Python searches a set with characters above U+FFFF one by one: with 500 of them that takes a hundred times as long.
    """
    ranges: list[list[int]] = []
    for code in sorted(map(ord, characters)):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[" + "".join(rf"\U{first:08x}-\U{last:08x}" for first, last in ranges) + "]"
