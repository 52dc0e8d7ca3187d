"""Due digests: their content and period, also after a time of real-time alerts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.article_publisher import NOON, ArticlePublisher
from support.factories import make_config

from crawler.notify.digests import make_due_digests
from crawler.notify.routing import route_events
from crawler.store import Decision, Message, Store

DAY = timedelta(days=1)
DAILY = "daily 08:30"


@pytest.fixture(autouse=True)
def subscription(store: Store) -> None:
    """The subscription `press`, which began a month earlier."""
    store.subscriptions.get_or_start(["press"], NOON - 30 * DAY)


def list_messages(store: Store, kind: str) -> list[Message]:
    return [message for message, _ in reversed(store.deliveries.list_newest()) if message.kind == kind]


def test_a_digest_is_added_once(store: Store) -> None:
    publisher = ArticlePublisher(store)
    publisher.publish("1")
    publisher.cluster_articles()
    route_events(store, make_config(when=DAILY), publisher.clock)
    assert [make_due_digests(store, make_config(when=DAILY), NOON + DAY) for _ in range(3)] == [1, 0, 0]
    (digest,) = list_messages(store, "digest")
    assert [notice.decision for notice in store.notifications.list_by_message(digest.id)] == [Decision.DIGEST]
    assert digest.period_start == NOON - 30 * DAY
    assert f"{digest.period_end:%d %H:%M}" == "07 03:30"  # 08:30 in Almaty


def test_a_first_digest_has_no_covered_events_from_before(store: Store) -> None:
    at_once, publisher = make_config(), ArticlePublisher(store)
    first = publisher.publish("1")
    publisher.publish("1", source="ktkz", body=first.body, title=first.title)
    publisher.cluster_articles()
    route_events(store, at_once, publisher.clock)
    publisher.publish("1", source="qazmonitor", body=first.body, title=first.title)
    publisher.cluster_articles()
    route_events(store, at_once, publisher.clock)
    (alert,) = list_messages(store, "alert")
    assert len(store.notifications.list_by_message(alert.id)) == 3
    make_due_digests(store, make_config(when=DAILY), NOON + 3 * DAY)
    (digest,) = list_messages(store, "digest")
    assert digest.period_start == alert.created_at
    assert store.notifications.list_by_message(digest.id) == []


def test_an_empty_digest_is_sent_once_in_a_row(store: Store) -> None:
    for day in range(4):
        make_due_digests(store, make_config(when=DAILY), NOON + day * DAY)
    (digest,) = list_messages(store, "digest")
    assert digest.created_at == NOON
    assert [
        make_due_digests(store, make_config(when=DAILY, empty=how), NOON + 9 * DAY) for how in ("never", "always")
    ] == [0, 0]
    assert make_due_digests(store, make_config(when=DAILY, empty="always"), NOON + 10 * DAY) == 1
