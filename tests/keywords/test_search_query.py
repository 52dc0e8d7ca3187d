"""Any text is a query. What is changed is as little as possible, and the result is a query of the grammar."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from crawler.keywords.matcher import QueryMatcher
from crawler.keywords.query import And, Facet, Not, Or, Proximity, Term, find_query_problem, parse_query
from crawler.keywords.search_query import (
    MAX_DEPTH,
    MAX_TERMS,
    interpret_query,
    list_facets,
    list_required_facets,
    parse_search_time,
)

UNCHANGED = (
    "visit",
    '"Red Cross" visit',
    "title:(visit OR office) -hockey",
    "(a AND b) OR NOT c",
    'detention near/5 ("Red Cross" OR ICRC)',
    '=visits ="Red Cross"',
    'kk:"Женева конвенция" lang:kk source:mfa',
    "гуманитар*",
    "Касым-Жомарт",
    "rule:ihl is:superseded story:12 since:2026-10-01 until:7d",
    "AT&T",
)
CHANGED = {
    '"unbalanced visit': "unbalanced visit",
    "(visit": "(visit)",
    "visit))": "visit",
    "()": "",
    "title:": "title",
    "AND visit OR": "visit",
    "visit OR OR AND office": "visit AND office",
    "12:30": '"12:30"',
    "& - !": "",
    "«Красный Крест»": '"Красный Крест"',
    "“Red Cross”": '"Red Cross"',
    "крест,": "крест",
    "кра*ый": '"кра ый"',
    "a*": "a",
    "NOT NOT visit": "NOT visit",
    "near/5 visit": "visit",
    "a near/5 b near/3 c": "a near/5 b c",
    "a near/5 -b": "a -b",
    "since:tomorrow": '"since:tomorrow"',
    "is:odd": '"is:odd"',
    "lang:de": '"lang:de"',
    "story:x": '"story:x"',
    "since:2026-01-31T10:00+05:00": 'since:"2026-01-31T10:00+05:00"',
    "Kpасный": "Красный",
}
PARTS = (
    *"()\"-=*:&«»“„'\\^{}+|~!?/",
    *(
        "AND",
        "OR",
        "NOT",
        "near/5",
        "near/99",
        "title:",
        "lang:ru",
        "is:",
        "since:",
        "kk:",
        "rule:x",
        "a",
        "крест",
        "x*",
    ),
    *("\0", "\ud800", "\u202e", "DROP TABLE articles; --", "' OR 1=1", "rowid:1", "facets:any"),
)


@pytest.mark.parametrize("text", UNCHANGED)
def test_query_of_the_grammar_stays_as_it_is(text: str) -> None:
    found = interpret_query(text)
    assert (found.text, found.differs) == (text, False)


def test_a_word_behind_a_value_that_ends_in_a_hyphen_stays_a_word() -> None:
    assert interpret_query("rule:ihl- Geneva").text == "rule:ihl- Geneva"


@pytest.mark.parametrize(("text", "expected"), CHANGED.items())
def test_other_texts_are_changed_as_little_as_possible(text: str, expected: str) -> None:
    found = interpret_query(text)
    assert (found.text, found.differs) == (expected, True)
    assert not interpret_query(expected).differs


def test_spaces_are_no_difference() -> None:
    assert not interpret_query("  visit   OR\toffice ").differs


def test_any_text_is_a_query() -> None:
    chance = random.Random(14)
    for _ in range(1500):
        text = "".join(chance.choice(PARTS) + chance.choice(("", " ")) for _ in range(chance.randint(1, 14)))
        found = interpret_query(text)
        assert not interpret_query(found.text).differs, text


@pytest.mark.parametrize(
    "part", ["(", ")", '"', "«", "a ", "NOT ", "title:", "-", "(a OR ", "a near/5 ", "\0", "*", "=", "kk:"]
)
def test_ten_thousand_characters_are_a_query(part: str) -> None:
    found = interpret_query(part * (10_000 // len(part)))
    assert found.text.count("(") <= MAX_DEPTH
    assert len(found.text.split()) <= 3 * MAX_TERMS


@pytest.mark.parametrize("word", ["visit", "слово", "красная", "комитеті", "красный и"])
def test_long_phrase_is_compiled_and_found_whole(word: str) -> None:
    phrase = " ".join([word] * 1500)
    started = time.process_time()
    matcher = QueryMatcher(interpret_query(f'"{phrase}"').node)
    assert time.process_time() - started < 2  # 8 s when all of it was in the automaton
    assert matcher.find_places({"body": f"{phrase[:-1]}. {phrase}."}) is not None
    assert matcher.find_places({"body": phrase.removesuffix(word)}) is None
    assert matcher.find_places({"body": f"{phrase}word"}) is None


def test_inflected_end_of_a_long_phrase_is_found() -> None:
    start = "Қызыл " * 200
    places = QueryMatcher(interpret_query(f'kk:"{start}комитет"').node).find_places({"body": f"{start}комитеті отырды"})
    assert places is not None
    assert [(place.start, place.end) for place in places] == [(0, len(start) + len("комитеті"))]


def test_cyrillic_word_is_also_kazakh_where_the_text_may_be() -> None:
    node = interpret_query("Женева").node
    kazakh = And((Term("Женева", "kk"), Not(Facet("lang", "en")), Not(Facet("lang", "ru"))))
    assert node == Or((Term("Женева", "ru"), kazakh))
    assert interpret_query("ru:Женева").node == Term("Женева", "ru")
    assert interpret_query("=Женева").node == Term("=Женева", "ru")
    assert interpret_query("комитеті").node == Term("комитеті", "kk")
    near = interpret_query("Женева near/2 visit").node
    assert isinstance(near, Proximity)
    assert near.left == node


def test_conditions_of_a_query() -> None:
    node = interpret_query("lang:ru (rule:ihl OR is:revised) -story:3 x").node
    assert list_required_facets(node) == [Facet("lang", "ru")]
    assert {facet.name for facet in list_facets(node)} == {"lang", "rule", "is", "story"}
    assert interpret_query("").node == And(())


@pytest.mark.parametrize("query", ["rule:ihl x", "x is:revised", "since:2d x", 'x until:"2026-01-01"', "story:1 x"])
def test_rule_has_no_condition_of_a_search(query: str) -> None:
    assert "can only be used in a search" in str(find_query_problem(query))


def test_phrase_as_written_is_in_the_grammar() -> None:
    assert parse_query('="Red Cross"') == Term("=Red Cross", "en")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-31", datetime(2026, 1, 30, 19, tzinfo=UTC)),
        ("2026-01-31T10:00+03:00", datetime(2026, 1, 31, 7, tzinfo=UTC)),
        ("2d", datetime(2026, 3, 4, tzinfo=UTC)),
        ("0001-01-01", None),
        ("999999999d", None),
        ("soon", None),
    ],
)
def test_times_of_a_search(value: str, expected: datetime | None) -> None:
    zone = timezone(timedelta(hours=5))
    assert parse_search_time(value, zone, datetime(2026, 3, 6, tzinfo=UTC)) == expected
