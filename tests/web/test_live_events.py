"""Live events: what another thread or process stores reaches the clients, once, also after a lost connection."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from support.newsroom_articles import NOW, TEXT, SaveArticle
from support.newsroom_server import run_newsroom

from crawler.items import Health, Run, Verdict
from crawler.store import Store
from crawler.web.answer_threads import AnswerThreads
from crawler.web.api import event_feed
from crawler.web.newsroom import Newsroom

Event = dict[str, Any]


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_feed, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(event_feed, "HEARTBEAT_SECONDS", 0.1)


class EventClient:
    """Reads events from a stream."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()

    def read_block(self) -> Event:
        """Return the fields of the next block. A comment has the name ''."""
        found: Event = {}
        for line in self._lines:
            if not line:
                return found
            name, _, value = line.partition(":")
            found[name] = value.strip()
        raise AssertionError("The stream ended.")

    def read_event(self) -> Event:
        while True:
            block = self.read_block()
            if "event" in block:
                return {**block, "data": json.loads(block["data"])}


@pytest.fixture
def listen(address: str) -> Iterator[Any]:
    """A function that opens a stream."""
    streams = []

    def open_stream(**headers: str) -> EventClient:
        stream = httpx.stream("GET", f"{address}/api/v1/events", headers=headers, timeout=120, verify=False)
        response = stream.__enter__()
        streams.append(stream)
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        client = EventClient(response)
        assert "retry" in client.read_block()
        return client

    yield open_stream
    for stream in streams:
        stream.__exit__(None, None, None)


def end_run(store: Store, source: str, health: Health) -> None:
    run = store.runs.record_start(Run(source=source, started_at=NOW))
    store.runs.record_end(replace(run, finished_at=datetime.now(UTC), health=health))


def test_new_article_revision_and_run_arrive(listen: Any, store: Store, save: SaveArticle) -> None:
    save("0")
    client = listen()
    first = save("1")
    event = client.read_event()
    assert event["event"] == "article"
    assert (event["data"]["article"], event["data"]["headline"]) == ("mfa:1:ru", "Заголовок 1")
    save("1", TEXT.replace("Астану", "Алматы"), version=2, verdict=Verdict.REVISED, title=first.title)
    event = client.read_event()
    assert (event["event"], event["data"]["version"], event["data"]["severity"]) == ("revision", 2, "substantive")
    end_run(store, "mfa", Health.BLOCKED)
    event = client.read_event()
    assert (event["event"], event["data"]["source"], event["data"]["health"]) == ("source", "mfa", "blocked")


def test_client_that_comes_back_misses_nothing(listen: Any, store: Store, save: SaveArticle) -> None:
    client = listen()
    save("1")
    place = client.read_event()["id"]
    save("2")
    end_run(store, "mfa", Health.HEALTHY)
    save("3")
    again = listen(**{"Last-Event-ID": place})
    found = [again.read_event() for _ in range(3)]
    assert sorted(each["data"].get("article") or each["data"]["source"] for each in found) == [
        "mfa",
        "mfa:2:ru",
        "mfa:3:ru",
    ]


def test_event_that_is_stored_late_arrives(listen: Any, store: Store, save: SaveArticle) -> None:
    """PostgreSQL may store an event after one with a higher number."""
    from sqlalchemy import text

    save("1")
    with store.database.transaction() as connection:
        connection.execute(text("UPDATE news SET id = 10"))
    client = listen()
    save("2")
    with store.database.transaction() as connection:
        connection.execute(text("UPDATE news SET id = 9 WHERE article_id = 'mfa:2:ru'"))
    event = client.read_event()
    while event["data"]["article"] != "mfa:2:ru":
        event = client.read_event()


def test_run_that_is_stored_late_arrives_once(listen: Any, store: Store) -> None:
    """A run is judged after its end: it may be stored after one that ended later."""
    slow = store.runs.record_start(Run(source="mfa", started_at=NOW))
    before, ended_at = listen(), datetime.now(UTC)
    end_run(store, "ktkz", Health.HEALTHY)
    event = before.read_event()
    assert event["data"]["source"] == "ktkz"
    after = listen(**{"Last-Event-ID": event["id"]})
    store.runs.record_end(replace(slow, finished_at=ended_at, health=Health.BLOCKED))
    end_run(store, "qazmonitor", Health.HEALTHY)
    for client in (before, after):
        for source in ("mfa", "qazmonitor"):
            assert client.read_event()["data"]["source"] == source


def test_articles_that_were_there_before_are_no_news(listen: Any, store: Store, save: SaveArticle) -> None:
    from support.newsroom_articles import make_story_article

    client = listen()
    old = make_story_article("old")
    store.articles.save(old, content_hash="x", run_id=None, seen_at=NOW, suppressed_because="baseline")
    save("1")
    assert client.read_event()["data"]["article"] == "mfa:1:ru"


def test_heartbeat_comes_while_nothing_happens(listen: Any) -> None:
    assert "" in listen().read_block()


def test_clients_are_bounded_and_leave(listen: Any, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_feed, "MAX_CLIENTS", 1)
    client = listen()
    refused = httpx.get(f"{address}/api/v1/events", timeout=120, verify=False)
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    assert refused.headers["content-type"] == "application/problem+json"
    assert "" in client.read_block()


def test_one_user_cannot_take_all_places(listen: Any, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_feed, "MAX_CLIENTS_PER_USER", 1)
    client = listen()
    refused = httpx.get(f"{address}/api/v1/events", timeout=120, verify=False)
    assert (refused.status_code, "1 clients of local listen already" in refused.text) == (503, True)
    assert "" in client.read_block()


def test_place_of_a_client_that_left_is_free_again(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_feed, "MAX_CLIENTS", 1)
    for _ in range(3):
        until = time.monotonic() + 120
        while True:
            with httpx.stream("GET", f"{address}/api/v1/events", timeout=120, verify=False) as response:
                if response.status_code == 200:
                    break
            assert time.monotonic() < until
            time.sleep(0.05)


def test_client_that_leaves_before_its_stream_begins_has_no_place(store: Store) -> None:
    async def open_and_leave() -> int:
        feed = event_feed.EventFeed(store, threads)
        for _ in range(3):
            await feed.open_stream(None, "local")
        return feed.client_count

    with closing(AnswerThreads(2, "answer")) as threads:
        assert asyncio.run(open_and_leave()) == 0


def test_no_thread_reads_once_the_server_has_ended(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is closed next, and SQLite crashes if a connection is closed that another thread reads by."""
    reading = threading.Event()

    def read_slowly() -> int:
        reading.set()
        time.sleep(0.5)
        return 0

    monkeypatch.setattr(newsroom.store.article_lists, "get_news_mark", read_slowly)
    before = set(threading.enumerate())
    with run_newsroom(newsroom) as address, httpx.stream("GET", f"{address}/api/v1/events", timeout=120, verify=False):
        assert reading.wait(120)
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("place", ["x", "1", "1-", "-1-1", "1-999999999999999999", "2147483648-1", "9" * 200])
def test_bad_place_is_a_problem(address: str, place: str) -> None:
    with httpx.stream(
        "GET", f"{address}/api/v1/events", headers={"Last-Event-ID": place}, timeout=120, verify=False
    ) as response:
        assert response.status_code == 422
