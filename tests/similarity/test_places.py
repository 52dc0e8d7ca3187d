"""Test finding places in three languages, with their endings."""

from __future__ import annotations

import pytest

from crawler.similarity.places import (
    find_places,
    list_sentences_with_places,
    select_foreign_countries,
    select_local_places,
)
from crawler.similarity.shingles import segment_text


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Ауғанстандағы зілзала", {"AF"}),
        ("прибыл в Португалию", {"PT"}),
        ("переговоры в Лиссабоне", {"PT/lisbon"}),
        ("talks in Lisbon", {"PT/lisbon"}),
        ("Лиссабонда келіссөз өтті", {"PT/lisbon"}),
        ("послы Саудовской Аравии и Чехии", {"SA", "CZ"}),
        ("саудовский посол", {"SA"}),
        ("Северо-Казахстанской области", {"KZ/североказахстанск"}),
        ("Saudi Arabia's envoy", {"SA"}),
    ],
)
def test_place_is_found_in_any_case(text: str, places: set[str]) -> None:
    assert find_places(text.replace("-", " ").replace("'s", "").split())[0] == places


def test_sentences_without_places_are_skipped() -> None:
    sentences = ["груз доставили", "послы Саудовской Аравии", "Saudi Arabia's envoy", "законы РК2024", "a long day"]
    assert list_sentences_with_places(segment_text("\n".join(sentences)).data) == {1, 2, 3}


@pytest.mark.parametrize("text", ["груз доставили", "Geneva Conventions", "Женевские конвенции", "LISBON"])
def test_other_words_are_no_places(text: str) -> None:
    assert find_places(text.split())[0] == frozenset()


def test_town_belongs_to_its_country_and_province() -> None:
    places = find_places("в Лиссабоне Алматы Таразе Лахордағы Казахстана".split())[0]
    assert select_foreign_countries(places) == {"PT", "PK"}
    assert select_local_places(places) == {"KZ/жамбылск", "PK/лахор"}
    assert find_places(["Тараз"])[0] == find_places(["Жамбылская"])[0]
