"""What a watch does beside its runs, in a thread of its own: tell people. A slow receiver holds up nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from crawler.cli.telling import tell
from crawler.config import Config
from crawler.process import Outcome

log = logging.getLogger(__name__)


class Errands:
    """Tells, one telling at a time: how runs ended as soon as they do, at each look what could not be told before."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._asked: SimpleQueue[tuple[Outcome, ...] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._go, name="errands", daemon=True)
        self._thread.start()

    def ask(self, *outcomes: Outcome) -> None:
        """Have these told, and what is still untold; returns at once."""
        if outcomes or self._asked.empty():
            self._asked.put(outcomes)

    def end(self, seconds: float) -> None:
        """Wait so long at most for what is being told; the rest is told by the next run or watch."""
        self._asked.put(None)
        self._thread.join(seconds)

    def _go(self) -> None:
        asked: list[tuple[Outcome, ...] | None] = []
        while None not in asked:
            asked = [self._asked.get()]
            while not self._asked.empty():
                asked.append(self._asked.get())
            given = [each for each in asked if each is not None]
            try:
                if given:
                    for line in tell(self._config(), [outcome for each in given for outcome in each]):
                        print(f"    {line}", flush=True)
            except Exception:  # whatever ails a channel, later news must not stay untold
                log.exception("What is new could not be told; it is tried again.")
