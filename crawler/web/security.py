"""What protects every answer: headers, the Host that is accepted, the origin of a form, and the size of a request.

A page of another site can make a browser send requests to a loopback address. So a Host that is not this computer is
refused (a foreign name that resolves to 127.0.0.1), and a form must come from a page of this server.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crawler.config import WebConfig

HOST_PATTERN = re.compile(r"(\[[0-9a-fA-F:]+\]|[^:\[\]]+)(?::\d{1,5})?")
MAX_REQUEST_BYTES = 64 * 1024
MAX_FORM_BYTES: Mapping[str, int] = {"/review": 512 * 1024}
"""Limits of forms that are larger: a review has up to 100 lines, and a letter takes up to 12 bytes in a form."""
MAX_DISCARDED_BYTES = 2 * 1024 * 1024
"""How much of a refused request is read and thrown away: above what nginx passes on (1 MB unless configured)."""
DISCARD_SECONDS = 5
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SANDBOX_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""The policy of an archived page: nothing in it is loaded, run or shown as a page of this server."""
TRANSPORT_SECURITY = "max-age=31536000"
"""For answers over TLS: the browser uses nothing else for this name for a year."""
PROXY_KEY = "crawler.trusted_proxy"
"""Where the ASGI scope says whether a trusted proxy sent the request."""
FORWARDED_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
"""Headers that only a proxy sends."""
SECURITY_HEADERS: Mapping[str, str] = {
    "content-security-policy": CONTENT_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class HostPolicy:
    """Says which requests come for this server, and which senders are proxies that tell the truth."""

    def __init__(self, web: WebConfig, *, is_public: bool) -> None:
        """`is_public`: the server listens at an address that other machines may reach."""
        self.is_public = is_public
        self._names = {urlsplit(web.address).hostname} if web.address else set()
        if is_public:
            self._names.add(socket.gethostname().lower())
        self._proxies = [ipaddress.ip_network(each) for each in web.trusted_proxies]

    def accepts_host(self, host: str) -> bool:
        """Return whether a Host header names this server.

        A foreign name may resolve to this computer. A bare IP address may not, so it is enough where others connect.
        """
        found = HOST_PATTERN.fullmatch(host.lower())
        if found is None:
            return False
        name = found[1].strip("[]")
        return is_loopback(name) or name in self._names or (self.is_public and is_ip_address(name))

    def is_trusted_proxy(self, scope: Scope) -> bool:
        """Return whether a request comes from a proxy whose headers are believed."""
        client = scope.get("client")
        if not self._proxies or not client:
            return False
        try:
            address = ipaddress.ip_address(client[0])
        except ValueError:
            return False
        return any(address in network for network in self._proxies)


class RequestGuard:
    """An ASGI middleware: refuse foreign hosts and large requests, and add the security headers to every answer."""

    def __init__(self, app: ASGIApp, policy: HostPolicy) -> None:
        self._app, self._policy = app, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        headers = Headers(scope=scope)
        length, limit = headers.get("content-length", "0"), MAX_FORM_BYTES.get(scope["path"], MAX_REQUEST_BYTES)
        is_too_large = not length.isdecimal() or int(length) > limit
        body = RequestBody(receive, 0 if is_too_large else limit)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] >= HTTPStatus.BAD_REQUEST:
                    await body.discard_rest()
                added = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    added.setdefault(name, value)
                if scope["scheme"] == "https":
                    added.setdefault("strict-transport-security", TRANSPORT_SECURITY)
            await send(message)

        # Later parts see the client that a proxy names, so this one is noted first.
        scope[PROXY_KEY] = self._policy.is_trusted_proxy(scope)
        if not self._policy.accepts_host(headers.get("host", "")):
            refusal = "This server answers only under the address at which it was started."
            await make_refusal(scope, 421, refusal)(scope, receive, send_guarded)
        elif is_too_large and scope["path"] not in MAX_FORM_BYTES:
            await make_refusal(scope, 413, "The request is too large.")(scope, receive, send_guarded)
        else:  # a page explains it to who sent a large form
            await self._app(scope, body.receive, send_guarded)


def make_refusal(scope: Scope, status: int, detail: str) -> Response:
    """Return the answer to a request that no page and no route may see: problem details under `/api/`, else text."""
    if not scope["path"].startswith("/api/"):
        return PlainTextResponse(f"{detail}\n", status)
    problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(problem, status, media_type="application/problem+json")


class BodyTooLong(Exception):
    """A request whose body is longer than the limit of its path."""


class RequestBody:
    """The body of a request while it arrives."""

    def __init__(self, receive: Receive, limit: int) -> None:
        """`limit`: how many bytes the application takes."""
        self._receive, self._left = receive, limit
        self._has_ended = False

    async def receive(self) -> Message:
        """Return the next message of a request, or raise BodyTooLong."""
        message = await self._receive_any()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise BodyTooLong
        return message

    async def discard_rest(self) -> None:
        """Read what the sender still sends, within bounds.

        The server closes the connection after an answer of HTTP/1.0, which proxies speak. Bytes that nobody read make
        the system reset it, and the proxy answers with 502 in place of what the server said.
        """
        left = MAX_DISCARDED_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(DISCARD_SECONDS):
                while left > 0 and not self._has_ended:
                    left -= len((await self._receive_any()).get("body", b""))

    async def _receive_any(self) -> Message:
        message = await self._receive()
        self._has_ended = not message.get("more_body", False)
        return message


@lru_cache(maxsize=256)
def is_loopback(name: str) -> bool:
    """Return whether a name or an IP address is this computer's own, whatever a name server says.

    >>> is_loopback("127.0.0.2"), is_loopback("127.0.0.1.example")
    (True, False)
    """
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_ip_address(name: str) -> bool:
    """Return whether a name is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_own_origin(headers: Mapping[str, str]) -> bool:
    """Return whether a request comes from a page of this server.

    Browsers send `Origin` with each form. Without it, `Sec-Fetch-Site` decides, else the request is no browser's.
    """
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
