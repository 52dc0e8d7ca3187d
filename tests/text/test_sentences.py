"""Sentences around an offset, and texts split into sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.text.sentences import (
    MAX_SENTENCE_LENGTH,
    locate_sentence,
    split_into_passages,
    split_into_sentences,
)


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
        ("Вчера. «Нам нужен МККК!» — сказал министр. Далее.", "МККК", "«Нам нужен МККК!» — сказал министр."),
        ("Нет. «Нам нужен МККК.» – Министр добавил. Далее.", "МККК", "«Нам нужен МККК.» – Министр добавил."),
        ("— Нам нужен МККК! — сказал министр. Далее.", "МККК", "— Нам нужен МККК! — сказал министр."),
        ("Кеше. «ХҚКК келді!» – деді министр. Тағы.", "ХҚКК", "«ХҚКК келді!» – деді министр."),
        ("Yes. “Where is the ICRC?” Mr. Nurtleu asked. End.", "ICRC", "“Where is the ICRC?” Mr. Nurtleu asked."),
        ('Yes. "The ICRC came." Nobody left. End.', "ICRC", '"The ICRC came."'),
        ("Они ушли. Е.К. Ашикбаев принял МККК. Далее.", "МККК", "Е.К. Ашикбаев принял МККК."),
        ("Кеше. М.Б. Нұртілеу ХҚКК өкілін қабылдады. Тағы.", "ХҚКК", "М.Б. Нұртілеу ХҚКК өкілін қабылдады."),
        ("Встреча с М.К.К.К. Потом обед.", "М.К.К.К", "Встреча с М.К.К.К."),
        ("Yes. “The ICRC came.” Then he said no. End.", "ICRC", "“The ICRC came.”"),
        ("Нет! — МККК прибыл. Далее.", "МККК", "— МККК прибыл."),
    ],
)
def test_the_sentence_of_a_word(text: str, word: str, sentence: str) -> None:
    start = text.index(word)
    first, last = locate_sentence(text, start, start + len(word))
    assert text[first:last] == sentence


@given(st.text(alphabet="аб. !\nA", max_size=80), st.integers(0, 79), st.integers(1, 5))
def test_a_sentence_holds_its_place(text: str, start: int, length: int) -> None:
    start = min(start, max(0, len(text) - 1))
    end = min(len(text), start + length)
    first, last = locate_sentence(text, start, end)
    assert 0 <= first <= start <= end <= last <= len(text)


def test_long_sentence_is_cut_at_words() -> None:
    text = "слово " * 500 + "МККК" + " слово" * 500
    start = text.index("МККК")
    first, last = locate_sentence(text, start, start + 4)
    assert last - first <= MAX_SENTENCE_LENGTH
    assert text[first:last].startswith("слово ") and text[first:last].endswith(" слово")


@given(st.text(alphabet="аб. !\nA", max_size=80))
def test_sentences_joined_are_the_text(text: str) -> None:
    assert "".join(split_into_sentences(text)) == text


@pytest.mark.parametrize(
    ("text", "sentences", "passages"),
    [
        ("Он прибыл 8 мая 2020 г. в Астану. Далее.", 2, 2),
        ("Mr. Smith left. He came.", 2, 3),
        ("Е. Ашикбаев принял гостя. Они говорили.\nКонец", 3, 3),
        ("Сделано «так.» Конец", 2, 2),
        ("слово " * 200 + "конец. Далее.", 2, 2),
        ("", 0, 0),
    ],
)
def test_abbreviations_end_passages_and_no_sentences(text: str, sentences: int, passages: int) -> None:
    assert len(split_into_sentences(text)) == sentences
    assert len(split_into_passages(text)) == passages
