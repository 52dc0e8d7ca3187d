"""The parent's view of one child: its events, its limits, how it is stopped, and its one outcome.

Nothing here waits, except `events`, `wait` and `close`: `advance` does what is due and returns, so one thread serves
many children.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from crawler.config import Limits
from crawler.errors import CrawlerError
from crawler.process import inside, server
from crawler.process.ending import Outcome, Stop, Told, outcome
from crawler.process.wire import Event, Reader, decode, run_from
from crawler.run import RunPlan

RUN_SOURCE = "crawler.run:run_source"
GRACE = 4.0
"""Seconds between the signals that stop a child: TERM, TERM, KILL. All within the 10 s of `docker stop`."""
TICK = 0.25
"""Seconds at most between two looks at a child, and between two looks at its memory."""
LINGER = 5.0
"""Seconds that a child may live on after it told its end, and that a killed one may take to vanish."""
OUTPUT = 1_000_000
"""Bytes of a child's standard output and error that are passed on as events; what is beyond is dropped, and said so."""
TAIL = 100
"""Lines of that kept, to say where a compiled library crashed."""
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def start(
    plan: RunPlan,
    *,
    target: str | inside.Target = RUN_SOURCE,
    limits: Limits | None = None,
    grace: float = GRACE,
    log_level: int = logging.WARNING,
) -> Child:
    """Fork a child that calls `target(plan, emit)`: a dotted name `module:function`, or a picklable function.

    It has this process's working folder, environment (and `plan.variables`) and import path. Log records from
    `log_level` on come as events. CrawlerError when no child could be made.
    """
    caps = limits or Limits.model_validate({})
    terms = inside.Terms(
        variables={**os.environ, **plan.variables},
        memory_mb=caps.memory_mb,
        ceiling=caps.run_seconds + 2 * grace + 30,
        grace=grace,
        log_level=log_level,
    )
    for tries_left in (2, 1, 0):
        try:
            return _forked(plan, target, terms, caps, grace)
        except (EOFError, OSError) as error:
            if not tries_left:
                raise CrawlerError(f"No process could be started for the run of {plan.source}: {error!r}.") from error
            time.sleep(0.2)  # the server died, say for want of memory; once that is noticed, a new one is started
    raise AssertionError("unreachable")


def _forked(plan: RunPlan, target: str | inside.Target, terms: inside.Terms, caps: Limits, grace: float) -> Child:
    pipes = [connection.Pipe(duplex=False) for _ in range(2)]
    readers, writers = [pipe[0] for pipe in pipes], [pipe[1] for pipe in pipes]
    try:
        process = server.launch(plan.source, inside.main, plan, target, *writers, terms)
    except BaseException:  # whatever it was, the pipes must not stay open in a daemon
        for reader in readers:
            reader.close()
        raise
    finally:
        for writer in writers:
            writer.close()
    return Child(plan, process, readers, caps, grace)


