"""The share of capitalised words."""

from __future__ import annotations

import pytest

from crawler.text.capitals import measure_capital_share


@pytest.mark.parametrize(
    ("text", "min_words", "share"),
    [
        ("Red Cross Opens office", 1, 0.75),
        ("Red Cross Opens office", 5, 0.0),
        ("красный крест", 1, 0.0),
        ("", 1, 0.0),
        ("", 0, 0.0),
        ("A B C D e", 3, 0.8),
    ],
)
def test_share_of_capitalised_words(text: str, min_words: int, share: float) -> None:
    assert measure_capital_share(text.split(), min_words=min_words) == share
