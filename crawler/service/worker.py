"""What a child process does, from its first to its last instruction: call a run, and report how it ended.

The child leads a session of its own, so Ctrl-C at the terminal reaches only the parent, which then stops the child
once. The child ends when its parent is gone, whatever the cause.
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
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import NamedTuple, NoReturn

from crawler.errors import CrawlerError
from crawler.items import Run, format_time
from crawler.service.ipc import MessageSender, RunEvent
from crawler.service.run import RunPlan
from crawler.text.cleaning import clean_line, remove_unseen_characters

Target = Callable[[RunPlan, Callable[[RunEvent], None]], Run]

MEMORY_HEADROOM = 1.25
"""The kernel refuses memory at this share of `memory_mb`. The parent stops the child before that."""


class WorkerSettings(NamedTuple):
    """What a child gets besides the plan.

    `environment` are all its variables. After `max_seconds` it ends itself, in case its parent cannot. When its parent
    is gone, it sends itself signals `grace` seconds apart.
    """

    environment: Mapping[str, str]
    memory_mb: int
    max_seconds: float
    grace: float
    log_level: int


class WorkerStopped(BaseException):
    """SIGTERM came while Scrapy did not handle it."""


def run_worker(
    plan: RunPlan, target: str | Target, events: Connection, output: Connection, settings: WorkerSettings
) -> NoReturn:
    """Run `target(plan, emit)`, send its `Run` or why there is none, and end the process."""
    code, sender = 1, MessageSender(events)
    try:
        _set_up_process(output, settings, sender)
        code = _run_target(plan, target, sender)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # A late SIGTERM must not lose the result.
        sender.close()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # the run may have closed it
                stream.flush()
        os._exit(code)  # A thread that the run left behind would keep a returning process alive.


def _run_target(plan: RunPlan, target: str | Target, sender: MessageSender) -> int:
    try:
        run = _load_target(target)(plan, sender.send_event)
        if not isinstance(run, Run):
            raise TypeError(f"the run returned {type(run).__name__}, not a Run")
        sender.send_result(run)
        return 0
    except WorkerStopped:
        sender.send_failure(f"The run of {plan.source} was ended by SIGTERM.")
    except MemoryError:
        sender.send_failure(f"The run of {plan.source} got no more memory and was given up.")
    except CrawlerError as error:
        sender.send_failure(str(error), error.exit_code)
    except SystemExit as error:
        sender.send_failure(f"The run of {plan.source} was ended by its own code, which called sys.exit({error}).")
    except BaseException as error:  # noqa: BLE001 - whatever a run raises ends it as a failed run with a reason
        text = traceback.format_exc()
        sender.send_event({"type": "log", "level": "ERROR", "logger": __name__, "message": text})
        frames = traceback.extract_tb(error.__traceback__)
        place = f" in {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        sender.send_failure(f"The run of {plan.source} failed{place}: {type(error).__name__}: {error}.")
    return 1


def _load_target(target: str | Target) -> Target:
    if not isinstance(target, str):
        return target
    module, _, name = target.partition(":")
    function: Target = getattr(import_module(module), name)
    return function


def _set_up_process(output: Connection, settings: WorkerSettings, sender: MessageSender) -> None:
    os.setsid()
    signal.signal(signal.SIGTERM, _handle_sigterm)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(settings.environment)
    time.tzset()
    for stream in (1, 2):
        os.dup2(output.fileno(), stream)
    output.close()
    faulthandler.enable(2)
    faulthandler.dump_traceback_later(settings.max_seconds, exit=True, file=2)  # a C thread, which needs no GIL
    _limit_memory(settings.memory_mb)
    logging.getLogger().handlers = [EventLogHandler(sender, settings.log_level)]
    logging.getLogger().setLevel(settings.log_level)
    threading.Thread(target=_end_with_parent, args=(settings.grace,), name="end with parent", daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGHUP})


def _limit_memory(memory_mb: int) -> None:
    """Limit a run that grows faster than the parent checks, and write no core file.

    RLIMIT_DATA counts memory that the process may write to. RLIMIT_AS would also count the address space that each
    thread reserves (64 MB).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    limit = int(memory_mb * MEMORY_HEADROOM * 1024 * 1024)
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


_is_stopping = threading.Event()


def _handle_sigterm(_signal: int, _frame: FrameType | None) -> None:
    if _is_stopping.is_set():
        os._exit(128 + signal.SIGTERM)
    _is_stopping.set()
    raise WorkerStopped


def _end_with_parent(grace: float) -> None:
    """Stop in good order, then by force, when the parent is gone.

    PR_SET_PDEATHSIG does not work here: the kernel's parent is the fork server, which lives as long as its children.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    wait([parent.sentinel])
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(grace)
    os.killpg(0, signal.SIGKILL)


class EventLogHandler(logging.Handler):
    """Sends log records as events of type `log`."""

    def __init__(self, sender: MessageSender, level: int) -> None:
        super().__init__(level)
        self._sender = sender

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record, as one line, or with its traceback if it has one. It may quote a site."""
        try:
            message = self.format(record)
        except Exception:  # noqa: BLE001 - as in logging: a wrong format string harms only its record
            message = f"{record.msg} (this record could not be formatted)"
        message = remove_unseen_characters(message) if record.exc_info else clean_line(message)
        time = format_time(datetime.fromtimestamp(record.created, UTC))
        values = {"type": "log", "level": record.levelname, "logger": record.name, "time": time, "message": message}
        self._sender.send_event(values)
