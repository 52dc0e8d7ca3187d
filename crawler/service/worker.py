"""The child's side of a run: what its process does, from its first to its last instruction.

The child leads a session of its own, so Ctrl-C at the terminal reaches only the parent, which then stops the child
once. The child ends when its parent is gone, whatever the cause.

Its messages are lines of JSON, `[kind, value]`: each `event` of the run, then the `outcome`. JSON and not pickle: a
child cannot make its parent import Scrapy or run code. Lines that are no message are the report of a crash.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import multiprocessing
import os
import resource
import signal
import time
import traceback
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from multiprocessing.connection import Connection, wait
from pkgutil import resolve_name
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, NoReturn

from crawler.errors import CrawlerError
from crawler.items import Run
from crawler.service.run import RunOutcome, RunPlan
from crawler.text.cleaning import clean_line, remove_unseen_characters

RunEvent = dict[str, Any]  # `type` and JSON values; this package adds the types `log` and `stopping`
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
COLLECTING_SECONDS = 0.05
"""Time for which the sender collects messages after it sent some: each sending wakes its thread and the parent."""
MEMORY_HEADROOM = 1.25  # the kernel refuses memory at this share of the limit; the parent stops the child before that


def run_worker(plan: RunPlan, messages: Connection) -> NoReturn:
    """Run a plan, send its outcome, and end the process. `plan.variables` are all variables of the process."""
    sender = MessageSender(messages)
    try:
        outcome = _run_plan(plan, sender, messages)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # A late SIGTERM must not lose the outcome.
        sender.send("outcome", asdict(outcome))
    finally:
        sender.close()
        os._exit(0)  # A thread that the run left behind would keep a returning process alive.


def _run_plan(plan: RunPlan, sender: MessageSender, messages: Connection) -> RunOutcome:
    code = 1
    try:
        _set_up_process(plan, sender, messages)
        run = resolve_name(plan.target)(plan, lambda event: sender.send("event", event))
        if not isinstance(run, Run):
            raise TypeError(f"the run returned {type(run).__name__}, not a Run")
        code, reason = 1 if run.exit_code is None else run.exit_code, run.reason or "It gave no reason."
        return RunOutcome(source=plan.source, run=run, exit_code=code, reason=reason)
    except CrawlerError as error:
        reason, code = str(error), error.exit_code
    except KeyboardInterrupt:
        reason = f"The run of {plan.source} was ended by SIGTERM."
    except MemoryError:
        reason = f"The run of {plan.source} got no more memory and was given up."
    except SystemExit as error:
        reason = f"The run of {plan.source} was ended by its own code, which called sys.exit({error})."
    except BaseException as error:  # whatever a run raises ends it as a failed run with a reason
        logging.getLogger(__name__).exception("The run of %s failed.", plan.source)
        frame, kind = traceback.extract_tb(error.__traceback__)[-1], type(error).__name__
        reason = f"The run of {plan.source} failed in {frame.filename}:{frame.lineno}: {kind}: {error}."
    return RunOutcome(source=plan.source, exit_code=code, reason=reason)


def _set_up_process(plan: RunPlan, sender: MessageSender, messages: Connection) -> None:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # raises KeyboardInterrupt, until Scrapy handles SIGTERM
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(plan.variables)
    time.tzset()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a spider prints must not disturb the terminal
    os.dup2(1, 2)
    faulthandler.enable(messages, all_threads=False)
    # A thread in C, which needs no GIL, ends the process that its parent could not end in time.
    faulthandler.dump_traceback_later(plan.limits.run_seconds + 40, exit=True, file=messages)
    # RLIMIT_DATA counts what the process may write to. RLIMIT_AS would also count 64 MB that each thread reserves.
    data_limit = int(plan.limits.memory_mb * MEMORY_HEADROOM * 1024**2)
    for kind, limit in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_DATA, data_limit)):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    logging.getLogger().handlers = [EventLogHandler(sender, plan.log_level)]
    logging.getLogger().setLevel(plan.log_level)
    Thread(target=_end_with_parent, args=(plan.grace,), name="end with parent", daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGHUP})


def _end_with_parent(grace: float) -> None:
    # PR_SET_PDEATHSIG does not work: the kernel's parent is the fork server, which lives as long as its children.
    if parent := multiprocessing.parent_process():
        wait([parent.sentinel])
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(grace)
        os.killpg(0, signal.SIGKILL)


class MessageSender:
    """Sends messages in a thread, so that any thread and any signal handler may send: `put` cannot be interrupted."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._closing = Event()
        self._thread = Thread(target=self._send_queued, name="send messages", daemon=True)
        self._thread.start()

    def send(self, kind: str, value: RunEvent) -> None:
        """Send a message. Send a warning instead if JSON cannot represent it, or if it is too long."""
        try:
            data = json.dumps([kind, value], default=_convert_value)
            if len(data) > MAX_MESSAGE_BYTES:
                raise ValueError(f"it has {len(data)} bytes, more than {MAX_MESSAGE_BYTES}")
        except (TypeError, ValueError, RecursionError) as error:
            text = f"The {kind} {value.get('type')!r} could not be sent to the parent process: {error}."
            data = json.dumps(["event", {"type": "log", "level": "WARNING", "logger": __name__, "message": text}])
        self._queue.put(data.encode() + b"\n")

    def close(self) -> None:
        """Wait until everything is sent."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join(10)  # seconds, in case the parent reads nothing more

    def _send_queued(self) -> None:
        # OSError: the parent is gone, or the run closed the pipe.
        with suppress(OSError), open(self._connection.fileno(), "wb", closefd=False) as pipe:
            while (data := self._queue.get()) is not None:
                pipe.write(data)
                if self._queue.empty():
                    pipe.flush()
                    self._closing.wait(COLLECTING_SECONDS)


def _convert_value(value: Any) -> str:
    """Return a time as ISO 8601, and another object that JSON does not know as its class's name in brackets."""
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else f"<{type(value).__name__}>"


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
        clean = remove_unseen_characters if record.exc_info else clean_line
        event = {"type": "log", "level": record.levelname, "logger": record.name, "message": clean(message)}
        self._sender.send("event", event)
