"""Messages from a child process to its parent: JSON `[kind, value]`.

Kinds are `event` (emitted by the run), `result` (its `Run`) and `failure` (why there is none). JSON and not pickle: a
child cannot make its parent import Scrapy or run code, and a broken message harms only itself.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from crawler.items import Health, Problem, Run, format_time

RunEvent = dict[str, Any]
"""An event of a run: `type` and JSON values. This package adds the types `log`, `output` and `stopping`."""
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
MAX_FLUSH_SECONDS = 10
"""Seconds that an ending child waits until its parent has read everything."""


class MessageSender:
    """Sends messages in a thread, so that any thread and any signal handler may send: `put` cannot be interrupted."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread = Thread(target=self._send_queued, name="send messages", daemon=True)
        self._thread.start()

    def send_event(self, event: RunEvent) -> None:
        """Send an event. If JSON cannot represent it, send a warning instead."""
        try:
            data = encode_message("event", event)
        except (TypeError, ValueError, RecursionError) as error:
            kind = str(event.get("type")) if isinstance(event, dict) else type(event).__name__
            text = f"An event {kind!r} could not be sent to the parent process: {error}."
            data = encode_message("event", {"type": "log", "level": "WARNING", "logger": __name__, "message": text})
        self._queue.put(data)

    def send_result(self, run: Run) -> None:
        """Send the record of a run that ended."""
        self._queue.put(encode_message("result", run.to_dict()))

    def send_failure(self, message: str, exit_code: int = 1) -> None:
        """Send why there is no result, in a sentence."""
        self._queue.put(encode_message("failure", {"message": message, "exit_code": exit_code}))

    def close(self) -> None:
        """Wait until everything is sent."""
        self._queue.put(None)
        self._thread.join(MAX_FLUSH_SECONDS)

    def _send_queued(self) -> None:
        with suppress(OSError):  # The parent is gone, or the run closed the pipe.
            while (data := self._queue.get()) is not None:
                self._connection.send_bytes(data)


def encode_message(kind: str, value: Any) -> bytes:
    """Return a message. Times are ISO 8601, items their `to_dict`, unknown objects their class's name in brackets.

    Raise ValueError for one that is longer than MAX_MESSAGE_BYTES.
    """
    data = json.dumps([kind, value], default=_convert_value, separators=(",", ":")).encode()
    if len(data) > MAX_MESSAGE_BYTES:
        raise ValueError(f"it has {len(data)} bytes, more than {MAX_MESSAGE_BYTES}")
    return data


def decode_message(data: bytes) -> tuple[str, dict[str, Any]] | None:
    """Return the kind and value of a message, or None if it is invalid."""
    try:
        kind, value = json.loads(data)
    except (ValueError, TypeError, RecursionError):
        return None
    return (kind, value) if kind in ("event", "result", "failure") and isinstance(value, dict) else None


def parse_run(values: dict[str, Any]) -> Run:
    """Return the run that `Run.to_dict` described."""
    finished, health = values["finished_at"], values["health"]
    parsed = {
        "started_at": datetime.fromisoformat(values["started_at"]),
        "finished_at": datetime.fromisoformat(finished) if finished else None,
        "health": Health(health) if health else None,
        "problems": tuple(Problem(**problem) for problem in values["problems"]),
    }
    return Run(**{**values, **parsed})


def _convert_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return f"<{type(value).__name__}>"
