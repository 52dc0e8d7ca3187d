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

from crawler.config import LimitsConfig
from crawler.errors import CrawlerError
from crawler.service import fork_server as server
from crawler.service import worker as inside
from crawler.service.ipc import LineReader, RunEvent, decode_message, parse_run
from crawler.service.outcome import ChildReport, RunOutcome, Termination, make_outcome
from crawler.service.run import RunPlan

RUN_SOURCE_TARGET = "crawler.service.run:run_source"
STOP_GRACE_SECONDS = 4.0
"""Seconds between the signals that stop a child: TERM, TERM, KILL. All within the 10 s of `docker stop`."""
CHILD_CHECK_SECONDS = 0.25
"""Seconds at most between two looks at a child, and between two looks at its memory."""
MAX_LINGER_SECONDS = 5.0
"""Seconds that a child may live on after it told its end, and that a killed one may take to vanish."""
MAX_OUTPUT_BYTES = 1_000_000
"""Bytes of a child's standard output and error that are passed on as events; what is beyond is dropped, and said so."""
MAX_TAIL_LINES = 100
"""Lines of that kept, to say where a compiled library crashed."""
MEMORY_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def start_child(
    plan: RunPlan,
    *,
    target: str | inside.Target = RUN_SOURCE_TARGET,
    limits: LimitsConfig | None = None,
    grace: float = STOP_GRACE_SECONDS,
    log_level: int = logging.WARNING,
) -> ChildProcess:
    """Fork a child that calls `target(plan, emit)`: a dotted name `module:function`, or a picklable function.

    It has this process's working folder, environment (and `plan.variables`) and import path. Log records from
    `log_level` on come as events. CrawlerError when no child could be made.
    """
    caps = limits or LimitsConfig.model_validate({})
    terms = inside.WorkerLimits(
        variables={**os.environ, **plan.variables},
        memory_mb=caps.memory_mb,
        max_seconds=caps.run_seconds + 2 * grace + 30,
        grace=grace,
        log_level=log_level,
    )
    for tries_left in (2, 1, 0):
        try:
            return _fork_child(plan, target, terms, caps, grace)
        except (EOFError, OSError) as error:
            if not tries_left:
                raise CrawlerError(f"No process could be started for the run of {plan.source}: {error!r}.") from error
            time.sleep(0.2)  # the server died, say for want of memory; once that is noticed, a new one is started
    raise AssertionError("unreachable")


def _fork_child(
    plan: RunPlan, target: str | inside.Target, terms: inside.WorkerLimits, caps: LimitsConfig, grace: float
) -> ChildProcess:
    pipes = [connection.Pipe(duplex=False) for _ in range(2)]
    readers, writers = [pipe[0] for pipe in pipes], [pipe[1] for pipe in pipes]
    try:
        process = server.fork_process(plan.source, inside.run_worker, plan, target, *writers, terms)
    except BaseException:  # whatever it was, the pipes must not stay open in a daemon
        for reader in readers:
            reader.close()
        raise
    finally:
        for writer in writers:
            writer.close()
    return ChildProcess(plan, process, readers, caps, grace)


