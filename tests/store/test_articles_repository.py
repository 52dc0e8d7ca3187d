"""The contract of `store.articles`, over SQLite and PostgreSQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from support.factories import make_article

from crawler.errors import CrawlerError
from crawler.items import (
    Article,
    ArticleFlag,
    Extraction,
    Image,
    Match,
    Precision,
    Rights,
    Run,
    SnapshotRef,
    Strength,
    Verdict,
)
from crawler.store import HttpCacheEntry, Store, schema

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALMATY = timezone(timedelta(hours=5))

Save = Callable[..., int]


def make_match(rule: str = "icrc", strength: Strength = Strength.STRONG) -> Match:
    return Match(
        rule=rule,
        term="Красный Крест",
        surface="Красного Креста",
        field="body",
        start=10,
        end=25,
        sentence="Глава Красного Креста прибыл.",
        strength=strength,
        reason="an inflected form",
    )


def make_full_article() -> Article:
    """Return an article with every field set, and with characters that a database refuses."""
    return Article(
        id="mfa:a:b:kk",
        source="mfa",
        url="https://mfa.example/a%20b?lang=kk",
        title="Қызыл Крест «туралы» 😀",
        lead="Lead with a NUL \0 and a lone surrogate \ud800",
        body="Бірінші\nEkinşi",
        language="kk",
        published_at=datetime(2026, 3, 6, 16, 5, 7, 123456, tzinfo=ALMATY),
        published_raw="6 наурыз 2026, 16:05",
        published_precision=Precision.MINUTE,
        fetched_at=datetime(2026, 3, 6, 11, 30, tzinfo=UTC),
        section="News",
        place="Астана",
        author="A. B.",
        attribution="МИД РК",
        images=(Image(url=None, caption="ICRC"), Image(url="https://mfa.example/1.jpg", caption=None)),
        reading_minutes=1,
        flags=(ArticleFlag.BOILERPLATE_REMOVED, ArticleFlag.FUTURE_DATE),
        rights=Rights(excerpt_share=0.3, link_required=True, wording=None, source="https://mfa.example/terms"),
        matches=(make_match(), make_match("geneva", Strength.WEAK)),
        verdict=Verdict.COPY,
        site_verdict=Verdict.NEW,
        copy_of="ktkz:1:kk",
        version=3,
        snapshot=SnapshotRef(file="mfa-2026-03-06.warc.gz", offset=2**40, digest="sha256:00"),
        provenance={"title": "ArticlePage: h1", "body": "ArticlePage: div.body"},
        requested_language="en",
        extraction=Extraction.GENERIC,
    )


def read_rows(store: Store, table: str) -> list[dict[str, object]]:
    found = store.database.fetch_all(select(schema.metadata.tables[table]))
    return [dict(row._mapping) for row in found]


def test_article_is_returned_exactly_as_saved(store: Store, save: Save) -> None:
    article = make_full_article()
    # The text of an article is removed only later, by the retention policy.
    assert {f.name for f in dataclasses.fields(Article) if not getattr(article, f.name)} == {"text_removed_at"}
    save(article)
    back = store.articles.get(article.id)
    assert back == article
    assert back.published_at.utcoffset() == timedelta(hours=5)
    assert list(store.articles.iter_newest()) == store.versions.list_by_article(article.id) == [article]


def test_article_with_required_fields_only_is_returned(store: Store, save: Save) -> None:
    article = make_article(language="en", **{"body": "x"})
    save(article)
    assert store.articles.get(article.id) == article


def test_missing_article_is_none_or_empty(store: Store) -> None:
    room = store.articles
    assert (room.get("mfa:1:ru"), room.get_state("mfa:1:ru"), room.get_first_seen_time("mfa:1:ru")) == (
        None,
        None,
        None,
    )
    assert (store.versions.list_by_article("mfa:1:ru"), room.list_by_url("https://x"), list(room.iter_newest())) == (
        [],
        [],
        [],
    )
    assert (
        room.count(),
        room.find_original("h", "mfa:1:ru"),
        room.get_states("mfa", ["1"]),
        room.get_states("mfa", []),
    ) == (
        0,
        None,
        {},
        {},
    )


def test_saving_the_same_version_again_writes_nothing(store: Store, save: Save) -> None:
    assert [save(make_full_article()), save(make_full_article())] == [3, 3]
    assert [len(read_rows(store, table)) for table in ("articles", "versions", "matches")] == [1, 1, 2]


def test_revision_is_stored_beside_the_former_version(store: Store, save: Save) -> None:
    old = make_article(body="old", matches=(make_match(),))
    new = make_article(body="new", version=2, verdict=Verdict.REVISED, title="T")
    save(old)
    assert save(new, seen_at=NOON + HOUR) == 2
    assert store.versions.list_by_article(old.id) == [old, new]
    assert (store.articles.get(old.id), store.articles.get(old.id, 1), store.articles.get(old.id, 3)) == (
        new,
        old,
        None,
    )
    known = store.articles.get_state(old.id)
    assert (known.version, known.content_hash, known.verdict) == (2, "hash of new", Verdict.REVISED)
    assert (known.first_seen_at, known.last_seen_at) == (NOON, NOON + HOUR)
    assert (store.articles.count(matched=True), store.articles.count()) == (0, 1)
    assert [(row["version"], row["rule"]) for row in read_rows(store, "matches")] == [(1, "icrc")]


def test_repeated_old_version_changes_nothing(store: Store, save: Save) -> None:
    save(make_article(body="old"))
    save(make_article(body="new", version=2, verdict=Verdict.REVISED))
    assert save(make_article(body="old")) == 2
    assert [article.body for article in store.versions.list_by_article("mfa:1:ru")] == ["old", "new"]


def test_text_may_return_as_a_later_version(store: Store, save: Save) -> None:
    for version, body in enumerate(("old", "new", "old"), start=1):
        assert save(make_article(body=body, version=version)) == version
    assert [article.body for article in store.versions.list_by_article("mfa:1:ru")] == ["old", "new", "old"]


def test_texts_with_one_version_number_are_both_stored(store: Store, save: Save) -> None:
    save(make_article(body="one"))
    assert [save(make_article(body="other")), save(make_article(body="other"))] == [2, 2]
    kept = store.versions.list_by_article("mfa:1:ru")
    assert [(a.body, a.version, a.verdict) for a in kept] == [("one", 1, "new"), ("other", 2, "revised")]


def test_unchanged_article_updates_times_and_cache_only(store: Store, save: Save) -> None:
    save(make_article())
    memory = HttpCacheEntry(source="mfa", url="https://mfa.example/1", etag='"2"', checked_at=NOON + HOUR)
    save(make_article(verdict=Verdict.UNCHANGED, title="not kept"), seen_at=NOON + HOUR, cache_entry=memory)
    assert store.articles.get_state("mfa:1:ru").last_seen_at == NOON + HOUR
    assert store.versions.list_by_article("mfa:1:ru") == [make_article()]
    assert store.http_cache.get("mfa", "https://mfa.example/1") == memory


def test_older_sighting_does_not_move_the_time_back(store: Store, save: Save) -> None:
    save(make_article())
    save(make_article(verdict=Verdict.UNCHANGED), seen_at=NOON - HOUR)
    assert store.articles.get_state("mfa:1:ru").last_seen_at == NOON


def test_unchanged_article_that_is_not_stored_is_stored(store: Store, save: Save) -> None:
    assert save(make_article(verdict=Verdict.UNCHANGED, version=None)) == 1
    assert store.articles.get("mfa:1:ru").version == 1


@pytest.mark.parametrize("missing", ["verdict", "version"])
def test_article_without_verdict_or_version_is_refused(store: Store, save: Save, missing: str) -> None:
    with pytest.raises(ValueError, match="mfa:1:ru cannot be saved without a verdict"):
        save(make_article(**{missing: None}))
    assert read_rows(store, "articles") == []


def test_naive_time_is_refused(store: Store, save: Save) -> None:
    with pytest.raises(ValueError, match="times with an offset"):
        save(make_article(), seen_at=datetime(2026, 3, 6, 12, 0))  # noqa: DTZ001
    assert read_rows(store, "articles") == []


def test_run_counts_are_written_with_the_article(store: Store, save: Save) -> None:
    run = store.runs.record_start(Run(source="mfa", started_at=NOON))
    save(make_article(), run_id=run.id, counts={"new": 1})
    assert store.runs.get_last("mfa").counts == {"new": 1}
    assert store.articles.get_state("mfa:1:ru").first_run_id == run.id
    save(make_article(body="x", version=2), run_id=None)
    assert store.articles.get_state("mfa:1:ru").first_run_id == run.id


def test_failed_save_writes_nothing(store: Store, save: Save) -> None:
    with pytest.raises(CrawlerError, match="could not be written"):
        save(make_article(), run_id=999, cache_entry=HttpCacheEntry(source="mfa", url="https://x", checked_at=NOON))
    assert [read_rows(store, table) for table in ("articles", "versions", "memory")] == [[], [], []]
    assert save(make_article()) == 1


def test_states_of_native_ids_in_every_language(store: Store, save: Save) -> None:
    for native_id, language in (("1", "ru"), ("1", "kk"), ("2", "ru"), ("3", "ru")):
        save(make_article(native_id, language=language))
    save(make_article("1", id="ktkz:1:ru", source="ktkz"))
    found = store.articles.get_states("mfa", ["1", "3", "3", *(f"absent {n}" for n in range(450))])
    assert {key: [known.language for known in value] for key, value in found.items()} == {
        "1": ["kk", "ru"],
        "3": ["ru"],
    }
    assert found["3"] == [store.articles.get_state("mfa:3:ru")]


def test_original_is_the_earliest_other_article_in_any_version(store: Store, save: Save) -> None:
    save(make_article("2", body="text"), seen_at=NOON + HOUR)
    save(make_article("1", body="text"), seen_at=NOON)
    save(make_article("1", body="revised", version=2), seen_at=NOON + 2 * HOUR)
    assert store.articles.find_original("hash of text", "mfa:3:ru") == "mfa:1:ru"
    assert store.articles.find_original("hash of text", "mfa:1:ru") == "mfa:2:ru"
    assert store.articles.find_original("hash of revised", "mfa:1:ru") is None


def test_articles_are_found_by_a_url_of_any_length(store: Store, save: Save) -> None:
    address = "https://mfa.example/" + "я" * 5000
    save(make_article("1", url=address, published_at=NOON))
    save(make_article("2", url=address, published_at=NOON + HOUR))
    save(make_article("3"))
    assert [article.native_id for article in store.articles.list_by_url(address)] == ["2", "1"]


def test_mark_seen_never_moves_the_time_back(store: Store, save: Save) -> None:
    save(make_article("1"))
    save(make_article("2"))
    store.articles.mark_seen("mfa", {"1": NOON + HOUR, "2": NOON - HOUR, "3": NOON + HOUR}, run_id=None)
    assert store.articles.get_state("mfa:1:ru").last_seen_at == NOON + HOUR
    assert store.articles.get_state("mfa:2:ru").last_seen_at == NOON
    store.articles.mark_seen("other", {"1": NOON + 2 * HOUR}, run_id=None)
    assert store.articles.get_state("mfa:1:ru").last_seen_at == NOON + HOUR


def test_recently_seen_articles_start_with_the_newest(store: Store, save: Save) -> None:
    for number in range(4):
        save(make_article(str(number)), seen_at=NOON + number * HOUR)
    found = store.articles.list_first_seen_since("mfa", NOON + HOUR)
    assert [each.native_id for each in found] == ["3", "2", "1"]
    assert store.articles.list_first_seen_since("other", NOON) == []


def test_unchanged_article_at_a_new_url_has_that_url(store: Store, save: Save) -> None:
    save(make_article("1"))
    moved = make_article("1", url="https://mfa.example/moved", verdict=Verdict.UNCHANGED)
    save(moved, seen_at=NOON + HOUR)
    assert store.articles.get_state("mfa:1:ru").url == moved.url
    assert [each.id for each in store.articles.list_by_url(moved.url)] == ["mfa:1:ru"]
