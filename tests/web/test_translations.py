"""The catalogues: every message of pages and templates, in Russian and Kazakh, with the same gaps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from support.newsroom_articles import SaveArticle

from crawler.items import Article, Health, Verdict
from crawler.revisions.kinds import ChangeKind, Severity
from crawler.service.source_state import UNWATCHED
from crawler.store import DeliveryState
from crawler.store.reader_actions import ActionKind
from crawler.web import words
from crawler.web.newsroom import Newsroom
from crawler.web.pages import today
from crawler.web.rendering import Reader
from crawler.web.translations import choose_language, load_translations

WEB = Path(__file__).parents[2] / "crawler" / "web"
GAP = re.compile(r"%\(\w+\)s")
Message = str | tuple[str, ...]


def list_messages() -> set[Message]:
    """Return every message that the code and the templates show."""
    found: set[Message] = set()
    for path in WEB.rglob("*.py"):
        keywords: Any = {"mark_message": None, "translate_count": (1, 2)}
        found |= {message for _, message, _, _ in extract_from_file("python", path, keywords=keywords)}
    for path in (WEB / "templates").iterdir():
        options = {"trim_blocks": "true", "lstrip_blocks": "true"}
        keywords = {"_": None, "ngettext": (1, 2)}
        rows = extract_from_file("jinja2.ext:babel_extract", path, keywords=keywords, options=options)
        found |= {message for _, message, _, _ in rows}
    return found


@pytest.fixture(params=["ru", "kk"])
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    return read_po(BytesIO((WEB / "locale" / f"{request.param}.po").read_bytes()), locale=request.param)


def list_texts(message: Message) -> list[str]:
    return [message] if isinstance(message, str) else list(message)


def test_every_message_is_translated_and_no_other(catalogue: Catalog) -> None:
    ids = {message.id for message in catalogue if message.id}
    assert ids == list_messages()


def test_no_translation_is_empty_or_doubtful(catalogue: Catalog) -> None:
    for message in catalogue:
        if message.id:
            assert all(text.strip() for text in list_texts(message.string)), message.id
            assert not message.fuzzy
            if isinstance(message.id, tuple):
                assert len(message.string) == catalogue.num_plurals


def test_gaps_are_the_same(catalogue: Catalog) -> None:
    for message in catalogue:
        if message.id:
            for text in list_texts(message.string):
                assert set(GAP.findall(text)) == set(GAP.findall(list_texts(message.id)[-1])), message.id
                assert not re.search(r"%(?!\(\w+\)s|%)", text)


@pytest.mark.slow
def test_only_words_that_all_languages_share_are_the_same_in_two_languages() -> None:
    english_words = {message for message in list_messages() if isinstance(message, str)}
    for language in ("ru", "kk"):
        translations = load_translations(language)
        assert not {word for word in english_words if translations.gettext(word) == word}


@pytest.mark.parametrize(
    ("wanted", "cookie", "accepted", "language"),
    [
        ("kk", "ru", "en", "kk"),
        ("xx", "ru", "en", "ru"),
        (None, None, "de-DE,ru-RU;q=0.9,en;q=0.8", "ru"),
        (None, None, "en;q=0.3, kk-KZ;q=0.9", "kk"),
        (None, None, "ru;q=0, en", "en"),
        (None, None, "ru;q=x, *", "en"),
        (None, None, None, "en"),
        ("../ru", "", "," * 10_000, "en"),
    ],
)
def test_language_is_that_of_address_cookie_or_browser(
    wanted: str | None, cookie: str | None, accepted: str | None, language: str
) -> None:
    assert choose_language(wanted, cookie, accepted) == language


@pytest.mark.parametrize(
    ("listed", "values"),
    [
        (words.VERDICT_WORDS, Verdict),
        (words.VERDICT_LOOKS, Verdict),
        (words.SEVERITY_WORDS, Severity),
        (words.CHANGE_WORDS, ChangeKind),
        (words.HEALTH_WORDS, (*Health, UNWATCHED)),
        (words.HEALTH_LOOKS, (*Health, UNWATCHED)),
        (words.DELIVERY_WORDS, DeliveryState),
        (words.DELIVERY_LOOKS, DeliveryState),
        (words.ACTION_WORDS, ActionKind),
        (today.STATUS_WORDS, (None, *today.StoryStatus)),
    ],
)
def test_every_value_of_the_program_has_words(listed: dict[Any, Any], values: Iterable[Any]) -> None:
    assert set(listed) == set(values)


def test_plurals(newsroom: Newsroom) -> None:
    reader = Reader(newsroom, "ru")
    texts = [reader.translate_count("%(num)s article", "%(num)s articles", number) for number in (1, 3, 11, 21)]
    assert texts == ["1 материал", "3 материала", "11 материалов", "21 материал"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ru", ["Сегодня", "Изменено: по существу", "Министерство иностранных дел"]),
        ("kk", ["Бүгін", "Өзгертілді: мазмұны өзгерді", "Сыртқы істер министрлігі"]),
    ],
)
@pytest.mark.slow
def test_pages_are_in_the_language_and_stay_in_it(
    client: httpx.Client, revised: Article, language: str, words: list[str]
) -> None:
    html = client.get(f"/?lang={language}").text
    assert f'<html lang="{language}">' in html
    for word in words:
        assert word in html
    for path in ("/sources", "/messages", "/runs", f"/articles/{revised.id}", "/nothing"):
        answer = client.get(path)  # the cookie keeps the language
        assert answer.headers["content-language"] == language
        visible = re.sub(r'<[^>]*>|<p [^>]*lang="en".*?</p>', " ", answer.text)
        assert not re.search(r"\b(?:the|version|since|found|last|text|article)\b", visible), path


@pytest.mark.parametrize(("language", "count"), [("en", "1,000+"), ("ru", "1\xa0000+"), ("kk", "1\xa0000+")])
def test_large_count_is_written_as_in_the_language(
    client: httpx.Client,
    newsroom: Newsroom,
    save: SaveArticle,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    count: str,
) -> None:
    save("1")
    monkeypatch.setattr(newsroom.story_counts, "get", lambda wanted: 1001)
    assert f"<span>{count}</span>" in client.get(f"/?lang={language}").text


@pytest.mark.slow
def test_times_of_sample_day(newsroom: Newsroom, save: SaveArticle) -> None:
    from datetime import UTC, datetime, timedelta

    day = datetime(2025, 6, 11, 20, 30, tzinfo=UTC)
    assert Reader(newsroom, "en").format_day(day) == "Thursday 12 June 2025"
    assert Reader(newsroom, "ru").format_day(day) == "Четверг, 12 июня 2025"
    assert Reader(newsroom, "kk").format_day(day) == "2025 ж. 12 маусым, бейсенбі"
    assert Reader(newsroom, "ru").format_days(day, day + timedelta(days=3)) == (
        "Четверг, 12 июня 2025 – воскресенье, 15 июня 2025"
    )
    assert Reader(newsroom, "en").format_days(day, day) == "Thursday 12 June 2025"
    assert '2025-06-11 20:30 UTC">01:30' in Reader(newsroom, "en").format_clock(day)
