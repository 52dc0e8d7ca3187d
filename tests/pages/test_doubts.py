"""Texts that are cut off or damaged, and times that cannot be, are flagged. Good ones are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.items import Article, ArticleFlag, Precision
from crawler.pages.doubts import MAX_CLOCK_SKEW, flag_doubts, lacks_end

SEEN = datetime(2026, 6, 11, 12, tzinfo=UTC)
ARTICLE = Article(
    id="mfa:1:ru", source="mfa", url="https://example.org/1", title="Мост открыт", body="Мост через реку открыт."
)


def list_flags(**changes: object) -> tuple[str, ...]:
    return flag_doubts(replace(ARTICLE, **changes), SEEN).flags


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
    found = flag_doubts(article, SEEN)
    assert found.flags == ((flag,) if flag else ())
    assert (found.published_at, found.published_precision) == ((None, None) if flag else (published, Precision.MINUTE))
    assert found.published_raw == "raw"


def test_without_the_time_of_the_page_nothing_is_in_the_future() -> None:
    article = replace(ARTICLE, published_at=SEEN + timedelta(days=365))
    assert flag_doubts(article, None) == article
    assert flag_doubts(replace(article, published_at=datetime(1970, 1, 1, tzinfo=UTC)), None).published_at is None


TEXTS = [
    "Министр принял посла",
    "Қазақстан Республикасының Сыртқы істер министрлігі",
    "«Мост» – это №1, 50 °C, 20 €",
    "Zürich, Besançon, Łódź, naïve “quotes” – dash… €5",
    "СССР, РСФСР, МИД РФ, ССР",
    "É, Ñandú, ÑÑÑ, ÐÐ",
]


@pytest.mark.parametrize("text", TEXTS)
def test_good_text_has_no_flag_of_a_whole(text: str) -> None:
    assert not flag_doubts(replace(ARTICLE, body=text), SEEN).is_damaged


@given(st.lists(st.text(alphabet="абвгдежзиклмнопрстуфхцчшщыэюяәғқңөұүһі«»–№", min_size=1), min_size=1).map(" ".join))
def test_any_cyrillic_text_has_no_flag(text: str) -> None:
    assert list_flags(body=text) == ()


SENTENCES = [
    "Министр принял посла",
    "Қазақстан Республикасының елшісі",
    "Мост через реку",
    "Елші Қызыл Крест комитетімен кездесті",
]


@pytest.mark.parametrize("wrong", ["latin-1", "cp1252", "cp1251"])
@pytest.mark.parametrize("text", SENTENCES)
def test_utf8_that_was_read_as_something_else(text: str, wrong: str) -> None:
    body = text.encode().decode(wrong, errors="ignore")
    assert list_flags(body=body) == ("wrong_encoding", "undecodable_characters")


@pytest.mark.parametrize(("encoding", "wrong"), [("cp1251", "utf-8"), ("cp1251", "cp1252"), ("kz1048", "latin-1")])
@pytest.mark.parametrize("text", SENTENCES)
def test_windows_1251_that_was_read_as_something_else(text: str, encoding: str, wrong: str) -> None:
    body = text.encode(encoding, "replace").decode(wrong, "replace")
    assert list_flags(body=body)[:1] == ("wrong_encoding",)


def test_few_damaged_characters_are_flagged() -> None:
    for changes in (
        {"body": "Мост \ufffd открыт"},
        {"title": "Мо\ufffdст"},
        {"body": "Мост открыт. " * 9 + "ÐœÐ¾ÑÑ"},
        {"body": "The bridge isn\u00e2\u20ac\u2122t open."},
        {"body": "The bridge isn\u0432\u0402\u2122t open."},
    ):
        assert list_flags(**changes) == ("undecodable_characters",)
    assert list_flags(flags=(ArticleFlag.BOILERPLATE_REMOVED,)) == ("boilerplate_removed",)


HTML = "<!DOCTYPE html><html><body><p>Мост"


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("html", HTML, True),
        ("html", HTML + "</p></body></html>", False),
        ("html", HTML + "</p></BODY >\n</HTML>\n<!-- cache -->", False),
        ("html", "<p>Мост</p>", False),
        ("html", "<body><p>Мост", True),
        ("xml", "<?xml version='1.0'?><rss><channel><item>", True),
        ("xml", "<?xml version='1.0'?><!-- x --><rss><channel></channel></rss>", False),
        ("xml", "<a:feed xmlns:a='x'><entry></entry></a:feed>\n", False),
        ("xml", "<feed/>", False),
        ("xml", "", False),
        ("json", '{"data": {"news": [{"id": "1"', True),
        ("json", '{"data": {"news": []}}\n', False),
        ("json", "[1] <!-- cache -->", False),
        ("text", "Мост", False),
    ],
)
def test_document_without_its_end(kind: str, body: str, expected: bool) -> None:
    assert lacks_end(body.encode(), kind) is expected
