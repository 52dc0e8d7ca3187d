"""Test what a text counts."""

from __future__ import annotations

import pytest

from crawler.similarity.counted import find_counts


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("three Israeli women hostages", {"freed person": {3}}),
        ("десять заложниц", {"freed person": {10}}),
        ("491,6 миллион теңге жиналды", {"tenge": {491_600_000}}),
        ("697 миллионов тенге", {"tenge": {697_000_000}}),
        ("rises by $165", {"dollar": {165}}),
        ("40 тонн груза", {"weight": {40}}),
        ("In 2023, hostages", {}),
        ("18 деревьев, 5 тонн", {"weight": {5}}),
        ("5 тонн ² груза", {"weight": {5}}),
    ],
)
def test_counted_thing_has_its_number(text: str, counts: dict[str, set[float]]) -> None:
    assert find_counts([text]) == counts
