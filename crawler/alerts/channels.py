"""The operator's alarms on the channels of `[alarms]`, each alarm to every channel that has not heard it.

A channel has no name there: where one must be named, it is by its place in the configuration.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b

from crawler.alerts.carrier import Carrier, NotCarried
from crawler.alerts.letter import Letter, plain
from crawler.alerts.tries import TAKEN, pause
from crawler.store import Alarm, Store, key_of

log = logging.getLogger(__name__)


class Channels:
    """Where alarms go. ConfigError, at once, for an address that names no kind of channel."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._channels = {
            blake2b(address.encode(), digest_size=8).hexdigest(): Carrier(
                f"alarms.channels, address {number} of {len(addresses)}", address
            )
            for number, address in enumerate(addresses, start=1)
        }

    def tell_all(self, title: str, body: str) -> int:
        """Tell every channel at once, with nothing written down; how many took it."""
        now = datetime.now(UTC)
        letter = plain(key_of("alarm", title, now), title, body, "en", now)
        return sum(name in _tried(channel, letter, name, []) for name, channel in self._channels.items())

    def send(self, store: Store, now: datetime, here: tzinfo) -> int:
        """Tell what is untold and due, each alarm to every channel that has not heard it; how many are told to all.

        A channel that fails is tried again after a minute, then twice as long each time, up to six hours.
        """
        told = 0
        if not self._channels:
            return told  # what is open stays untold: a channel that is named later hears of it
        for each in store.alarms.untold(now):
            alarm = store.alarms.take(each, now, now + TAKEN)
            if alarm is None:
                continue
            letter = _letter(alarm, now, here)
            done = list(alarm.done)
            for name, channel in self._channels.items():
                if name not in done:
                    done = _tried(channel, letter, name, done)
            if set(self._channels) <= set(done):
                told += 1
                over = replace(alarm, untold=None, told_at=now, done=(), tries=alarm.tries + 1, next_try_at=None)
                store.alarms.settle(alarm, replace(over, failure=None))
            else:
                store.alarms.settle(alarm, _failed(alarm, tuple(done), len(self._channels), now))
        return told


def _failed(alarm: Alarm, done: tuple[str, ...], channels: int, now: datetime) -> Alarm:
    wait = pause(alarm.tries)
    missing = channels - sum("/" not in name for name in done)
    log.warning(
        "The alarm about %s did not reach %d of %d channels; next try in %s.", alarm.source, missing, channels, wait
    )
    failure = f"{missing} of {channels} channels did not take it"
    return replace(alarm, done=done, tries=alarm.tries + 1, next_try_at=now + wait, failure=failure)


def _tried(channel: Carrier, letter: Letter, name: str, done: list[str]) -> list[str]:
    """Who has the letter after a try: the names of channels, and `name/mark` for some of a channel's recipients."""
    own = [each for each in done if each.startswith(f"{name}/")]
    others = [each for each in done if each not in own]
    try:
        channel.carry(letter, (each.partition("/")[2] for each in own))
    except NotCarried as error:
        log.warning("%s: %s.", channel.name, error)
        return [*others, *(f"{name}/{mark}" for mark in error.took)]
    return [*others, name]


def _letter(alarm: Alarm, now: datetime, here: tzinfo) -> Letter:
    key = key_of("alarm", alarm.id, alarm.untold, alarm.kind, alarm.opened_at)
    return plain(key, *words(alarm, here), "en", now)


def words(alarm: Alarm, here: tzinfo) -> tuple[str, str]:
    """Title and text of what is to be told."""
    opened = f"{alarm.opened_at.astimezone(here):%Y-%m-%d %H:%M}"
    if alarm.untold == "healed" and alarm.closed_at:
        closed = f"{alarm.closed_at.astimezone(here):%Y-%m-%d %H:%M}"
        return f"{alarm.source} is well again", f"It was {alarm.kind} from {opened} to {closed}.\n{alarm.message}"
    title = f"{alarm.source}: {alarm.kind}" + (", worse than before" if alarm.untold == "escalated" else "")
    return title, f"{alarm.message}\nSince {opened}. `crawler health {alarm.source}` says more."
