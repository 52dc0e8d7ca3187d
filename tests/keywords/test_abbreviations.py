"""Where a text spells an abbreviation out, and where it only has words with the same first letters."""

from __future__ import annotations

import pytest

from crawler.keywords.abbreviations import find_expansions

BESIDE, ELSEWHERE = True, False


@pytest.mark.parametrize(
    ("text", "abbreviation", "phrase"),
    [
        ("Международная гильдия писателей (МГП)", "МГП", "Международная гильдия писателей"),
        ("Союз и международная гильдия писателей [МГП]", "МГП", "международная гильдия писателей"),
        ("Межрегиональная группа предприятий, далее МГП, купила завод", "МГП", "Межрегиональная группа предприятий"),
        ("ЛОКК — линия оптического кабельного канала — сдана", "ЛОКК", "линия оптического кабельного канала"),
        ("Районная конфликтная комиссия, РКК, соберется", "РКК", "Районная конфликтная комиссия"),
        ("В РКК (Русский Клуб Каратэ).", "РКК", "Русский Клуб Каратэ"),
        ("МГП, или международная гильдия писателей", "МГП", "международная гильдия писателей"),
        ("ХГҚ – Халық гимнастикасының қоры – жарыс өткізді", "ХГҚ", "Халық гимнастикасының қоры"),
        ("Our ICRC (in-company resource centre) lends", "ICRC", "in-company resource centre"),
        ("ICRC, the International Cotton Research Conference, met", "ICRC", "International Cotton Research Conference"),
        ('IHL stands for "I hate losing".', "IHL", "I hate losing"),
        ("Independent Health Laboratories, or IHL, tests", "IHL", "Independent Health Laboratories"),
        ("INSTITUTIONS OF HIGHER LEARNING (IHL) MEET", "IHL", "INSTITUTIONS OF HIGHER LEARNING"),
    ],
)
def test_phrase_beside_its_abbreviation(text: str, abbreviation: str, phrase: str) -> None:
    found = find_expansions(text, abbreviation)
    assert [(text[start:end], is_adjacent) for start, end, is_adjacent in found] == [(phrase, BESIDE)]


@pytest.mark.parametrize(
    ("text", "abbreviation", "phrase"),
    [
        ("Israel Hits Lebanon. IHL is binding.", "IHL", "Israel Hits Lebanon"),
        ("ICRC: Irish Clay Road Club announces", "ICRC", "Irish Clay Road Club"),
        (
            "МГП выпустила книги, которые Международная гильдия писателей давно ждала.",
            "МГП",
            "Международная гильдия писателей",
        ),
    ],
)
def test_capitalized_phrase_elsewhere(text: str, abbreviation: str, phrase: str) -> None:
    found = find_expansions(text, abbreviation)
    assert [(text[start:end], is_adjacent) for start, end, is_adjacent in found] == [(phrase, ELSEWHERE)]


@pytest.mark.parametrize(
    ("text", "abbreviation"),
    [
        ("IHL Has Limits, But Civilians Count", "IHL"),
        ("РКК Коми купил кровати", "РКК"),
        ("ОКП Казахстана помог жителям", "ОКП"),
        ("МГП говорит прямо", "МГП"),
        ("Мы говорим правду, МГП нарушено", "МГП"),
        ("Мы готовы помочь. МГП нарушено", "МГП"),
        ("МИД Германии предупредил о МГП", "МГП"),
        ("МГП, говорят правозащитники, нарушено", "МГП"),
        ("МГП: мы говорим прямо.", "МГП"),
        ("iceland hosts leaders to discuss IHL", "IHL"),
        ("Ivan H Lee teaches IHL", "IHL"),
        ("IHL HAS LIMITS, BUT CIVILIANS COUNT", "IHL"),
        ("Вчера МИД Германии предупредил о нарушении МГП", "МГП"),
    ],
)
def test_words_that_only_have_the_letters(text: str, abbreviation: str) -> None:
    assert find_expansions(text, abbreviation) == []


def test_spaces_between_columns_are_read_at_once() -> None:
    """All that may be between a phrase and its abbreviation may be spaces: 4,000 took 84 s."""
    text = "IHL International Hockey League" + " " * 4_000 + "x"
    assert [text[each.start : each.end] for each in find_expansions(text, "IHL")] == ["International Hockey League"]
