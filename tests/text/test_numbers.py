"""Test the values of numbers and days in texts."""

from __future__ import annotations

from crawler.text.numbers import find_days, find_numbers, find_numbers_in_sentences


def test_numbers_are_values() -> None:
    text = "1 млн; 10 мыңға жуық; 20\u00a0000; 2,5 тыс.; 471 days; шесть; 27 ноября 2023 года; 06.03.2026, 14:00"
    assert list(find_numbers(text)) == [1e6, 10_000, 20_000, 2500, 471, 6]
    assert list(find_days("27 қараша, March 6")) == [(11, 27), (3, 6)]


def test_numbers_of_sentences_stay_apart() -> None:
    sentences = ["It costs 12", "million", "12.11.2024", "at 15:30", "1 500", "000 in 2024", "5", "March 7"]
    assert list(find_numbers_in_sentences(sentences)) == [12, 1500, 0, 5]
