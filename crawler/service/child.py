"""The parent's view of one child process: its events, its limits, how it is stopped, and its one outcome."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from multiprocessing.connection import wait as wait_for_any
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

from crawler.config import LimitsConfig
from crawler.errors import CrawlerError
from crawler.items import Run
from crawler.service.fork_server import fork_process
from crawler.service.ipc import RunEvent, decode_message, parse_run
from crawler.service.outcome import RunOutcome, describe_death
from crawler.service.run import RunPlan
from crawler.service.worker import Target, WorkerSettings, run_worker

RUN_SOURCE_TARGET = "crawler.service.run:run_source"
STOP_GRACE_SECONDS = 4.0
"""Seconds between the signals that stop a child: TERM, TERM, KILL. All within the 10 s of `docker stop`."""
CHILD_CHECK_SECONDS = 0.25
"""Maximum seconds between two checks of a child and of its memory."""
MAX_LINGER_SECONDS = 5.0
"""Seconds that a child may live on after it reported its end, and that a killed one may take to vanish."""
MAX_DRAIN_SECONDS = 1.0
"""Seconds without data after which the pipes of an ended child count as read. A grandchild in a session of its own may
hold them open."""
MAX_OUTPUT_BYTES = 1_000_000
"""Bytes of a child's standard output and error that become events."""
MAX_LINE_BYTES, MAX_TAIL_LINES = 8192, 100
"""Length of one such line, and lines kept to find where a compiled library crashed."""
MEMORY_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def start_child(
    plan: RunPlan,
    *,
    target: str | Target = RUN_SOURCE_TARGET,
    limits: LimitsConfig | None = None,
    grace: float = STOP_GRACE_SECONDS,
    log_level: int = logging.WARNING,
) -> ChildProcess:
    """Fork a child that calls `target(plan, emit)`: a name `module:function`, or a function that can be pickled.

    It has this process's working folder, environment (and `plan.variables`) and import path. Log records from
    `log_level` come as events. Raise CrawlerError if no child could be made.
    """
    limits = limits or LimitsConfig.model_validate({})
    for tries_left in (2, 1, 0):
        try:
            return _fork_child(plan, target, limits, grace, log_level)
        except (EOFError, OSError) as error:
            if not tries_left:
                raise CrawlerError(f"No process could be started for the run of {plan.source}: {error!r}.") from error
            time.sleep(0.2)  # The fork server died. Once that is noticed, a new one is started.
    raise AssertionError("unreachable")


def _fork_child(
    plan: RunPlan, target: str | Target, limits: LimitsConfig, grace: float, log_level: int
) -> ChildProcess:
    pipes: list[Connection] = []
    environment = {**os.environ, **plan.variables}
    try:
        for _ in range(2):
            pipes += Pipe(duplex=False)
        receive_events, send_events, receive_output, send_output = pipes
        settings = WorkerSettings(environment, limits.memory_mb, limits.run_seconds + 2 * grace + 30, grace, log_level)
        process = fork_process(plan.source, run_worker, plan, target, send_events, send_output, settings)
    except BaseException:  # Whatever it is, the pipes must not stay open in a service.
        for pipe in pipes:
            pipe.close()
        raise
    send_events.close()
    send_output.close()
    return ChildProcess(plan, process, receive_events, receive_output, limits, grace)


@dataclass(slots=True)
class Termination:
    """A child being ended: TERM, after `grace` seconds TERM again, after as many more KILL. `reason` is a clause."""

    reason: str
    grace: float
    at_limit: bool
    next_signal_at: float
    signals_sent: int = 0


