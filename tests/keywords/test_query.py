"""The query language of rules."""

from __future__ import annotations

import pytest

from crawler.keywords import Matcher, parse_rules, query

TEXTS = {
    "title": "Hockey day in Geneva",
    "lead": "The Red Cross was there",
    "body": "МККК и Красный Крест. The convention of 1949 was signed in old Geneva. Volunteers came.",
}


def list_surfaces(search: str, **facts: str) -> list[str]:
    matcher = Matcher(parse_rules(f"[[rule]]\nname = 'one'\nquery = '{search}'\n"))
    return [match.surface for match in matcher.find_matches(TEXTS, **facts)]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("МККК", ["МККК"]),
        ("МККК hockey", ["Hockey", "МККК"]),
        ("МККК AND nothing", []),
        ("nothing OR МККК", ["МККК"]),
        ("МККК NOT hockey", []),
        ("МККК -title:convention", ["МККК"]),
        ("МККК AND NOT body:hockey", ["МККК"]),
        ('title:"Red Cross"', []),
        ('lead:"Red Cross"', ["Red Cross"]),
        ("title:(nothing OR geneva)", ["Geneva"]),
        ("(nothing OR volunteer) (МККК OR nothing)", ["МККК", "Volunteers"]),
        ("convention near/6 Geneva", ["convention", "Geneva"]),
        ("Geneva NEAR/6 convention", ["convention", "Geneva"]),
        ("convention near/5 Geneva", []),
        ("hockey near/50 convention", []),
        ("(МККК OR nothing) near/2 (крест OR nothing)", ["МККК", "Крест"]),
        ("волонт* OR volunt*", ["Volunteers"]),
        ("nothing OR a OR nobody", []),
        ("NOT nothing МККК", ["МККК"]),
        ("-(hockey convention) МККК", []),
        ("-(hockey nothing) МККК", ["МККК"]),
        ("ORDER OR МККК", ["МККК"]),
    ],
)
def test_query(search: str, found: list[str]) -> None:
    assert list_surfaces(search) == found


@pytest.mark.parametrize(
    ("search", "facts", "found"),
    [
        ("МККК lang:ru", {"language": "ru"}, True),
        ("МККК lang:ru", {"language": "kk"}, False),
        ("МККК source:mfa", {"source": "mfa"}, True),
        ("МККК source:mfa", {}, False),
        ("МККК NOT source:mfa", {"source": "ktkz"}, True),
    ],
)
def test_facets(search: str, facts: dict[str, str], found: bool) -> None:
    assert bool(list_surfaces(search, **facts)) is found


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ("(a OR b", "it ends too early"),
        ("a AND", "it ends too early"),
        ("", "it ends too early"),
        ("a OR OR b", "at character 6 (…a OR »OR b)"),
        ('МККК "Red Cross', 'at character 6 (…МККК »"Red Cross) a quotation mark has no partner'),
        ("a) b", "at character 2"),
        ("foo:bar", "at character 4"),
        ("NOT a", "it only excludes terms"),
        ("(a AND b) near/3 c", "on both sides of near/3"),
        ('"..." OR a', "has no letter or digit"),
        ("a*", "at least three letters"),
        ("a AND " + "NOT " * 1000 + "b", "more than 100 parts within each other"),
        ("a AND (b OR " * 300 + "c" + ")" * 300, "more than 100 parts within each other"),
    ],
)
def test_problem_names_the_position(search: str, message: str) -> None:
    assert message in (query.find_query_problem(search) or "")


def test_guess_term_language() -> None:
    assert [query.guess_term_language(term) for term in ("Red Cross", "Красный", "Қызыл", "МГП", "ХГҚ", "1949")] == [
        "en",
        "ru",
        "kk",
        "ru",
        "kk",
        "en",
    ]
