"""What was first seen in a time, and what troubled a source then: the questions of a digest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from crawler.items import Article, Match, Verdict
from crawler.store import Alarm, Store

NOON = datetime.fromisoformat("2026-03-06T12:00:00+00:00")
HOUR = timedelta(hours=1)
FOUND = Match(rule="ihl", term="Текст", surface="Текст", field="body", start=0, end=5, sentence="Текст.")


def save(store: Store, article: Article, at: datetime) -> None:
    store.articles.save(article, content_hash=f"{article.id}{article.version}", run_id=None, seen_at=at)


def seen(store: Store, begin: datetime, end: datetime) -> list[tuple[str, int | None]]:
    return [(article.native_id, article.version) for article in store.versions.list_matched_between(begin, end)]


def test_versions_of_a_time_that_a_rule_found(store: Store, an_article: Callable[..., Article]) -> None:
    save(store, an_article("1", matches=(FOUND,)), NOON)
    save(store, an_article("2"), NOON)
    save(store, an_article("3", matches=(FOUND,)), NOON + HOUR)
    assert seen(store, NOON, NOON + HOUR) == [("1", 1)]
    assert seen(store, NOON + HOUR, NOON + 2 * HOUR) == [("3", 1)]
    assert store.versions.count_by_source(NOON, NOON + HOUR) == {"mfa": 2}
    assert store.versions.count_by_source(NOON - HOUR, NOON) == {}


def test_version_in_which_nothing_is_found_any_more(store: Store, an_article: Callable[..., Article]) -> None:
    first = an_article("1", matches=(FOUND,))
    save(store, first, NOON)
    for number in (2, 3, 4):
        later = replace(first, version=number, verdict=Verdict.REVISED, matches=(), body=f"Другое {number}.")
        save(store, later, NOON + number * HOUR)
    assert seen(store, NOON + 2 * HOUR, NOON + 4 * HOUR) == [("1", 2), ("1", 3)]
    assert seen(store, NOON + 4 * HOUR, NOON + 5 * HOUR) == []
    assert store.versions.count_by_source(NOON, NOON + 5 * HOUR) == {"mfa": 1}


def test_alarms_that_were_open_in_a_time(store: Store) -> None:
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


def test_what_a_source_published_since_a_moment(store: Store, an_article: Callable[..., Article]) -> None:
    for number in (1, 2, 3):
        save(store, an_article(str(number), published_at=NOON + number * HOUR), NOON)
    save(store, an_article("4"), NOON + 9 * HOUR)
    save(store, an_article("5", id="ktkz:5:ru", source="ktkz", published_at=NOON + 5 * HOUR), NOON)
    found = store.articles.list_published_since("mfa", NOON + 2 * HOUR)
    assert [(known.native_id, known.published_at) for known in found] == [
        ("3", NOON + 3 * HOUR),
        ("2", NOON + 2 * HOUR),
    ]


def test_a_time_corrected_on_an_unchanged_text_makes_no_version(
    store: Store, an_article: Callable[..., Article]
) -> None:
    article = an_article("1", published_at=NOON)
    save(store, article, NOON)
    save(store, replace(article, verdict=Verdict.UNCHANGED, published_at=NOON - HOUR), NOON + HOUR)
    save(store, replace(article, verdict=Verdict.UNCHANGED, published_at=None), NOON + 2 * HOUR)
    (known,) = store.articles.list_published_since("mfa", NOON - HOUR)
    assert (known.published_at, known.version) == (NOON - HOUR, 1)
    assert store.articles.list_published_since("mfa", NOON) == []
