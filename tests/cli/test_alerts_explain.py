"""`crawler alerts explain`: what it says is what happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.article_publisher import NOON, ArticlePublisher, get_matcher

from crawler.cli.commands.alerts import explain_notifications
from crawler.config import Config
from crawler.notify.routing import route_events
from crawler.store import DeliveryState, Store

CONFIG = Config.model_validate(
    {"channels": {"desk": "json://127.0.0.1:1"}, "subscriptions": {"press": {"channels": ["desk"]}}}
)


@pytest.fixture(autouse=True)
def subscription(store: Store) -> None:
    """The subscription `press`, which began a day earlier."""
    store.subscriptions.get_or_start(["press"], NOON - timedelta(days=1))


def told(room: ArticlePublisher, article_id: str) -> str:
    """What is said of an article once everything is sorted."""
    room.cluster_articles()
    route_events(room.store, CONFIG, room.clock)
    return "\n".join(explain_notifications(room.store, CONFIG, article_id))


def test_what_a_later_rule_found_was_not_told_for_that(store: Store) -> None:
    room = ArticlePublisher(store)
    plain = room.publish("1", title="О выставке", body="Министр открыл выставку ковров в Шымкенте.")
    assert "no rule matches it" in told(room, plain.id)
    found = get_matcher().find_matches({"body": "МККК"}, language="ru", source="mfa")
    store.rematches.save_matches(replace(plain, matches=found), (), rules_digest="x", at=NOON)
    assert "no rule matched it when it was stored" in told(room, plain.id)


def test_what_is_shown_with_its_story_is_told_when_that_is(store: Store) -> None:
    room = ArticlePublisher(store)
    room.publish("1", "en")
    shown = room.publish("1", "ru")
    assert "it is shown with its story (mfa:1:en): due on desk" in told(room, shown.id)
    ((_, delivery),) = store.deliveries.list_newest()
    store.deliveries.save_result(
        delivery, replace(delivery, state=DeliveryState.DEAD, failure="the receiver answered 500")
    )
    assert "not sent on desk: given up, the receiver answered 500" in told(room, shown.id)
