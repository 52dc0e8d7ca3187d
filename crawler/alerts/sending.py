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

from crawler.alerts.carrier import Carrier, NotCarried
from crawler.alerts.letter import Letter
from crawler.alerts.tries import FIRST_WAIT, TAKEN, pause
from crawler.alerts.writing import Writer
from crawler.config import Config
from crawler.errors import ConfigError
from crawler.store import Delivery, Message, State, Store

MOST_TRIES = 12
"""After these, some 20 hours, a delivery is given up: `crawler alerts retry` tries it again."""
AT_ONCE = 8
PAGE = 500
ENOUGH = 3
"""Failures in a row after which a channel is left alone for this time."""
GONE = "its subscription, or what it tells of, is no longer there"
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Sent:
    """What came of one look at the outbox."""

    sent: int = 0
    failed: int = 0
    dead: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.sent or self.failed or self.dead)


class Post:
    """Sends what is due under one configuration. ConfigError, at once, for an address that names no channel."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config, self._store, self._writer = config, store, Writer(config, store)
        self._carriers = {
            name: Carrier(f"channels.{name}", address.get_secret_value()) for name, address in config.channels.items()
        }
        self._failing: Counter[str] = Counter()

    def send(self, *, at_any_hour: bool = False) -> Sent:
        """Try everything that is due now, once; what came of it. Alerts wait for the end of their subscriber's quiet
        hours, unless they are sent `at_any_hour`."""
        result, begun = Sent(), datetime.now(UTC)
        running: dict[Future[None], Delivery] = {}
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="post") as pool:
            try:
                for message, delivery in self._due(begun):
                    if not at_any_hour and self._rests(message, delivery):
                        continue
                    letter = self._letter(message, delivery, result)
                    if letter is None:
                        continue
                    taken = self._store.outbox.take(delivery, datetime.now(UTC) + TAKEN)
                    if taken is None:
                        continue
                    running[pool.submit(self._carriers[taken.channel].carry, letter, taken.took.split())] = taken
                    if len(running) >= AT_ONCE:
                        self._collect(running, result)
            finally:  # whatever keeps the next letter from being written: what was carried must not go out again
                while running:
                    self._collect(running, result)
        return result

    def _due(self, begun: datetime) -> Iterator[tuple[Message, Delivery]]:
        """What was due when the look began, page by page, without the channels that fail."""
        seen: set[tuple[int, str]] = set()
        while True:
            without = [name for name, number in self._failing.items() if number >= ENOUGH]
            page = self._store.outbox.due(begun, PAGE, without=without)
            new = {(delivery.message_id, delivery.channel) for _, delivery in page} - seen
            if not new:
                return
            seen |= new
            for message, delivery in page:
                if self._failing[delivery.channel] < ENOUGH:
                    yield message, delivery

    def _rests(self, message: Message, delivery: Delivery) -> bool:
        """Whether an alert that is late is put off, for its subscriber is not to be disturbed now."""
        subscription = self._config.subscriptions.get(message.subscription)
        if subscription is None or subscription.quiet is None or message.kind == "digest":
            return False
        now = datetime.now(self._config.zone_of(subscription))
        end = subscription.quiet.after(now)
        if end > now:
            self._store.outbox.settle(delivery, replace(delivery, next_try_at=end))
        return end > now

    def _letter(self, message: Message, delivery: Delivery, result: Sent) -> Letter | None:
        """The words of a message; None, with the delivery given up, when it has none or its channel is gone, and None,
        with the delivery put off, while they cannot be written."""
        is_there = delivery.channel in self._carriers
        try:
            letter = self._writer.write(message) if is_there else None
        except ConfigError as error:
            self._put_off(delivery, str(error).rstrip("."), result)
            return None
        except Exception as error:  # one message that cannot be written must not hold up all others
            log.exception("Message %d cannot be written.", message.id)
            self._put_off(delivery, f"it could not be written ({type(error).__name__})", result)
            return None
        if letter is None:
            why = GONE if is_there else f"there is no channel {delivery.channel!r} any more"
            result.dead += self._store.outbox.settle(delivery, replace(delivery, state=State.DEAD, failure=why))
            result.reasons[why] += 1
        return letter

    def _put_off(self, delivery: Delivery, why: str, result: Sent) -> None:
        """Let a message wait that the owner's templates keep from being written: that is no try of its channel."""
        if why not in result.reasons:
            log.error("Message %d waits: %s.", delivery.message_id, why)
        result.failed += 1
        result.reasons[why] += 1
        later = datetime.now(UTC) + FIRST_WAIT
        self._store.outbox.settle(delivery, replace(delivery, next_try_at=later, failure=why))

    def _collect(self, running: dict[Future[None], Delivery], result: Sent) -> None:
        """Write down what came of those that are done."""
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            taken = running.pop(future)
            error = future.exception()
            if error is None:
                self._failing[taken.channel] = 0
                result.sent += 1
                self._settle(taken, replace(taken, state=State.SENT, sent_at=datetime.now(UTC), failure=None, took=""))
            elif isinstance(error, NotCarried):
                self._failing[taken.channel] += 1
                self._failed(replace(taken, took=" ".join(error.took)), str(error), result)
            else:
                raise error

    def _failed(self, taken: Delivery, why: str, result: Sent) -> None:
        tries = taken.tries + 1
        is_dead = tries >= MOST_TRIES
        later = datetime.now(UTC) + pause(taken.tries)
        result.failed += not is_dead
        result.dead += is_dead
        result.reasons[f"{taken.channel}: {why}"] += 1
        state = State.DEAD if is_dead else State.PENDING
        self._settle(taken, replace(taken, state=state, next_try_at=later, failure=why))

    def _settle(self, taken: Delivery, outcome: Delivery) -> None:
        self._store.outbox.settle(taken, replace(outcome, tries=taken.tries + 1))
