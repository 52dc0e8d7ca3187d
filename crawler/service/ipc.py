"""JSON lines over a pipe, from child to parent: `[kind, value]`, one a line.

Kinds are `event` (whatever the run emits), `result` (its `Run`) and `failure` (why there is no result). JSON and not
pickle: a child can neither make its parent import Scrapy nor run code in it, and a broken line harms only itself.
"""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crawler.items import Health, Problem, Run, format_time

RunEvent = dict[str, Any]
"""What a run tells while it goes on: `type` and plain JSON values. `log`, `output` and `stopping` are this room's."""

PIPE_CHUNK_BYTES = 65_536
MAX_LINE_BYTES = 16 * 1024 * 1024
"""Bytes of the longest line that is read; a longer one is dropped and counted."""


class EventWriter:
    """The child's end. Any thread may send, and so may a signal handler in the middle of another line."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.RLock()
        self._waiting: deque[bytes] = deque()
        self._busy = self._torn = self._gone = False

    def send_event(self, event: RunEvent) -> None:
        """Send an event. One that JSON cannot hold becomes a log event that says so; the run goes on."""
        try:
            line = encode_message("event", event)
        except (TypeError, ValueError, RecursionError) as error:
            kind = str(event.get("type")) if isinstance(event, dict) else type(event).__name__
            text = f"An event {kind!r} could not be sent to the parent process: {error}."
            line = encode_message("event", {"type": "log", "level": "WARNING", "logger": __name__, "message": text})
        self._send(line)

    def send_result(self, run: Run) -> None:
        """Send the end of a run that came to its end."""
        self._send(encode_message("result", run.to_dict()))

    def send_failure(self, kind: str, message: str, exit_code: int = 1) -> None:
        """Send why there is no result; `message` is a sentence."""
        self._send(encode_message("failure", {"kind": kind, "message": message, "exit_code": exit_code}))

    def _send(self, line: bytes) -> None:
        with self._lock:
            self._waiting.append(line)
            if self._busy:
                return
            self._busy = True
            try:
                while self._waiting:
                    self._write(self._waiting.popleft())
            finally:
                self._busy = False

    def _write(self, line: bytes) -> None:
        rest = memoryview(b"\n" + line if self._torn else line)
        self._torn = True
        while rest and not self._gone:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except OSError:  # the parent is gone, or the run closed the pipe: no one listens any more
                self._gone = True
        self._torn = False


class LineReader:
    """The parent's end: complete lines of a pipe, never waiting for one."""

    def __init__(self, fd: int, longest: int = MAX_LINE_BYTES) -> None:
        os.set_blocking(fd, False)
        self.fd = fd
        self.open = True
        self.dropped = 0
        self._longest = longest
        self._part = bytearray()
        self._skipping = False

    def read_lines(self, chunks: int = 4) -> list[bytes]:
        """The lines that have come, at most `chunks` × 64 KB of them; `open` is False after the last."""
        lines: list[bytes] = []
        for _ in range(chunks):
            try:
                data = os.read(self.fd, PIPE_CHUNK_BYTES)
            except BlockingIOError:
                break
            if not data:
                self.open = False
                break
            lines += self._split_lines(data)
        return lines

    def read_rest(self) -> bytes:
        """What came after the last line end."""
        part, self._part = bytes(self._part), bytearray()
        return part

    def _split_lines(self, data: bytes) -> list[bytes]:
        *complete, part = data.split(b"\n")
        lines = []
        for piece in complete:
            if not self._skipping:
                lines.append(bytes(self._part) + piece)
            self._part.clear()
            self._skipping = False
        if not self._skipping:
            self._part += part
        if len(self._part) > self._longest:
            self._part.clear()
            self._skipping = True
            self.dropped += 1
        return lines


def encode_message(kind: str, value: Any) -> bytes:
    """One line; times as ISO 8601, nouns as their `to_dict`, unknown objects as their class's name in brackets."""
    return json.dumps([kind, value], default=_convert_value, separators=(",", ":")).encode() + b"\n"


def decode_message(line: bytes) -> tuple[str, dict[str, Any]] | None:
    """Kind and value of a line, None when it is none of ours."""
    try:
        kind, value = json.loads(line)
    except (ValueError, TypeError, RecursionError):
        return None
    return (kind, value) if kind in ("event", "result", "failure") and isinstance(value, dict) else None


def parse_run(values: dict[str, Any]) -> Run:
    """The run that `Run.to_dict` described."""
    started, finished, health = values["started_at"], values["finished_at"], values["health"]
    return Run(
        **{
            **values,
            "started_at": datetime.fromisoformat(started),
            "finished_at": datetime.fromisoformat(finished) if finished else None,
            "health": Health(health) if health else None,
            "problems": tuple(Problem(**problem) for problem in values["problems"]),
        }
    )


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
