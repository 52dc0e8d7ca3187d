"""The HTTP server of the loopback copies: keep-alive, conditional requests, gzip."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from support.site_faults import BrokenReply


@dataclass(frozen=True)
class SiteRequest:
    """One received request. `headers` have lower-case names, `at` is UTC."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: datetime


@dataclass(frozen=True)
class SiteReply:
    """One answer before compression; `changed` becomes Last-Modified."""

    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = "text/html; charset=utf-8"
    changed: datetime | None = None


class SiteServer(ThreadingHTTPServer):
    """Listens on a free loopback port with one thread a connection."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: clients may disconnect at any time, also by kill -9."""


def make_handler(
    answer: Callable[[SiteRequest], SiteReply | BrokenReply], stopping: threading.Event
) -> type[BaseHTTPRequestHandler]:
    """Return a handler class that passes every request to `answer`. `stopping` ends slow answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 30

        def do_GET(self) -> None:
            split = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            request = SiteRequest(
                self.command,
                split.path,
                {name: values[-1] for name, values in parse_qs(split.query).items()},
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length) if length else b"",
                datetime.now(UTC),
            )
            reply = answer(request)
            if isinstance(reply, BrokenReply):
                self.close_connection = True
                reply.write(self, stopping)
            else:
                self._send(request, reply)

        do_POST = do_GET  # noqa: N815 - names that http.server calls
        do_HEAD = do_GET  # noqa: N815

        def _send(self, request: SiteRequest, reply: SiteReply) -> None:
            body = reply.body.encode() if isinstance(reply.body, str) else reply.body
            headers = {"Content-Type": reply.kind, **reply.headers}
            if reply.status == 200 and request.method != "POST":
                headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
                if reply.changed is not None:
                    headers["Last-Modified"] = format_datetime(reply.changed.astimezone(UTC), usegmt=True)
            if "ETag" in headers and _is_known(request, headers):
                self._write(304, {n: v for n, v in headers.items() if n in ("ETag", "Last-Modified")}, b"", head=True)
                return
            if (
                "gzip" in request.headers.get("accept-encoding", "")
                and len(body) > 500
                and "Content-Encoding" not in headers
            ):
                body = gzip.compress(body, 1, mtime=0)
                headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            self._write(reply.status, headers, body, head=request.method == "HEAD")

        def _write(self, status: int, headers: Mapping[str, str], body: bytes, *, head: bool) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if not head:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing: the site logs its requests itself."""

    return Handler


def _is_known(request: SiteRequest, headers: Mapping[str, str]) -> bool:
    """Return whether the client has this page. If-None-Match wins over If-Modified-Since."""
    if (tags := request.headers.get("if-none-match")) is not None:
        return headers["ETag"] in (tag.strip().removeprefix("W/") for tag in tags.split(","))
    since, changed = request.headers.get("if-modified-since"), headers.get("Last-Modified")
    return bool(since and changed) and parsedate_to_datetime(changed) <= parsedate_to_datetime(since)
