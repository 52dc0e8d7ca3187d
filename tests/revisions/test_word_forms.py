"""Test which words count as forms of one."""

from __future__ import annotations

import pytest

from crawler.revisions.inflection import is_same_name, is_same_word, is_typo


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Иванова", "Иванов"),
        ("Астана", "Астане"),
        ("Казахстан", "Казахстаном"),
        ("Турания", "Тураниға"),
        ("Бельмарк", "Бельмаркке"),
        ("Қазақстан", "Қазақстанның"),
        ("Серік", "Серікке"),
        ("Velmar", "Velmar's"),
        ("Семёнов", "Семеновым"),
    ],
)
def test_forms_of_a_name(one: str, other: str) -> None:
    assert is_same_name(one, other)
    assert is_same_name(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Умаров", "Умаков"),
        ("Караев", "Карин"),
        ("Ахмет", "Ахметов"),
        ("Иран", "Ирак"),
        ("Ержан", "Ерлан"),
        ("Берлин", "Берн"),
        ("Lurania", "Luran"),
        ("Томас", "Томаш"),
    ],
)
def test_two_names(one: str, other: str) -> None:
    assert not is_same_name(one, other)
    assert not is_same_name(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("подписал", "подписали"), ("rain", "rains"), ("дождь", "дожди"), ("шешімді", "шешім"), ("келді", "келмеді")],
)
def test_forms_of_a_word(one: str, other: str) -> None:
    assert is_same_word(one, other)
    assert is_same_word(other, one)


def test_other_words_and_typos() -> None:
    assert not is_same_word("длились", "началось")
    assert not is_same_word("подпишет", "подписал")
    assert is_typo("recieved", "received")
    assert is_typo("генераттор", "генератор")
    assert not is_typo("signed", "denied")
    assert not is_typo("кит", "кот")
