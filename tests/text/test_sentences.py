"""Sentences around an offset."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.text.sentences import MAX_SENTENCE_LENGTH, locate_sentence


@pytest.mark.parametrize(
    ("text", "word", "sentence"),
    [
        ("Встреча прошла 8 мая 2020 г. в Астане. Е. Ашикбаев принял МККК. Далее.", "МККК", "Е. Ашикбаев принял МККК."),
        ("Mr. Smith met the ICRC. He left.", "ICRC", "Mr. Smith met the ICRC."),
        ("Title\nThe ICRC came\nMore", "ICRC", "The ICRC came"),
        ("Бұл жаңалық. ХҚКК келді! Тағы.", "ХҚКК", "ХҚКК келді!"),
        ("He said: «The ICRC is here.» Then he left.", "ICRC", "He said: «The ICRC is here.»"),
        ("ICRC", "ICRC", "ICRC"),
        ("The U.S. and the ICRC met. End.", "ICRC", "The U.S. and the ICRC met."),
    ],
)
def test_the_sentence_of_a_word(text: str, word: str, sentence: str) -> None:
    start = text.index(word)
    first, last = locate_sentence(text, start, start + len(word))
    assert text[first:last] == sentence


@settings(deadline=None)
@given(st.text(alphabet="аб. !\nA", max_size=80), st.integers(0, 79), st.integers(1, 5))
def test_a_sentence_holds_its_place(text: str, start: int, length: int) -> None:
    start = min(start, max(0, len(text) - 1))
    end = min(len(text), start + length)
    first, last = locate_sentence(text, start, end)
    assert 0 <= first <= start <= end <= last <= len(text)


def test_an_endless_sentence_is_cut_at_words() -> None:
    text = "слово " * 500 + "МККК" + " слово" * 500
    start = text.index("МККК")
    first, last = locate_sentence(text, start, start + 4)
    assert last - first <= MAX_SENTENCE_LENGTH
    assert text[first:last].startswith("слово ") and text[first:last].endswith(" слово")
