"""How a run ended, said in one sentence: from what the child told and how its process ended to an `Outcome`."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass, field
from typing import Any

from crawler.items import Run

CRASH_REASONS = {
    signal.SIGSEGV: "a compiled library it used crashed (segmentation fault)",
    signal.SIGABRT: "a compiled library it used gave up (abort)",
    signal.SIGBUS: "a file it had mapped vanished or a compiled library crashed (bus error)",
    signal.SIGILL: "a compiled library does not fit this processor (illegal instruction)",
    signal.SIGKILL: "something outside killed it; the system may have run out of memory",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How one run ended. There is exactly one for every child, whatever it did.

    `run` is what it reported, None when it died before. `exit_code` follows `crawler.errors`; `reason` is a sentence.
    `stopped` says that the parent ended it (on request, or `at_limit`), `killed` that SIGKILL was needed. `seconds`
    count from the fork.
    """

    source: str
    run: Run | None
    exit_code: int
    reason: str
    killed: bool = False
    stopped: bool = False
    at_limit: bool = False
    seconds: float = 0.0


@dataclass(slots=True)
class ChildReport:
    """What a child has told of its end so far. `tail` is the last of its standard error."""

    run: Run | None = None
    failure: dict[str, Any] | None = None
    tail: list[str] = field(default_factory=list)

    @property
    def is_final(self) -> bool:
        """Whether the child is about to end by itself."""
        return self.run is not None or self.failure is not None


@dataclass(slots=True)
class Termination:
    """A child being ended: TERM, after `grace` seconds TERM again, after as many more KILL.

    `because` begins a sentence; `at_limit` says that no one asked for it. `due` is the next signal's moment on the
    monotonic clock.
    """

    reason: str
    grace: float
    next_signal_at: float
    at_limit: bool = False
    signals_sent: int = 0


def make_outcome(
    source: str, status: int | None, told: ChildReport, stop: Termination | None, killed: bool, seconds: float
) -> RunOutcome:
    """The outcome of a process that ended with `status`: `Process.exitcode`, None when even KILL did not end it."""
    run = told.run
    if stop is not None:
        reason = f"{stop.reason}{_describe_stop(status, killed, stop.grace)}."
        exit_code = 1 if stop.at_limit or run is None or run.exit_code is None else run.exit_code
    elif run is not None:
        reason = run.reason or f"The run of {source} ended as {run.health or 'told'}."
        exit_code = 1 if run.exit_code is None else run.exit_code
    elif told.failure is not None:
        reason, exit_code = str(told.failure.get("message")), int(told.failure.get("exit_code") or 0)
    else:
        reason, exit_code = (
            f"The run of {source} ended without a result: {_describe_death(status)}{_find_crash_line(told.tail)}.",
            1,
        )
    return RunOutcome(
        source=source,
        run=run,
        exit_code=exit_code,
        reason=reason,
        killed=killed,
        stopped=stop is not None,
        at_limit=stop is not None and stop.at_limit,
        seconds=round(seconds, 3),
    )


def _describe_stop(status: int | None, killed: bool, grace: float) -> str:
    if status is None:
        return "; not even SIGKILL ended it, look at its process"
    return f"; it did not end within {2 * grace:g} s and was killed" if killed else ""


def _describe_death(status: int | None) -> str:
    if status is None:
        return "its process could not be ended"
    if status >= 0:
        return f"its process ended itself with status {status}"
    number = -status
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    known = {int(key): text for key, text in CRASH_REASONS.items()}
    return f"{known[number]}, {name}" if number in known else f"it was ended by {name}"


def _find_crash_line(tail: list[str]) -> str:
    """The innermost Python line of the traceback that faulthandler wrote as the process crashed."""
    current = next((index for index, line in enumerate(tail) if line.startswith("Current thread")), 0)
    for line in tail[current:]:
        if found := re.match(r'\s*File "([^"]+)", line (\d+) in (\S+)', line):
            return f", in {found[3]} ({found[1]}:{found[2]})"
    return ""
