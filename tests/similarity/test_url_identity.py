"""Test the normalization of URLs and the ids of releases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.similarity.url_identity import find_release_id, normalize_url

SPELLINGS = [
    "https://example.kz/news/7",
    "http://www.example.kz/news/7/",
    "https://EXAMPLE.kz:443/news/7/amp",
    "https://m.example.kz/amp/news/7?utm_source=tg&utm_medium=x",
    "https://example.kz/news/7/amp/?fbclid=1#comments",
    "https://example.kz//news/7?yclid=5",
]


@pytest.mark.parametrize("url", SPELLINGS)
def test_every_spelling_of_a_url_is_normalized(url: str) -> None:
    assert normalize_url(url) == SPELLINGS[0]


def test_parameters_of_an_article_stay_in_the_url() -> None:
    assert normalize_url("https://example.kz/?b=2&a=1&utm_id=3") == "https://example.kz/?a=1&b=2"
    assert normalize_url("https://пример.рф/новость") == normalize_url(
        "https://xn--e1afmkfd.xn--p1ai/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D1%8C"
    )


@given(st.sampled_from(SPELLINGS), st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=8))
def test_a_normalized_url_does_not_change(url: str, more: str) -> None:
    once = normalize_url(url + more)
    assert once is not None
    assert normalize_url(once) == once


def test_language_versions_share_a_release_id() -> None:
    base = "https://www.gov.kz/memleket/entities/mfa/press/news/details/1237812"
    assert find_release_id(f"{base}?lang=ru") == find_release_id(f"{base}?lang=kk") == "gov.kz/1237812"
    assert find_release_id("https://example.kz/a?lang=ru") == find_release_id("https://example.kz/a?lang=en")
    assert find_release_id("https://example.kz/a") != find_release_id("https://example.kz/b")
    assert [find_release_id(url) for url in (None, "seed:7", "https://example.kz/")] == [None, None, None]


def test_malformed_url_has_no_release_id() -> None:
    urls = ("http://[photo]/a", "http://a:b/c", "https://kt.kz:99999/x")
    assert [find_release_id(url) for url in urls] == [None, None, None]
