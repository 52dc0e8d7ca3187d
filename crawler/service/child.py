"""The parent's side of runs: each is a process of its own, which has limits, can be stopped, and gets one outcome."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from multiprocessing.connection import Pipe, wait
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from crawler.errors import CrawlerError
from crawler.items import Health
from crawler.service.fork_server import fork_process, make_start_error
from crawler.service.run import RunOutcome, RunPlan, record_unreported_end
from crawler.service.worker import RunEvent, run_worker

STOP_REASON = "The run of {} was stopped"
CHECK_SECONDS = 0.25  # between two checks of a child's time and memory
MAX_LINGER_SECONDS = 5.0  # a child may live on for so long after its outcome, and a killed one until it vanishes
FORK_SERVER_GONE = 255
"""multiprocessing's exit code of a child whose fork server died."""
MEMORY_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1024 / 1024
TRACEBACK_LINE = re.compile(rb'  File "([^"]+)", line (\d+) in (\S+)')
OUTCOME_ADAPTER = TypeAdapter(RunOutcome)
EventHandler = Callable[[RunEvent], None]


class ChildProcess:
    """A run in a process of its own, forked at once. Await `follow`, which leaves no process behind.

    `pid` is its process id, and that of its group. `reported` is the outcome that the process itself sent, if any.
    """

    def __init__(self, plan: RunPlan) -> None:
        """Fork. The child has this process's working folder and environment. Raise CrawlerError if that fails."""
        self._plan = plan
        purpose = f"the run of {plan.source}"
        try:
            self._messages, send_messages = Pipe(duplex=False)
        except OSError as error:
            raise make_start_error(purpose, error) from error
        plan = replace(plan, variables={**os.environ, **plan.variables})
        try:
            self._process = fork_process(purpose, run_worker, plan, send_messages)
        except BaseException:  # Whatever it is, the pipe must not stay open in a service.
            self._messages.close()
            raise
        finally:
            send_messages.close()
        assert self._process.pid is not None
        self.pid, self._started_at = self._process.pid, time.monotonic()
        self.reported: RunOutcome | None = None
        self._crash_report: deque[bytes] = deque(maxlen=200)
        self._stop_reason, self._is_at_limit, self._is_killed = "", False, False

    async def follow(self, on_event: EventHandler) -> RunOutcome:
        """Return the outcome when the process has ended. Until then, pass on the events of the run.

        Kill the process if `on_event` fails or the caller is cancelled.
        """
        reading = asyncio.create_task(self._read_messages(on_event))
        try:
            while not (reading.done() or self._stop_reason or self.reported):
                self._enforce_limits()
                await asyncio.wait({reading}, timeout=CHECK_SECONDS)
            if self._stop_reason:
                on_event({"type": "stopping", "message": f"{self._stop_reason}."})
            for seconds in [self._plan.grace] * 2 if self._stop_reason else [MAX_LINGER_SECONDS]:
                if self._stop_reason and not reading.done():
                    self._process.terminate()
                await asyncio.wait({reading}, timeout=seconds)
            if not reading.done():
                self.kill()
                await asyncio.wait({reading}, timeout=MAX_LINGER_SECONDS)
            if reading.done():
                reading.result()  # raises what `on_event` raised
            return self._make_outcome()
        finally:
            reading.cancel()
            self.kill()
            self._process.join(MAX_LINGER_SECONDS)
            with closing(self._messages), suppress(ValueError):  # ValueError: not even SIGKILL ended it
                self._process.close()

    def stop(self, reason: str = STOP_REASON, *, is_at_limit: bool = False) -> None:
        """Send TERM, TERM and KILL once, `grace` seconds apart. `reason` is a clause with {} for the source."""
        if not self._stop_reason and not self.reported:
            self._stop_reason, self._is_at_limit = reason.format(self._plan.source), is_at_limit

    def kill(self) -> None:
        """End the process and its group now, and what a process that has ended left in its group (a browser)."""
        if self._process.exitcode is None:
            self.stop()
            self._is_killed = True
            self._process.kill()  # it may not lead its group yet
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def _read_messages(self, on_event: EventHandler) -> None:
        waited: list[Any] = [self._messages, self._process.sentinel]
        rest, has_ended = b"", False
        while not has_ended:
            await asyncio.to_thread(wait, waited, CHECK_SECONDS)
            has_ended = self._process.exitcode is not None
            if self._messages in waited and self._messages.poll():
                data = os.read(self._messages.fileno(), 1_000_000)  # a pipe holds less, so this is all that is left
                if not data:  # every writer has closed the pipe
                    waited.remove(self._messages)
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    match parse_message(line):
                        case None:
                            self._crash_report.append(line)
                        case RunOutcome() as outcome:
                            self.reported = outcome
                        case event:
                            on_event(event)

    def _enforce_limits(self) -> None:
        limits, used = self._plan.limits, 0.0
        with suppress(OSError, IndexError):  # It has just ended, or there is no /proc: then only the kernel's limit.
            used = int(Path(f"/proc/{self.pid}/statm").read_bytes().split()[1]) * MEMORY_PAGE_MB
        if time.monotonic() - self._started_at > limits.run_seconds:
            cause = f"after {limits.run_seconds:g} s, the most that limits.run_seconds allows"
        elif used > limits.memory_mb:
            cause = f"at {used:.0f} MB, more than limits.memory_mb = {limits.memory_mb} allows"
        else:
            return
        self.stop(f"The run of {{}} was ended {cause}", is_at_limit=True)

    def _make_outcome(self) -> RunOutcome:
        source, status, killed = self._plan.source, self._process.exitcode, self._is_killed
        death = f"The run of {source} ended without a result: {describe_death(status or 0, self._crash_report)}."
        outcome = self.reported or RunOutcome(source=source, exit_code=1, reason=death)
        outcome = replace(outcome, killed=killed, seconds=round(time.monotonic() - self._started_at, 3))
        if not self._stop_reason:
            return replace(outcome, lost=not self.reported and status in (-signal.SIGKILL, FORK_SERVER_GONE))
        how = f"; it did not end within {2 * self._plan.grace:g} s and was killed" if killed else ""
        how = "; not even SIGKILL ended it, look at its process" if status is None else how
        reason, code = f"{self._stop_reason}{how}.", 1 if self._is_at_limit or not outcome.run else outcome.exit_code
        outcome = replace(outcome, exit_code=code, reason=reason, stopped=True, at_limit=self._is_at_limit)
        if outcome.run and outcome.was_stopped:
            outcome = replace(outcome, run=replace(outcome.run, health=Health.STOPPED, reason=reason))
        return outcome


