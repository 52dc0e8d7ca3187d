"""What a watch does beside its runs, in a thread of its own: tell people. A slow receiver holds up nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from crawler.config import Config
from crawler.service import RunOutcome
from crawler.service.notifications import notify_about_runs

log = logging.getLogger(__name__)


class NotifierThread:
    """Tells, one telling at a time: how runs ended as soon as they do, at each look what could not be told before."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._queue: SimpleQueue[tuple[RunOutcome, ...] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="errands", daemon=True)
        self._thread.start()

    def submit(self, *outcomes: RunOutcome) -> None:
        """Have these told, and what is still untold; returns at once."""
        if outcomes or self._queue.empty():
            self._queue.put(outcomes)

    def stop(self, seconds: float) -> None:
        """Wait so long at most for what is being told; the rest is told by the next run or watch."""
        self._queue.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        asked: list[tuple[RunOutcome, ...] | None] = []
        while None not in asked:
            asked = [self._queue.get()]
            while not self._queue.empty():
                asked.append(self._queue.get())
            given = [each for each in asked if each is not None]
            try:
                if given:
                    for line in notify_about_runs(self._config(), [outcome for each in given for outcome in each]):
                        print(f"    {line}", flush=True)
            except Exception:  # whatever ails a channel, later news must not stay untold
                log.exception("What is new could not be told; it is tried again.")
