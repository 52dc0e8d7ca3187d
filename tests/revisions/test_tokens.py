"""Test that what reads the same has the same keys, however it is typed, and that what does not has others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.revisions.tokens import read_tokens, unify_script


def list_keys(text: str, language: str | None = None) -> list[str]:
    return [token.key for token in read_tokens(text, language)]


# language, and spellings of one text
SPELLINGS = [
    ("ru", "помощь 250 семьям", "помощь двумстам пятидесяти семьям", "помощь 250,0 семьям"),
    ("ru", "250 000 тенге", "250 тыс. тенге", "250 тысяч тенге", "двести пятьдесят тысяч тг", "0,25 млн тенге"),
    ("en", "250,000 people", "250 thousand people", "two hundred and fifty thousand people", "250000 people"),
    ("kk", "екі жүз елу мұғалім", "250 мұғалім"),
    ("kk", "елуден астам", "50-ден астам"),
    ("kk", "он бір үй", "11 үй"),
    ("ru", "4-я Женевская", "четвертая Женевская", "IV Женевская", "Четвёртая Женевская"),
    ("kk", "төртінші бап", "4-бап", "4-ші бап", "IV бап", "ІV бап"),
    ("en", "the 4th convention", "the fourth convention"),
    ("ru", "семилетний план", "7-летний план"),
    ("ru", "дважды в год", "2 раза в год"),
    ("en", "until 1 July 2026", "until July 1, 2026", "until July 1st, 2026", "until 2026-07-01"),
    ("ru", "до 1 июля 2026 года", "до 1 июля 2026 г.", "до 1 июля 2026г.", "до 01.07.2026"),
    ("kk", "2026 жылғы 1 шілдеде", "2026 ж. 1 шілдеде"),
    ("en", "at 06:00", "at 6:00", "at 6 a.m."),
    ("en", "from 6 to 17 July", "6-17 July", "6–17 July", "6 – 17 July"),
    ("en", "between 10 and 40 euros", "between €10 and €40", "10–40 euros"),
    ("en", "US$5 million", "$5 million", "5 million dollars"),
    ("ru", "12,5 %", "12,5%", "12,5 процента"),
    ("kk", "12,5 %-ға", "12,5%-ға", "12,5 пайызға"),
    ("ru", "«Всё», — сказал", "\u201eВсе\u201c, – сказал", '"все", - сказал'),
    ("en", "'Never again'", "“Never again”", "«Never again»"),
    ("en", "anti-personnel", "anti\u2011personnel", "anti\u00ad-personnel"),
    ("en", 'to "do", he said', 'to "do," he said'),
    ("ru", "МККК", "M\u041a\u041aK", "MKKK"),
    ("en", "the ICRC", "the I\u0421RC"),
    ("ru", "с СССР", "c CCCP"),
    ("kk", "істер", "iстер"),
    ("en", "café", "cafe"),
    ("ru", "и т. д.", "и т.д."),
    ("ru", "№ 15", "№15"),
]


@pytest.mark.parametrize("case", SPELLINGS, ids=lambda case: case[1])
def test_spellings_of_one_text_have_one_key(case: tuple[str, ...]) -> None:
    language, *texts = case
    assert {tuple(list_keys(text, language)) for text in texts} == {tuple(list_keys(texts[0], language))}


@pytest.mark.parametrize(
    ("language", "text", "other"),
    [
        ("ru", "5 млн тенге", "5 млн долларов"),
        ("ru", "5 тонн", "5 кг"),
        ("en", "1.350 tonnes", "1,350 tonnes"),
        ("ru", "он пришёл", "10 пришёл"),
        ("en", "two and three", "23"),
        ("en", "1 July 2026", "7 January 2026"),
        ("ru", "май", "маи"),
        ("ru", "и", "й"),
        ("kk", "қыс", "кыс"),
        ("en", "from 6 July", "to 6 July"),
        ("kk", "алтын", "алты"),
        ("en", "1" * 40, "1" * 39 + "2"),
        ("kk", "онда", "10"),
        ("ru", "двусторонний", "трехсторонний"),
    ],
)
def test_other_texts_have_other_keys(language: str, text: str, other: str) -> None:
    assert list_keys(text, language) != list_keys(other, language)


def test_a_word_of_look_alikes_follows_the_text() -> None:
    assert unify_script("CCCP", "ru") == "СССР"
    assert unify_script("CCCP", "en") == "CCCP"
    assert unify_script("XX", "ru") == "XX"  # a Roman numeral
    assert unify_script("Mосква", None) == "Москва"


def test_a_month_with_a_dotless_letter_is_read() -> None:
    assert list_keys("5 aprıl 2026", "en") == list_keys("5 April 2026", "en")


@given(st.text(max_size=80), st.sampled_from(["en", "ru", "kk", None]))
def test_any_text_is_read(text: str, language: str | None) -> None:
    assert list_keys(text, language) == list_keys(text, language)
