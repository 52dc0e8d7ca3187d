"""Rematches of stored versions, over both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from crawler.items import Article, Match, Strength, Verdict
from crawler.store import Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
OLD = Match(rule="trade", term="wool", surface="wool", field="body", start=0, end=4, sentence="wool is sold")
NEW = Match(rule="red-cross", term="cross", surface="is", field="body", start=5, end=7, sentence="wool is sold")


def save_article(store: Store) -> Article:
    article = Article(
        id="example:1:en",
        source="example",
        url="https://news.example/1",
        body="wool is sold",
        verdict=Verdict.NEW,
        version=1,
        matches=(OLD,),
    )
    store.articles.save(article, content_hash="a", run_id=None, seen_at=NOON)
    return article


def test_rematch_replaces_matches_and_is_logged(store: Store) -> None:
    article = save_article(store)
    assert store.rematches.save_matches(
        replace(article, matches=(NEW,)), article.matches, rules_digest="sha256:b", at=NOON
    )
    found = store.articles.get(article.id)
    assert found is not None
    assert (found.matches, found.version, found.body) == ((NEW,), 1, article.body)
    (record,) = store.rematches.list_by_article(article.id)
    assert (record.version, record.rematched_at, record.rules_digest) == (1, NOON, "sha256:b")
    assert record.places_before == (("trade", "wool", "body", 0, "strong"),)
    assert record.places_after == (("red-cross", "is", "body", 5, "strong"),)


def test_same_matches_write_nothing(store: Store) -> None:
    article = save_article(store)
    assert not store.rematches.save_matches(article, article.matches, rules_digest="sha256:b", at=NOON)
    assert store.rematches.list_by_article(article.id) == []


def test_article_without_its_strong_match_is_not_matched(store: Store) -> None:
    article = save_article(store)
    weak = replace(NEW, strength=Strength.WEAK, reason="no support")
    store.rematches.save_matches(replace(article, matches=(weak,)), article.matches, rules_digest="sha256:b", at=NOON)
    assert store.articles.count(matched=True) == 0
    assert store.articles.count(matched=False) == 1


def test_rematch_of_an_older_version_keeps_the_current_one(store: Store) -> None:
    article = save_article(store)
    later = replace(article, body="silk is sold", version=2, verdict=Verdict.REVISED, matches=())
    store.articles.save(later, content_hash="c", run_id=None, seen_at=NOON + timedelta(hours=1))
    store.rematches.save_matches(replace(article, matches=(NEW,)), article.matches, rules_digest="sha256:b", at=NOON)
    first, second = store.versions.list_by_article(article.id)
    assert (first.matches, second.matches) == ((NEW,), ())
    assert store.articles.count(matched=True) == 0
