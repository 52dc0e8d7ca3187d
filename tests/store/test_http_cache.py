"""The HTTP cache, failures and schedules, over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from crawler.store import FetchFailure, HttpCacheEntry, ScheduleState, Store

NOON = datetime(2026, 3, 6, 12, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
URL = "https://mfa.example/graphql?query=" + "я" * 5000


def make_entry(url: str = URL, **values: object) -> HttpCacheEntry:
    given = {
        "etag": 'W/"é\0"',
        "last_modified": "Fri, 06 Mar 2026 12:00:00 GMT",
        "digest": "sha256:00",
        "record_file": "mfa-2026-03-06.warc.gz",
        "record_offset": 2**40,
        "record_date": NOON,
        "checked_at": NOON.astimezone(timezone(5 * HOUR)),
        "status": 200,
    }
    return HttpCacheEntry(source="mfa", url=url, **{**given, **values})


def test_cache_entry_is_returned_without_refused_characters(store: Store) -> None:
    entry = make_entry()
    store.http_cache.save(entry)
    assert store.http_cache.get("mfa", URL) == replace(entry, etag='W/"é\ufffd"')
    assert store.http_cache.get("ktkz", URL) is None
    assert store.http_cache.get("mfa", URL + "2") is None


def test_last_cache_entry_of_a_url_is_stored(store: Store) -> None:
    store.http_cache.save(make_entry(etag="0"))
    store.http_cache.save()
    later = HttpCacheEntry(source="mfa", url=URL, checked_at=NOON + HOUR)
    other = replace(make_entry(etag=None), source="ktkz")
    store.http_cache.save(make_entry(etag="1"), other, later)
    assert store.http_cache.get("mfa", URL) == later
    assert store.http_cache.get("ktkz", URL) == other


def test_failure_counts_attempts_until_deleted(store: Store) -> None:
    room = store.failures
    assert room.list_by_source("mfa") == []
    room.record("mfa", URL, "PageChanged", "no title", NOON + HOUR)
    room.record("mfa", "https://mfa.example/2", "Unreachable", "no answer", NOON)
    room.record("ktkz", URL, "Unreachable", "no answer", NOON)
    room.record("mfa", URL, "Blocked", "403", NOON + 2 * HOUR)
    first = FetchFailure(
        source="mfa",
        url="https://mfa.example/2",
        kind="Unreachable",
        message="no answer",
        tries=1,
        first_at=NOON,
        last_at=NOON,
    )
    again = FetchFailure(
        source="mfa", url=URL, kind="Blocked", message="403", tries=2, first_at=NOON + HOUR, last_at=NOON + 2 * HOUR
    )
    assert room.list_by_source("mfa") == [first, again]
    assert [room.delete("mfa", URL), room.delete("mfa", URL)] == [True, False]
    assert room.list_by_source("mfa") == [first]
    room.record("mfa", URL, "PageChanged", "no title", NOON)
    assert {failure.url: failure.tries for failure in room.list_by_source("mfa")}[URL] == 1


def test_schedules_are_saved_and_listed(store: Store) -> None:
    room = store.schedules
    assert (room.get("mfa"), room.list_all()) == (None, [])
    plain = ScheduleState(source="qazmonitor", cron="*/30 * * * *")
    row = ScheduleState(
        source="mfa",
        cron="*/15 * * * *",
        jitter=60,
        paused=True,
        last_due_at=NOON,
        last_started_at=NOON + HOUR,
        last_finished_at=NOON + 2 * HOUR,
        next_due_at=NOON + 3 * HOUR,
    )
    room.save(plain)
    room.save(replace(row, jitter=1))
    room.save(row)
    assert room.list_all() == [row, plain]
    assert room.get("mfa") == row