def parse_message(line: bytes) -> RunEvent | RunOutcome | None:
    """Return the event or the outcome in a child's message, or None: the line is a part of a crash report."""
    with suppress(ValueError, RecursionError):
        match json.loads(line):
            case ["event", dict() as event]:
                return event
            case ["outcome", outcome]:
                return OUTCOME_ADAPTER.validate_python(outcome)
    return None


def describe_death(status: int, crash_report: Iterable[bytes]) -> str:
    """Return why a process ended without an outcome, and in which line of Python. `status` is `Process.exitcode`."""
    if status == FORK_SERVER_GONE:
        return "the server process that all runs come from is gone"
    line = next(filter(None, map(TRACEBACK_LINE.match, crash_report)), None)  # the innermost call
    where = f", in {line[3].decode()} ({line[1].decode()}:{line[2].decode()})" if line else ""
    if status >= 0:
        return f"its process ended itself with status {status}{where}"
    hint = "; something killed it, or memory ran out" if -status == signal.SIGKILL else ""
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    return f"it was ended by {name} ({signal.strsignal(-status)}){hint}{where}"


class ChildPool:
    """The runs of one command or one watch, each in a process of its own."""

    def __init__(self, stop_reason: str = STOP_REASON) -> None:
        self._stop_reason, self._is_stopping = stop_reason, False
        self._children: set[ChildProcess] = set()

    async def run(self, plan: RunPlan, on_event: EventHandler) -> RunOutcome:
        """Make one run, and pass on its events with their `source`. Record an end that its process could not record."""
        if self._is_stopping:
            reason = f"The run of {plan.source} was skipped: the command was stopped before its turn."
            return RunOutcome(source=plan.source, exit_code=1, reason=reason, stopped=True)
        try:
            child = ChildProcess(plan)
        except CrawlerError as error:
            return RunOutcome(source=plan.source, exit_code=error.exit_code, reason=str(error))
        self._children.add(child)
        if self._is_stopping:  # another thread called `stop` during the fork
            child.stop(self._stop_reason)
        try:
            outcome = await child.follow(lambda event: on_event({"source": plan.source, **event}))
        finally:
            self._children.remove(child)
        if outcome.was_stopped or not child.reported:
            await asyncio.to_thread(record_unreported_end, plan, outcome, child.pid)  # it may wait for the store
        return outcome

    def stop(self) -> None:
        """Stop every run, and let no other start. The second call kills."""
        for child in list(self._children):  # another thread may add or remove one
            if self._is_stopping:
                child.kill()
            else:
                child.stop(self._stop_reason)
        self._is_stopping = True


def run_all(
    plans: Sequence[RunPlan], on_event: EventHandler, *, max_children: int = 2, pool: ChildPool | None = None
) -> list[RunOutcome]:
    """Run every plan, at most `max_children` at a time. Return outcomes in the order of the plans.

    `on_event` gets each event with its `source`, in this thread. The first Ctrl-C (or SIGTERM) stops the children and
    skips the other plans. The second kills. No child outlives the call. Another thread can stop them by `pool`.
    """
    pool, slots = pool or ChildPool(), asyncio.Semaphore(max_children)

    async def run(plan: RunPlan) -> RunOutcome:
        async with slots:
            return await pool.run(plan, on_event)

    async def run_plans() -> list[RunOutcome]:
        loop = asyncio.get_running_loop()
        with ExitStack() as handlers:
            if threading.current_thread() is threading.main_thread():  # No other thread can receive a signal.
                for number in (signal.SIGINT, signal.SIGTERM):
                    former = signal.signal(number, lambda *_: loop.call_soon_threadsafe(pool.stop))
                    handlers.callback(signal.signal, number, former)
            return await asyncio.gather(*map(run, plans))

    return asyncio.run(run_plans())
