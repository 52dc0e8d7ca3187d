"""`crawler alerts explain`: its reasons agree with what was decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.article_publisher import NOON, ArticlePublisher
from support.shipped_rules import get_shipped_matcher

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


def explain(room: ArticlePublisher, article_id: str) -> str:
    """What is said of an article once everything is sorted."""
    room.cluster_articles()
    route_events(room.store, CONFIG, room.clock)
    return "\n".join(explain_notifications(room.store, CONFIG, article_id))


def test_match_of_a_later_rule_is_explained(store: Store) -> None:
    room = ArticlePublisher(store)
    plain = room.publish("1", title="О выставке", body="Министр открыл выставку ковров в Шымкенте.")
    assert "no rule matches it" in explain(room, plain.id)
    found = get_shipped_matcher().find_matches({"body": "МККК"}, language="ru", source="mfa")
    store.rematches.save_matches(replace(plain, matches=found), (), rules_digest="x", at=NOON)
    assert "no rule matched it when it was stored" in explain(room, plain.id)


def test_article_shown_with_its_story_is_explained(store: Store) -> None:
    room = ArticlePublisher(store)
    room.publish("1", "en")
    shown = room.publish("1", "ru")
    assert "it is shown with its story (mfa:1:en): due on desk" in explain(room, shown.id)
    ((_, delivery),) = store.deliveries.list_newest()
    store.deliveries.save_result(
        delivery, replace(delivery, state=DeliveryState.DEAD, failure="the receiver answered 500")
    )
    assert "not sent on desk: given up, the receiver answered 500" in explain(room, shown.id)
