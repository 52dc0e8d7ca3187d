"""Send the operator's alarms to the channels of `[alarms]`, each alarm to every channel that does not have it.

These channels have no names. Messages call them by their place in the configuration.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b

from crawler.notify.rendered_message import RenderedMessage, make_plain_message
from crawler.notify.retry_delays import LEASE_DURATION, compute_retry_delay
from crawler.notify.transports import DeliveryError, Transport
from crawler.store import Alarm, Store, make_idempotency_key

log = logging.getLogger(__name__)


class AlarmDispatcher:
    """Sends alarms to these addresses. Raises ConfigError for an address that Apprise does not know."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._channels = {
            blake2b(address.encode(), digest_size=8).hexdigest(): Transport(
                f"alarms.channels, address {number} of {len(addresses)}", address
            )
            for number, address in enumerate(addresses, start=1)
        }
        """By a hash of the address: the store must not know it."""

    def send_to_all(self, title: str, body: str) -> int:
        """Send a message to every channel, without the store. Return how many took it."""
        now = datetime.now(UTC)
        message = make_plain_message(make_idempotency_key("alarm", title, now), title, body, "en", now)
        return sum(name in _send_to_channel(channel, message, name, ()) for name, channel in self._channels.items())

    def send_due(self, store: Store, now: datetime, zone: tzinfo) -> int:
        """Send every alarm that is due, and record the results. Return how many reached all channels.

        A failed channel is tried again after a minute, then after twice as long each time, at most six hours. Without
        any channel alarms stay due: a channel that is added later gets them.
        """
        complete = 0
        for due in store.alarms.list_due(now) if self._channels else ():
            alarm = store.alarms.claim(due, now, now + LEASE_DURATION)
            if alarm is None:
                continue
            message = _make_message(alarm, now, zone)
            delivered = alarm.notified_channels
            for name, channel in self._channels.items():
                if name not in delivered:
                    delivered = _send_to_channel(channel, message, name, delivered)
            is_complete = set(self._channels) <= set(delivered)
            result = _mark_sent(alarm, now) if is_complete else self._mark_failed(alarm, delivered, now)
            store.alarms.save_result(alarm, result)
            complete += is_complete
        return complete

    def _mark_failed(self, alarm: Alarm, delivered: tuple[str, ...], now: datetime) -> Alarm:
        delay, total = compute_retry_delay(alarm.tries), len(self._channels)
        failed = total - sum("/" not in name for name in delivered)
        log.warning(
            "The alarm about %s did not reach %d of %d channels. Next attempt in %s.",
            alarm.source,
            failed,
            total,
            delay,
        )
        failure = f"{failed} of {total} channels did not take it"
        return replace(
            alarm, notified_channels=delivered, tries=alarm.tries + 1, next_try_at=now + delay, failure=failure
        )


def _mark_sent(alarm: Alarm, now: datetime) -> Alarm:
    return replace(
        alarm,
        pending_notice=None,
        notified_at=now,
        notified_channels=(),
        tries=alarm.tries + 1,
        next_try_at=None,
        failure=None,
    )


def _send_to_channel(
    channel: Transport, message: RenderedMessage, name: str, delivered: tuple[str, ...]
) -> tuple[str, ...]:
    """Return who has the message after this attempt.

    That is the name of a channel, or `name/hash` for a single recipient of a channel that failed for others.
    """
    recipients = [each for each in delivered if each.startswith(f"{name}/")]
    others = tuple(each for each in delivered if each not in recipients)
    try:
        channel.send(message, (each.partition("/")[2] for each in recipients))
    except DeliveryError as error:
        log.warning("%s: %s.", channel.name, error)
        return *others, *(f"{name}/{recipient}" for recipient in error.delivered_to)
    return *others, name


def _make_message(alarm: Alarm, now: datetime, zone: tzinfo) -> RenderedMessage:
    key = make_idempotency_key("alarm", alarm.id, alarm.pending_notice, alarm.kind, alarm.opened_at)
    return make_plain_message(key, *format_alarm(alarm, zone), "en", now)


def format_alarm(alarm: Alarm, zone: tzinfo) -> tuple[str, str]:
    """Return title and text of an alarm."""
    opened = f"{alarm.opened_at.astimezone(zone):%Y-%m-%d %H:%M}"
    if alarm.pending_notice == "healed" and alarm.closed_at:
        closed = f"{alarm.closed_at.astimezone(zone):%Y-%m-%d %H:%M}"
        return f"{alarm.source} is well again", f"It was {alarm.kind} from {opened} to {closed}.\n{alarm.message}"
    title = f"{alarm.source}: {alarm.kind}" + (", worse than before" if alarm.pending_notice == "escalated" else "")
    return title, f"{alarm.message}\nSince {opened}. `crawler health {alarm.source}` says more."
