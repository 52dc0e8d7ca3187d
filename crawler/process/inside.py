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
from crawler.items import Run, iso
from crawler.process.wire import Event, Writer
from crawler.run import RunPlan

Target = Callable[[RunPlan, Callable[[Event], None]], Run]

HEADROOM = 1.25
"""The kernel refuses memory at this share of `memory_mb`; before that the parent asks the child to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a child gets from its parent beside the plan.

    `variables` is its whole environment. After `ceiling` seconds it ends by itself, were its parent unable to end it;
    `grace` seconds lie between the signals it sends to itself when its parent is gone.
    """

    variables: Mapping[str, str]
    memory_mb: int
    ceiling: float
    grace: float
    log_level: int


class Stopped(BaseException):
    """SIGTERM came while nothing else handled it (Scrapy does, from its start to its end)."""


def main(
    plan: RunPlan, target: str | Target, events: connection.Connection, output: connection.Connection, terms: Terms
) -> NoReturn:
    """Run `target(plan, emit)`, send its `Run` or why there is none, and end the process."""
    writer = Writer(events.fileno())
    code = 1
    try:
        _settle(output, terms, writer)
        code = _attempt(plan, target, writer)
    finally:
        # Not by returning: a thread that the run left behind would keep the process alive.
        _flush()
        os._exit(code)


def _attempt(plan: RunPlan, target: str | Target, writer: Writer) -> int:
    try:
        run = _found(target)(plan, writer.emit)
        if not isinstance(run, Run):
            raise TypeError(f"the run returned {type(run).__name__}, not a Run")
        writer.result(run)
        return 0
    except Stopped:
        writer.failure("stopped", f"The run of {plan.source} was ended by SIGTERM.")
    except MemoryError:
        writer.failure("memory", f"The run of {plan.source} got no more memory and was given up.")
    except CrawlerError as error:
        writer.failure("error", str(error), error.exit_code)
    except SystemExit as error:
        writer.failure("exit", f"The run of {plan.source} was ended by its own code, which called sys.exit({error}).")
    except BaseException as error:  # noqa: BLE001 - whatever a run raises ends as one failed run with its reason
        text = traceback.format_exc()
        writer.emit({"type": "log", "level": "ERROR", "logger": __name__, "message": text})
        writer.failure("exception", f"The run of {plan.source} failed{_place(error)}: {type(error).__name__}: {error}.")
    return 1


def _found(target: str | Target) -> Target:
    if not isinstance(target, str):
        return target
    module, _, name = target.partition(":")
    found: Target = getattr(import_module(module), name)
    return found


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f" in {frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def _settle(output: connection.Connection, terms: Terms, writer: Writer) -> None:
    os.setsid()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(terms.variables)
    time.tzset()
    for stream in (1, 2):
        os.dup2(output.fileno(), stream)
    output.close()
    faulthandler.enable(2)
    faulthandler.dump_traceback_later(terms.ceiling, exit=True, file=2)  # a thread in C: not even the GIL holds it up
    _limit_memory(terms.memory_mb)
    logging.getLogger().handlers = [EventHandler(writer, terms.log_level)]
    logging.getLogger().setLevel(terms.log_level)
    threading.Thread(target=_end_with_parent, args=(terms.grace,), name="end with parent", daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGHUP})


def _limit_memory(memory_mb: int) -> None:
    """A wall for a run that grows faster than the parent looks, and no core file from it.

    RLIMIT_DATA counts memory the process may write to. RLIMIT_AS would also count address space that threads merely
    reserve (64 MB each).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    wall = int(memory_mb * HEADROOM * 1024 * 1024)
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if hard == resource.RLIM_INFINITY or wall < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (wall, hard))


def _stop(_signal: int, _frame: FrameType | None) -> None:
    if _stop_asked.is_set():
        os._exit(128 + signal.SIGTERM)
    _stop_asked.set()
    raise Stopped


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


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # the run closed it
            continue


class EventHandler(logging.Handler):
    """Log records as events of type `log`: level, logger, message, time."""

    def __init__(self, writer: Writer, level: int) -> None:
        super().__init__(level)
        self.setFormatter(logging.Formatter("%(message)s"))
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record, with its traceback when it has one."""
        try:
            message = self.format(record)
        except Exception:  # noqa: BLE001 - logging's own rule: a wrong format string harms only its record
            message = f"{record.msg} (this record could not be formatted)"
        at = iso(datetime.fromtimestamp(record.created, UTC))
        event = {"type": "log", "level": record.levelname, "logger": record.name, "time": at, "message": message}
        self._writer.emit(event)
