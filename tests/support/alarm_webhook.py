"""A web hook on loopback that receives alarms."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.server_thread import start_server_thread


class AlarmWebhook:
    """Keeps titles and texts. While `down` it answers 500; it does not answer before `let_go` is set."""

    def __init__(self) -> None:
        self.arrived, self.let_go = threading.Event(), threading.Event()
        self.let_go.set()
        self.titles: list[str] = []
        self.texts: list[str] = []
        self.down = False
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.arrived.set()
                receiver.let_go.wait(3)
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not receiver.down:
                    receiver.titles.append(body["title"])
                    receiver.texts.append(body["message"])
                self.send_response(500 if receiver.down else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        start_server_thread(self.server)

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.server.server_address[1]}/?token=geheim"

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()
