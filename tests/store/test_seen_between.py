"""Queries of a digest: matched versions, alarms and publication times of a period."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from support.factories import make_article

from crawler.items import Article, Match, Verdict
from crawler.store import Alarm, Store

NOON = datetime.fromisoformat("2026-03-06T12:00:00+00:00")
HOUR = timedelta(hours=1)
FOUND = Match(rule="ihl", term="Текст", surface="Текст", field="body", start=0, end=5, sentence="Текст.")


def save_at(store: Store, article: Article, at: datetime) -> None:
    store.articles.save(article, content_hash=f"{article.id}{article.version}", run_id=None, seen_at=at)


def list_seen(store: Store, begin: datetime, end: datetime) -> list[tuple[str, int | None]]:
    return [(article.native_id, article.version) for article in store.versions.list_matched_between(begin, end)]


def test_matched_versions_of_a_period(store: Store) -> None:
    save_at(store, make_article("1", matches=(FOUND,)), NOON)
    save_at(store, make_article("2"), NOON)
    save_at(store, make_article("3", matches=(FOUND,)), NOON + HOUR)
    assert list_seen(store, NOON, NOON + HOUR) == [("1", 1)]
    assert list_seen(store, NOON + HOUR, NOON + 2 * HOUR) == [("3", 1)]
    assert store.versions.count_by_source(NOON, NOON + HOUR) == {"mfa": 2}
    assert store.versions.count_by_source(NOON - HOUR, NOON) == {}


def test_version_that_lost_its_match_is_listed(store: Store) -> None:
    first = make_article("1", matches=(FOUND,))
    save_at(store, first, NOON)
    for number in (2, 3, 4):
        later = replace(first, version=number, verdict=Verdict.REVISED, matches=(), body=f"Другое {number}.")
        save_at(store, later, NOON + number * HOUR)
    assert list_seen(store, NOON + 2 * HOUR, NOON + 4 * HOUR) == [("1", 2), ("1", 3)]
    assert list_seen(store, NOON + 4 * HOUR, NOON + 5 * HOUR) == []
    assert store.versions.count_by_source(NOON, NOON + 5 * HOUR) == {"mfa": 1}


def test_alarms_open_in_a_period(store: Store) -> None:
    alarm = Alarm(source="mfa", kind="blocked", severity="11", last_health="blocked", message="", opened_at=NOON,
                  last_seen_at=NOON, closed_at=NOON + 2 * HOUR)  # fmt: skip
    store.alarms.save(alarm)
    store.alarms.save(replace(alarm, kind="silent", opened_at=NOON + 3 * HOUR, closed_at=None))

    def kinds(begin: datetime, end: datetime) -> list[str]:
        return [found.kind for found in store.alarms.list_open_between("mfa", begin, end)]

    assert kinds(NOON - HOUR, NOON) == []
    assert kinds(NOON + HOUR, NOON + 2 * HOUR) == ["blocked"]
    assert kinds(NOON, NOON + 9 * HOUR) == ["silent", "blocked"]
    assert kinds(NOON + 5 * HOUR, NOON + 9 * HOUR) == ["silent"]
    assert store.alarms.list_open_between("ktkz", NOON, NOON + 9 * HOUR) == []


def test_publication_times_of_a_source(store: Store) -> None:
    for number in (1, 2, 3):
        save_at(store, make_article(str(number), published_at=NOON + number * HOUR), NOON)
    save_at(store, make_article("4"), NOON + 9 * HOUR)
    save_at(store, make_article("5", id="ktkz:5:ru", source="ktkz", published_at=NOON + 5 * HOUR), NOON)
    found = store.articles.list_published_since("mfa", NOON + 2 * HOUR)
    assert [(known.native_id, known.published_at) for known in found] == [
        ("3", NOON + 3 * HOUR),
        ("2", NOON + 2 * HOUR),
    ]


def test_corrected_time_makes_no_version(store: Store) -> None:
    article = make_article("1", published_at=NOON)
    save_at(store, article, NOON)
    save_at(store, replace(article, verdict=Verdict.UNCHANGED, published_at=NOON - HOUR), NOON + HOUR)
    save_at(store, replace(article, verdict=Verdict.UNCHANGED, published_at=None), NOON + 2 * HOUR)
    (known,) = store.articles.list_published_since("mfa", NOON - HOUR)
    assert (known.published_at, known.version) == (NOON - HOUR, 1)
    assert store.articles.list_published_since("mfa", NOON) == []
