"""`crawler alerts explain`: what it says is what happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alerts.newsroom import NOON, Newsroom, matcher

from crawler.alerts.sorting import sort
from crawler.cli.explaining import explained
from crawler.config import Config
from crawler.store import State, Store, open_store

CONFIG = Config.model_validate(
    {"channels": {"desk": "json://127.0.0.1:1"}, "subscriptions": {"press": {"channels": ["desk"]}}}
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'crawler.db'}") as opened:
        opened.news.subscribed(["press"], NOON - timedelta(days=1))
        yield opened


def told(room: Newsroom, article_id: str) -> str:
    """What is said of an article once everything is sorted."""
    room.judge()
    sort(room.store, CONFIG, room.clock)
    return "\n".join(explained(room.store, CONFIG, article_id))


def test_what_a_later_rule_found_was_not_told_for_that(store: Store) -> None:
    room = Newsroom(store)
    plain = room.publish("1", title="О выставке", body="Министр открыл выставку ковров в Шымкенте.")
    assert "no rule matches it" in told(room, plain.id)
    found = matcher().match({"body": "МККК"}, language="ru", source="mfa")
    store.markings.mark(replace(plain, matches=found), (), rules="x", at=NOON)
    assert "no rule matched it when it was stored" in told(room, plain.id)


def test_what_is_shown_with_its_story_is_told_when_that_is(store: Store) -> None:
    room = Newsroom(store)
    room.publish("1", "en")
    shown = room.publish("1", "ru")
    assert "it is shown with its story (mfa:1:en): to be told on desk" in told(room, shown.id)
    ((_, delivery),) = store.outbox.ledger()
    store.outbox.settle(delivery, replace(delivery, state=State.DEAD, failure="the receiver answered 500"))
    assert "not told on desk: given up, for the receiver answered 500" in told(room, shown.id)
