"""What happens in the child, from its first to its last instruction.

The child leads a session of its own, so a Ctrl-C at the terminal reaches only the parent, which then asks the child to
stop: once. It ends by itself when its parent is gone, by whatever cause.
"""

from __future__ import annotations

import faulthandler
import logging
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from multiprocessing import connection
from types import FrameType
from typing import NoReturn

from crawler.errors import CrawlerError
from crawler.items import Run, format_time
from crawler.service.ipc import EventWriter, RunEvent
from crawler.service.run import RunPlan

Target = Callable[[RunPlan, Callable[[RunEvent], None]], Run]

MEMORY_HEADROOM = 1.25
"""The kernel refuses memory at this share of `memory_mb`; before that the parent asks the child to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """What a child gets from its parent beside the plan.

    `variables` is its whole environment. After `ceiling` seconds it ends by itself, were its parent unable to end it;
    `grace` seconds lie between the signals it sends to itself when its parent is gone.
    """

    variables: Mapping[str, str]
    memory_mb: int
    max_seconds: float
    grace: float
    log_level: int


class WorkerStopped(BaseException):
    """SIGTERM came while nothing else handled it (Scrapy does, from its start to its end)."""


def run_worker(
    plan: RunPlan,
    target: str | Target,
    events: connection.Connection,
    output: connection.Connection,
    terms: WorkerLimits,
) -> NoReturn:
    """Run `target(plan, emit)`, send its `Run` or why there is none, and end the process."""
    writer = EventWriter(events.fileno())
    code = 1
    try:
        _set_up_process(output, terms, writer)
        code = _run_target(plan, target, writer)
    finally:
        # Not by returning: a thread that the run left behind would keep the process alive.
        _flush_streams()
        os._exit(code)


def _run_target(plan: RunPlan, target: str | Target, writer: EventWriter) -> int:
    try:
        run = _load_target(target)(plan, writer.send_event)
        if not isinstance(run, Run):
            raise TypeError(f"the run returned {type(run).__name__}, not a Run")
        writer.send_result(run)
        return 0
    except WorkerStopped:
        writer.send_failure("stopped", f"The run of {plan.source} was ended by SIGTERM.")
    except MemoryError:
        writer.send_failure("memory", f"The run of {plan.source} got no more memory and was given up.")
    except CrawlerError as error:
        writer.send_failure("error", str(error), error.exit_code)
    except SystemExit as error:
        writer.send_failure(
            "exit", f"The run of {plan.source} was ended by its own code, which called sys.exit({error})."
        )
    except BaseException as error:  # noqa: BLE001 - whatever a run raises ends as one failed run with its reason
        text = traceback.format_exc()
        writer.send_event({"type": "log", "level": "ERROR", "logger": __name__, "message": text})
        writer.send_failure(
            "exception", f"The run of {plan.source} failed{_format_place(error)}: {type(error).__name__}: {error}."
        )
    return 1


def _load_target(target: str | Target) -> Target:
    if not isinstance(target, str):
        return target
    module, _, name = target.partition(":")
    found: Target = getattr(import_module(module), name)
    return found


def _format_place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f" in {frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def _set_up_process(output: connection.Connection, terms: WorkerLimits, writer: EventWriter) -> None:
    os.setsid()
    signal.signal(signal.SIGTERM, _handle_sigterm)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(terms.variables)
    time.tzset()
    for stream in (1, 2):
        os.dup2(output.fileno(), stream)
    output.close()
    faulthandler.enable(2)
    faulthandler.dump_traceback_later(
        terms.max_seconds, exit=True, file=2
    )  # a thread in C: not even the GIL holds it up
    _limit_memory(terms.memory_mb)
    logging.getLogger().handlers = [EventLogHandler(writer, terms.log_level)]
    logging.getLogger().setLevel(terms.log_level)
    threading.Thread(target=_end_with_parent, args=(terms.grace,), name="end with parent", daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGHUP})


def _limit_memory(memory_mb: int) -> None:
    """A wall for a run that grows faster than the parent looks, and no core file from it.

    RLIMIT_DATA counts memory the process may write to. RLIMIT_AS would also count address space that threads merely
    reserve (64 MB each).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    wall = int(memory_mb * MEMORY_HEADROOM * 1024 * 1024)
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if hard == resource.RLIM_INFINITY or wall < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (wall, hard))


def _handle_sigterm(_signal: int, _frame: FrameType | None) -> None:
    if _stop_asked.is_set():
        os._exit(128 + signal.SIGTERM)
    _stop_asked.set()
    raise WorkerStopped


_stop_asked = threading.Event()


def _end_with_parent(grace: float) -> None:
    """Stop in good order, then by force, when the parent is gone.

    PR_SET_PDEATHSIG does not serve: our parent is the fork server, which lives as long as any of its children do.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    connection.wait([parent.sentinel])
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(grace)
    os.killpg(0, signal.SIGKILL)


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # the run closed it
            continue


class EventLogHandler(logging.Handler):
    """Log records as events of type `log`: level, logger, message, time."""

    def __init__(self, writer: EventWriter, level: int) -> None:
        super().__init__(level)
        self.setFormatter(logging.Formatter("%(message)s"))
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record, with its traceback when it has one."""
        try:
            message = self.format(record)
        except Exception:  # noqa: BLE001 - logging's own rule: a wrong format string harms only its record
            message = f"{record.msg} (this record could not be formatted)"
        at = format_time(datetime.fromtimestamp(record.created, UTC))
        event = {"type": "log", "level": record.levelname, "logger": record.name, "time": at, "message": message}
        self._writer.send_event(event)
