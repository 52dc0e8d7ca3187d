"""A Signal gateway on loopback: one channel with several recipients, some of whom are refused."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from support.server_thread import start_server_thread


class SignalGateway:
    """Records recipients in `delivered`. Refuses those in `refused_numbers`."""

    def __init__(self) -> None:
        self.refused_numbers: set[str] = set()
        self.delivered: list[str] = []
        group = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                (number,) = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["recipients"]
                refused = number in group.refused_numbers
                if not refused:
                    group.delivered.append(number)
                self.send_response(400 if refused else 201)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def make_address(self, *numbers: str) -> str:
        """Return the address of a channel to these numbers."""
        return f"signal://127.0.0.1:{self.server.server_address[1]}/+77010000000/{'/'.join(numbers)}"

    def __enter__(self) -> Self:
        start_server_thread(self.server)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
