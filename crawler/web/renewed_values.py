"""What takes many queries and is on every page, remembered for some seconds: numbers of stories, states of sources.

A thread reads the values that readers ask for anew, beside the answers and before they are too old, so that no reader
waits for them. Where nobody calls `renew`, the next reader waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

RENEWAL_SECONDS = 1.0
"""Time between two calls of `renew`."""
EARLY_SECONDS = 4.0
"""Time before the end of a value when it is read anew."""
MAX_REMEMBERED_VALUES = 2000
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(slots=True)
class RememberedValue(Generic[Value]):
    """A value, until when it may be shown, and whether somebody asked for it since it was read."""

    value: Value
    until: float
    is_wanted: bool = False


class RenewedValues(Generic[Key, Value]):
    """The values that a server remembers, by key. Any thread may use it."""

    def __init__(
        self, read: Callable[[Key], Value], seconds: float, get_time: Callable[[], float] = time.monotonic
    ) -> None:
        """`read` asks the store. A value is shown for so many seconds. `get_time` is a clock."""
        self._read, self._seconds, self._get_time = read, seconds, get_time
        self._known: dict[Key, RememberedValue[Value]] = {}

    def get(self, key: Key) -> Value:
        """Return a value as it was at most `seconds` ago."""
        # The dictionary of now: `clear` takes another one, so a value that is read meanwhile is forgotten too.
        known = self._known
        found = known.get(key)
        if found is not None and found.until > self._get_time():
            found.is_wanted = True
            return found.value
        if len(known) >= MAX_REMEMBERED_VALUES:
            known.clear()
        return self._read_anew(known, key)

    def renew(self) -> None:
        """Read anew what was asked for and is soon too old. What nobody asked for is forgotten in its time."""
        known, soon = self._known, self._get_time() + EARLY_SECONDS
        for key, found in list(known.items()):
            if found.until > soon:
                continue
            if found.is_wanted:
                self._read_anew(known, key)
            elif found.until <= self._get_time():
                known.pop(key, None)

    def clear(self) -> None:
        """Read everything anew, because a reader changed it."""
        self._known = {}

    def _read_anew(self, known: dict[Key, RememberedValue[Value]], key: Key) -> Value:
        begun_at = self._get_time()
        value = self._read(key)
        known[key] = RememberedValue(value, begun_at + self._seconds)
        return value
