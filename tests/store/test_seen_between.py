"""Queries of a digest: matched versions, alarms and publication times of a period."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from support.empty_stores import open_test_store
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


def test_periods_have_what_every_version_says(store: Store) -> None:
    """Expected is what reading all versions finds: with any times, in any order, with and without a match."""
    chance = random.Random(17)
    saved: dict[str, list[tuple[datetime, Article]]] = {}
    for number in range(40):
        source = chance.choice(("mfa", "ktkz"))
        times = sorted(NOON + chance.randrange(12) * HOUR for _ in range(chance.choice((1, 1, 2, 4))))
        for version, at in enumerate(times, 1):
            verdict = Verdict.NEW if version == 1 else Verdict.REVISED
            matches = (FOUND,) if chance.random() < 0.4 else ()
            values = {"version": version, "verdict": verdict, "matches": matches, "body": f"Текст {version}."}
            article = make_article(str(number), source=source, **values)
            save_at(store, article, at)
            saved.setdefault(article.id, []).append((at, article))
    store.articles.mark_seen("mfa", {str(number): NOON + 99 * HOUR for number in range(0, 40, 3)}, run_id=None)

    for begin, end in (sorted(chance.sample(range(-1, 14), 2)) for _ in range(30)):
        since, until = NOON + begin * HOUR, NOON + end * HOUR
        inside = {key: [each for each in versions if since <= each[0] < until] for key, versions in saved.items()}
        matched = {
            key
            for key, versions in saved.items()
            for before, (at, article) in pairwise([None, *versions])
            if since <= at < until and (article.matches or (before and before[1].matches))
        }
        listed = sorted((at, key, each.version) for key in matched for at, each in inside[key])
        found = store.versions.list_matched_between(since, until)
        assert [(each.id, each.version) for each in found] == [(key, version) for _, key, version in listed]
        sources = [versions[0][1].source for versions in inside.values() if versions]
        assert store.versions.count_by_source(since, until) == {name: sources.count(name) for name in set(sources)}
        newest = store.articles.iter_newest(seen_since=since, seen_until=until)
        assert {each.id for each in newest} == {key for key, versions in inside.items() if versions}


def test_a_period_costs_the_same_in_a_large_store(tmp_path: Path) -> None:
    """SQLite's instructions, in tens: an index finds the versions of the period, however many others are there."""
    with open_test_store(f"sqlite:///{tmp_path / 'crawler.db'}") as store:
        for number in range(5):
            save_at(store, make_article(str(number), matches=(FOUND,)), NOON)
        before = count_digest_steps(store)
        for number in range(10, 210):
            save_at(store, make_article(str(number), matches=(FOUND,)), NOON - number * HOUR)
        assert count_digest_steps(store) <= 1.5 * before


def count_digest_steps(store: Store) -> int:
    """Return how many ten instructions the queries of a digest need."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with store.database.transaction() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(count, 10)
        store.versions.list_matched_between(NOON, NOON + HOUR)
        store.versions.count_by_source(NOON, NOON + HOUR)
        driver.set_progress_handler(None, 0)
    return steps


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
