"""A store with something of every kind of value, and the rows of any store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select
from support.empty_stores import open_test_store
from support.factories import make_article

from crawler.items import Match, Run, Verdict
from crawler.store import Decision, Notification, Store
from crawler.store.complete_schema import metadata
from crawler.store.schema import signatures

NOON = datetime(2026, 3, 6, 12, 0, 0, 123456, tzinfo=UTC)
MATCH = Match(rule="ihl", term="право", surface="права", field="body", start=0, end=5, sentence="права", reason=None)


def fill_store(store: Store) -> None:
    """Store something of every kind of value: times, flags, bytes, broken characters, null."""
    run = store.runs.record_start(Run(source="mfa", started_at=NOON))
    for number in range(3):
        body = f"Текст {number} с NUL \0 и суррогатом \ud800."
        article = make_article(str(number), body=body, matches=(MATCH,), published_at=NOON)
        hashes = {"content_hash": f"h{number}", "copy_hash": "c"}
        store.articles.save(article, **hashes, run_id=run.id, seen_at=NOON)
    removed = make_article("0", verdict=Verdict.UNPUBLISHED, version=2)
    store.articles.save(removed, content_hash="h0", run_id=run.id, seen_at=NOON)
    store.failures.record("mfa", "https://x/\0", "Gone", "404", NOON)
    event = store.events.list_undecided(1)[0]
    notification = Notification(
        subscription="press",
        event_id=event.id,
        article_id=event.article_id,
        decision=Decision.SKIP,
        reason=None,
        decided_at=NOON,
    )
    store.events.save_decisions([event.id], [notification], NOON)
    store.leases.acquire("mfa", "holder")
    row = {"number": 7, "article_id": "mfa:1:ru", "version": 1, "day": 1, "shingle_count": 2, "signature": b"\0\xff"}
    with store.database.transaction() as connection:
        connection.execute(
            insert(signatures), {**row, "release_id": None, "raw_cluster": 7, "cluster": 7, "story": None}
        )


def read_rows(url: str) -> dict[str, list[Any]]:
    """Return the rows of every table but the leases, which a copy does not have."""
    with open_test_store(url) as store:
        tables = [table for table in metadata.sorted_tables if table.name != "leases"]
        return {table.name: sorted(map(tuple, store.database.fetch_all(select(table))), key=repr) for table in tables}
