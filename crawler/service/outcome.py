"""How a run ended: one outcome with one sentence, whatever its process did."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from crawler.errors import SourceLocked
from crawler.items import Health, Run
from crawler.monitoring.run_health import has_ended_early

CRASH_REASONS = {
    signal.SIGSEGV.name: "a compiled library it used crashed (segmentation fault), SIGSEGV",
    signal.SIGABRT.name: "a compiled library it used gave up (abort), SIGABRT",
    signal.SIGBUS.name: "a file it had mapped vanished or a compiled library crashed (bus error), SIGBUS",
    signal.SIGILL.name: "a compiled library does not fit this processor (illegal instruction), SIGILL",
    signal.SIGKILL.name: "something outside killed it; the system may have run out of memory, SIGKILL",
}
TRACEBACK_LINE = re.compile(r'\s*File "([^"]+)", line (\d+) in (\S+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How one run ended. Every child has exactly one.

    `run` is the record it reported, None if it died before. `exit_code` follows `crawler.errors`. `reason` is a
    sentence. `stopped`: the parent ended it (on request, or `at_limit`). `killed`: SIGKILL was needed. `seconds` count
    from the fork.
    """

    source: str
    run: Run | None
    exit_code: int
    reason: str
    killed: bool = False
    stopped: bool = False
    at_limit: bool = False
    seconds: float = 0.0

    @property
    def was_stopped(self) -> bool:
        """Whether a person or the end of the watch stopped the run, so that it says nothing about the source."""
        return self.stopped and not self.at_limit and (self.run is None or has_ended_early(self.run))

    @property
    def health(self) -> str:
        """The health of the run, or `skipped` for a run that did not start because another one was in progress."""
        if self.was_stopped:
            return Health.STOPPED
        without_run = "skipped" if self.exit_code == SourceLocked.exit_code else Health.FAILED
        return self.run.health if self.run and self.run.health else without_run


def describe_death(status: int | None, last_output: Sequence[str]) -> str:
    """Return why a process ended without a result, and in which line of Python. `status` is `Process.exitcode`."""
    if status is None:
        return "its process could not be ended"
    if status >= 0:
        return f"its process ended itself with status {status}" + _find_crash_line(last_output)
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    return CRASH_REASONS.get(name, f"it was ended by {name}") + _find_crash_line(last_output)


def _find_crash_line(last_output: Sequence[str]) -> str:
    """Return the innermost Python line of the traceback that faulthandler wrote, or an empty text."""
    start = next((index for index, line in enumerate(last_output) if line.startswith("Current thread")), 0)
    found = next(filter(None, map(TRACEBACK_LINE.match, last_output[start:])), None)
    return f", in {found[3]} ({found[1]}:{found[2]})" if found else ""
