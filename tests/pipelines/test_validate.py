"""A text that cannot be an article is reported by field; one that only looks so passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.items import Article, ArticleFlag, Precision
from crawler.pipelines.validate import MAX_CLOCK_SKEW, find_flaw, flag_doubts

SEEN = datetime(2026, 6, 11, 12, tzinfo=UTC)
ARTICLE = Article(
    id="mfa:1:ru", source="mfa", url="https://example.org/1", title="Мост открыт", body="Мост через реку открыт."
)


def list_flags(**changes: object) -> tuple[str, ...]:
    return flag_doubts(replace(ARTICLE, **changes), SEEN).flags


def field(**changes: object) -> str | None:
    found = find_flaw(replace(ARTICLE, **changes))
    return found and found[0]


def test_good_article_passes() -> None:
    assert field() is None
    assert field(title=None, published_at=None) is None


@pytest.mark.parametrize(
    ("published", "flag"),
    [
        (SEEN, None),
        (SEEN + MAX_CLOCK_SKEW, None),
        (SEEN + MAX_CLOCK_SKEW + timedelta(seconds=1), "future_date"),
        (SEEN + timedelta(days=365), "future_date"),
        (datetime(1991, 1, 1, tzinfo=UTC), None),
        (datetime(1990, 12, 31, 23, 59, tzinfo=UTC), "impossible_date"),
        (datetime(1970, 1, 1, tzinfo=UTC), "impossible_date"),
    ],
)
def test_time_that_cannot_be_is_removed_and_flagged(published: datetime, flag: str | None) -> None:
    article = replace(ARTICLE, published_at=published, published_raw="raw", published_precision=Precision.MINUTE)
    assert find_flaw(article) is None
    found = flag_doubts(article, SEEN)
    assert found.flags == ((flag,) if flag else ())
    assert (found.published_at, found.published_precision) == ((None, None) if flag else (published, Precision.MINUTE))
    assert found.published_raw == "raw"


@pytest.mark.parametrize("body", ["", " ", "\n", "\u00a0"])
def test_empty_body(body: str) -> None:
    assert field(body=body) == "body"


TEXTS = [
    "Министр принял посла",
    "Қазақстан Республикасының Сыртқы істер министрлігі",
    "«Мост» – это №1, 50 °C, 20 €",
    "Zürich, Besançon, Łódź, naïve “quotes” – dash… €5",
    "СССР, РСФСР, МИД РФ, ССР",
    "É, Ñandú, ÑÑÑ, ÐÐ",
]


@pytest.mark.parametrize("text", TEXTS)
def test_good_encodings_pass(text: str) -> None:
    assert field(body=text) is None


@pytest.mark.parametrize("wrong", ["latin-1", "cp1251"])
@pytest.mark.parametrize("text", ["Министр принял посла", "Қазақстан Республикасының елшісі", "Мост через реку"])
def test_utf8_read_as_something_else(text: str, wrong: str) -> None:
    assert field(body=text.encode().decode(wrong, errors="ignore")) == "body"


def test_few_damaged_characters_are_flagged() -> None:
    for changes in ({"body": "Мост \ufffd открыт"}, {"title": "Мо\ufffdст"}, {"body": "Мост открыт. " * 9 + "ÐœÐ¾"}):
        assert field(**changes) is None
    assert list_flags(body="Мост \ufffd открыт") == ("undecodable_characters",)
    assert list_flags(title="Мо\ufffdст") == ("undecodable_characters",)
    assert list_flags(flags=(ArticleFlag.BOILERPLATE_REMOVED,)) == ("boilerplate_removed",)


def test_body_of_damaged_characters_is_no_article() -> None:
    assert field(body="\ufffd" * 40 + " мост") == "body"


def test_title_of_the_page_is_no_title() -> None:
    assert field(title="QazMonitor Logo") == "title"


@given(st.lists(st.text(alphabet="абвгдежзиклмнопрстуфхцчшщыэюяәғқңөұүһі«»–№", min_size=1), min_size=1).map(" ".join))
def test_any_cyrillic_text_passes(text: str) -> None:
    assert field(body=text) is None


def test_flaw_says_what_is_expected_and_what_was_found() -> None:
    assert find_flaw(replace(ARTICLE, body=" ")) == ("body", "a text", "nothing")
