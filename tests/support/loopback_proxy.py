"""A forwarding HTTP proxy on loopback: plain requests and CONNECT tunnels, with a log of what it was asked for."""

from __future__ import annotations

import socket
import threading
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Self
from urllib.parse import urlsplit

from support.server_thread import start_server_thread

HopHeaders = dict[str, str]
MAX_HEAD_LINES = 200


@dataclass(frozen=True)
class ProxiedRequest:
    """One request to the proxy. `target` is an absolute URL, or HOST:PORT of a tunnel; header names are lower-case."""

    method: str
    target: str
    headers: Mapping[str, str]


@dataclass
class LoopbackProxy:
    """A context manager: `with LoopbackProxy() as proxy: … proxy.url`.

    `names` is its own name service: hosts and where they lead. `credentials` is the `user:password` that it wants.
    With `refusal`, a status, it forwards nothing. `breaks_off` closes each connection without an answer.
    """

    names: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    credentials: str | None = None
    refusal: int | None = None
    breaks_off: bool = False
    requests: list[ProxiedRequest] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def targets(self) -> list[str]:
        return [request.target for request in self.requests]

    def __enter__(self) -> Self:
        proxy = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError, ValueError):
                    proxy._serve(self.connection, self.rfile)

        class Server(ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)
        start_server_thread(self._server)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, client: socket.socket, stream: object) -> None:
        method, target, headers = _read_head(stream)
        self.requests.append(ProxiedRequest(method, target, headers))
        if self.breaks_off:
            return
        if status := self._find_refusal(headers):
            challenge = 'Proxy-Authenticate: Basic realm="test"\r\n' if status == 407 else ""
            body = "<h1>This is the proxy.</h1>"
            head = f"HTTP/1.1 {status} Refused\r\n{challenge}Content-Type: text/html\r\nContent-Length: {len(body)}\r\n"
            client.sendall(f"{head}Connection: close\r\n\r\n{body}".encode())
            return
        address = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host, port = address.hostname or "", address.port or 80
        with socket.create_connection(self.names.get(host, (host, port)), timeout=120) as upstream:
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                upstream.sendall(_format_request(method, target, headers, stream))
            relay(client, upstream)

    def _find_refusal(self, headers: Mapping[str, str]) -> int | None:
        if self.credentials is not None:
            expected = f"Basic {b64encode(self.credentials.encode()).decode()}"
            if headers.get("proxy-authorization") != expected:
                return 407
        return self.refusal


def _read_head(stream: object) -> tuple[str, str, HopHeaders]:
    """Return method, target and headers of the request that a stream begins with."""
    lines = []
    for _ in range(MAX_HEAD_LINES):
        line = stream.readline(65536).decode("latin-1").rstrip("\r\n")  # type: ignore[attr-defined]
        if not line:
            break
        lines.append(line)
    method, target, _ = lines[0].split(" ")
    pairs = (line.partition(":") for line in lines[1:])
    return method, target, {name.strip().lower(): value.strip() for name, _, value in pairs}


def _format_request(method: str, target: str, headers: HopHeaders, stream: object) -> bytes:
    """Return the request as the site gets it: without the scheme and host, and without what is meant for the proxy."""
    parts = urlsplit(target)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = {name: value for name, value in headers.items() if not name.startswith(("proxy-", "connection"))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in own.items()), "Connection: close"]
    body = stream.read(int(headers.get("content-length") or 0))  # type: ignore[attr-defined]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def relay(client: socket.socket, upstream: socket.socket) -> None:
    """Pass bytes on in both directions until one side closes."""

    def copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=copy, args=(upstream, client), daemon=True)
    back.start()
    copy(client, upstream)
    back.join(10)
