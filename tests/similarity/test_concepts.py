"""Test that words of three languages name one concept."""

from __future__ import annotations

import pytest

from crawler.similarity.concepts import find_concepts, load_lexicon
from crawler.similarity.shingles import segment_text


@pytest.mark.parametrize(
    "text", ["the Red Cross and the hostages", "Красный Крест и заложники", "Қызыл Крест және кепілдегілер"]
)
def test_concepts_are_the_same_in_three_languages(text: str) -> None:
    assert {"redcross", "hostage"} <= find_concepts(segment_text(text).data)


def test_words_of_a_phrase_may_have_one_word_between_them() -> None:
    assert "who" in find_concepts(segment_text("world public health").data)
    assert "who" not in find_concepts(segment_text("world and public health").data)


def test_words_of_a_phrase_may_be_in_two_sentences() -> None:
    assert "who" in find_concepts(segment_text("All the world.\nHealth matters.").data)


def test_short_beginnings_are_whole_words() -> None:
    assert "un" in find_concepts(segment_text("ООН").data)
    assert "un" not in find_concepts(segment_text("оонский").data)


def test_every_concept_has_a_weight_and_a_phrase() -> None:
    lexicon = load_lexicon()
    named = {concept for phrases in lexicon.phrases for _, concept in phrases}
    assert named == lexicon.weights.keys()
    assert all(0 < weight <= 2 for weight in lexicon.weights.values())
