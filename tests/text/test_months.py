"""Names of the months in the three languages."""

from __future__ import annotations

from crawler.text.months import get_month_numbers, get_month_stems, list_english_abbreviations


def test_names_and_stems_lead_to_the_month() -> None:
    assert [get_month_numbers()[name] for name in ("march", "марта", "наурыз")] == [3, 3, 3]
    assert [get_month_stems()[stem] for stem in ("mar", "мар", "наурыз")] == [3, 3, 3]


def test_every_name_begins_with_a_stem_of_its_month() -> None:
    for name, number in get_month_numbers().items():
        assert any(name.startswith(stem) for stem, other in get_month_stems().items() if other == number), name


def test_english_abbreviations_are_in_order() -> None:
    expected = "jan feb mar apr may jun jul aug sep oct nov dec"
    assert " ".join(list_english_abbreviations()) == expected
