"""Versions that were only read again: fields and matches change, and nothing else happened, in both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crawler.items import Article, Match, SnapshotRef, Verdict
from crawler.revisions.kinds import ChangeKind, Severity
from crawler.store import ReprocessedArticle, Store, TextIndex

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
MATCH = Match(rule="trade", term="wool", surface="wool", field="body", start=0, end=4, sentence="wool is sold")
FIRST = Article(
    id="mfa:1:en",
    source="mfa",
    url="https://mfa.example/1",
    title="Wool",
    body="wool is sold",
    language="en",
    published_at=NOON - DAY,
    fetched_at=NOON,
    snapshot=SnapshotRef(file="mfa/2026-03-06.warc.gz", offset=7, digest="sha256:0"),
    verdict=Verdict.NEW,
    version=1,
)
REREAD = replace(FIRST, title="Wool again", author="A. Author", matches=(MATCH,), verdict=None, version=None)


def write(store: Store, reread: Article, former: Article) -> int:
    return store.articles.save_reprocessed([ReprocessedArticle(reread, former, TextIndex("new", "new copy"))])


def get_current(store: Store) -> Article:
    found = store.articles.get(FIRST.id)
    assert found is not None
    return found


def test_current_fields_and_matches_are_those_of_the_new_reading(store: Store, save: Callable[..., int]) -> None:
    save(FIRST)
    assert write(store, REREAD, FIRST) == 1
    expected = replace(REREAD, version=2, verdict=Verdict.REPROCESSED, site_verdict=Verdict.NEW)
    assert get_current(store) == expected
    assert store.versions.list_by_article(FIRST.id) == [FIRST, expected]
    assert store.articles.count(matched=True) == 1
    state = store.articles.get_state(FIRST.id)
    assert state is not None
    assert (state.version, state.content_hash, state.verdict) == (2, "new", Verdict.NEW)
    assert (state.first_seen_at, state.last_seen_at) == (NOON, NOON)


def test_nobody_is_notified_and_no_period_counts_it(store: Store, save: Callable[..., int]) -> None:
    save(FIRST)
    write(store, REREAD, FIRST)
    assert store.events.list_by_article(FIRST.id) == []
    assert store.versions.list_matched_between(NOON + DAY, NOON + 9 * DAY) == []
    assert [each.version for each in store.versions.list_matched_between(NOON, NOON + DAY)] == [1, 2]
    assert store.versions.count_by_source(NOON, NOON + DAY) == {"mfa": 1}


def test_difference_is_stored_as_reprocessed_without_a_severity(store: Store, save: Callable[..., int]) -> None:
    save(FIRST)
    write(store, REREAD, FIRST)
    diff = store.diffs.get(FIRST.id, 2)
    assert diff is not None
    assert (diff.kinds, diff.severity) == ({ChangeKind.REPROCESSED}, Severity.NONE)
    assert diff.summary == "reprocessed: title; author; matches"


def test_later_edit_is_compared_with_the_new_reading(store: Store, save: Callable[..., int]) -> None:
    save(FIRST)
    write(store, REREAD, FIRST)
    save(replace(REREAD, body="wool is sold today", verdict=Verdict.REVISED, version=3), seen_at=NOON + DAY)
    diff = store.diffs.get(FIRST.id, 3)
    assert diff is not None
    assert {each.field for each in diff.changed} == {"body"}
    assert store.versions.get_site_version(get_current(store)).version == 3
    assert store.versions.list_reprocessed(FIRST.id) == [2]


def test_unpublished_article_stays_unpublished(store: Store, save: Callable[..., int]) -> None:
    save(FIRST)
    gone = replace(FIRST, verdict=Verdict.UNPUBLISHED, version=2)
    save(gone, seen_at=NOON + DAY)
    write(store, REREAD, gone)
    again = get_current(store)
    assert (again.verdict, again.site_verdict) == (Verdict.REPROCESSED, Verdict.UNPUBLISHED)
    state = store.articles.get_state(FIRST.id)
    assert state is not None
    assert state.verdict is Verdict.UNPUBLISHED
    assert write(store, replace(REREAD, author=None), again) == 1
    assert get_current(store).site_verdict is Verdict.UNPUBLISHED
    assert store.versions.get_site_version(get_current(store)).version == 2
    save(replace(REREAD, verdict=Verdict.REPUBLISHED, version=5), seen_at=NOON + 2 * DAY)
    diff = store.diffs.get(FIRST.id, 5)
    assert diff is not None
    assert ChangeKind.REPUBLISHED in diff.kinds


def test_address_and_time_that_later_runs_found_stay(store: Store, save: Callable[..., int]) -> None:
    save(FIRST)
    touched = {"url": "https://mfa.example/moved", "published_at": NOON - 3 * DAY}
    save(replace(FIRST, verdict=Verdict.UNCHANGED, **touched), seen_at=NOON + DAY)
    write(store, REREAD, FIRST)
    state = store.articles.get_state(FIRST.id)
    assert state is not None
    assert (state.url, state.published_at) == (touched["url"], touched["published_at"])
    other = replace(get_current(store), url="https://mfa.example/other", published_at=None)
    write(store, other, get_current(store))
    state = store.articles.get_state(FIRST.id)
    assert state is not None
    assert (state.url, state.published_at) == ("https://mfa.example/other", None)


def test_an_article_that_changed_meanwhile_is_skipped(store: Store, save: Callable[..., int]) -> None:
    save(FIRST)
    save(replace(FIRST, body="silk is sold", verdict=Verdict.REVISED, version=2), seen_at=NOON + DAY)
    other = replace(FIRST, id="mfa:2:en")
    save(other)
    absent = replace(FIRST, id="mfa:3:en")
    batch = [ReprocessedArticle(REREAD, each, TextIndex("new", "new")) for each in (absent, other, FIRST)]
    assert store.articles.save_reprocessed(batch) == 1
    assert get_current(store).body == "silk is sold"


@pytest.mark.parametrize("matches", [(), (MATCH,)])
def test_alert_that_waits_for_the_story_of_its_article_waits_on(
    store: Store, save: Callable[..., int], matches: tuple[Match, ...]
) -> None:
    first = replace(FIRST, matches=matches)
    save(first)
    before = store.events.list_undecided(9, clustered_before=NOON - DAY)
    write(store, REREAD, first)
    assert store.events.list_undecided(9, clustered_before=NOON - DAY) == before == []
    assert len(store.events.list_undecided(9)) == len(matches)


@pytest.mark.slow
def test_versions_of_a_source_come_article_by_article(store: Store, save: Callable[..., int]) -> None:
    for number in range(230):
        article = replace(FIRST, id=f"mfa:{number}:en")
        save(article)
        if number % 3 == 0:
            save(replace(article, body="silk", verdict=Verdict.REVISED, version=2))
    save(replace(FIRST, id="aaa:1:en", source="aaa"))
    groups = list(store.versions.iter_by_source("mfa"))
    assert sorted(group[0].id for group in groups) == sorted(f"mfa:{number}:en" for number in range(230))
    assert all(
        [each.version for each in group] == ([1, 2] if int(group[0].native_id) % 3 == 0 else [1]) for group in groups
    )
