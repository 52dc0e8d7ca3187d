"""A small HTTP server on loopback that answers with raw bytes, and can misbehave in any way."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

Answer = bytes | Callable[[socket.socket], None]


@dataclass
class RawHttpServer:
    """Answers by path. A list is used one by one; its last entry answers all later requests."""

    pages: dict[str, Answer | list[Answer]] = field(default_factory=dict)
    hits: Counter[str] = field(default_factory=Counter)
    heard: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    port: int = 0

    @staticmethod
    def answer(body: bytes = b"<p>ok</p>", status: int = 200, **headers: str) -> bytes:
        """Return a whole HTTP response. Underscores in header names become dashes."""
        fields = {"Content-Type": "text/html", "Content-Length": str(len(body)), "Connection": "close"}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{n}: {v}" for n, v in fields.items()), "", ""]
        return "\r\n".join(lines).encode() + body

    @staticmethod
    def endless(connection: socket.socket) -> None:
        """Send a body that never ends, a byte at a time."""
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    @staticmethod
    def silent(connection: socket.socket) -> None:
        """Read the request and send nothing for a minute."""
        connection.settimeout(60)
        connection.recv(1)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def serve(self, listening: socket.socket) -> None:
        self.port = listening.getsockname()[1]
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            heard = b""
            while b"\r\n\r\n" not in heard:
                heard += connection.recv(65536)
            path = heard.split(b" ", 2)[1].decode()
            self.hits[path] += 1
            self.heard.append(heard)
            self.times.append(time.monotonic())
            page = self.pages.get(path, self.answer(b"nothing here", 404))
            if isinstance(page, list):
                page = page[min(self.hits[path], len(page)) - 1]
            if callable(page):
                page(connection)
            else:
                connection.sendall(page)
