"""Queries of articles, transactions and threads, over SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from support.factories import make_article

from crawler.errors import CrawlerError
from crawler.items import Match, Strength, Verdict
from crawler.store import HttpCacheEntry, Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

Save = Callable[..., int]


def make_match(strength: Strength) -> Match:
    places = {"field": "body", "start": 0, "end": 5, "sentence": "Текст"}
    return Match(rule="r", term="t", surface="t", strength=strength, **places)


@pytest.fixture
def five(store: Store, save: Save) -> Store:
    """A store with five articles. Number 1 is the newest; they were seen in another order than published."""
    strong, weak = (make_match(Strength.STRONG),), (make_match(Strength.WEAK),)
    save(make_article("3", fetched_at=NOON - 2 * HOUR), seen_at=NOON + 5 * HOUR)
    save(make_article("5", published_at=NOON - 4 * HOUR, fetched_at=NOON, matches=weak))
    save(make_article("1", published_at=NOON, matches=(*weak, *strong)))
    save(make_article("4", language="kk"), seen_at=NOON - 3 * HOUR)
    save(make_article("2", id="ktkz:2:ru", source="ktkz", published_at=NOON - HOUR, matches=strong))
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
        ({"seen_since": NOON}, "1235"),
        ({"seen_since": NOON + HOUR}, "3"),
        ({"seen_since": NOON + 6 * HOUR}, ""),
        ({"source": "nobody"}, ""),
    ],
)
def test_iter_newest_and_count_agree(five: Store, asked: dict[str, object], expected: str) -> None:
    assert "".join(article.native_id for article in five.articles.iter_newest(**asked)) == expected
    assert five.articles.count(**asked) == len(expected)


def test_a_revision_makes_an_article_new_again(five: Store, save: Save) -> None:
    revised = make_article("4", language="kk", version=2, verdict=Verdict.REVISED, body="Басқа мәтін.")
    save(revised, seen_at=NOON + 9 * HOUR)
    assert [article.native_id for article in five.articles.iter_newest(seen_since=NOON + 6 * HOUR)] == ["4"]
    assert [article.native_id for article in five.versions.list_matched_between(NOON, NOON + HOUR)] == ["2", "1", "5"]


@pytest.mark.parametrize(("limit", "expected"), [(0, ""), (2, "12"), (5, "12345"), (9, "12345")])
def test_iter_newest_ends_at_the_limit(five: Store, limit: int, expected: str) -> None:
    assert "".join(article.native_id for article in five.articles.iter_newest(limit=limit)) == expected


def test_iter_newest_continues_within_articles_of_the_same_time(
    store: Store, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawler.store.articles.ARTICLES_PER_READ", 3)
    with store.transaction():
        for number in range(10):
            save(make_article(str(number), published_at=NOON if number < 8 else NOON + HOUR))
    assert "".join(article.native_id for article in store.articles.iter_newest()) == "9876543210"
    assert "".join(article.native_id for article in store.articles.iter_newest(limit=7)) == "9876543"


def test_articles_can_be_saved_during_iteration(five: Store, save: Save) -> None:
    stream = five.articles.iter_newest()
    first = [article.native_id for article in islice(stream, 2)]
    save(make_article("6"), seen_at=NOON - 9 * HOUR)
    assert [*first, *(article.native_id for article in stream)][:5] == list("12345")


def test_transaction_reads_its_own_writes(store: Store, save: Save) -> None:
    with store.transaction():
        save(make_article("1"))
        with store.transaction():
            save(make_article("2"))
        assert store.articles.count() == 2
        assert run_in_thread(store.articles.count) == 0
    assert run_in_thread(store.articles.count) == 2


def test_transaction_that_raises_writes_nothing(store: Store, save: Save) -> None:
    with pytest.raises(KeyError), store.transaction():
        save(make_article("1"))
        raise KeyError
    assert store.articles.count() == 0


def test_caught_failure_fails_the_whole_transaction(store: Store, save: Save) -> None:
    with pytest.raises(CrawlerError, match="Nothing of this transaction was written"), store.transaction():
        save(make_article("1"))
        with pytest.raises(Exception, match=r"(?i)foreign key"):
            save(make_article("2"), run_id=999)
    assert store.articles.count() == 0
    save(make_article("1"))
    assert store.articles.count() == 1


def test_threads_write_at_once_without_loss(store: Store, save: Save) -> None:
    def work(name: str) -> None:
        for number in range(20):
            entry = HttpCacheEntry(source="mfa", url=f"https://mfa.example/{number % 3}", checked_at=NOON)
            save(make_article(f"{name}{number}" if number % 2 else str(number)), cache_entry=entry)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.articles.count() == 10 + 3 * 10


def run_in_thread(query: Callable[[], int]) -> int:
    """Return what another thread reads over its own connection."""
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(query()))
    thread.start()
    thread.join()
    return answers[0]
