"""What the retention policy removes from a store, what it keeps, and what is left of a removed text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from support.factories import make_article

from crawler.items import Article, Health, Match, Run, SnapshotRef, Verdict
from crawler.keywords.index_query import IndexPhrase
from crawler.store import Decision, HttpCacheEntry, Notification, Store, retention
from crawler.store.reading_schema import article_cards
from crawler.store.retention import RUN_INDEXES, TextAges
from crawler.store.schema import matches, runs, unclustered
from crawler.text.folding import decode_folded, fold_text

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
OLD = NOON - timedelta(days=500)
CUTOFF = NOON - timedelta(days=100)
MATCH = Match(rule="ihl", term="право", surface="право", field="body", start=0, end=5, sentence="право", reason=None)
UNMATCHED = TextAges(unmatched=CUTOFF)
SUPERSEDED = TextAges(superseded=CUTOFF)


@pytest.fixture
def add(store: Store) -> Callable[..., Article]:
    """A function that stores an old article, by default without a match, that waits for nothing."""

    def add_article(native_id: str, *, seen_at: datetime = OLD, **values: object) -> Article:
        defaults = {"title": f"Заголовок {native_id}", "lead": "Вводка", "published_at": seen_at, "fetched_at": seen_at}
        article = make_article(native_id, **{**defaults, **values})
        key = f"{article.id} {article.version}"
        store.articles.save(article, content_hash=key, run_id=None, seen_at=seen_at)
        with store.database.transaction() as connection:
            connection.execute(unclustered.delete())
        return article

    return add_article


def remove(store: Store, ages: TextAges) -> int:
    expected = sum(each.versions for each in store.retention.count_texts(ages))
    removed = sum(store.retention.remove_texts(ages, NOON))
    assert removed == expected
    assert store.retention.count_texts(ages) == []
    return removed


def decide(store: Store, decision: Decision) -> None:
    """Let a subscription decide so about all events."""
    events = store.events.list_undecided(100)
    made = [
        Notification(
            subscription="press",
            event_id=event.id,
            article_id=event.article_id,
            decision=decision,
            reason=None,
            decided_at=NOON,
        )
        for event in events
    ]
    store.events.save_decisions([event.id for event in events], made, NOON)


def find(store: Store, word: str) -> list[str]:
    folded = decode_folded(fold_text(word).data).strip()
    return sorted(each.article.id for each in store.search.iter_newest(IndexPhrase((folded,))))


def test_text_of_an_old_unmatched_article_goes_and_the_article_stays(store: Store, add: Callable[..., Article]) -> None:
    ref = SnapshotRef(file="mfa/2024-10-22.warc.gz", offset=7, digest="sha256:00")
    article = add("1", body="Старый текст.", snapshot=ref)
    state = store.articles.get_state(article.id)
    assert find(store, "старый") == [article.id]
    assert remove(store, UNMATCHED) == 1
    stored = store.articles.get(article.id)
    assert stored == replace(article, lead=None, body="", text_removed_at=NOON)
    assert (stored.headline, stored.snapshot) == ("Заголовок 1", ref)
    assert store.articles.get_state(article.id) == state
    assert (find(store, "старый"), find(store, "заголовок")) == ([], [article.id])
    # A page that is read again is compared as before, and a revision has no text to be compared with.
    again = replace(article, verdict=Verdict.UNCHANGED)
    assert store.articles.save(again, content_hash=state.content_hash, run_id=None, seen_at=NOON) == 1
    revised = replace(article, body="Новый текст.", version=2, verdict=Verdict.REVISED)
    assert store.articles.save(revised, content_hash="new", run_id=None, seen_at=NOON) == 2
    assert store.diffs.list_by_article(article.id, store.versions.list_by_article(article.id)) == [None, None]
    store.search.reset()
    store.search.index_pending()
    assert find(store, "старый") == []


@pytest.mark.parametrize(
    "values",
    [
        {"seen_at": NOON},
        {"seen_at": OLD, "published_at": NOON},
        {"seen_at": NOON, "published_at": OLD},
        {"matches": (MATCH,), "body": "право"},
    ],
)
def test_young_and_matched_articles_stay(store: Store, add: Callable[..., Article], values: dict[str, object]) -> None:
    article = add("1", **values)
    decide(store, Decision.SKIP)
    assert remove(store, UNMATCHED) == 0
    assert store.articles.get(article.id) == article


def test_superseded_text_goes_with_its_matches_and_differences(store: Store, add: Callable[..., Article]) -> None:
    first = add("1", body="право тайное слово.", matches=(MATCH,))
    second = add("1", body="право другое слово.", matches=(MATCH,), version=2, verdict=Verdict.REVISED)
    third = add("1", body="право третье.", matches=(MATCH,), version=3, verdict=Verdict.REVISED, seen_at=NOON)
    decide(store, Decision.SKIP)
    card = store.cards.get(first.id)
    assert card is not None
    assert find(store, "тайное") == [first.id]
    assert remove(store, SUPERSEDED) == 1  # the second was replaced today
    assert [each.body for each in store.versions.list_by_article(first.id)] == ["", second.body, third.body]
    assert store.diffs.get(first.id, 2) is None
    assert store.diffs.get(first.id, 3) is not None
    assert {row.version for row in store.database.fetch_all(select(matches.c.version))} == {2, 3}
    assert store.cards.get(first.id) == card
    assert find(store, "тайное") == []
    assert sum(store.retention.remove_texts(TextAges(superseded=NOON + timedelta(days=1)), NOON)) == 1
    assert store.diffs.get(first.id, 3) is None
    assert store.database.fetch_all(select(article_cards.c.change))[0][0] == "[]"


@pytest.mark.parametrize("decision", [Decision.ALERT, Decision.DIGEST, Decision.COVERED, None])
def test_everything_of_what_was_or_may_be_notified_stays(
    store: Store, add: Callable[..., Article], decision: Decision | None
) -> None:
    first = add("1", body="право один", matches=(MATCH,))
    add("1", body="право два", matches=(MATCH,), version=2, verdict=Verdict.REVISED)
    if decision:
        decide(store, decision)
    assert remove(store, TextAges(unmatched=NOON, superseded=NOON)) == 0
    assert [version.id for batch in store.retention.iter_kept_versions() for version in batch] == [first.id] * 2


def test_removal_that_is_interrupted_is_continued(
    store: Store, add: Callable[..., Article], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "VERSIONS_PER_BATCH", 2)
    for number in range(5):
        add(str(number), seen_at=OLD + timedelta(minutes=number))
    batches = store.retention.remove_texts(UNMATCHED, NOON)
    assert next(batches) == 2
    batches.close()
    assert sum(each.versions for each in store.retention.count_texts(UNMATCHED)) == 3
    assert remove(store, UNMATCHED) == 3


def test_cache_entries_go_by_age_or_lose_a_file(store: Store) -> None:
    def make_entry(name: str, at: datetime, file: str) -> HttpCacheEntry:
        url = f"https://x.example/{name}"
        return HttpCacheEntry(source="mfa", url=url, checked_at=at, digest="d", record_file=file, record_offset=1)

    store.http_cache.save(make_entry("old", OLD, "a"), make_entry("young", NOON, "a"), make_entry("kept", NOON, "b"))
    store.retention.forget_records(["a"])
    young, kept = (store.http_cache.get("mfa", f"https://x.example/{name}") for name in ("young", "kept"))
    assert young is not None
    assert kept is not None
    assert (young.record_file, young.digest, kept.record_file) == (None, None, "b")
    assert store.retention.count_cache_entries(CUTOFF) == 1
    assert list(store.retention.delete_cache_entries(CUTOFF)) == [1]
    assert store.http_cache.get("mfa", "https://x.example/old") is None
    assert store.http_cache.get("mfa", "https://x.example/young") == young


def test_runs_go_that_nothing_refers_to(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "KEPT_RUNS_PER_SOURCE", 2)
    ids = []
    for number in range(8):
        run = store.runs.record_start(Run(source="mfa", started_at=OLD))
        end = replace(
            run, finished_at=OLD, health=Health.HEALTHY if number < 5 else Health.SILENT, complete=number == 3
        )
        store.runs.record_end(end)
        ids.append(run.id)
    store.articles.save(make_article("1"), content_hash="h", run_id=ids[1], seen_at=OLD)
    store.articles.save(make_article("2", matches=(MATCH,)), content_hash="h", run_id=ids[2], seen_at=OLD)
    left = [ids[1], ids[2], ids[3], ids[4], ids[6], ids[7]]  # the last complete, the last healthy and the newest two
    assert store.retention.count_runs(CUTOFF) == 2
    assert list(store.retention.delete_runs(CUTOFF)) == [2]
    assert [row.id for row in store.database.fetch_all(select(runs.c.id).order_by(runs.c.id))] == left
    state = store.articles.get_state("mfa:1:ru")
    assert state is not None
    assert state.first_run_id == ids[1]
    listed = "pg_indexes" if store.database.engine.dialect.name == "postgresql" else "sqlite_master"
    column = "indexname" if listed == "pg_indexes" else "name"
    names = {row[0] for row in store.database.fetch_all(text(f"SELECT {column} FROM {listed}"))}
    assert names.isdisjoint(RUN_INDEXES)


def test_log_entries_go_by_age(store: Store) -> None:
    for at in (OLD, NOON):
        store.audit.record("dana", "user.add", "x", at=at)
    assert store.retention.count_log_entries(CUTOFF) == 1
    assert list(store.retention.delete_log_entries(CUTOFF)) == [1]
    assert [each.made_at for each in store.audit.list_newest(9)] == [NOON]


def test_space_is_given_back(store: Store, add: Callable[..., Article]) -> None:
    for number in range(30):
        add(str(number), body="слово " * 500)
    remove(store, UNMATCHED)
    is_sqlite = store.database.engine.dialect.name == "sqlite"
    assert bool(store.retention.get_free_bytes()) is is_sqlite
    store.retention.give_space_back()
    assert store.retention.get_free_bytes() == (0 if is_sqlite else None)
