"""JSON-LD: used where present, skipped where broken."""

from __future__ import annotations

import pytest
from parsel import Selector

from crawler.pages.metadata import find_author, find_json_ld


def make_page(*scripts: str) -> Selector:
    return Selector("".join(f'<script type="application/ld+json">{script}</script>' for script in scripts))


@pytest.mark.parametrize(
    "script",
    [
        '{"@type": "NewsArticle", "headline": "x"}',
        '{"@type": ["Thing", "Article"], "headline": "x"}',
        '[{"@type": "Organization"}, {"@type": "BlogPosting", "headline": "x"}]',
        '{"@graph": [{"@type": "WebPage"}, {"@type": "NewsArticle", "headline": "x"}]}',
        '{"@type": "WebSite", "@graph": {"@type": "ReportageNewsArticle", "headline": "x"}}',
    ],
)
def test_first_article_is_found(script: str) -> None:
    assert find_json_ld(make_page('{"broken": ', '{"@type": "Person"}', script))["headline"] == "x"


def test_deep_json_ld_is_skipped() -> None:
    deep = '{"@graph": ' * 100_000
    assert find_json_ld(make_page(deep, '{"@graph":[' * 400 + '{"@type": "Article"}' + "]}" * 400)) == {
        "@type": "Article"
    }


@pytest.mark.parametrize(
    "script", ["", "{", "[]", "{}", "7", "null", '"text"', '{"@type": null}', '{"@type": {}}', '{"@graph": 7}']
)
def test_unusable_json_ld_is_an_empty_dict(script: str) -> None:
    assert find_json_ld(make_page(script)) == {}


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"name": "Saule Iskakova"}, "Saule Iskakova"),
        ("Saule Iskakova", "Saule Iskakova"),
        ([{"name": "A"}, "B", {"name": ""}, {}, None, 7], "A, B"),
        ([], None),
        (None, None),
        ("", None),
        ({"name": None}, None),
    ],
)
def test_author(given: object, name: str | None) -> None:
    assert find_author({"author": given}) == name


def test_no_author_is_none() -> None:
    assert find_author({}) is None


def test_an_author_may_have_several_types() -> None:
    assert find_author({"author": {"@type": ["Person", "Thing"], "name": "A. Omarov"}}) == "A. Omarov"
    assert find_author({"author": {"@type": ["Thing", "Organization"], "name": "Agency"}}) is None