class ChildProcess:
    """One run in a process of its own. As a context manager it leaves no process behind.

    `outcome` is None until the process has ended; `pid` is its process id and that of its group.
    """

    def __init__(
        self,
        plan: RunPlan,
        process: BaseProcess,
        pipes: list[connection.Connection],
        limits: LimitsConfig,
        grace: float,
    ) -> None:
        assert process.pid is not None
        self.plan = plan
        self.pid = process.pid
        self.outcome: RunOutcome | None = None
        self._process, self._pipes, self._limits, self._grace = process, pipes, limits, grace
        self._events = LineReader(pipes[0].fileno())
        self._output = LineReader(pipes[1].fileno(), longest=8192)
        self._report = ChildReport()
        self._termination: Termination | None = None
        self._announced = False
        self._killed_at: float | None = None
        self._output_left = MAX_OUTPUT_BYTES
        self._started = time.monotonic()
        self._reported_at: float | None = None

    @property
    def has_reported_failure(self) -> bool:
        """Whether the child itself told why there is no run."""
        return self._report.failure is not None

    def list_filenos(self) -> list[int]:
        """What becomes readable when `advance` has something to do (besides every `TICK`)."""
        if self.outcome is not None:
            return []
        return [self._process.sentinel, *(reader.fd for reader in (self._events, self._output) if reader.open)]

    def poll_events(self) -> list[RunEvent]:
        """Read what has come, enforce what is due, and set `outcome` when the process has ended. Never waits."""
        if self.outcome is not None:
            return []
        status = self._process.exitcode
        if status is not None:
            self._check_fork_server(status)
            self._kill_group()  # what the run left behind: a browser, a helper
            events = self._read_pipes(chunks=1024)
            self._finish(status)
            return events
        events = self._read_pipes(chunks=4)
        self._enforce_limits(time.monotonic())
        if self._termination is not None and not self._announced:
            self._announced = True
            events.append({"type": "stopping", "message": f"{self._termination.reason}."})
        return events

    def iterate_events(self) -> Iterator[RunEvent]:
        """Every event as it comes; ends with the process, then `outcome` is set."""
        while self.outcome is None:
            connection.wait(self.list_filenos(), CHILD_CHECK_SECONDS)
            yield from self.poll_events()

    def wait(self) -> RunOutcome:
        """The outcome, once there; events are dropped."""
        for _ in self.iterate_events():
            pass
        assert self.outcome is not None
        return self.outcome

    def stop(self, grace: float | None = None, because: str | None = None) -> None:
        """Ask it to end: TERM now; `advance` sends what falls due later. Asking twice does no more."""
        if self.outcome is None and self._termination is None and not self._report.is_final:
            self._begin_stop(because or f"The run of {self.plan.source} was stopped", grace, at_limit=False)

    def kill(self) -> None:
        """End it and its group now."""
        self.stop(grace=0.0)
        self._kill()

    def close(self) -> None:
        """Kill it when it is still there, and wait until it is not."""
        if self.outcome is None:
            self.kill()
            self.wait()

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def _begin_stop(self, because: str, grace: float | None, at_limit: bool) -> None:
        self._termination = Termination(because, self._grace if grace is None else grace, time.monotonic(), at_limit)
        self._send_due_signal(self._termination.next_signal_at)

    def _enforce_limits(self, now: float) -> None:
        source, limits = self.plan.source, self._limits
        if self._killed_at is not None:
            if now > self._killed_at + MAX_LINGER_SECONDS:
                self._finish(None)
        elif self._termination is not None:
            self._send_due_signal(now)
        elif self._reported_at is not None:
            if now > self._reported_at + MAX_LINGER_SECONDS:
                self._kill()
        elif now > self._started + limits.run_seconds:
            cause = f"after {limits.run_seconds:g} s, the most that limits.run_seconds allows"
            self._begin_stop(f"The run of {source} was ended {cause}", None, at_limit=True)
        elif (used := self._read_memory_mb()) > limits.memory_mb:
            cause = f"at {used:.0f} MB, more than limits.memory_mb = {limits.memory_mb} allows"
            self._begin_stop(f"The run of {source} was ended {cause}", None, at_limit=True)

    def _send_due_signal(self, now: float) -> None:
        assert self._termination is not None
        if now < self._termination.next_signal_at:
            return
        if self._termination.signals_sent < 2:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
        else:
            self._kill()
        self._termination.signals_sent += 1
        self._termination.next_signal_at = now + self._termination.grace

    def _kill(self) -> None:
        if self._killed_at is None:
            self._killed_at = time.monotonic()
            self._kill_group()
            with suppress(ProcessLookupError):  # it may not lead its group yet
                os.kill(self.pid, signal.SIGKILL)

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _check_fork_server(self, status: int) -> None:
        """The server tells how a child ended; when the server itself is killed, 255 stands for every living child."""
        if status == 255 and not self._report.is_final and Path(f"/proc/{self.pid}").exists():
            message = f"The run of {self.plan.source} was given up: the server process that all runs come from is gone."
            self._report.failure = {"message": message, "exit_code": 1}

    def _read_memory_mb(self) -> float:
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_bytes().split()[1]) * MEMORY_PAGE_MB
        except (OSError, IndexError):  # just ended, or a system without /proc: there only the kernel's wall holds
            return 0.0

    def _read_pipes(self, chunks: int) -> list[RunEvent]:
        events: list[RunEvent] = []
        for line in self._events.read_lines(chunks) if self._events.open else ():
            events += self._handle_message(line)
        for text in self._output.read_lines(chunks) if self._output.open else ():
            events += self._handle_output(text)
        return events

    def _handle_message(self, line: bytes) -> list[RunEvent]:
        match decode_message(line):
            case ("event", event):
                return [event]
            case ("result", values):
                self._report.run = parse_run(values)
            case ("failure", values):
                self._report.failure = values
            case _:
                return (
                    [self._make_log_event("A line that came from the run could not be read and is left out.")]
                    if line
                    else []
                )
        self._reported_at = time.monotonic()
        return []

    def _handle_output(self, line: bytes) -> list[RunEvent]:
        text = line.decode("utf-8", "replace")
        self._report.tail = [*self._report.tail[-(MAX_TAIL_LINES - 1) :], text[:200]]
        if self._output_left <= 0:
            return []
        self._output_left -= len(line) + 1
        if self._output_left <= 0:
            return [self._make_log_event(f"The run printed more than {MAX_OUTPUT_BYTES} bytes; the rest is left out.")]
        return [{"type": "output", "message": text}]

    def _make_log_event(self, message: str) -> RunEvent:
        return {"type": "log", "level": "WARNING", "logger": __name__, "message": message}

    def _finish(self, status: int | None) -> None:
        seconds = time.monotonic() - self._started
        self.outcome = make_outcome(
            self.plan.source, status, self._report, self._termination, self._killed_at is not None, seconds
        )
        for pipe in self._pipes:
            pipe.close()
        if status is not None:
            self._process.join()
            self._process.close()
