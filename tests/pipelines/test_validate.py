"""A text that cannot be an article is reported by field; one that only looks so passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.items import Article
from crawler.pipelines.validate import MAX_CLOCK_SKEW, find_flaw

SEEN = datetime(2026, 6, 11, 12, tzinfo=UTC)
ARTICLE = Article(
    id="mfa:1:ru", source="mfa", url="https://example.org/1", title="Мост открыт", body="Мост через реку открыт."
)


def field(**changes: object) -> str | None:
    found = find_flaw(replace(ARTICLE, **changes), SEEN)
    return found and found[0]


def test_good_article_passes() -> None:
    assert field() is None
    assert field(title=None, published_at=None) is None


@pytest.mark.parametrize(
    ("published", "flawed"),
    [
        (SEEN, False),
        (SEEN + MAX_CLOCK_SKEW, False),
        (SEEN + MAX_CLOCK_SKEW + timedelta(seconds=1), True),
        (SEEN + timedelta(days=365), True),
        (datetime(1991, 1, 1, tzinfo=UTC), False),
        (datetime(1990, 12, 31, 23, 59, tzinfo=UTC), True),
        (datetime(1970, 1, 1, tzinfo=UTC), True),
    ],
)
def test_time_of_publication(published: datetime, flawed: bool) -> None:
    assert (field(published_at=published) == "published_at") == flawed


@pytest.mark.parametrize("body", ["", " ", "\n", "\u00a0"])
def test_empty_body(body: str) -> None:
    assert field(body=body) == "body"


@pytest.mark.parametrize(
    "line",
    [
        *(
            "You need to enable JavaScript to run this app.",
            "QazMonitor Logo",
            "Читайте также",
            "Читайте также: Мост закрыт",
        ),
        *("Все новости", "Количество просмотров: 61", "Рассказать друзьям", "Разработано в АО «НИТ»"),
        *("<p>Текст", "<br/>", "</div><div class='x'>", "<script src='x'>", "<span>x</span>"),
        *("function (window) {", "(function(){var a=1})();", "Cookie policy", "Cookies settings"),
    ],
)
def test_words_of_the_page_around_it(line: str) -> None:
    assert field(body=f"Мост открыт.\n{line}\nОн длинный.") == "body"


def test_words_of_the_page_in_the_title() -> None:
    assert field(title="QazMonitor Logo") == "body"


@pytest.mark.parametrize(
    "line",
    [
        "В рубрике «Читайте также» появилась заметка о мосте.",
        "Министр сказал: «Читайте также стихи Абая».",
        "Все новости о мосте собраны в одном месте.",
        "Посол напомнил, что количество просмотров ролика выросло.",
        "Он просил рассказать друзьям о мосте.",
        "Читайте также стихи Абая, сказал министр.",
        "Количество просмотров ролика превысило миллион.",
        "Приложение разработано в АО «НИТ» за год.",
        "Cookie policy of the union has changed.",
        "The ministry has a new function (press officer).",
        "The cookie policy of bakeries is generous.",
        "Разработано восемь правил.",
        "Если a < b и b > c, то a и c не сравнимы.",
        "Цена выросла с <100 до >200 тенге.",
        "Mr. Pratt <press@example.org> wrote it.",
        "The QazMonitor logotype was drawn anew.",
    ],
)
def test_article_that_speaks_of_such_things_passes(line: str) -> None:
    assert field(body=f"Мост открыт.\n{line}\nОн длинный.") is None


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


def test_bytes_that_no_decoder_knew() -> None:
    assert field(body="Мост \ufffd открыт") == "body"
    assert field(title="Мо\ufffdст") == "body"


@given(st.lists(st.text(alphabet="абвгдежзиклмнопрстуфхцчшщыэюяәғқңөұүһі«»–№", min_size=1), min_size=1).map(" ".join))
def test_any_cyrillic_text_passes(text: str) -> None:
    assert field(body=text) is None


def test_flaw_says_what_should_stand_there_and_what_does() -> None:
    found = find_flaw(replace(ARTICLE, body="Мост.\nВсе новости\n"), SEEN)
    assert found == ("body", "the article alone, without the page's own words", "'Все новости'")
