"""A web hook on loopback that keeps what arrives. It can answer 500 at random, or hang."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from support.server_thread import start_server_thread


@dataclass(frozen=True)
class WebhookRequest:
    """One request."""

    key: str
    title: str
    text: str
    body: bytes
    headers: dict[str, str]


class WebhookServer:
    """Counts accepted requests by key. `failing` is the share of requests that it answers with 500."""

    def __init__(self, *, failing: float = 0.0, hangs: bool = False, seed: int = 1) -> None:
        self.requests: list[WebhookRequest] = []
        self.request_count = 0
        self.failing, self.hangs = failing, hangs
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._let_go = threading.Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                body = json.loads(raw)
                if hook.hangs:
                    hook._let_go.wait(20)
                code = hook.accept(
                    WebhookRequest(
                        self.headers["Idempotency-Key"], body["title"], body["message"], raw, dict(self.headers)
                    )
                )
                self.send_response(code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def accept(self, posted: WebhookRequest) -> int:
        with self._lock:
            self.request_count += 1
            if self._random.random() < self.failing or self.hangs:
                return 500
            self.requests.append(posted)
            return 200

    @property
    def address(self) -> str:
        return f"json://user:geheim@127.0.0.1:{self.server.server_address[1]}/hook?token=geheim"

    @property
    def keys(self) -> Counter[str]:
        """How often each key was accepted."""
        return Counter(posted.key for posted in self.requests)

    @property
    def titles(self) -> list[str]:
        """The titles, each key once, in the order of arrival."""
        return [posted.title for posted in {posted.key: posted for posted in self.requests}.values()]

    def __enter__(self) -> WebhookServer:
        start_server_thread(self.server)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._let_go.set()
        self.server.shutdown()
        self.server.server_close()
