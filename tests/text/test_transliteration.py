"""Test that names have one form in Cyrillic and Latin letters."""

from __future__ import annotations

import pytest

from crawler.text.transliteration import make_skeletons


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tokayev", "Тоқаевтың"),
        ("Spoljaric", "Споляричем"),
        ("Milosevic", "Милошевич"),
        ("Tleuberdi", "Тлеуберди"),
        ("Abdrakhmanov", "Әбдірахманов"),
        ("Утемуратова", "Өтемұратов"),
        ("Rocca", "Роккамен"),
    ],
)
def test_a_name_is_the_same_in_other_letters(one: str, other: str) -> None:
    assert make_skeletons(one) & make_skeletons(other, is_kazakh=other.endswith("мен"))


def test_names_that_differ_have_nothing_in_common() -> None:
    assert not make_skeletons("Милошевич") & make_skeletons("Сполярич")
