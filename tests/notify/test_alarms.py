"""Alarms: opened once, repeated when worse, closed when healed. A failed channel loses and repeats nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.alarm_webhook import AlarmWebhook
from support.gov_site import GovSite
from support.sandbox import Sandbox
from support.signal_gateway import SignalGateway

from crawler.config import Config
from crawler.errors import ConfigError
from crawler.items import Health, Run
from crawler.notify.alarms import record_run_result, route_alarms
from crawler.notify.dispatcher import Dispatcher, DispatchResult
from crawler.notify.rendering import MessageRenderer
from crawler.service.notifications import check_subscriptions
from crawler.store import DeliveryState, Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CODES = {"healthy": 0, "failed": 1, "unreachable": 10, "blocked": 11, "changed": 12, "silent": 13, "degraded": 14}


@pytest.fixture
def receiver() -> Iterator[AlarmWebhook]:
    one = AlarmWebhook()
    yield one
    one.close()


class AlarmDesk:
    """The operator of a store, who gets alarms on these addresses. `now` is the clock of the senders."""

    def __init__(self, store: Store, *addresses: str) -> None:
        self.store, self.now = store, NOON
        self.config = Config.model_validate({"alarms": {"channels": addresses}, "timezone": "UTC"})

    def record(
        self, health: str, minute: int | None = None, text: str | None = None, *, code: int | None = None
    ) -> None:
        """Record how a run ended."""
        self.now = self.now if minute is None else NOON + minute * MINUTE
        code, at = CODES[health] if code is None else code, self.now
        text = text or f"It is {health}."
        record_run_result(
            self.store, source="mfa", health=health, exit_code=code, message=text, run_id=None, finished_at=at
        )

    def send(self, minute: int | None = None) -> DispatchResult:
        """Send what is due."""
        self.now = self.now if minute is None else NOON + minute * MINUTE
        route_alarms(self.store, self.config, self.now)
        return Dispatcher(self.config, self.store, get_now=lambda: self.now).send_due()

    def list_states(self) -> list[tuple[str, int]]:
        """Return the state and the attempts of each delivery, the oldest message first."""
        return [(str(each.state), each.tries) for _, each in reversed(self.store.deliveries.list_newest())]


def list_sent_titles(store: Store, receiver: AlarmWebhook, *healths: str) -> list[str]:
    """Return the titles that runs a minute apart caused."""
    desk = AlarmDesk(store, receiver.address)
    for minute, health in enumerate(healths):
        desk.record(health, minute)
        desk.send()
    return receiver.titles


@pytest.mark.parametrize(
    ("healths", "titles"),
    [
        (["healthy", "healthy"], []),
        (["blocked", "blocked", "blocked"], ["mfa: blocked"]),
        (["blocked", "healthy", "healthy"], ["mfa: blocked", "mfa is well again"]),
        (["unreachable", "healthy"], []),
        (["unreachable", "unreachable", "unreachable", "healthy"], ["mfa: unreachable", "mfa is well again"]),
        (["unreachable", "blocked"], ["mfa: blocked"]),
        (["degraded", "changed", "degraded"], ["mfa: degraded", "mfa: changed, worse than before"]),
        (["degraded", "unreachable", "degraded"], ["mfa: degraded"]),
        (["degraded", "unreachable", "unreachable"], ["mfa: degraded", "mfa: unreachable, worse than before"]),
        (["unreachable", "degraded"], ["mfa: degraded"]),
        (["unreachable", "degraded", "unreachable"], ["mfa: degraded"]),
        (["silent", "healthy", "silent"], ["mfa: silent", "mfa is well again", "mfa: silent"]),
    ],
)
def test_which_notices_are_sent(store: Store, receiver: AlarmWebhook, healths: list[str], titles: list[str]) -> None:
    assert list_sent_titles(store, receiver, *healths) == titles


def test_an_alarm_that_gets_worse_twice_within_a_kind_is_sent_each_time(store: Store, receiver: AlarmWebhook) -> None:
    """Several exit codes are the health "failed", such as 16 and 1."""
    desk = AlarmDesk(store, receiver.address)
    for minute, (health, code) in enumerate([("degraded", 14), ("failed", 16), ("failed", 1)]):
        desk.record(health, minute, code=code)
        desk.send()
    assert receiver.titles == ["mfa: degraded", *["mfa: failed, worse than before"] * 2]


def record_runs(store: Store, receiver: AlarmWebhook, healths: str) -> list[str]:
    """Return the titles after runs that are stored first, as in practice: u(nreachable), h(ealthy), b(locked)."""
    desk = AlarmDesk(store, receiver.address)
    health_of_letter = {"u": "unreachable", "h": "healthy", "b": "blocked"}
    for minute, letter in enumerate(healths):
        at, health = NOON + minute * MINUTE, Health(health_of_letter[letter])
        begun = store.runs.record_start(Run(source="mfa", started_at=at))
        store.runs.record_end(replace(begun, finished_at=at, health=health, exit_code=CODES[health]))
        desk.record(health, minute)
        desk.send()
    return receiver.titles


OPENED, HEALED = "mfa: unreachable", "mfa is well again"


@pytest.mark.parametrize(
    ("healths", "titles"),
    [
        ("huhu", []),
        ("huhuhu", [OPENED]),
        ("uhhuhhuhhuhh", []),  # every third run: two of six
        ("uhuhuhuhuhuh", [OPENED]),  # announced once, and not healed in between
        ("uhuhuhhhh", [OPENED, HEALED]),
        ("uhuhubhhhh", [OPENED, "mfa: blocked, worse than before", HEALED]),
        ("uuuuh", [OPENED, HEALED]),  # an outage with an end
        ("uhhhhhhhuh", []),
    ],
)
def test_a_flapping_source_is_announced_once(
    store: Store, receiver: AlarmWebhook, healths: str, titles: list[str]
) -> None:
    assert record_runs(store, receiver, healths) == titles


def test_a_message_names_the_health_and_its_start(store: Store, receiver: AlarmWebhook) -> None:
    list_sent_titles(store, receiver, "blocked", "healthy")
    assert receiver.texts == [
        "It is blocked.\nSince 2026-03-06 12:00. `crawler health mfa` says more.",
        "It was blocked from 2026-03-06 12:00 to 2026-03-06 12:01.\nIt is blocked.",
    ]


def test_an_alarm_is_in_the_ledger_as_every_message(store: Store, receiver: AlarmWebhook) -> None:
    desk = AlarmDesk(store, receiver.address)
    desk.record("blocked")
    assert desk.send().sent == 1
    ((message, delivery),) = store.deliveries.list_newest(subscription="operator")
    assert (message.kind, delivery.state, delivery.sent_at) == ("alarm", DeliveryState.SENT, NOON)
    assert delivery.channel.startswith("alarms.")
    assert "geheim" not in delivery.channel
    (notice,) = store.alarms.list_notices(message.id)
    assert (notice.alarm.source, notice.notice, notice.kind) == ("mfa", "opened", "blocked")


def test_a_failed_channel_gets_the_alarm_once_it_is_back(store: Store, receiver: AlarmWebhook) -> None:
    other = AlarmWebhook()
    desk, receiver.down = AlarmDesk(store, receiver.address, other.address), True
    desk.record("blocked")
    waits = []
    for minute in range(8):
        desk.send(minute)
        waits.append(max(tries for _, tries in desk.list_states()))
    assert waits == [1, 2, 2, 3, 3, 3, 3, 4]
    assert (receiver.titles, other.titles) == ([], ["mfa: blocked"])
    assert store.deliveries.has_waiting_failure()
    receiver.down = False
    for minute in range(8, 20):
        desk.send(minute)
    assert (receiver.titles, other.titles) == (["mfa: blocked"], ["mfa: blocked"])
    assert not store.deliveries.has_waiting_failure()
    assert max(each.sent_at for _, each in store.deliveries.list_newest() if each.sent_at) == NOON + 15 * MINUTE
    other.close()


def test_recipients_who_have_an_alarm_do_not_get_it_again(store: Store) -> None:
    with SignalGateway() as group:
        desk = AlarmDesk(store, group.make_address("+77010000001", "+77010000002"))
        group.refused_numbers = {"+77010000002"}
        desk.record("blocked")
        assert (desk.send().sent, desk.send(1).sent) == (0, 0)
        assert desk.list_states() == [("pending", 2)]
        group.refused_numbers = set()
        assert desk.send(9).sent == 1
        assert group.delivered == ["+77010000001", "+77010000002"]


def start_sending(desk: AlarmDesk, receiver: AlarmWebhook) -> threading.Thread:
    """Return a thread that is sending until the receiver is let go."""
    receiver.arrived.clear()
    receiver.let_go.clear()
    thread = threading.Thread(target=desk.send)
    thread.start()
    assert receiver.arrived.wait(120)
    return thread


def test_two_senders_at_once_send_an_alarm_once(store: Store, receiver: AlarmWebhook) -> None:
    desk = AlarmDesk(store, receiver.address)
    desk.record("blocked")
    first = start_sending(desk, receiver)
    assert desk.send().sent == 0
    receiver.let_go.set()
    first.join()
    assert receiver.titles == ["mfa: blocked"]


def test_a_source_that_heals_while_its_alarm_is_sent(store: Store, receiver: AlarmWebhook) -> None:
    desk = AlarmDesk(store, receiver.address)
    desk.record("blocked")
    first = start_sending(desk, receiver)
    desk.record("healthy", 1)
    receiver.let_go.set()
    first.join()
    assert store.alarms.get_open("mfa") is None
    desk.send(1)
    assert receiver.titles == ["mfa: blocked", "mfa is well again"]


@pytest.mark.parametrize("health", ["healthy", "changed"])
def test_a_sender_killed_before_it_sent_leaves_what_is_true_then(
    store: Store, receiver: AlarmWebhook, health: str
) -> None:
    desk = AlarmDesk(store, receiver.address)
    desk.record("degraded")
    route_alarms(store, desk.config, desk.now)  # and the process is killed
    desk.record(health, 1)
    desk.send(1)
    desk.send(30)
    titles = {"healthy": "mfa is well again", "changed": "mfa: changed, worse than before"}
    assert receiver.titles == [titles[health]]
    assert desk.list_states() == [("replaced", 0), ("sent", 1)]


def test_a_process_killed_after_the_decision_loses_no_alarm(store: Store, receiver: AlarmWebhook) -> None:
    desk = AlarmDesk(store, receiver.address)
    desk.record("blocked")
    assert desk.list_states() == []  # it is not even in the outbox
    AlarmDesk(store, receiver.address).send(60)
    assert receiver.titles == ["mfa: blocked"]


def test_an_alarm_escalates_before_it_reached_all_channels(store: Store, receiver: AlarmWebhook) -> None:
    other = AlarmWebhook()
    desk, receiver.down = AlarmDesk(store, receiver.address, other.address), True
    desk.record("degraded")
    desk.send()
    desk.record("changed", 1)
    receiver.down = False
    desk.send(1)
    worse = "mfa: changed, worse than before"
    assert (receiver.titles, other.titles) == ([worse], ["mfa: degraded", worse])
    other.close()


def test_a_new_alarm_replaces_an_unsent_recovery(store: Store, receiver: AlarmWebhook) -> None:
    desk = AlarmDesk(store, receiver.address)
    desk.record("blocked")
    desk.send()
    receiver.down = True
    for minute, health in enumerate(("healthy", "changed"), start=1):
        desk.record(health, minute)
        desk.send()
    receiver.down = False
    desk.send(9 * 60)
    assert receiver.titles == ["mfa: blocked", "mfa: changed"]


def test_a_channel_added_later_gets_open_alarms(store: Store, receiver: AlarmWebhook) -> None:
    desk = AlarmDesk(store)
    for minute, health in enumerate(("silent", "healthy", "blocked")):
        desk.record(health, minute)
        desk.send()
    AlarmDesk(store, receiver.address).send(3)
    assert receiver.titles == ["mfa: blocked"]


def test_all_messages_about_an_alarm_are_in_one_thread(store: Store) -> None:
    desk = AlarmDesk(store, "json://127.0.0.1:1")
    rendered = []
    for minute, health in enumerate(("degraded", "changed", "healthy", "silent")):
        desk.record(health, minute)
        route_alarms(store, desk.config, desk.now)
        message, _ = store.deliveries.list_newest()[0]
        rendered.append(MessageRenderer(desk.config, store).render(message))
    first, *others = [each for each in rendered if each]
    assert [each.thread_key for each in others] == [first.key, first.key, None]
    assert (first.thread_key, first.subscription) == (None, "operator")


def test_an_error_does_not_show_the_address(store: Store) -> None:
    config = AlarmDesk(store, "json://localhost", "nonsense://geheim").config
    with pytest.raises(ConfigError) as caught:
        check_subscriptions(config)
    assert "address 2 of 2" in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.slow
def test_a_crawl_sends_an_alarm_once_and_its_end(tmp_path: Path, receiver: AlarmWebhook) -> None:
    with GovSite(3) as site:
        channels = json.dumps([receiver.address])
        place = Sandbox(tmp_path, {"mfa": site}, {"CRAWLER_ALARMS__CHANNELS": channels})
        assert place.run_crawler("crawl", "mfa").code == 0
        site.add_fault("*", "403_challenge")
        said = ""
        for _ in range(2):
            done = place.run_crawler("crawl", "mfa", "-v")
            assert done.code == 11
            said += done.all_output
        site.heal()
        assert place.run_crawler("crawl", "mfa").code == 0
        assert receiver.titles == ["mfa: blocked", "mfa is well again"]
        assert "geheim" not in said
        assert "geheim" not in (place.data_dir / "crawler.db").read_bytes().decode("latin-1")