class ChildProcess:
    """One run in a process of its own. Call `close` in the end, so that no process is left behind.

    `outcome` is None until the process has ended and its pipes are read. `pid` is its process id and that of its group.
    Two threads read the pipes. `poll_events` never waits, so one thread can serve many children.
    """

    def __init__(
        self,
        plan: RunPlan,
        process: BaseProcess,
        events: Connection,
        output: Connection,
        limits: LimitsConfig,
        grace: float,
    ) -> None:
        assert process.pid is not None
        self.plan, self.pid = plan, process.pid
        self.outcome: RunOutcome | None = None
        self._process, self._limits, self._grace = process, limits, grace
        self._run: Run | None = None
        self._failure: tuple[str, int] | None = None
        self._tail: deque[str] = deque(maxlen=MAX_TAIL_LINES)
        self._termination: Termination | None = None
        self._has_ended = False
        self._started_at = self._read_at = time.monotonic()
        self._reported_at = self._killed_at = float("inf")
        self._events: SimpleQueue[RunEvent] = SimpleQueue()
        self._ready = Event()
        self._readers = [
            Thread(target=self._read_messages, args=(events,), daemon=True),
            Thread(target=self._read_output, args=(output,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def has_reported_failure(self) -> bool:
        """Whether the child itself reported why there is no run."""
        return self._failure is not None

    def wait_for_events(self) -> None:
        """Wait until `poll_events` has something to do, at most CHILD_CHECK_SECONDS."""
        self._ready.wait(CHILD_CHECK_SECONDS)

    def poll_events(self) -> list[RunEvent]:
        """Return new events, enforce limits, and set `outcome` once the process has ended."""
        if self.outcome is not None:
            return []
        self._ready.clear()
        status, now = self._process.exitcode, time.monotonic()
        if status is None:
            self._enforce_limits(now)
        elif not self._has_ended:
            self._has_ended, self._read_at = True, now
            self._check_fork_server(status)
            self._kill_group()  # what the run left behind: a browser, a helper
        if status is not None and (self._are_pipes_read() or now > self._read_at + MAX_DRAIN_SECONDS):
            self._finish(status)
        return [self._events.get() for _ in range(self._events.qsize())]

    def stop(self, grace: float | None = None, because: str | None = None, *, at_limit: bool = False) -> None:
        """Send TERM now. `poll_events` sends the next signals. A second call does nothing."""
        if self.outcome is None and self._termination is None and self._reported_at == float("inf"):
            reason = because or f"The run of {self.plan.source} was stopped"
            now = time.monotonic()
            self._termination = Termination(reason, self._grace if grace is None else grace, at_limit, now)
            self._events.put({"type": "stopping", "message": f"{reason}."})
            self._ready.set()
            self._send_due_signal(self._termination, now)

    def kill(self) -> None:
        """End the process and its group now."""
        self.stop(grace=0.0)
        self._kill()

    def close(self) -> None:
        """Kill the process if it is still there, and wait until it is not."""
        if self.outcome is None:
            self.kill()
        while self.outcome is None:
            self.wait_for_events()
            self.poll_events()

    def _are_pipes_read(self) -> bool:
        for reader in self._readers:
            reader.join(0.01)  # A reader that has read all needs a moment to end.
        return not any(reader.is_alive() for reader in self._readers)

    def _enforce_limits(self, now: float) -> None:
        limits, run = self._limits, f"The run of {self.plan.source} was ended"
        if now > self._killed_at + MAX_LINGER_SECONDS:
            self._finish(None)
        elif self._termination is not None:
            self._send_due_signal(self._termination, now)
        elif now > self._reported_at + MAX_LINGER_SECONDS:
            self._kill()
        elif now > self._started_at + limits.run_seconds:
            cause = f"after {limits.run_seconds:g} s, the most that limits.run_seconds allows"
            self.stop(because=f"{run} {cause}", at_limit=True)
        elif (used := self._read_memory_mb()) > limits.memory_mb:
            cause = f"at {used:.0f} MB, more than limits.memory_mb = {limits.memory_mb} allows"
            self.stop(because=f"{run} {cause}", at_limit=True)

    def _send_due_signal(self, termination: Termination, now: float) -> None:
        if now < termination.next_signal_at or self._killed_at <= now:
            return
        if termination.signals_sent < 2:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
        else:
            self._kill()
        termination.signals_sent += 1
        termination.next_signal_at = now + termination.grace

    def _kill(self) -> None:
        self._killed_at = min(self._killed_at, time.monotonic())
        self._kill_group()
        with suppress(ProcessLookupError):  # it may not lead its group yet
            os.kill(self.pid, signal.SIGKILL)

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _check_fork_server(self, status: int) -> None:
        """Notice a killed fork server: then every living child seems to have ended with 255."""
        if status == 255 and self._run is None and Path(f"/proc/{self.pid}").exists():
            reason = f"The run of {self.plan.source} was given up: the server process that all runs come from is gone."
            self._failure = self._failure or (reason, 1)

    def _read_memory_mb(self) -> float:
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_bytes().split()[1]) * MEMORY_PAGE_MB
        except (OSError, IndexError):  # It has just ended, or the system has no /proc: then only the kernel's limit.
            return 0.0

    def _read_messages(self, pipe: Connection) -> None:
        with pipe, suppress(EOFError, OSError):
            while True:
                match decode_message(pipe.recv_bytes()):
                    case ("event", event):
                        self._events.put(event)
                    case ("result", values):
                        self._run, self._reported_at = parse_run(values), time.monotonic()
                    case ("failure", values):
                        self._failure = str(values["message"]), int(values["exit_code"])
                        self._reported_at = time.monotonic()
                    case _:
                        self._put_warning("A message that came from the run could not be read and is dropped.")
                self._set_ready()
        # The fork server reports the end of the process a little after its pipes close.
        wait_for_any([self._process.sentinel], MAX_LINGER_SECONDS)
        self._set_ready()

    def _read_output(self, pipe: Connection) -> None:
        left = MAX_OUTPUT_BYTES
        with pipe, open(pipe.fileno(), "rb", closefd=False) as lines:
            while line := lines.readline(MAX_LINE_BYTES):
                text = line.decode("utf-8", "replace").rstrip("\n")
                self._tail.append(text[:200])
                if left > 0:
                    left -= len(line)
                    if left > 0:
                        self._events.put({"type": "output", "message": text})
                    else:
                        self._put_warning(f"The run printed more than {MAX_OUTPUT_BYTES} bytes; the rest is left out.")
                self._set_ready()
        self._set_ready()

    def _set_ready(self) -> None:
        self._read_at = time.monotonic()
        self._ready.set()

    def _put_warning(self, message: str) -> None:
        self._events.put({"type": "log", "level": "WARNING", "logger": __name__, "message": message})

    def _finish(self, status: int | None) -> None:
        source, run, termination = self.plan.source, self._run, self._termination
        killed = self._killed_at < float("inf")
        if termination is not None:
            how = f"; it did not end within {2 * termination.grace:g} s and was killed" if killed else ""
            how = "; not even SIGKILL ended it, look at its process" if status is None else how
            reason = f"{termination.reason}{how}."
            exit_code = 1 if termination.at_limit or run is None or run.exit_code is None else run.exit_code
        elif run is not None:
            reason = run.reason or f"The run of {source} ended as {run.health or 'reported'}."
            exit_code = 1 if run.exit_code is None else run.exit_code
        elif self._failure is not None:
            reason, exit_code = self._failure
        else:
            death = describe_death(status, list(self._tail))
            reason, exit_code = f"The run of {source} ended without a result: {death}.", 1
        self.outcome = RunOutcome(
            source=source,
            run=run,
            exit_code=exit_code,
            reason=reason,
            killed=killed,
            stopped=termination is not None,
            at_limit=termination is not None and termination.at_limit,
            seconds=round(time.monotonic() - self._started_at, 3),
        )
        if status is not None:
            self._process.join()
            self._process.close()
