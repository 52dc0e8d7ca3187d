"""Test the values of numbers and days in texts."""

from __future__ import annotations

from crawler.text.numbers import find_days, find_number_words, find_numbers, find_numbers_in_sentences


def test_numbers_are_values() -> None:
    text = "1 млн; 10 мыңға жуық; 20\u00a0000; 2,5 тыс.; 471 days; шесть; 27 ноября 2023 года; 06.03.2026, 14:00"
    assert list(find_numbers(text)) == [1e6, 10_000, 20_000, 2500, 471, 6]
    assert list(find_days("27 қараша, March 6")) == [(11, 27), (3, 6)]


def test_number_words_are_whole_words() -> None:
    text = "Six of sixths, six_ 6six ШЕСТЬ-шесть and twosix; two"
    assert list(find_number_words(text)) == [6, 6, 6, 2]


def test_number_begins_at_no_letter_mark_or_digit() -> None:
    assert list(find_numbers("17 a17 .17 /17 -17 :17 ,17 117,000 1 170\u202f000 17.5")) == [
        17,
        117_000,
        1_170_000,
        17.5,
    ]


def test_numbers_of_sentences_stay_apart() -> None:
    sentences = ["It costs 12", "million", "12.11.2024", "at 15:30", "1 500", "000 in 2024", "5", "March 7"]
    assert list(find_numbers_in_sentences(sentences)) == [12, 1500, 0, 5]
