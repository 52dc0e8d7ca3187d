"""Test the judgement of whole texts: labelled pairs of templates, translations and neighbouring days."""

from __future__ import annotations

from datetime import date

import pytest
from support.event_pairs import LabelledPair, list_event_pairs

from crawler.similarity.comparison import SimilarityType, compare_documents
from crawler.similarity.documents import Document, make_document

PAIRS = list(list_event_pairs())
MIN_RIGHT_SHARE = 0.95
MIN_SEPARATED_SHARE = 0.9
MAX_FALSE_STORIES = 2


def make_documents(pair: LabelledPair, day: date | None = None) -> tuple[Document, Document]:
    return (
        make_document(pair.a.text, published=day or pair.a.day),
        make_document(pair.b.text, published=day or pair.b.day),
    )


@pytest.mark.parametrize("is_held_out", [False, True], ids=["tuned", "held_out"])
def test_pairs_are_judged_right(is_held_out: bool) -> None:
    pairs = [pair for pair in PAIRS if pair.is_held_out is is_held_out]
    wrong = [pair for pair in pairs if compare_documents(*make_documents(pair)).relation is not pair.label]
    assert len(pairs) >= 30
    assert len(wrong) <= (1 - MIN_RIGHT_SHARE) * len(pairs), wrong
    assert sum(pair.label is SimilarityType.DIFFERENT for pair in wrong) <= MAX_FALSE_STORIES


def test_different_events_of_one_day_stay_apart() -> None:
    different = [pair for pair in PAIRS if pair.label is SimilarityType.DIFFERENT]
    apart = [
        pair
        for pair in different
        if compare_documents(*make_documents(pair, date(2031, 3, 4))).relation is SimilarityType.DIFFERENT
    ]
    assert len(apart) >= MIN_SEPARATED_SHARE * len(different)


def test_judgement_does_not_depend_on_the_order() -> None:
    for pair in PAIRS:
        one, other = make_documents(pair)
        there, back = compare_documents(one, other), compare_documents(other, one)
        assert (there.relation, there.contradiction) == (back.relation, back.contradiction), pair
