"""Send the messages that are due: claim a delivery, render its message, send it, record the result.

A message is rendered after the claim, so that what became true before the claim is in it, and what becomes true later
finds the delivery claimed.

Most calls find nothing due. So what renders and sends, which takes 0.3 s to import, is imported for the first message.

A channel that fails several times in a row is skipped until the next call, so that a receiver that hangs holds up no
other. One thread renders the messages, a few others send them.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from crawler.config import OPERATOR, Config
from crawler.errors import ConfigError
from crawler.notify.bursts import collect_bursts
from crawler.notify.retry_delays import FIRST_RETRY_DELAY, LEASE_DURATION, compute_retry_delay
from crawler.store import Delivery, DeliveryState, Message, Store

if TYPE_CHECKING:
    from crawler.notify.rendered_message import RenderedMessage
    from crawler.notify.rendering import MessageRenderer
    from crawler.notify.transports import Transport

MAX_ATTEMPTS = 12
"""After these, about 20 hours, a delivery is given up. `crawler alerts retry` tries it again."""
MAX_PARALLEL_DELIVERIES = 8
PAGE_SIZE = 500
"""Deliveries read from the store at once."""
MAX_FAILURES_IN_A_ROW = 3
"""A channel that failed this often in a row is skipped until the next call."""
PAUSE_CHECK_INTERVAL = timedelta(hours=1)
"""A paused message is looked at this often, because the owner may end the pause early."""
NOTHING_LEFT = "its subscription or its articles no longer exist"
NO_LONGER_TRUE = "a later message says what is true now"
log = logging.getLogger(__name__)


@dataclass(slots=True)
class DispatchResult:
    """How many deliveries were sent, failed, or were given up, and why."""

    sent: int = 0
    failed: int = 0
    dead: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: DispatchResult) -> DispatchResult:
        reasons = self.reasons + other.reasons
        return DispatchResult(self.sent + other.sent, self.failed + other.failed, self.dead + other.dead, reasons)

    def __bool__(self) -> bool:
        return bool(self.sent or self.failed or self.dead)


def make_transport(config: Config, name: str) -> Transport | None:
    """Return a channel, None if there is none of this name. Raise ConfigError if Apprise does not know its address."""
    from crawler.notify.transports import Transport

    if address := config.channels.get(name):
        return Transport(f"channels.{name}", address.get_secret_value())
    named = config.alarm_channels
    if name not in named:
        return None
    place = f"alarms.channels, address {list(named).index(name) + 1} of {len(named)}"
    return Transport(place, named[name].get_secret_value())


def get_current_time() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


class Dispatcher:
    """Sends messages under one configuration.

    Without `hold_bursts`, the list of what is beyond a subscription's burst limit is sent at once: use it in a command
    that ends, because no one is there to send it later.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        *,
        hold_bursts: bool = True,
        get_now: Callable[[], datetime] = get_current_time,
    ) -> None:
        self._config, self._store = config, store
        self._transports: dict[str, Transport | None] = {}
        self._failures_in_a_row: Counter[str] = Counter()
        self._hold_bursts, self._get_now = hold_bursts, get_now

    @cached_property
    def _renderer(self) -> MessageRenderer:
        from crawler.notify.rendering import MessageRenderer

        return MessageRenderer(self._config, self._store)

    def send_due(self, *, ignore_quiet_hours: bool = False, subscription: str | None = None) -> DispatchResult:
        """Try every delivery that is due, once, or those of one subscription. Pauses and quiet hours are respected."""
        result, started_at = DispatchResult(), self._get_now()
        collect_bursts(self._store, self._config, started_at, hold=self._hold_bursts, only=subscription)
        running: dict[Future[None], Delivery] = {}
        with ThreadPoolExecutor(MAX_PARALLEL_DELIVERIES, thread_name_prefix="dispatcher") as pool:
            try:
                for message, delivery in self._list_due(started_at, subscription):
                    if not ignore_quiet_hours and self._postpone_if_silent(message, delivery):
                        continue
                    claimed = self._store.deliveries.claim(delivery, self._get_now() + LEASE_DURATION)
                    if claimed is None:
                        continue
                    prepared = self._prepare(message, claimed, result)
                    if prepared is None:
                        continue
                    transport, rendered = prepared
                    running[pool.submit(transport.send, rendered, claimed.delivered_to.split())] = claimed
                    if len(running) >= MAX_PARALLEL_DELIVERIES:
                        self._record_finished(running, result)
            finally:  # Record what was sent even if the next message cannot be rendered: it must not be sent again.
                while running:
                    self._record_finished(running, result)
        return result

    def _list_due(self, started_at: datetime, subscription: str | None) -> Iterator[tuple[Message, Delivery]]:
        """Yield what was due at the start, page by page, without the channels that fail."""
        seen: set[tuple[int, str]] = set()
        while True:
            failing = [name for name, count in self._failures_in_a_row.items() if count >= MAX_FAILURES_IN_A_ROW]
            page = self._store.deliveries.list_due(
                started_at, PAGE_SIZE, excluded_channels=failing, subscription=subscription
            )
            new = {(delivery.message_id, delivery.channel) for _, delivery in page} - seen
            if not new:
                return
            seen |= new
            for message, delivery in page:
                if self._failures_in_a_row[delivery.channel] < MAX_FAILURES_IN_A_ROW:
                    yield message, delivery

    def _postpone_if_silent(self, message: Message, delivery: Delivery) -> bool:
        """Postpone a message during a pause, and an alert in quiet hours. Return whether it was postponed."""
        subscription = self._config.find_subscription(message.subscription)
        if subscription is None:
            return False
        now = self._get_now().astimezone(self._config.get_timezone(subscription))
        end = now
        if pause_end := self._config.get_pause_end(subscription, now):
            end = min(pause_end, now + PAUSE_CHECK_INTERVAL)
        elif subscription.quiet and message.kind != "digest":
            end = subscription.quiet.get_end_if_quiet(now)
        if end > now:
            self._store.messages.mark_deferred(message.id)
            self._store.deliveries.save_result(delivery, replace(delivery, next_try_at=end))
        return end > now

    def _prepare(
        self, message: Message, delivery: Delivery, result: DispatchResult
    ) -> tuple[Transport, RenderedMessage] | None:
        """Return the channel and the message in words.

        Return None and give the delivery up if nothing is left to say, a later message says what is true now, or the
        channel was removed. Return None and postpone it while the channel or the message cannot be made. Neither is an
        attempt of the channel.
        """
        untried = replace(delivery, tries=delivery.tries - 1)
        try:
            transport = self._find_transport(delivery.channel)
            rendered = self._renderer.render(message) if transport else None
        except ConfigError as error:
            self._postpone(untried, str(error).rstrip("."), result)
            return None
        except Exception as error:  # One message that cannot be rendered must not hold up all others.
            log.exception("Message %d cannot be rendered.", message.id)
            self._postpone(untried, f"it could not be rendered ({type(error).__name__})", result)
            return None
        if transport is None or rendered is None:
            self._give_up(message, untried, transport is not None, result)
            return None
        return transport, rendered

    def _find_transport(self, channel: str) -> Transport | None:
        if channel not in self._transports:
            self._transports[channel] = make_transport(self._config, channel)
        return self._transports[channel]

    def _give_up(self, message: Message, delivery: Delivery, has_channel: bool, result: DispatchResult) -> None:
        """Record that a message is never sent: no failure if a later one to the operator says what is true now."""
        reason = NOTHING_LEFT if has_channel else f"the channel {delivery.channel!r} was removed"
        if has_channel and message.subscription == OPERATOR and self._config.find_subscription(OPERATOR):
            replaced = replace(delivery, state=DeliveryState.REPLACED, failure=NO_LONGER_TRUE)
            self._store.deliveries.save_result(delivery, replaced)
        elif self._store.deliveries.save_result(
            delivery, replace(delivery, state=DeliveryState.DEAD, failure=reason)
        ):  # Else another process has it, and counts it.
            result.dead += 1
            result.reasons[reason] += 1

    def _postpone(self, delivery: Delivery, reason: str, result: DispatchResult) -> None:
        """Postpone a message that cannot be rendered."""
        if reason not in result.reasons:  # The same mistake in a template stops many messages: log it once.
            log.error("Message %d waits: %s.", delivery.message_id, reason)
        result.failed += 1
        result.reasons[reason] += 1
        next_try_at = self._get_now() + FIRST_RETRY_DELAY
        self._store.deliveries.save_result(delivery, replace(delivery, next_try_at=next_try_at, failure=reason))

    def _record_finished(self, running: dict[Future[None], Delivery], result: DispatchResult) -> None:
        """Wait until a delivery is done, then record the results of all that are."""
        from crawler.notify.transports import DeliveryError

        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            claimed = running.pop(future)
            error = future.exception()
            if error is None:
                self._record_success(claimed, result)
            elif isinstance(error, DeliveryError):
                self._record_failure(replace(claimed, delivered_to=" ".join(error.delivered_to)), str(error), result)
            else:
                raise error

    def _record_success(self, claimed: Delivery, result: DispatchResult) -> None:
        self._failures_in_a_row[claimed.channel] = 0
        result.sent += 1
        sent = replace(claimed, state=DeliveryState.SENT, sent_at=self._get_now(), failure=None, delivered_to="")
        self._store.deliveries.save_result(claimed, sent)

    def _record_failure(self, claimed: Delivery, reason: str, result: DispatchResult) -> None:
        self._failures_in_a_row[claimed.channel] += 1
        is_dead = claimed.tries >= MAX_ATTEMPTS
        result.failed += not is_dead
        result.dead += is_dead
        result.reasons[f"{claimed.channel}: {reason}"] += 1
        state = DeliveryState.DEAD if is_dead else DeliveryState.PENDING
        next_try_at = self._get_now() + compute_retry_delay(claimed.tries - 1)
        failed = replace(claimed, state=state, next_try_at=next_try_at, failure=reason)
        self._store.deliveries.save_result(claimed, failed)
