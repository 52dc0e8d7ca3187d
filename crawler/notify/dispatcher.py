"""From the outbox to the channels: what is due is taken, written, carried, and what came of it is written down.

A channel that fails several times in a row is left alone until the next look: a receiver that hangs must hold up no
other. Letters are written here, in one thread, and carried in a few others.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from crawler.config import Config
from crawler.errors import ConfigError
from crawler.notify.backoff import FIRST_RETRY_DELAY, LEASE_DURATION, compute_retry_delay
from crawler.notify.rendered_message import RenderedMessage
from crawler.notify.rendering import MessageRenderer
from crawler.notify.transports import DeliveryError, Transport
from crawler.store import Delivery, DeliveryState, Message, Store

MAX_ATTEMPTS = 12
"""After these, some 20 hours, a delivery is given up: `crawler alerts retry` tries it again."""
MAX_PARALLEL_DELIVERIES = 8
PAGE_SIZE = 500
MAX_FAILURES_IN_A_ROW = 3
"""Failures in a row after which a channel is left alone for this time."""
NOTHING_LEFT = "its subscription, or what it tells of, is no longer there"
log = logging.getLogger(__name__)


@dataclass(slots=True)
class DispatchResult:
    """What came of one look at the outbox."""

    sent: int = 0
    failed: int = 0
    dead: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.sent or self.failed or self.dead)


class Dispatcher:
    """Sends what is due under one configuration. ConfigError, at once, for an address that names no channel."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config, self._store, self._writer = config, store, MessageRenderer(config, store)
        self._carriers = {
            name: Transport(f"channels.{name}", address.get_secret_value()) for name, address in config.channels.items()
        }
        self._failing: Counter[str] = Counter()

    def send_due(self, *, ignore_quiet_hours: bool = False) -> DispatchResult:
        """Try everything that is due now, once; what came of it. Alerts wait for the end of their subscriber's quiet
        hours, unless they are sent `at_any_hour`."""
        result, begun = DispatchResult(), datetime.now(UTC)
        running: dict[Future[None], Delivery] = {}
        with ThreadPoolExecutor(MAX_PARALLEL_DELIVERIES, thread_name_prefix="post") as pool:
            try:
                for message, delivery in self._list_due(begun):
                    if not ignore_quiet_hours and self._postpone_if_quiet(message, delivery):
                        continue
                    letter = self._render_message(message, delivery, result)
                    if letter is None:
                        continue
                    taken = self._store.messages.deliveries__claim(delivery, datetime.now(UTC) + LEASE_DURATION)
                    if taken is None:
                        continue
                    running[pool.submit(self._carriers[taken.channel].send, letter, taken.delivered_to.split())] = taken
                    if len(running) >= MAX_PARALLEL_DELIVERIES:
                        self._record_finished(running, result)
            finally:  # whatever keeps the next letter from being written: what was carried must not go out again
                while running:
                    self._record_finished(running, result)
        return result

    def _list_due(self, started_at: datetime) -> Iterator[tuple[Message, Delivery]]:
        """What was due when the look began, page by page, without the channels that fail."""
        seen: set[tuple[int, str]] = set()
        while True:
            without = [name for name, number in self._failing.items() if number >= MAX_FAILURES_IN_A_ROW]
            page = self._store.messages.deliveries__list_due(started_at, PAGE_SIZE, excluded_channels=without)
            new = {(delivery.message_id, delivery.channel) for _, delivery in page} - seen
            if not new:
                return
            seen |= new
            for message, delivery in page:
                if self._failing[delivery.channel] < MAX_FAILURES_IN_A_ROW:
                    yield message, delivery

    def _postpone_if_quiet(self, message: Message, delivery: Delivery) -> bool:
        """Whether an alert that is late is put off, for its subscriber is not to be disturbed now."""
        subscription = self._config.subscriptions.get(message.subscription)
        if subscription is None or subscription.quiet is None or message.kind == "digest":
            return False
        now = datetime.now(self._config.get_timezone(subscription))
        end = subscription.quiet.get_end_if_quiet(now)
        if end > now:
            self._store.messages.deliveries__save_result(delivery, replace(delivery, next_try_at=end))
        return end > now

    def _render_message(self, message: Message, delivery: Delivery, result: DispatchResult) -> RenderedMessage | None:
        """The words of a message; None, with the delivery given up, when it has none or its channel is gone, and None,
        with the delivery put off, while they cannot be written."""
        is_there = delivery.channel in self._carriers
        try:
            letter = self._writer.render(message) if is_there else None
        except ConfigError as error:
            self._postpone(delivery, str(error).rstrip("."), result)
            return None
        except Exception as error:  # one message that cannot be written must not hold up all others
            log.exception("Message %d cannot be written.", message.id)
            self._postpone(delivery, f"it could not be written ({type(error).__name__})", result)
            return None
        if letter is None:
            why = NOTHING_LEFT if is_there else f"there is no channel {delivery.channel!r} any more"
            result.dead += self._store.messages.deliveries__save_result(
                delivery, replace(delivery, state=DeliveryState.DEAD, failure=why)
            )
            result.reasons[why] += 1
        return letter

    def _postpone(self, delivery: Delivery, reason: str, result: DispatchResult) -> None:
        """Let a message wait that the owner's templates keep from being written: that is no try of its channel."""
        if reason not in result.reasons:
            log.error("Message %d waits: %s.", delivery.message_id, reason)
        result.failed += 1
        result.reasons[reason] += 1
        later = datetime.now(UTC) + FIRST_RETRY_DELAY
        self._store.messages.deliveries__save_result(delivery, replace(delivery, next_try_at=later, failure=reason))

    def _record_finished(self, running: dict[Future[None], Delivery], result: DispatchResult) -> None:
        """Write down what came of those that are done."""
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            taken = running.pop(future)
            error = future.exception()
            if error is None:
                self._failing[taken.channel] = 0
                result.sent += 1
                self._save_attempt(
                    taken, replace(taken, state=DeliveryState.SENT, sent_at=datetime.now(UTC), failure=None, took="")
                )
            elif isinstance(error, DeliveryError):
                self._failing[taken.channel] += 1
                self._record_failure(replace(taken, took=" ".join(error.delivered_to)), str(error), result)
            else:
                raise error

    def _record_failure(self, taken: Delivery, reason: str, result: DispatchResult) -> None:
        tries = taken.tries + 1
        is_dead = tries >= MAX_ATTEMPTS
        later = datetime.now(UTC) + compute_retry_delay(taken.tries)
        result.failed += not is_dead
        result.dead += is_dead
        result.reasons[f"{taken.channel}: {reason}"] += 1
        state = DeliveryState.DEAD if is_dead else DeliveryState.PENDING
        self._save_attempt(taken, replace(taken, state=state, next_try_at=later, failure=reason))

    def _save_attempt(self, taken: Delivery, outcome: Delivery) -> None:
        self._store.messages.deliveries__save_result(taken, replace(outcome, tries=taken.tries + 1))
