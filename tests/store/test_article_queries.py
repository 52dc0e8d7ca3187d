"""Selecting and counting articles, and batches, over SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from crawler.errors import CrawlerError
from crawler.items import Article, Match, Strength
from crawler.store import HttpCacheEntry, Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

Make = Callable[..., Article]
Save = Callable[..., int]


def match(strength: Strength) -> Match:
    places = {"field": "body", "start": 0, "end": 5, "sentence": "Текст"}
    return Match(rule="r", term="t", surface="t", strength=strength, **places)


@pytest.fixture
def five(store: Store, an_article: Make, save: Save) -> Store:
    """Five articles, number 1 the newest, seen in another order than they were published."""
    strong, weak = (match(Strength.STRONG),), (match(Strength.WEAK),)
    save(an_article("3", fetched_at=NOON - 2 * HOUR), seen_at=NOON + 5 * HOUR)
    save(an_article("5", published_at=NOON - 4 * HOUR, fetched_at=NOON, matches=weak))
    save(an_article("1", published_at=NOON, matches=(*weak, *strong)))
    save(an_article("4", language="kk"), seen_at=NOON - 3 * HOUR)
    save(an_article("2", id="ktkz:2:ru", source="ktkz", published_at=NOON - HOUR, matches=strong))
    return store


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "12345"),
        ({"source": "mfa"}, "1345"),
        ({"matched": True}, "12"),
        ({"matched": False}, "345"),
        ({"language": "kk"}, "4"),
        ({"since": NOON - 2 * HOUR}, "123"),
        ({"source": "mfa", "matched": True, "since": NOON, "language": "ru"}, "1"),
        ({"source": "nobody"}, ""),
    ],
)
def test_select_and_count_agree(five: Store, asked: dict[str, object], expected: str) -> None:
    assert "".join(article.native_id for article in five.articles.iter_newest(**asked)) == expected
    assert five.articles.count(**asked) == len(expected)


@pytest.mark.parametrize(("limit", "expected"), [(0, ""), (2, "12"), (5, "12345"), (9, "12345")])
def test_select_ends_at_the_limit(five: Store, limit: int, expected: str) -> None:
    assert "".join(article.native_id for article in five.articles.iter_newest(limit=limit)) == expected


def test_select_streams_over_pages_of_articles_with_the_same_time(
    store: Store, an_article: Make, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawler.store.articles.ARTICLES_PER_READ", 3)
    with store.transaction():
        for number in range(10):
            save(an_article(str(number), published_at=NOON if number < 8 else NOON + HOUR))
    assert "".join(article.native_id for article in store.articles.iter_newest()) == "9876543210"
    assert "".join(article.native_id for article in store.articles.iter_newest(limit=7)) == "9876543"


def test_select_may_be_read_while_writing(five: Store, an_article: Make, save: Save) -> None:
    stream = five.articles.iter_newest()
    first = [article.native_id for article in islice(stream, 2)]
    save(an_article("6"), seen_at=NOON - 9 * HOUR)
    assert [*first, *(article.native_id for article in stream)][:5] == list("12345")


def test_a_batch_is_seen_inside_it_and_kept_as_one(store: Store, an_article: Make, save: Save) -> None:
    with store.transaction():
        save(an_article("1"))
        with store.transaction():
            save(an_article("2"))
        assert store.articles.count() == 2
        assert elsewhere(store.articles.count) == 0
    assert elsewhere(store.articles.count) == 2


def test_a_batch_that_raises_keeps_nothing(store: Store, an_article: Make, save: Save) -> None:
    with pytest.raises(KeyError), store.transaction():
        save(an_article("1"))
        raise KeyError
    assert store.articles.count() == 0


def test_a_failure_caught_inside_a_batch_spoils_it_all(store: Store, an_article: Make, save: Save) -> None:
    with pytest.raises(CrawlerError, match="Nothing of this transaction was written"), store.transaction():
        save(an_article("1"))
        with pytest.raises(Exception, match=r"(?i)foreign key"):
            save(an_article("2"), run_id=999)
    assert store.articles.count() == 0
    save(an_article("1"))
    assert store.articles.count() == 1


def test_threads_write_at_once_without_loss(store: Store, an_article: Make, save: Save) -> None:
    def work(name: str) -> None:
        for number in range(20):
            entry = HttpCacheEntry(source="mfa", url=f"https://mfa.example/{number % 3}", checked_at=NOON)
            save(an_article(f"{name}{number}" if number % 2 else str(number)), cache_entry=entry)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.articles.count() == 10 + 3 * 10


def elsewhere(ask: Callable[[], int]) -> int:
    """The answer another thread gets, over its own connection."""
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(ask()))
    thread.start()
    thread.join()
    return answers[0]
