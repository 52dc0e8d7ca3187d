"""Compare a store with the one that is rebuilt from the archive of its runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from crawler.items import Article
from crawler.store import Store
from crawler.store.schema import articles, change_events, http_cache, signatures, versions

STATE_COLUMNS = ("id", "url", "language", "current_version", "content_hash", "verdict", "copy_of", "matched")
TIME_COLUMNS = ("published_at", "dated_at", "first_seen_at")
VERSION_COLUMNS = ("article_id", "version", "verdict", "content_hash", "copy_hash", "seen_at")
CACHE_COLUMNS = ("source", "url", "etag", "last_modified", "digest", "record_file", "record_offset", "record_date")
CLOCK_PRECISION = timedelta(seconds=1)
"""A run that the archive has began up to a moment before its components read the clock."""


def read_columns(store: Store, table: Any, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    rows = store.database.fetch_all(select(*(table.c[name] for name in names)))
    return sorted(map(tuple, rows), key=repr)


def list_versions(store: Store) -> dict[tuple[str, int | None], Article]:
    """Return every version, without the run's rules: matches are those of the rules in force."""
    found = (store.versions.list_by_article(article.id) for article in store.articles.iter_newest())
    return {(version.id, version.version): version for of_article in found for version in of_article}


def list_story_members(store: Store) -> set[frozenset[str]]:
    """Return the articles of each story. Stories may have other numbers."""
    by_story: dict[int, set[str]] = {}
    for row in store.database.fetch_all(select(signatures.c.article_id, signatures.c.story)):
        if row.story is not None:
            by_story.setdefault(row.story, set()).add(row.article_id)
    return {frozenset(members) for members in by_story.values()}


def assert_rebuilt(original: Store, rebuilt: Store) -> None:
    """Articles, versions, texts, times, pages, stories and the HTTP cache are those of the original."""
    assert list_versions(rebuilt) == list_versions(original)
    for table, names in (
        (articles, STATE_COLUMNS + TIME_COLUMNS),
        (versions, VERSION_COLUMNS),
        (http_cache, CACHE_COLUMNS),
        (change_events, ("article_id", "version", "verdict", "created_at")),
    ):
        assert read_columns(rebuilt, table, names) == read_columns(original, table, names), table.name
    last_seen = [dict(read_columns(store, articles, ("id", "last_seen_at"))) for store in (original, rebuilt)]
    assert {key for key, at in last_seen[0].items() if abs(at - last_seen[1][key]) > CLOCK_PRECISION} == set()
    assert list_story_members(rebuilt) == list_story_members(original)


def assert_runs_rebuilt(original: Store, rebuilt: Store) -> None:
    """Each run is there, with its start, and is as complete as it was."""
    runs = [
        sorted((run.started_at, run.source, run.mode, run.complete) for run in store.runs.list_recent(limit=1000))
        for store in (original, rebuilt)
    ]
    assert runs[0] == runs[1]
