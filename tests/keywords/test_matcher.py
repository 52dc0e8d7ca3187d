"""The matches of rules in a text, their order, strength and reason."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from support.shipped_rules import get_shipped_matcher

from crawler.items import Strength
from crawler.keywords import Matcher, parse_rules
from crawler.keywords.capitalization import Capitalization, check_capitalization

SHIPPED = get_shipped_matcher()


def make_matcher(rule: str) -> Matcher:
    return Matcher(parse_rules(f'[[rule]]\nname = "one"\n{rule}\n'))


def test_matches_are_sorted_by_field_and_offset() -> None:
    texts = {"body": "Red Cross, МККК.", "title": "IFRC and Red Crescent", "lead": "Қызыл Крест"}
    assert [(match.field, match.surface) for match in SHIPPED.find_matches(texts)] == [
        ("title", "IFRC"),
        ("title", "Red Crescent"),
        ("lead", "Қызыл Крест"),
        ("body", "Red Cross"),
        ("body", "МККК"),
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "The Red Cross sent volunteers to the flooded districts. ",
        "The ICRC said so in Geneva ",  # an abbreviation with context words, and no sentence ends
        "Красный Крест-МККК-",
    ],
)
@pytest.mark.slow
def test_time_is_proportional_to_the_number_of_matches(sentence: str) -> None:
    def measure_seconds(count: int) -> float:
        start = time.process_time()
        assert len(SHIPPED.find_matches({"body": sentence * count})) >= count
        return time.process_time() - start

    measure_seconds(10)
    few = min(measure_seconds(200) for _ in range(3))
    assert measure_seconds(3200) < 16 * 4 * few, "a quadratic search takes 256 times as long"


def test_fields_of_a_match() -> None:
    text = "Первое. Глава МККК прибыл к «Красному Кресту». Конец."
    crest = SHIPPED.find_matches({"title": None, "lead": None, "body": text})[1]
    assert (crest.rule, crest.term, crest.surface) == ("red-cross-movement", "Красный Крест", "Красному Кресту")
    assert text[crest.start : crest.end] == crest.surface
    assert crest.sentence == "Глава МККК прибыл к «Красному Кресту»."
    assert crest.strength == "strong"


def test_longest_term_wins_at_a_place() -> None:
    matches = SHIPPED.find_matches({"body": "The International Committee of the Red Cross came."})
    assert [match.surface for match in matches] == ["International Committee of the Red Cross"]


def test_two_rules_may_share_a_place() -> None:
    matcher = Matcher(
        parse_rules('[[rule]]\nname = "a"\nterms.en = ["cross"]\n[[rule]]\nname = "b"\nterms.en = ["red cross"]\n')
    )
    assert [(match.rule, match.surface) for match in matcher.find_matches({"body": "Red Cross"})] == [
        ("b", "Red Cross"),
        ("a", "Cross"),
    ]


@pytest.mark.parametrize(
    ("text", "surface"),
    [
        ("МККК3 сообщил о визите.", "МККК"),
        ("Глава МККК12, прибыв, выступил.", "МККК"),
        ("МККК³ и МККК¹²³", "МККК"),
        ("The ICRC1 said so.", "ICRC"),
        ("ХҚКК2 хабарлады.", "ХҚКК"),
        ("Қызыл Жарты Ай7 қоғамы", "Қызыл Жарты Ай7 қоғамы"),
        ("Международный1 Комитет² Красного Креста[3] открыл", "Международный1 Комитет² Красного Креста"),
        ("the Geneva1 Conventions2 of 1949", "Geneva1 Conventions2 of 1949"),
        ("Женевских[12] конвенций* 1949 года", "Женевских[12] конвенций* 1949"),
        ("в области международного гуманитарного права5.", "международного гуманитарного права"),
    ],
)
def test_number_of_a_footnote_hides_no_term(text: str, surface: str) -> None:
    first = SHIPPED.find_matches({"body": text})[0]
    assert first.surface == surface == text[first.start : first.end]


def test_number_of_a_footnote_is_no_word_beside_a_term() -> None:
    first, second = (
        SHIPPED.find_matches({"body": text})[0] for text in ("The ICRC1 said so.", "An ICRC1 token was sold.")
    )
    assert (first.strength, first.reason) == (Strength.STRONG, None)
    assert (second.strength, second.reason) == (Strength.WEAK, "directly followed by 'token'")


@pytest.mark.parametrize("text", ["ICRC2024", "ICRC123", "ICRC1a", "ICRC1.ICRC2x", "МККК19491"])
def test_longer_number_or_letters_after_it_are_a_part_of_another_name(text: str) -> None:
    assert [match.surface for match in SHIPPED.find_matches({"body": text})] == (["ICRC"] if "." in text else [])


def test_term_with_a_number_matches_with_it_alone() -> None:
    matcher = make_matcher('terms.en = ["CO2", "COVID-19"]')
    found = [match.surface for match in matcher.find_matches({"body": "CO2, CO27, CO, COVID-19, COVID-19²; CO23 CO2²"})]
    assert found == ["CO2", "COVID-19", "COVID-19", "CO2"]


def test_empty_and_missing_fields() -> None:
    assert SHIPPED.find_matches({}) == SHIPPED.find_matches({"title": None, "lead": "", "body": ""}) == ()


def test_rule_limited_to_languages_sources_and_fields() -> None:
    matcher = make_matcher('terms.en = ["river"]\nlanguages = ["en"]\nsources = ["mfa"]\nfields = ["title"]')
    here = {"title": "A river", "body": "A river"}
    assert [match.field for match in matcher.find_matches(here, "en", "mfa")] == ["title"]
    assert matcher.find_matches(here, None, "mfa")
    assert not matcher.find_matches(here, "ru", "mfa")
    assert not matcher.find_matches(here, "en", "ktkz")
    assert not matcher.find_matches(here, "en")


def test_lists_of_a_rule_are_conditions() -> None:
    matcher = make_matcher(
        'terms.en = ["river"]\nall_of = ["flood", "dam"]\nany_of = ["north", "south"]\nnone_of = ["film"]'
    )
    assert [
        match.surface for match in matcher.find_matches({"body": "The river, a flood, two dams in the north."})
    ] == [
        "river",
        "flood",
        "dams",
        "north",
    ]
    assert not matcher.find_matches({"body": "The river, a flood in the north."})
    assert not matcher.find_matches({"body": "The river, a flood, two dams."})
    assert not matcher.find_matches({"body": "A film: river, flood, dam, north."})


@pytest.mark.parametrize(
    ("text", "surface", "reason"),
    [
        (
            "The International Hockey League (IHL) began in war.",
            "IHL",
            "the text spells it out as 'International Hockey League'",
        ),
        ("Red Cross Street was closed.", "Red Cross", "directly followed by 'Street'"),
        ("See www.icrc.org/ihl for more on the armed conflict.", "icrc", "inside a web or mail address"),
        ("He drew a red cross.", "red cross", "written without its capitals and nothing around supports it"),
        ("The IHL met.", "IHL", "nothing around supports it"),
        ("The flag has a red cross.", "red cross", "more speaks against it ('flag') than for it"),
    ],
)
def test_reason_of_a_weak_match(text: str, surface: str, reason: str) -> None:
    match = SHIPPED.find_matches({"body": text})[0]
    assert (match.surface, match.strength, match.reason) == (surface, "weak", reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Международное гуманитарное право (МГП) изучают все.", "the text spells it out"),
        (
            "The Fourth Geneva Convention applies; the Geneva Convention says so.",
            "supported by 'Fourth Geneva Convention'",
        ),
        ("IHL protects civilians.", "supported by 'civilian*'"),
        ("american red cross volunteers", "supported by"),
    ],
)
def test_reason_of_a_strong_ambiguous_match(text: str, reason: str) -> None:
    expected = [match.reason for match in SHIPPED.find_matches({"body": text}) if match.strength == "strong"]
    assert any(reason in (one or "") for one in expected) or (reason == "supported by" and expected)


@pytest.mark.parametrize(
    ("text", "surface", "expected"),
    [
        ("He saw the Red Cross there.", "Red Cross", Capitalization.CORRECT),
        ("He saw a red cross there.", "red cross", Capitalization.MISSING),
        ("Red cross on a door.", "Red cross", Capitalization.MISSING),
        ("RED CROSS ON A DOOR", "RED CROSS", Capitalization.INCONCLUSIVE),
        ("Giant Red Cross Painted On Church", "Red Cross", Capitalization.INCONCLUSIVE),
        ("Красный крест на двери.", "Красный крест", Capitalization.INCONCLUSIVE),
        ("На двери Красный крест.", "Красный крест", Capitalization.CORRECT),
        ("На двери красный крест.", "красный крест", Capitalization.MISSING),
    ],
)
def test_check_capitalization(text: str, surface: str, expected: Capitalization) -> None:
    start = text.index(surface)
    term = "Red Cross" if surface.isascii() else "Красный Крест"
    assert check_capitalization(text, start, start + len(surface), term) is expected


def test_the_title_supports_the_body() -> None:
    body = "IHL was discussed."
    assert SHIPPED.find_matches({"title": "War and civilians", "body": body})[0].strength == "strong"
    assert SHIPPED.find_matches({"title": "Budget", "body": body})[0].strength == "weak"


def test_support_beyond_reach_does_not_count() -> None:
    far = "IHL was discussed. " + "Nothing happened there. " * 100 + "A war began."
    assert SHIPPED.find_matches({"body": far})[0].strength == "weak"


@pytest.mark.parametrize(
    ("text", "surface"),
    [
        ("ХҚКК келді", "ХҚКК"),
        ("ХККК келді", "ХККК"),  # typed without Kazakh letters
        ("«Балапан» МКҚК ашылды", None),  # a letter that the term lacks: an enterprise
        ("Х Қ К К келді", "Х Қ К К"),
        ("М К Қ К ашылды", None),
        ("МККК-нің", "МККК-нің"),
        ("ТМККК көлемі", None),
    ],
)
def test_letters_of_an_abbreviation(text: str, surface: str | None) -> None:
    assert [match.surface for match in SHIPPED.find_matches({"body": text})] == ([surface] if surface else [])


def test_surface_of_letter_spaced_words() -> None:
    text = "Вчера К р а с н ы й  К р е с т открыл пункт, сообщил М К К К."
    assert [match.surface for match in SHIPPED.find_matches({"body": text})] == ["К р а с н ы й  К р е с т", "М К К К"]


def test_surface_includes_ending_after_hyphen() -> None:
    assert [m.surface for m in SHIPPED.find_matches({"body": "МККК-нің, ХҚКК-ға, Red Cross’s, МККК-Астана"})] == [
        "МККК-нің",
        "ХҚКК-ға",
        "Red Cross’s",
        "МККК",
    ]


def test_text_with_a_thousand_matches() -> None:
    text = "The ICRC said IHL was at risk. Red Cross staff and МККК spoke of МГП in the war. " * 200
    matches = SHIPPED.find_matches({"body": text})
    assert len(matches) == 1000
    assert all(text[match.start : match.end] == match.surface and match.strength == "strong" for match in matches)


@pytest.mark.slow
def test_loading_rules_imports_no_parser_or_framework() -> None:
    code = (
        "import sys; from crawler.keywords import Matcher, load_rules; Matcher(load_rules());"
        "print([m for m in ('lark', 'scrapy', 'twisted', 'sqlalchemy', 'pymorphy3') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


NEAR_MATCHER = make_matcher('query = \'"Red Cross" near/3 (aid OR "Red Cross")\'')


@pytest.mark.parametrize(
    "unit",
    [
        "The Red Cross sent humanitarian aid to the flood area. ",
        "the Red Cross and humanitarian aid  ",
        "red-cross/",
        "@@@red-cross",
        "International Hockey League (IHL) and IHL in war. ",
        "Красный Крест и МГП, международное гуманитарное право. ",
        "Red Cross " + "." * 50 + "x ",
        "Red Cross &laquo;x-\ny ",
        "Red Crоss" + "a" * 50,  # a Cyrillic о among Latin letters
        "И и и и ",
    ],
)
@pytest.mark.parametrize("matcher", [SHIPPED, NEAR_MATCHER], ids=["shipped", "near"])
@pytest.mark.slow
@pytest.mark.campaign
def test_a_long_text_with_many_matches_is_read_to_its_end(matcher: Matcher, unit: str) -> None:
    """Quadratic matching would need hours for this text; `benchmarks.keywords` measures the time."""
    few = len(matcher.find_matches({"title": "Red Cross", "body": unit * 100}))
    assert len(matcher.find_matches({"title": "Red Cross", "body": unit * 4_000})) >= few


@pytest.mark.parametrize(
    ("text", "is_matched"),
    [
        ("aid one two three Red Cross", True),
        ("aid one two three four Red Cross", False),
        ("Red Cross one. Two three Red Cross", True),
        ("Red Cross one. Two three four Red Cross", False),
        ("the Red Cross alone", False),
    ],
)
def test_near_counts_the_words_between(text: str, is_matched: bool) -> None:
    assert bool(NEAR_MATCHER.find_matches({"body": text})) is is_matched
