"""Characters that a reader does not see, in named groups. Each user removes the groups that mean nothing to it."""

from __future__ import annotations

SOFT_HYPHEN = "\u00ad"
ZERO_WIDTH = "\u200b\u2060\ufeff"
"""Zero-width space, word joiner, byte order mark."""
JOINERS = "\u200c\u200d"
"""Zero-width non-joiner and joiner: some scripts and emoji need them."""
COMBINING_MARKS = "\u0300\u0301\u0304\u0306\u0308"
"""Accents that follow their letter: grave, acute, macron, breve, diaeresis."""
DIRECTION_MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
LINE_SEPARATORS = "\u2028\u2029"
INVISIBLE_OPERATORS = "\u2061\u2062\u2063\u2064"
VARIATION_SELECTORS = "".join(map(chr, range(0xFE00, 0xFE10)))
CONTROLS = "".join(map(chr, [*range(0x09), *range(0x0E, 0x1C), 0x7F]))
"""Control characters except the white space among them."""
SURROGATES = "".join(map(chr, range(0xD800, 0xE000)))
"""Halves of a character; alone they cannot be encoded."""
UNPRINTED_CHARACTERS = (
    SOFT_HYPHEN + ZERO_WIDTH + JOINERS + DIRECTION_MARKS + LINE_SEPARATORS + INVISIBLE_OPERATORS + VARIATION_SELECTORS
)
"""Characters of a text for which a page of print has no sign."""