class Child:
    """One run in a process of its own. As a context manager it leaves no process behind.

    `outcome` is None until the process has ended; `pid` is its process id and that of its group.
    """

    def __init__(
        self, plan: RunPlan, process: BaseProcess, pipes: list[connection.Connection], limits: Limits, grace: float
    ) -> None:
        assert process.pid is not None
        self.plan = plan
        self.pid = process.pid
        self.outcome: Outcome | None = None
        self._process, self._pipes, self._limits, self._grace = process, pipes, limits, grace
        self._events = Reader(pipes[0].fileno())
        self._output = Reader(pipes[1].fileno(), longest=8192)
        self._told = Told()
        self._stop: Stop | None = None
        self._announced = False
        self._killed_at: float | None = None
        self._output_left = OUTPUT
        self._started = time.monotonic()
        self._told_at: float | None = None

    @property
    def said_why(self) -> bool:
        """Whether the child itself told why there is no run."""
        return self._told.failure is not None

    def filenos(self) -> list[int]:
        """What becomes readable when `advance` has something to do (besides every `TICK`)."""
        if self.outcome is not None:
            return []
        return [self._process.sentinel, *(reader.fd for reader in (self._events, self._output) if reader.open)]

    def advance(self) -> list[Event]:
        """Read what has come, enforce what is due, and set `outcome` when the process has ended. Never waits."""
        if self.outcome is not None:
            return []
        status = self._process.exitcode
        if status is not None:
            self._notice_lost_server(status)
            self._signal_group()  # what the run left behind: a browser, a helper
            events = self._read(chunks=1024)
            self._conclude(status)
            return events
        events = self._read(chunks=4)
        self._enforce(time.monotonic())
        if self._stop is not None and not self._announced:
            self._announced = True
            events.append({"type": "stopping", "message": f"{self._stop.because}."})
        return events

    def events(self) -> Iterator[Event]:
        """Every event as it comes; ends with the process, then `outcome` is set."""
        while self.outcome is None:
            connection.wait(self.filenos(), TICK)
            yield from self.advance()

    def wait(self) -> Outcome:
        """The outcome, once there; events are dropped."""
        for _ in self.events():
            pass
        assert self.outcome is not None
        return self.outcome

    def stop(self, grace: float | None = None, because: str | None = None) -> None:
        """Ask it to end: TERM now; `advance` sends what falls due later. Asking twice does no more."""
        if self.outcome is None and self._stop is None and not self._told.anything:
            self._end(because or f"The run of {self.plan.source} was stopped", grace, at_limit=False)

    def kill(self) -> None:
        """End it and its group now."""
        self.stop(grace=0.0)
        self._kill()

    def close(self) -> None:
        """Kill it when it is still there, and wait until it is not."""
        if self.outcome is None:
            self.kill()
            self.wait()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def _end(self, because: str, grace: float | None, at_limit: bool) -> None:
        self._stop = Stop(because, self._grace if grace is None else grace, time.monotonic(), at_limit)
        self._escalate(self._stop.due)

    def _enforce(self, now: float) -> None:
        source, limits = self.plan.source, self._limits
        if self._killed_at is not None:
            if now > self._killed_at + LINGER:
                self._conclude(None)
        elif self._stop is not None:
            self._escalate(now)
        elif self._told_at is not None:
            if now > self._told_at + LINGER:
                self._kill()
        elif now > self._started + limits.run_seconds:
            cause = f"after {limits.run_seconds:g} s, the most that limits.run_seconds allows"
            self._end(f"The run of {source} was ended {cause}", None, at_limit=True)
        elif (used := self._memory_mb()) > limits.memory_mb:
            cause = f"at {used:.0f} MB, more than limits.memory_mb = {limits.memory_mb} allows"
            self._end(f"The run of {source} was ended {cause}", None, at_limit=True)

    def _escalate(self, now: float) -> None:
        assert self._stop is not None
        if now < self._stop.due:
            return
        if self._stop.sent < 2:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
        else:
            self._kill()
        self._stop.sent += 1
        self._stop.due = now + self._stop.grace

    def _kill(self) -> None:
        if self._killed_at is None:
            self._killed_at = time.monotonic()
            self._signal_group()
            with suppress(ProcessLookupError):  # it may not lead its group yet
                os.kill(self.pid, signal.SIGKILL)

    def _signal_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _notice_lost_server(self, status: int) -> None:
        """The server tells how a child ended; when the server itself is killed, 255 stands for every living child."""
        if status == 255 and not self._told.anything and Path(f"/proc/{self.pid}").exists():
            message = f"The run of {self.plan.source} was given up: the server process that all runs come from is gone."
            self._told.failure = {"message": message, "exit_code": 1}

    def _memory_mb(self) -> float:
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_bytes().split()[1]) * PAGE_MB
        except (OSError, IndexError):  # just ended, or a system without /proc: there only the kernel's wall holds
            return 0.0

    def _read(self, chunks: int) -> list[Event]:
        events: list[Event] = []
        for line in self._events.take(chunks) if self._events.open else ():
            events += self._heard(line)
        for text in self._output.take(chunks) if self._output.open else ():
            events += self._printed(text)
        return events

    def _heard(self, line: bytes) -> list[Event]:
        match decode(line):
            case ("event", event):
                return [event]
            case ("result", values):
                self._told.run = run_from(values)
            case ("failure", values):
                self._told.failure = values
            case _:
                return [self._log("A line that came from the run could not be read and is left out.")] if line else []
        self._told_at = time.monotonic()
        return []

    def _printed(self, line: bytes) -> list[Event]:
        text = line.decode("utf-8", "replace")
        self._told.tail = [*self._told.tail[-(TAIL - 1) :], text[:200]]
        if self._output_left <= 0:
            return []
        self._output_left -= len(line) + 1
        if self._output_left <= 0:
            return [self._log(f"The run printed more than {OUTPUT} bytes; the rest is left out.")]
        return [{"type": "output", "message": text}]

    def _log(self, message: str) -> Event:
        return {"type": "log", "level": "WARNING", "logger": __name__, "message": message}

    def _conclude(self, status: int | None) -> None:
        seconds = time.monotonic() - self._started
        self.outcome = outcome(self.plan.source, status, self._told, self._stop, self._killed_at is not None, seconds)
        for pipe in self._pipes:
            pipe.close()
        if status is not None:
            self._process.join()
            self._process.close()
