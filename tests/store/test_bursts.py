"""Many messages within ten minutes become one list: over both databases, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from support.article_publisher import NOON, ArticlePublisher
from support.factories import make_config
from support.webhook_server import WebhookServer

from crawler.config import Config
from crawler.notify.alarms import record_run_result, route_alarms
from crawler.notify.bursts import collect_bursts
from crawler.notify.dispatcher import Dispatcher
from crawler.notify.retry_delays import LEASE_DURATION
from crawler.notify.routing import route_events
from crawler.store import Decision, DeliveryState, Store

START = NOON + timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def hook() -> Iterator[WebhookServer]:
    with WebhookServer() as one:
        yield one


class BurstDesk:
    """A reader with a message for each article, at most three within ten minutes. `now` is the clock of the senders."""

    def __init__(self, store: Store, hook: WebhookServer, **options: object) -> None:
        self.store, self.hook, self.now, self.count = store, hook, START, 0
        self.config = make_config(hook.address, **{"unit": "article", "burst": 3, **options})
        store.subscriptions.get_or_start(["press"], NOON - timedelta(days=1))
        self.publisher = ArticlePublisher(store)

    def publish(self, count: int) -> None:
        """Add articles and decide about them."""
        for number in range(self.count, self.count + count):
            self.publisher.clock = self.now
            self.publisher.publish(str(number), title=f"Встреча {number}")
        self.count += count
        self.store.clusters.assign_pending(self.now.tzinfo)
        route_events(self.store, self.config, self.now)

    def send(self, minute: float | None = None, **options: bool) -> list[str]:
        """Send what is due, in a process of its own. Return how what arrived begins."""
        self.now = self.now if minute is None else START + minute * MINUTE
        before = len(self.hook.requests)
        Dispatcher(self.config, self.store, get_now=lambda: self.now, **options).send_due()
        return [request.title.partition(":")[0].partition(" –")[0] for request in self.hook.requests[before:]]

    def list_ledger(self) -> list[tuple[str, int, DeliveryState]]:
        """Return kind, number of articles and state of each message, the oldest first."""
        return [
            (message.kind, len(self.store.notifications.list_by_message(message.id)), delivery.state)
            for message, delivery in reversed(self.store.deliveries.list_newest())
        ]


@pytest.fixture
def desk(store: Store, hook: WebhookServer) -> BurstDesk:
    return BurstDesk(store, hook)


def test_as_many_as_the_limit_are_sent_alone(desk: BurstDesk) -> None:
    desk.publish(3)
    assert len(desk.send()) == 3
    assert desk.send(30) == []


@pytest.mark.slow
def test_what_is_beyond_the_limit_is_one_list_after_ten_minutes(desk: BurstDesk) -> None:
    desk.publish(7)
    assert len(desk.send()) == 3
    held = ("bundle", 4, DeliveryState.PENDING)
    assert desk.list_ledger() == [("alert", 1, DeliveryState.SENT)] * 3 + [held]
    assert desk.send(9.9) == []
    assert desk.send(10) == ["Digest"]
    assert desk.send(11) == []
    notices = [notice for number in range(7) for notice in desk.store.notifications.list_by_article(f"mfa:{number}:ru")]
    assert all(notice.decision is Decision.ALERT and notice.message_id is not None for notice in notices)


@pytest.mark.slow
def test_runs_within_ten_minutes_count_together(desk: BurstDesk) -> None:
    arrived = []
    for minute in (0, 2, 4, 6, 9):
        desk.now = START + minute * MINUTE
        desk.publish(1)
        arrived.append(len(desk.send(minute)))
    assert arrived == [1, 1, 1, 0, 0]
    desk.now = START + 10 * MINUTE
    assert desk.send(10) == ["Digest"]
    assert desk.list_ledger()[3:] == [("bundle", 2, DeliveryState.SENT)]


@pytest.mark.slow
def test_a_list_of_one_is_an_alert(desk: BurstDesk) -> None:
    desk.publish(4)
    assert len(desk.send()) == 3
    (title,) = desk.send(10)
    assert title.startswith("Встреча")
    assert b'"kind": "alert"' in desk.hook.requests[-1].body


@pytest.mark.slow
def test_a_command_that_ends_sends_the_list_at_once(desk: BurstDesk) -> None:
    desk.publish(7)
    *alone, last = desk.send(hold_bursts=False)
    assert (sorted(alone), last) == (["Встреча 0", "Встреча 1", "Встреча 2"], "Digest")


@pytest.mark.slow
def test_a_command_that_ends_sends_a_held_list_too(desk: BurstDesk) -> None:
    desk.publish(5)
    desk.send()
    desk.publish(1)
    assert desk.send(1, hold_bursts=False) == ["Digest"]
    assert desk.list_ledger()[3:] == [("bundle", 3, DeliveryState.SENT)]


def test_alerts_of_the_night_are_at_most_the_limit_and_a_list(store: Store, hook: WebhookServer) -> None:
    desk = BurstDesk(store, hook, quiet="22:00-07:00", timezone="UTC")
    for hour in (10, 12, 13, 15):  # from 23:00 on
        desk.now = START + hour * 60 * MINUTE
        desk.publish(1)
        assert desk.send(hour * 60) == []
    morning = 18 * 60
    assert len(desk.send(morning)) == 3
    assert len(desk.send(morning + 10)) == 1


@pytest.mark.slow
def test_a_message_that_may_have_arrived_keeps_its_key(desk: BurstDesk) -> None:
    desk.hook.failing = 1.0
    desk.publish(3)
    desk.send()  # tried in vain, and perhaps the receiver has them
    desk.publish(3)
    desk.hook.failing = 0.0
    assert sorted(desk.send(5)) == ["Встреча 0", "Встреча 1", "Встреча 2"]
    assert [kind for kind, _, _ in desk.list_ledger()] == ["alert"] * 3 + ["bundle"]
    assert set(desk.hook.keys.values()) == {1}
    assert desk.send(15) == ["Digest"]


def test_a_message_that_was_tried_before_a_retry_keeps_its_key(desk: BurstDesk) -> None:
    desk.hook.failing = 1.0
    desk.publish(3)
    for minute in (0, 1, 3):
        desk.send(minute)
    desk.hook.failing = 0.0
    desk.publish(3)
    assert len(desk.send(5)) == 3
    assert desk.store.deliveries.retry_failed(desk.now) == 3
    assert sorted(desk.send(6)) == ["Встреча 0", "Встреча 1", "Встреча 2"]
    assert desk.list_ledger() == [("alert", 1, DeliveryState.SENT)] * 6


def test_a_message_whose_sender_was_killed_keeps_its_key(desk: BurstDesk) -> None:
    desk.publish(3)
    for _, delivery in desk.store.deliveries.list_due(desk.now, 9):
        assert desk.store.deliveries.claim(delivery, desk.now + LEASE_DURATION)  # and the process is killed
    desk.config = make_config(desk.hook.address, unit="article", burst=1)
    assert sorted(desk.send(10)) == ["Встреча 0", "Встреча 1", "Встреча 2"]
    assert desk.list_ledger() == [("alert", 1, DeliveryState.SENT)] * 3


@pytest.mark.slow
def test_a_process_killed_before_it_sent_leaves_the_same_limit(desk: BurstDesk) -> None:
    desk.publish(7)
    collect_bursts(desk.store, desk.config, desk.now)  # and the process is killed
    assert desk.list_ledger() == [("alert", 1, DeliveryState.PENDING)] * 3 + [("bundle", 4, DeliveryState.PENDING)]
    assert len(desk.send(1)) == 3
    desk.publish(1)
    assert desk.send(2) == []
    assert len(desk.send(10)) == 1
    assert desk.list_ledger()[-1] == ("bundle", 5, DeliveryState.SENT)


def test_sending_alarms_does_not_touch_what_waits_for_readers(desk: BurstDesk) -> None:
    desk.publish(7)
    Dispatcher(desk.config, desk.store, get_now=lambda: desk.now).send_due(subscription="operator")
    assert [kind for kind, _, _ in desk.list_ledger()] == ["alert"] * 7
    assert len(desk.send()) == 3


@pytest.mark.slow
def test_a_list_whose_sender_was_killed_is_sent_under_its_key(desk: BurstDesk) -> None:
    desk.publish(6)
    desk.send()
    bundle, delivery = desk.store.deliveries.list_newest()[0]
    desk.now = START + 10 * MINUTE
    assert desk.store.deliveries.claim(delivery, desk.now + LEASE_DURATION)  # and the process is killed
    desk.publish(4)  # cannot join it
    assert len(desk.send()) == 2  # with the list that is being sent it is three
    desk.send(30)
    assert desk.hook.keys[bundle.key] == 1
    assert [number for kind, number, _ in desk.list_ledger() if kind == "bundle"] == [3, 2]


class OperatorDesk:
    """The operator of many sources, who has the usual limit of 20."""

    def __init__(self, store: Store, hook: WebhookServer) -> None:
        self.store = store
        self.config = Config.model_validate({"alarms": {"channels": [hook.address]}, "timezone": "UTC"})

    def record(self, health: str, minute: int, *sources: str) -> None:
        """Record runs of these sources."""
        at = START + minute * MINUTE
        for source in sources:
            values = {"exit_code": 11 * (health == "blocked"), "message": "No.", "run_id": None, "finished_at": at}
            record_run_result(self.store, source=source, health=health, **values)

    def send(self, minute: int) -> int:
        """Send what is due. Return how many messages arrived."""
        now = START + minute * MINUTE
        route_alarms(self.store, self.config, now)
        return Dispatcher(self.config, self.store, get_now=lambda: now).send_due().sent


def test_alarms_become_a_list_too(store: Store, hook: WebhookServer) -> None:
    desk = OperatorDesk(store, hook)
    desk.record("blocked", 0, *(f"source{number:02}" for number in range(23)))
    assert desk.send(0) == 20
    desk.record("healthy", 1, "source21")  # before its alarm was sent
    assert (desk.send(1), desk.send(10)) == (0, 1)
    last = hook.requests[-1]
    assert last.title == "3 alarms: source20, source22, source21"
    assert "source21 is well again" in last.text
    assert "source21: blocked" not in last.text


@pytest.mark.slow
def test_no_message_is_held_longer_than_ten_minutes(store: Store, hook: WebhookServer) -> None:
    desk = OperatorDesk(store, hook)
    for minute in range(0, 24, 3):
        desk.record("blocked", minute, *(f"source{minute:02}{number}" for number in range(8)))
        desk.send(minute)
        pending = [(message, each) for message, each in store.deliveries.list_newest() if not each.sent_at]
        assert len(pending) <= 1
        assert all(each.next_try_at <= message.created_at + 10 * MINUTE for message, each in pending)
    desk.send(40)
    sent = [each.sent_at for _, each in store.deliveries.list_newest() if each.sent_at]
    for minute in range(24):
        start = START + minute * MINUTE
        assert len([at for at in sent if start < at <= start + 10 * MINUTE]) <= 20 + 1
    listed = [len(store.alarms.list_notices(message.id)) for message, _ in store.deliveries.list_newest()]
    assert (sum(listed), len(sent)) == (64, len(listed))
