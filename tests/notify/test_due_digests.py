"""Digests that fall due: what they tell, and from when on, also where the subscription was told at once before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.article_publisher import NOON, ArticlePublisher

from crawler.config import Config
from crawler.notify.digests import make_due_digests
from crawler.notify.routing import route_events
from crawler.store import Decision, Message, Store, open_store

DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'crawler.db'}") as opened:
        opened.subscriptions.get_or_start(["press"], NOON - 30 * DAY)
        yield opened


def config(when: str = "daily 08:30", **options: Any) -> Config:
    subscription = {"channels": ["desk"], "when": when, **options}
    channels = {"desk": "json://127.0.0.1:1"}
    return Config.model_validate({"channels": channels, "subscriptions": {"press": subscription}})


def told(store: Store, kind: str) -> list[Message]:
    return [message for message, _ in reversed(store.deliveries.list_newest()) if message.kind == kind]


def test_a_digest_is_made_once_however_often_it_is_asked_for(store: Store) -> None:
    room = ArticlePublisher(store)
    room.publish("1")
    room.cluster_articles()
    route_events(store, config(), room.clock)
    assert [make_due_digests(store, config(), NOON + DAY) for _ in range(3)] == [1, 0, 0]
    (digest,) = told(store, "digest")
    assert [notice.decision for notice in store.notifications.list_by_message(digest.id)] == [Decision.DIGEST]
    assert digest.period_start == NOON - 30 * DAY
    assert f"{digest.period_end:%d %H:%M}" == "07 03:30"  # half past eight in Almaty


def test_who_was_told_at_once_gets_no_digest_of_all_that_was_ever_carried(store: Store) -> None:
    at_once, room = config("realtime"), ArticlePublisher(store)
    first = room.publish("1")
    room.publish("1", source="ktkz", body=first.body, title=first.title)
    room.cluster_articles()
    route_events(store, at_once, room.clock)
    room.publish("1", source="qazmonitor", body=first.body, title=first.title)
    room.cluster_articles()
    route_events(store, at_once, room.clock)
    (alert,) = told(store, "alert")
    assert len(store.notifications.list_by_message(alert.id)) == 3
    make_due_digests(store, config(), NOON + 3 * DAY)
    (digest,) = told(store, "digest")
    assert digest.period_start == alert.created_at
    assert store.notifications.list_by_message(digest.id) == []


def test_an_empty_digest_is_sent_once_in_a_row(store: Store) -> None:
    for day in range(4):
        make_due_digests(store, config(), NOON + day * DAY)
    (digest,) = told(store, "digest")
    assert digest.created_at == NOON
    assert [make_due_digests(store, config(empty=how), NOON + 9 * DAY) for how in ("never", "always")] == [0, 0]
    assert make_due_digests(store, config(empty="always"), NOON + 10 * DAY) == 1
