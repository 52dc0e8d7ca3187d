"""The delay from publication to message, over both databases, and the alarm about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from support.article_publisher import NOON, ArticlePublisher
from support.factories import make_config
from support.webhook_server import WebhookServer

from crawler.items import Article, Precision
from crawler.notify.alarms import record_delay, route_alarms
from crawler.notify.delays import DelayStats, format_delay, measure_delay
from crawler.notify.digests import make_due_digests
from crawler.notify.dispatcher import Dispatcher
from crawler.notify.routing import route_events
from crawler.store import Store
from crawler.store.alarms import DELAY_TOPIC

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LATER = NOON + DAY


@pytest.fixture(scope="module")
def hook() -> Iterator[WebhookServer]:
    with WebhookServer() as one:
        yield one


class DelayDesk:
    """A reader of mfa. `now` is the clock of the senders."""

    def __init__(self, store: Store, hook: WebhookServer, **options: Any) -> None:
        self.store, self.now = store, NOON
        settings = {"alarms": {"channels": [hook.address]}}
        self.config = make_config(hook.address, settings=settings, **{"unit": "article", **options})
        store.subscriptions.get_or_start(["press"], NOON - DAY)
        self.publisher = ArticlePublisher(store)

    def publish(self, name: str, *, seen_after: float = 0, **values: Any) -> Article:
        """Add an article of noon that a run sees so many minutes later."""
        self.publisher.clock = NOON + seen_after * MINUTE
        return self.publisher.publish(name, title=f"Встреча {name}", **{"published_at": NOON, **values})

    def send(self, minute: float) -> None:
        """Decide about everything new and send what is due, so many minutes after noon."""
        self.now = NOON + minute * MINUTE
        self.store.clusters.assign_pending(NOON.tzinfo)
        route_events(self.store, self.config, self.now)
        make_due_digests(self.store, self.config, self.now)
        Dispatcher(self.config, self.store, get_now=lambda: self.now).send_due()

    def measure(self, now: datetime = LATER) -> DelayStats | None:
        return measure_delay(self.store, "mfa", now)


@pytest.fixture
def desk(store: Store, hook: WebhookServer) -> DelayDesk:
    return DelayDesk(store, hook)


def test_median_and_p95_of_what_was_sent(desk: DelayDesk) -> None:
    for minute in range(1, 5):
        desk.publish(str(minute))
        desk.send(minute)
    desk.publish("late")
    desk.send(90)
    delay = desk.measure()
    assert delay == DelayStats(3 * MINUTE, 90 * MINUTE, 5)
    assert delay is not None
    assert format_delay(delay) == "median 3 min, p95 90 min (5 messages in 30 days)"
    assert measure_delay(desk.store, "ktkz", LATER) is None
    assert desk.measure(NOON + 31 * DAY) is None


def test_a_page_without_a_time_counts_from_its_first_sight(desk: DelayDesk) -> None:
    desk.publish("1", seen_after=600, published_precision=Precision.DAY, published_at=NOON - 12 * HOUR)
    desk.publish("2", seen_after=602, published_at=None)
    desk.send(604)
    assert desk.measure() == DelayStats(3 * MINUTE, 4 * MINUTE, 2)


def test_a_time_in_the_future_is_no_delay(desk: DelayDesk) -> None:
    desk.publish("1", published_at=NOON + DAY)
    desk.send(5)
    assert desk.measure() == DelayStats(timedelta(), timedelta(), 1)


@pytest.mark.parametrize("options", [{"when": "daily 08:30"}, {"paused_until": "2026-03-08"}, {"quiet": "16:00-23:00"}])
def test_what_a_reader_wants_later_is_no_delay(store: Store, hook: WebhookServer, options: dict[str, str]) -> None:
    desk = DelayDesk(store, hook, timezone="Asia/Almaty", **options)
    desk.publish("1")
    for hours in (0, 1, 10, 24, 60):
        desk.send(60 * hours)
    assert len(store.deliveries.list_newest(subscription="press")) >= 1
    assert not any(each.sent_at is None for _, each in store.deliveries.list_newest())
    assert desk.measure(NOON + 3 * DAY) is None


def test_a_message_that_a_pause_postpones_is_no_delay(store: Store, hook: WebhookServer) -> None:
    desk = DelayDesk(store, hook)
    desk.publish("1")
    route_events(store, desk.config, NOON + MINUTE)
    paused = DelayDesk(store, hook, paused_until="2026-03-07", timezone="UTC")
    paused.send(2)
    desk.send(20 * 60)
    assert desk.measure() is None


def test_old_articles_of_a_first_run_and_revisions_are_no_delay(desk: DelayDesk) -> None:
    desk.publish("1", published_at=NOON - 40 * DAY, quiet="baseline")
    article = desk.publish("2")
    desk.send(1)
    desk.publisher.clock = NOON + 300 * MINUTE
    desk.publisher.revise(article, "в ближайшие месяцы", "до 15 мая")
    desk.send(301)
    assert desk.measure() == DelayStats(MINUTE, MINUTE, 1)


def test_a_message_that_cannot_be_sent_is_late_already(desk: DelayDesk, hook: WebhookServer) -> None:
    desk.publish("1")
    hook.failing = 1.0
    desk.send(1)
    hook.failing = 0.0
    assert desk.measure(NOON + 2 * HOUR) == DelayStats(2 * HOUR, 2 * HOUR, 1)


def test_the_alarm_opens_once_and_recovers(desk: DelayDesk, hook: WebhookServer) -> None:
    hook.requests.clear()
    late, good = DelayStats(5 * MINUTE, 61 * MINUTE, 37), DelayStats(5 * MINUTE, 60 * MINUTE, 38)
    for minute, delay in enumerate((good, late, late, good, None)):
        now = NOON + minute * MINUTE
        record_delay(desk.store, "mfa", delay, HOUR, now)
        route_alarms(desk.store, desk.config, now)
        desk.send(minute)
    assert [request.title for request in hook.requests] == ["mfa: delayed", "mfa: messages are in time again"]
    assert "median 5 min, p95 61 min (37 messages in 30 days). The limit is 60 min." in hook.requests[0].text
    assert desk.store.alarms.get_open("mfa", DELAY_TOPIC) is None
