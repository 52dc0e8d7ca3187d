"""Articles that wait for clustering: those that an alert depends on come first, and the result is the same for all."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from store.test_stories_repository import (
    ENGLISH,
    NOON,
    PRESIDENT,
    REPRINT,
    ZONE,
    cluster_in_runs,
    get_clusters,
    get_stories,
    make_corpus,
    make_member,
)
from support.edited_texts import EDITS, make_release

from crawler.items import Article, Match, Verdict
from crawler.similarity import fingerprint
from crawler.similarity.documents import DocumentCache
from crawler.similarity.preparation import prepare_article
from crawler.store import Store, open_store, schema

MATCH = Match(rule="r", term="t", surface="s", field="body", start=0, end=1, sentence="s")


def make_matched(article: Article) -> Article:
    """Return the article with a match, so that it has a change event."""
    return replace(article, matches=(MATCH,))


def save_prepared(store: Store, articles: Iterable[Article]) -> None:
    """Save articles as a run does, each with its fingerprint."""
    for article in articles:
        prepared = prepare_article(article, ZONE)
        store.articles.save(article, content_hash=article.body, run_id=None, seen_at=NOON, prepared=prepared)


def make_strangers(count: int, seed: int = 3) -> list[Article]:
    """Return articles about nothing in common, on the day of the others."""
    rng = random.Random(seed)
    return [make_member(f"stranger-{number}", make_release(rng, 4)) for number in range(count)]


def list_waiting(store: Store) -> set[str]:
    """Return the native ids of the articles that wait."""
    rows = store.database.fetch_all(select(schema.unclustered.c.article_id))
    return {row[0].split(":")[1] for row in rows}


def test_only_articles_with_an_event_are_urgent(store: Store) -> None:
    save_prepared(store, [make_member("a", PRESIDENT), make_matched(make_member("b", ENGLISH))])
    revised = replace(make_member("a", REPRINT), version=2, verdict=Verdict.REVISED)
    assert (store.clusters.count_pending(), store.clusters.count_pending(only_urgent=True)) == (2, 1)
    save_prepared(store, [revised])
    assert (store.clusters.count_pending(), store.clusters.count_pending(only_urgent=True)) == (2, 2)
    assert store.clusters.count_pending(source="mfa") == 2
    assert store.clusters.count_pending(source="ktkz") == 0


def test_unmatched_articles_wait(store: Store) -> None:
    strangers = make_strangers(8)
    save_prepared(store, [*strangers, make_matched(make_member("m", PRESIDENT))])
    assert store.clusters.assign_pending(ZONE, only_urgent=True) == 1
    assert list_waiting(store) == {article.native_id for article in strangers}
    assert store.clusters.assign_pending(ZONE, only_urgent=True) == 0
    assert store.clusters.assign_pending(ZONE) == 8
    assert list_waiting(store) == set()


@pytest.mark.parametrize("is_first", [True, False])
def test_text_that_belongs_to_a_matched_one_is_clustered_with_it(store: Store, is_first: bool) -> None:
    own = [make_member("reprint", REPRINT), make_member("translation", ENGLISH)]
    matched = make_matched(make_member("m", PRESIDENT))
    if is_first:
        save_prepared(store, [matched])
        save_prepared(store, own)
    else:
        save_prepared(store, [*own, *make_strangers(5)])
        store.clusters.assign_pending(ZONE, only_urgent=True)
        save_prepared(store, [matched])
    store.clusters.assign_pending(ZONE, only_urgent=True)
    assert get_stories(store) == {frozenset({"m", "reprint", "translation"})}
    assert store.clusters.get_member_ids("mfa:m:ru") == {"mfa:m:ru", "mfa:reprint:ru"}
    assert not list_waiting(store) & {"m", "reprint", "translation"}


def test_language_version_of_a_matched_release_is_clustered_with_it(store: Store) -> None:
    base = "https://www.gov.kz/memleket/entities/mfa/press/news/details/7?lang="
    other = make_member("8", "Екінші мәтін.", url=base + "kk")
    save_prepared(store, [make_matched(make_member("7", "Первый текст.", url=base + "ru")), other])
    store.clusters.assign_pending(ZONE, only_urgent=True)
    assert get_stories(store) == {frozenset("78")}


def test_text_that_links_two_matched_ones_is_found_over_another(store: Store) -> None:
    """Each text repeats only a part of its neighbour, so that the ends are joined by what is between them."""
    rng = random.Random(8)
    parts = [make_release(rng, 4) for _ in range(5)]
    chain = [make_member(str(number), f"{parts[number]}\n{parts[number + 1]}") for number in range(4)]
    save_prepared(store, [chain[1], chain[2], *make_strangers(5)])
    save_prepared(store, [make_matched(chain[0])])
    save_prepared(store, [make_matched(chain[3])])
    store.clusters.assign_pending(ZONE, only_urgent=True)
    assert not list_waiting(store) & {"0", "1", "2", "3"}
    found = get_stories(store)
    store.clusters.assign_pending(ZONE)
    assert get_stories(store) == found


def test_distant_day_does_not_lead_to_a_story(store: Store) -> None:
    later = make_member("late", ENGLISH, NOON + timedelta(days=9))
    save_prepared(store, [make_matched(make_member("m", PRESIDENT)), later])
    store.clusters.assign_pending(ZONE, only_urgent=True)
    assert list_waiting(store) == {"late"}


def test_call_that_is_stopped_loses_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.store.pending_articles.ARTICLES_PER_BATCH", 4)
    articles = make_strangers(10)
    save_prepared(store, articles)
    done = store.clusters.assign_pending(ZONE, should_stop=lambda: True)
    assert 0 < done < 10
    assert store.clusters.count_pending() == 10 - done
    assert done + store.clusters.assign_pending(ZONE) == 10


def test_text_is_read_again_only_to_be_compared(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise AssertionError("The text was read again.")

    monkeypatch.setattr("crawler.store.clustering.parse_article", refuse)
    alone = [make_member(f"alone-{letter}", " ".join(letter * length for length in range(1, 40))) for letter in "абв"]
    save_prepared(store, alone)
    assert store.clusters.assign_pending(ZONE) == 3
    documents = DocumentCache()
    for article in (make_member("a", PRESIDENT), make_member("b", REPRINT)):
        save_prepared(store, [article])
        documents.add(article.id, 1, prepare_article(article, ZONE).document)
    assert store.clusters.assign_pending(ZONE, documents=documents) == 2
    assert get_stories(store) == {frozenset("ab")}


@pytest.mark.parametrize("lacks", ["fingerprint", "format", "version"])
def test_missing_or_old_fingerprint_is_made_again(store: Store, lacks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    articles = [make_member("a", PRESIDENT), make_member("b", REPRINT), make_member("c", ENGLISH)]
    if lacks == "format":
        monkeypatch.setattr(fingerprint, "FINGERPRINT_FORMAT", 99)
    save_prepared(store, articles)
    monkeypatch.undo()
    change = {"fingerprint": {"fingerprint": None}, "version": {"version": 7}}.get(lacks)
    if change:
        with store.database.transaction() as connection:
            connection.execute(schema.unclustered.update().values(change))
    assert store.clusters.assign_pending(ZONE) == 3
    assert get_stories(store) == {frozenset("abc")}


def test_revision_replaces_the_fingerprint_that_waits(store: Store) -> None:
    save_prepared(store, [make_member("a", PRESIDENT), make_member("b", make_release(random.Random(1), 5))])
    save_prepared(store, [replace(make_member("b", REPRINT), version=2, verdict=Verdict.REVISED)])
    store.clusters.assign_pending(ZONE)
    assert store.clusters.get_member_ids("mfa:a:ru") == {"mfa:a:ru", "mfa:b:ru"}


@pytest.mark.slow
def test_result_does_not_depend_on_when_an_article_is_clustered(url: str) -> None:
    """Every seventh article is matched. Runs cluster at once what belongs to those, and the rest at the end."""
    articles = make_corpus(20)
    expected = cluster_in_runs(articles, "sqlite://", 1)
    rng = random.Random(5)
    with open_store(url) as store:
        order = rng.sample(articles, len(articles))
        for start in range(0, len(order), 7):
            run = [make_matched(one) if rng.random() < 1 / 7 else one for one in order[start : start + 7]]
            save_prepared(store, run)
            store.clusters.assign_pending(ZONE, only_urgent=True)
            assert store.clusters.count_pending(only_urgent=True) == 0
        assert store.clusters.count_pending() > 0
        store.clusters.assign_pending(ZONE)
        assert (get_clusters(store, articles), get_stories(store)) == expected


@pytest.mark.slow
@pytest.mark.campaign
def test_large_shuffled_corpus_gives_the_same_stories() -> None:
    articles = make_corpus(100)
    expected = cluster_in_runs(articles, "sqlite://", 1)
    for seed in (1, 2):
        rng = random.Random(seed)
        with open_store("sqlite://") as store:
            order = rng.sample(articles, len(articles))
            for start in range(0, len(order), 17):
                run = [make_matched(one) if rng.random() < 0.1 else one for one in order[start : start + 17]]
                save_prepared(store, run)
                store.clusters.assign_pending(ZONE, only_urgent=True)
            store.clusters.assign_pending(ZONE)
            assert (get_clusters(store, articles), get_stories(store)) == expected


@pytest.mark.slow
def test_edited_copies_of_a_matched_text_are_found_before_the_rest(store: Store) -> None:
    rng = random.Random(21)
    text = make_release(rng, 6)
    edits = [make_member(name, edit(text, rng)) for name, (edit, *_) in EDITS.items()]
    save_prepared(store, [*edits, *make_strangers(10)])
    save_prepared(store, [make_matched(make_member("m", text))])
    store.clusters.assign_pending(ZONE, only_urgent=True)
    found = store.clusters.get_member_ids("mfa:m:ru")
    store.clusters.assign_pending(ZONE)
    assert store.clusters.get_member_ids("mfa:m:ru") == found
    assert len(found) > 1
