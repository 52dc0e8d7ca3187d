"""A text that cannot be an article is reported by field; one that only looks so passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crawler.items import Article
from crawler.pipelines.validate import find_flaw

ARTICLE = Article(
    id="mfa:1:ru", source="mfa", url="https://example.org/1", title="Мост открыт", body="Мост через реку открыт."
)


def field(**changes: object) -> str | None:
    found = find_flaw(replace(ARTICLE, **changes))
    return found and found[0]


def test_good_article_passes() -> None:
    assert field() is None
    assert field(title=None, published_at=None) is None


@pytest.mark.parametrize("body", ["", " ", "\n", "\u00a0"])
def test_empty_body(body: str) -> None:
    assert field(body=body) == "body"


def test_title_of_the_page_is_no_title() -> None:
    assert field(title="QazMonitor Logo") == "title"


def test_flaw_says_what_is_expected_and_what_was_found() -> None:
    assert find_flaw(replace(ARTICLE, body=" ")) == ("body", "a text", "nothing")
