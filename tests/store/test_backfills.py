"""The progress of backfills, over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support.releases import make_former_store

from crawler.errors import StoreError
from crawler.items import Run
from crawler.store import Backfill, BackfillGap, Store, WalkedPage, open_store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ADD_RUN = (
    "INSERT INTO runs (source, mode, started_at, complete, counts, problems, host, pid)"
    " VALUES ('mfa', 'live', '2026-03-06 12:00:00.000000', false, '{}', '[]', 'host', 1)"
)
PAGE = WalkedPage(source="mfa", list_name="ru", page=1, next_page=2, started_at=NOON, finished_at=NOON)
GAP = BackfillGap(
    source="mfa",
    url="https://a.example/1",
    list_name="ru",
    page=1,
    kind="Gone",
    message="404",
    first_at=NOON,
    last_at=NOON,
)


def test_backfill_is_stored_and_its_requests_are_counted_by_day(store: Store) -> None:
    assert store.backfills.get("mfa") is None
    begun = Backfill(source="mfa", since=NOON - 900 * DAY, started_at=NOON)
    store.backfills.save(begun)
    for day in ("2026-03-06", "2026-03-06", "2026-03-07"):
        store.backfills.count_request("mfa", day)
        last = store.backfills.get("mfa")
    assert last == replace(begun, request_day="2026-03-07", request_count=1)
    assert store.backfills.list_all() == [last]


def test_walked_lists_end_with_their_newest_page(store: Store) -> None:
    pages = [
        replace(PAGE, page=1, oldest_at=NOON - 3 * DAY, added=2),
        replace(PAGE, page=2, next_page=3, oldest_at=NOON - 9 * DAY, added=5),
        replace(PAGE, page=2, next_page=3, oldest_at=NOON - 8 * DAY),
        replace(PAGE, page=9, is_retry=True, oldest_at=NOON - 99 * DAY),
        replace(PAGE, list_name="kk", next_page=None, end_count=1, reason="no page follows"),
        replace(PAGE, source="old", list_name="ru"),
    ]
    for page in pages:
        store.backfills.record_page(page)
    walked = store.backfills.list_walked("mfa")
    assert walked.keys() == {"ru", "kk"}
    assert (walked["ru"].last.page, walked["ru"].reached_at) == (2, NOON - 9 * DAY)
    assert (walked["kk"].last.reason, walked["kk"].last.end_count) == ("no page follows", 1)
    assert store.backfills.count_articles("mfa") == (5, 7)
    assert [page.list_name for page in store.backfills.list_recent_pages("mfa", 2)] == ["kk", "ru"]


def test_gaps_are_counted_again_and_closed(store: Store) -> None:
    settled = replace(GAP, url="https://a.example/terms", kind="NotAnArticle", is_settled=True)
    store.backfills.record_page(PAGE, [GAP, settled])
    store.backfills.record_page(
        PAGE, [replace(GAP, kind="Blocked", message="403", first_at=NOON + DAY, last_at=NOON + DAY)]
    )
    assert store.backfills.list_gaps("mfa") == [
        replace(GAP, kind="Blocked", message="403", tries=2, last_at=NOON + DAY)
    ]
    urls = [GAP.url, settled.url, "https://a.example/2"]
    assert store.backfills.list_gap_urls("mfa", urls) == {GAP.url, settled.url}
    store.backfills.record_page(PAGE, closed=[GAP.url])
    assert store.backfills.list_gaps("mfa") == []
    assert store.backfills.list_gaps("mfa", with_settled=True) == [settled]


def test_failed_record_writes_nothing(store: Store) -> None:
    with pytest.raises(StoreError, match=r"NULL|null"):
        store.backfills.record_page(PAGE, [GAP, replace(GAP, url="https://a.example/2", kind=None)])  # type: ignore[arg-type]
    assert (store.backfills.list_walked("mfa"), store.backfills.list_gaps("mfa")) == ({}, [])


def test_killed_window_is_closed_by_the_next_holder_of_the_lease(store: Store) -> None:
    run = store.runs.record_start(Run(source="mfa", mode="backfill", started_at=NOON))
    store.leases.acquire("mfa", "next")
    closed = store.runs.get(run.id or 0)
    assert closed is not None
    assert closed.finished_at is not None


def test_upgrade_adds_the_tables_and_keeps_the_runs(url: str) -> None:
    with make_former_store(url, "0012") as connection:
        connection.exec_driver_sql(ADD_RUN)
    with open_store(url) as store:
        kept = store.runs.get_last("mfa")
        assert kept is not None
        assert kept.mode == "live"
        store.backfills.record_page(PAGE, [GAP])
        assert store.backfills.list_gaps("mfa") == [GAP]
        assert store.articles.list_publication_times("mfa", NOON) == []
