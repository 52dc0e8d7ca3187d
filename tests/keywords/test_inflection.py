"""The matcher finds every form of a term, and no other word that begins like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.keywords import Matcher, inflect_en, inflect_kk, inflect_ru, parse_rules

PARADIGMS = (Path(__file__).parent / "paradigms_ru.txt").read_text(encoding="utf-8")
RUSSIAN = dict(line.split(": ") for line in PARADIGMS.splitlines() if not line.startswith("#"))

PLAIN = ["", "тің", "ке", "ті", "те", "тен", "пен", "тегі"]
AFTER_PLURAL = ["", "дің", "ге", "ді", "де", "ден", "мен", "дегі"]
AFTER_M = ["", "нің", "е", "ді", "де", "нен", "мен"]
AFTER_Z = ["", "дің", "ге", "ді", "де", "ден", "бен"]
AFTER_THIRD = ["", "нің", "не", "н", "нде", "нен", "мен", "ндегі"]
OWNED = {"ім": AFTER_M, "ің": AFTER_M, "іңіз": AFTER_Z, "і": AFTER_THIRD, "іміз": AFTER_Z}
KAZAKH = [
    *PLAIN,
    *("тер" + case for case in AFTER_PLURAL),
    *(owner + case for owner, cases in OWNED.items() for case in cases),
    *("тер" + owner + case for owner, cases in OWNED.items() for case in cases),
]


def make_matcher(language: str, term: str) -> Matcher:
    return Matcher(parse_rules(f'[[rule]]\nname = "one"\nterms.{language} = ["{term}"]\n'))


def list_surfaces(matcher: Matcher, text: str) -> list[str]:
    return [match.surface for match in matcher.find_matches({"body": text})]


@pytest.mark.parametrize("term", RUSSIAN)
def test_russian_cases_and_numbers(term: str) -> None:
    matcher = make_matcher("ru", term)
    for form in [term, *RUSSIAN[term].split(", ")]:
        assert list_surfaces(matcher, f"Видим {form}, да.") == [form]
        if not term.isupper():
            assert list_surfaces(matcher, f"Видим {form.upper()}!") == [form.upper()]


@pytest.mark.parametrize("ending", KAZAKH)
def test_kazakh_plural_possessive_case(ending: str) -> None:
    assert list_surfaces(make_matcher("kk", "Қызыл Крест"), f"Бұл Қызыл Крест{ending} туралы.") == [
        f"Қызыл Крест{ending}"
    ]


@pytest.mark.parametrize(
    ("term", "form"),
    [
        ("құқық", "құқығының"),
        ("құқық", "құқыққа"),
        ("халық", "халқына"),
        ("Халықаралық Қызыл Крест комитеті", "Халықаралық Қызыл Крест комитетінен"),
        ("Халықаралық Қызыл Крест комитеті", "Халықаралық Қызыл Крест комитеттерімен"),
        ("Женева конвенциялары", "Женева конвенциясының"),
        ("Женева конвенциялары", "Женева конвенцияларына"),
        ("Қызыл Жарты ай", "Қызыл Жарты айдың"),
        ("Қызыл Жарты ай", "Қызыл Жарты айындағы"),
        ("қоғам", "қоғамымыздан"),
        ("ел", "елдердегі"),
        ("сөз", "сөзбен"),
        ("ХҚКК", "ХҚКК-ға"),
        ("ХГҚ", "ХГҚ-ны"),
        ("ХҚКК", "ХҚККнің"),
        ("Қызыл Крест", "Qyzyl Kresttiń"),
        ("Қызыл Жарты ай", "Qyzyl Jarty aıdyń"),
        ("халықаралық гуманитарлық құқық", "halyqaralyq gýmanıtarlyq quqyqtyń"),
        ("Қызыл Крест", "Кызыл Кресттин"),
        ("Қызыл Крест", "Qızıl Kresttiñ"),
        ("Қызыл Крест", "Qyzyl Kresttіng"),
        ("Қызыл Жарты ай", "Qızıl Jartı Aydıñ"),
        ("Женева конвенциялары", "Jeneva konvensialaryna"),
        ("Женева конвенциялары", "Jeneva konventsiyalary"),
        ("Женева конвенциялары", "Jeneva konvenciyalarınıñ"),
        ("Женева конвенциялары", "Jeneva konvensııasyna"),
        ("халықаралық гуманитарлық құқық", "xalıqaralıq gwmanïtarlıq quqıqtıñ"),
        ("халықаралық гуманитарлық құқық", "halyqaralyq gumanitarlyq quqyghy"),
        ("халықаралық гуманитарлық құқық", "khalyqaralyq gumanitarlyq quqyqqa"),
        ("гуманитар*", "gýmanıtarlyq"),
    ],
)
def test_kazakh_stems_that_change_and_other_spellings(term: str, form: str) -> None:
    assert list_surfaces(make_matcher("kk", term), f"Онда {form} бар.") == [form]


@pytest.mark.parametrize(
    ("language", "term", "text"),
    [
        ("ru", "крест", "крестьянин, крестик, крестный, окрест, перекресток"),
        ("kk", "крест", "крестик крестьян крестші"),
        ("kk", "ай", "айна айтты Айман"),
        ("en", "convention", "conventional, preconvention"),
        ("ru", "МГП", "МГПУ, МГПИ, мгпу"),
        ("en", "IHL", "IIHL, IHLX"),
        ("ru", "Красный Крест", "Флаг красный. Крест белый; красный, крест"),
    ],
)
def test_words_with_the_same_beginning_are_not_found(language: str, term: str, text: str) -> None:
    assert list_surfaces(make_matcher(language, term), text) == []


@pytest.mark.parametrize(
    ("term", "form"),
    [
        ("Red Cross", "Red Crosses"),
        ("Red Crescent Society", "Red Crescent Societies"),
        ("Geneva Convention", "Geneva Conventions"),
        ("International Committee of the Red Cross", "International Committees of the Red Cross"),
        ("aid worker", "aid worker’s"),
        ("spokesman", "spokesmen"),
    ],
)
def test_english_plurals_and_possessives(term: str, form: str) -> None:
    assert list_surfaces(make_matcher("en", term), f"See the {form} here.") == [form]


@pytest.mark.parametrize("text", ["Geneva Convention I", "Geneva Conventions I"])
def test_a_roman_numeral_is_no_noun(text: str) -> None:
    matcher = make_matcher("en", "Geneva Convention I")
    assert list_surfaces(matcher, f"See {text} here.") == [text]
    assert list_surfaces(matcher, "The Geneva Convention is old.") == []


def test_equals_sign_and_star() -> None:
    assert list_surfaces(make_matcher("ru", "=право"), "право права") == ["право"]
    assert list_surfaces(make_matcher("ru", "гуманитар*"), "гуманитарную гуманитариев гуманно") == [
        "гуманитарную",
        "гуманитариев",
    ]


COMMON = "комитет федерация доброволец донор больница врач министр президент делегация миссия протокол граница партия"


@pytest.mark.parametrize("word", COMMON.split())
def test_tables_agree_with_a_dictionary(word: str) -> None:
    pymorphy3 = pytest.importorskip("pymorphy3")
    nouns = [
        parse for parse in pymorphy3.MorphAnalyzer().parse(word) if "NOUN" in parse.tag and parse.normal_form == word
    ]
    assert {form.word.replace("ё", "е") for form in nouns[0].lexeme} <= inflect_ru.make_forms(word)


def test_exact_term_is_reported_without_its_sign() -> None:
    assert make_matcher("ru", "=право").find_matches({"body": "право"})[0].term == "право"


def test_number_of_forms_is_limited() -> None:
    assert len(inflect_ru.make_forms("международное гуманитарное право")) <= 12
    assert len(inflect_en.make_forms("Red Cross")) == 2
    assert len(inflect_kk.make_stems("Қызыл Крест")) <= 6


@pytest.mark.parametrize("word", ["красная", "гуманитарной", "красный и", "Касым-Жомарт"])
def test_number_of_forms_does_not_grow_with_a_long_phrase(word: str) -> None:
    assert len(inflect_ru.make_forms(" ".join([word] * 1500))) < 5000
