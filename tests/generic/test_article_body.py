"""Which lines are chosen as the text, by the scores of the lines and by the extractors that agree."""

from __future__ import annotations

import pytest

from crawler.generic.article_body import choose_lines
from crawler.generic.line_features import make_features, measure_agreements
from crawler.generic.page import GenericPage


@pytest.mark.parametrize(
    ("scores", "chosen"),
    [
        ([4.0, 4.0, 4.0, -0.5], [True, True, True, False]),
        ([-0.5, -0.5, -0.5, -4.0], [True, True, True, False]),  # the same line on a page where all are doubtful
        ([-4.0, -4.0, -4.0, -4.0], [False] * 4),
        ([], []),
    ],
)
def test_a_doubtful_line_is_chosen_where_no_other_is_better(scores: list[float], chosen: list[bool]) -> None:
    assert choose_lines(scores, [10] * len(scores)) == chosen


def test_an_extractor_counts_by_its_agreement_with_the_others() -> None:
    opinions = {"one": [1.0, 1.0, 0.0], "other": [1.0, 1.0, 0.0], "alone": [0.0, 0.0, 1.0]}
    agreements = measure_agreements(opinions, [20, 20, 20])
    assert agreements["one"] == agreements["other"] > agreements["alone"] == 0
    page = GenericPage("<p>One line of a text</p><p>Two lines of a text</p><p>A line that one extractor read</p>")
    rows = make_features(page.lines, opinions)
    assert [row["vote_squared"] for row in rows] == [1.0, 1.0, 0.0]
    assert [row["by_most_agreed"] for row in rows] == [1.0, 1.0, 0.0]
