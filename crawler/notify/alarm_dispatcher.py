"""The operator's alarms on the channels of `[alarms]`, each alarm to every channel that has not heard it.

A channel has no name there: where one must be named, it is by its place in the configuration.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b

from crawler.notify.backoff import LEASE_DURATION, compute_retry_delay
from crawler.notify.rendered_message import RenderedMessage, make_plain_message
from crawler.notify.transports import DeliveryError, Transport
from crawler.store import Alarm, Store, make_idempotency_key

log = logging.getLogger(__name__)


class AlarmDispatcher:
    """Where alarms go. ConfigError, at once, for an address that names no kind of channel."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._channels = {
            blake2b(address.encode(), digest_size=8).hexdigest(): Transport(
                f"alarms.channels, address {number} of {len(addresses)}", address
            )
            for number, address in enumerate(addresses, start=1)
        }

    def send_to_all(self, title: str, body: str) -> int:
        """Tell every channel at once, with nothing written down; how many took it."""
        now = datetime.now(UTC)
        letter = make_plain_message(make_idempotency_key("alarm", title, now), title, body, "en", now)
        return sum(name in _try_channel(channel, letter, name, []) for name, channel in self._channels.items())

    def send_due(self, store: Store, now: datetime, zone: tzinfo) -> int:
        """Tell what is untold and due, each alarm to every channel that has not heard it; how many are told to all.

        A channel that fails is tried again after a minute, then twice as long each time, up to six hours.
        """
        told = 0
        if not self._channels:
            return told  # what is open stays untold: a channel that is named later hears of it
        for each in store.alarms.list_due(now):
            alarm = store.alarms.claim(each, now, now + LEASE_DURATION)
            if alarm is None:
                continue
            letter = _make_message(alarm, now, zone)
            done = list(alarm.notified_channels)
            for name, channel in self._channels.items():
                if name not in done:
                    done = _try_channel(channel, letter, name, done)
            if set(self._channels) <= set(done):
                told += 1
                over = replace(alarm, untold=None, told_at=now, done=(), tries=alarm.tries + 1, next_try_at=None)
                store.alarms.save_result(alarm, replace(over, failure=None))
            else:
                store.alarms.save_result(alarm, _mark_failed(alarm, tuple(done), len(self._channels), now))
        return told


def _mark_failed(alarm: Alarm, done: tuple[str, ...], channels: int, now: datetime) -> Alarm:
    wait = compute_retry_delay(alarm.tries)
    missing = channels - sum("/" not in name for name in done)
    log.warning(
        "The alarm about %s did not reach %d of %d channels; next try in %s.", alarm.source, missing, channels, wait
    )
    failure = f"{missing} of {channels} channels did not take it"
    return replace(alarm, done=done, tries=alarm.tries + 1, next_try_at=now + wait, failure=failure)


def _try_channel(channel: Transport, message: RenderedMessage, name: str, done: list[str]) -> list[str]:
    """Who has the letter after a try: the names of channels, and `name/mark` for some of a channel's recipients."""
    own = [each for each in done if each.startswith(f"{name}/")]
    others = [each for each in done if each not in own]
    try:
        channel.send(message, (each.partition("/")[2] for each in own))
    except DeliveryError as error:
        log.warning("%s: %s.", channel.name, error)
        return [*others, *(f"{name}/{mark}" for mark in error.delivered_to)]
    return [*others, name]


def _make_message(alarm: Alarm, now: datetime, zone: tzinfo) -> RenderedMessage:
    key = make_idempotency_key("alarm", alarm.id, alarm.pending_notice, alarm.kind, alarm.opened_at)
    return make_plain_message(key, *format_alarm(alarm, zone), "en", now)


def format_alarm(alarm: Alarm, zone: tzinfo) -> tuple[str, str]:
    """Title and text of what is to be told."""
    opened = f"{alarm.opened_at.astimezone(zone):%Y-%m-%d %H:%M}"
    if alarm.pending_notice == "healed" and alarm.closed_at:
        closed = f"{alarm.closed_at.astimezone(zone):%Y-%m-%d %H:%M}"
        return f"{alarm.source} is well again", f"It was {alarm.kind} from {opened} to {closed}.\n{alarm.message}"
    title = f"{alarm.source}: {alarm.kind}" + (", worse than before" if alarm.pending_notice == "escalated" else "")
    return title, f"{alarm.message}\nSince {opened}. `crawler health {alarm.source}` says more."
