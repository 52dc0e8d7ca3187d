"""Patterns that try common letters first find what the plain patterns find."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.similarity import features
from crawler.text import language
from crawler.text.letters import COMMON_LETTERS

PLAIN_PATTERNS = {
    "language": (language.WORD_PATTERN, re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")),
    "features": (features._WORD_PATTERN, re.compile(r"(?<![\w@])[^\W\d_]+(?:['’ʼ][^\W\d_]+)?")),
}
TEXTS = st.text(st.sampled_from("aZéжҚ҂ᾳ文𝐀²½৩7_@'’ʼ- .\n") | st.characters(), max_size=40)


def test_common_letters_are_letters() -> None:
    ranges = re.findall("(.)-(.)", COMMON_LETTERS)
    assert len(ranges) * len("A-Z") == len(COMMON_LETTERS)
    letters = [chr(code) for first, last in ranges for code in range(ord(first), ord(last) + 1)]
    assert all(map(re.compile(r"[^\W\d_]").fullmatch, letters))


@pytest.mark.parametrize("name", PLAIN_PATTERNS)
@given(text=TEXTS)
def test_the_same_words_are_found(name: str, text: str) -> None:
    pattern, plain = PLAIN_PATTERNS[name]
    assert [match.span() for match in pattern.finditer(text)] == [match.span() for match in plain.finditer(text)]
