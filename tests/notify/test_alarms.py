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

from crawler.errors import ConfigError
from crawler.items import Health, Run
from crawler.notify.alarm_dispatcher import AlarmDispatcher
from crawler.notify.alarms import record_run_result
from crawler.store import Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CODES = {"healthy": 0, "failed": 1, "unreachable": 10, "blocked": 11, "changed": 12, "silent": 13, "degraded": 14}


@pytest.fixture
def receiver() -> Iterator[AlarmWebhook]:
    one = AlarmWebhook()
    yield one
    one.close()


def list_sent_titles(store: Store, receiver: AlarmWebhook, *healths: str) -> list[str]:
    """Return the titles that runs a minute apart caused."""
    channels = AlarmDispatcher([receiver.address])
    for number, health in enumerate(healths):
        at = NOON + number * MINUTE
        sentence = f"It is {health}."
        record_run_result(
            store,
            source="mfa",
            health=health,
            exit_code=CODES[health],
            message=sentence,
            run_id=None,
            finished_at=at,
        )
        channels.send_due(store, at, UTC)
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


def record_runs(store: Store, receiver: AlarmWebhook, healths: str) -> list[str]:
    """Return the titles after runs that are stored first, as in practice: u(nreachable), h(ealthy), b(locked)."""
    channels = AlarmDispatcher([receiver.address])
    health_of_letter = {"u": "unreachable", "h": "healthy", "b": "blocked"}
    for number, letter in enumerate(healths):
        at, health = NOON + number * MINUTE, Health(health_of_letter[letter])
        begun = store.runs.record_start(Run(source="mfa", started_at=at))
        store.runs.record_end(replace(begun, finished_at=at, health=health, exit_code=CODES[health]))
        record_run_result(
            store, source="mfa", health=health, exit_code=CODES[health], message="x", run_id=begun.id, finished_at=at
        )
        channels.send_due(store, at, UTC)
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


def test_a_failed_channel_gets_the_alarm_once_it_is_back(store: Store, receiver: AlarmWebhook) -> None:
    other = AlarmWebhook()
    channels, receiver.down = AlarmDispatcher([receiver.address, other.address]), True
    record_run_result(store, source="mfa", health="blocked", exit_code=11, message="No.", run_id=None, finished_at=NOON)
    waits = []
    for number in range(8):
        channels.send_due(store, NOON + number * MINUTE, UTC)
        waiting = store.alarms.get_open("mfa")
        assert waiting is not None
        waits.append(waiting.tries)
    assert waits == [1, 2, 2, 3, 3, 3, 3, 4]
    assert (receiver.titles, other.titles) == ([], ["mfa: blocked"])
    receiver.down = False
    for number in range(8, 20):
        channels.send_due(store, NOON + number * MINUTE, UTC)
    assert (receiver.titles, other.titles) == (["mfa: blocked"], ["mfa: blocked"])
    alarm = store.alarms.get_open("mfa")
    assert alarm is not None
    assert (alarm.pending_notice, alarm.failure, alarm.notified_at) == (None, None, NOON + 15 * MINUTE)
    other.close()


def test_recipients_who_have_an_alarm_do_not_get_it_again(store: Store) -> None:
    record_run_result(store, source="mfa", health="blocked", exit_code=11, message="No.", run_id=None, finished_at=NOON)
    with SignalGateway() as group:
        address = group.make_address("+77010000001", "+77010000002")
        group.refused_numbers = {"+77010000002"}
        assert AlarmDispatcher([address]).send_due(store, NOON, UTC) == 0
        assert AlarmDispatcher([address]).send_due(store, NOON + MINUTE, UTC) == 0
        alarm = store.alarms.get_open("mfa")
        assert alarm is not None
        assert (alarm.tries, alarm.failure) == (2, "1 of 1 channels did not take it")
        group.refused_numbers = set()
        assert AlarmDispatcher([address]).send_due(store, NOON + 9 * MINUTE, UTC) == 1
        assert group.delivered == ["+77010000001", "+77010000002"]


def record_run(store: Store, health: str, minute: int = 0) -> None:
    code, at = CODES[health], NOON + minute * MINUTE
    record_run_result(
        store, source="mfa", health=health, exit_code=code, message=f"{health}.", run_id=None, finished_at=at
    )


def start_sending(store: Store, receiver: AlarmWebhook) -> threading.Thread:
    """Return a thread that is sending until the receiver is let go."""
    receiver.arrived.clear()
    receiver.let_go.clear()
    thread = threading.Thread(target=AlarmDispatcher([receiver.address]).send_due, args=(store, NOON, UTC))
    thread.start()
    assert receiver.arrived.wait(10)
    return thread


def test_two_senders_at_once_send_an_alarm_once(store: Store, receiver: AlarmWebhook) -> None:
    record_run(store, "blocked")
    first = start_sending(store, receiver)
    assert AlarmDispatcher([receiver.address]).send_due(store, NOON, UTC) == 0
    receiver.let_go.set()
    first.join()
    assert receiver.titles == ["mfa: blocked"]


def test_a_source_that_heals_while_its_alarm_is_sent(store: Store, receiver: AlarmWebhook) -> None:
    record_run(store, "blocked")
    first = start_sending(store, receiver)
    record_run(store, "healthy", 1)
    receiver.let_go.set()
    first.join()
    assert store.alarms.get_open("mfa") is None
    AlarmDispatcher([receiver.address]).send_due(store, NOON + MINUTE, UTC)
    assert receiver.titles == ["mfa: blocked", "mfa is well again"]


def test_an_alarm_escalates_before_it_reached_all_channels(store: Store, receiver: AlarmWebhook) -> None:
    other = AlarmWebhook()
    channels, receiver.down = AlarmDispatcher([receiver.address, other.address]), True
    record_run(store, "degraded")
    channels.send_due(store, NOON, UTC)
    record_run(store, "changed", 1)
    receiver.down = False
    channels.send_due(store, NOON + MINUTE, UTC)
    worse = "mfa: changed, worse than before"
    assert (receiver.titles, other.titles) == ([worse], ["mfa: degraded", worse])
    other.close()


def test_a_new_alarm_replaces_an_unsent_recovery(store: Store, receiver: AlarmWebhook) -> None:
    channels = AlarmDispatcher([receiver.address])
    record_run(store, "blocked")
    channels.send_due(store, NOON, UTC)
    receiver.down = True
    for minute, health in enumerate(("healthy", "changed"), start=1):
        record_run(store, health, minute)
        channels.send_due(store, NOON + minute * MINUTE, UTC)
    receiver.down = False
    channels.send_due(store, NOON + timedelta(hours=9), UTC)
    assert receiver.titles == ["mfa: blocked", "mfa: changed"]


def test_a_channel_added_later_gets_open_alarms(store: Store, receiver: AlarmWebhook) -> None:
    for minute, health in enumerate(("silent", "healthy", "blocked")):
        record_run(store, health, minute)
        AlarmDispatcher([]).send_due(store, NOON, UTC)
    AlarmDispatcher([receiver.address]).send_due(store, NOON + MINUTE, UTC)
    assert receiver.titles == ["mfa: blocked"]


def test_an_error_does_not_show_the_address() -> None:
    with pytest.raises(ConfigError) as caught:
        AlarmDispatcher(["json://localhost", "nonsense://geheim"])
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
