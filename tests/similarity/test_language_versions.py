"""Test the comparison of a release's language versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.items import Article
from crawler.similarity.language_versions import TranslatedRelease, list_releases

TEN = datetime(2026, 3, 6, 10, 2, tzinfo=UTC)
LANGUAGES = {"mfa": ("ru", "kk", "en")}


def version(language: str, body: str, after: timedelta | None = timedelta(0), number: int = 7) -> Article:
    return Article(
        id=f"mfa:{number}:{language}",
        source="mfa",
        url=f"https://x/{number}?lang={language}",
        body=body,
        language=language,
        published_at=None if after is None else TEN + after,
    )


def one(*articles: Article) -> TranslatedRelease:
    (found,) = list_releases(articles, LANGUAGES)
    return found


def test_missing_and_late_versions() -> None:
    found = one(version("en", "Text.", timedelta(hours=26)), version("ru", "Текст."))
    assert list(found.times) == ["ru", "en"]
    assert found.missing_languages == ("kk",)
    assert (found.get_delay("ru"), found.get_delay("en")) == (timedelta(0), timedelta(hours=26))


def test_an_unknown_time_is_neither_first_nor_late() -> None:
    found = one(version("kk", "Мәтін.", None), version("ru", "Текст."))
    assert list(found.times) == ["ru", "kk"]
    assert found.get_delay("kk") is None


@pytest.mark.parametrize(
    ("ru", "en", "lacking"),
    [
        ("Помощь получили 1 500 семей.", "Aid reached 1,500 families.", {}),
        ("Выделено 2,5 млн тенге.", "2.5 million tenge were allotted.", {}),
        ("Встретились 6 делегаций.", "Six delegations met.", {}),
        ("В лагере 30 детей.", "There are 13 children in the camp.", {"en": (30.0,), "ru": (13.0,)}),
        ("В лагере 30 детей.", "There are children in the camp.", {"en": (30.0,)}),
        ("Встреча прошла 6 марта 2026 года в 10:30.", "They met on March 6.", {}),
        ("Три врача уехали.", "Doctors left.", {}),
        ("Два врача и 40 сестёр.", "Doctors and 40 nurses.", {}),
        ("Встреча 6 и 7 марта.", "They met on March 6 and 7.", {}),
        ("С 6 по 9 марта.", "From March 6 to 9th.", {}),
        ("Выделено 1.000.000 тенге.", "1,000,000 tenge were allotted.", {}),
        ("Двадцать пять врачей.", "25 doctors.", {}),
        ("Спасли сто пятьдесят человек.", "150 people were saved.", {}),
        ("Двести пять тысяч тонн, 40 судов.", "205,000 tons, forty ships.", {}),
        ("III съезд, вторая сессия.", "The 3rd congress, 2nd session.", {}),
        ("Начало в 15:00 часов.", "It begins at 3 p.m.", {}),
        ("Начало в 10.30 утра.", "It begins at 10:30 a.m.", {}),
        ("Открыты 12 маршрутов.", "12 routes were opened.", {}),
        ("Тел. +7 7172 72-05-18.", "Phone +7 (7172) 720518.", {}),
        ("Миллион причин и 40 врачей.", "Many reasons and 40 doctors.", {}),
        ("Сделано 12 маршрутов.", "13 routes were made.", {"ru": (13.0,), "en": (12.0,)}),
        ("6 марта приехали 7 врачей.", "On March 6, 8 doctors came.", {"ru": (8.0,), "en": (7.0,)}),
        ("Выделено 25 млн тенге.", "2.5 million tenge were allotted.", {"ru": (2.5e6,), "en": (2.5e7,)}),
    ],
)
def test_numbers_that_differ(ru: str, en: str, lacking: dict[str, tuple[float, ...]]) -> None:
    assert one(version("ru", ru), version("en", en)).missing_numbers == lacking


@pytest.mark.parametrize(
    ("kk", "en"),
    [
        ("Он бес дәрігер келді.", "15 doctors came."),
        ("Екі жүз отбасы көмек алды.", "200 families received aid."),
        ("Бес мың тонна.", "5,000 tons."),
        ("2026 жылғы 6 наурызда 30 бала келді.", "On 6 March 2026, thirty children came."),
        ("Үшінші кездесу.", "The 3rd meeting."),
    ],
)
def test_kazakh_number_words_are_read(kk: str, en: str) -> None:
    assert one(version("kk", kk), version("en", en)).missing_numbers == {}


def test_releases_are_separate_and_other_sources_are_skipped() -> None:
    other = Article(id="ktkz:1:ru", source="ktkz", url="https://y/1", body="5 кораблей.", language="ru")
    found = list_releases([version("ru", "А."), version("ru", "Б.", number=8), other], LANGUAGES)
    assert [release.native_id for release in found] == ["7", "8"]
