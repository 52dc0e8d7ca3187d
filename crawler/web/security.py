"""What protects every answer: headers, the Host that is accepted, the origin of a form, and the size of a request.

A page of another site can make a browser send requests to a loopback address. So a Host that is not this computer is
refused (a foreign name that resolves to 127.0.0.1), and a form must come from a page of this server.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST_PATTERN = re.compile(r"(\[[0-9a-fA-F:]+\]|[^:\[\]]+)(?::\d{1,5})?")
MAX_REQUEST_BYTES = 64 * 1024
CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SANDBOX_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""The policy of an archived page: nothing in it is loaded, run or shown as a page of this server."""
SECURITY_HEADERS: Mapping[str, str] = {
    "content-security-policy": CONTENT_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class RequestGuard:
    """An ASGI middleware: refuse foreign hosts and large requests, and add the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        if not is_own_host(headers.get("host", "")):
            refusal = "This server answers only under the address at which it was started."
            await make_refusal(scope, 421, refusal)(scope, receive, send_guarded)
        elif (
            not headers.get("content-length", "0").isdecimal()
            or int(headers.get("content-length", "0")) > MAX_REQUEST_BYTES
        ):
            await make_refusal(scope, 413, "The request is too large.")(scope, receive, send_guarded)
        else:
            await self._app(scope, _limit_body(receive), send_guarded)


def make_refusal(scope: Scope, status: int, detail: str) -> Response:
    """Return the answer to a request that no page and no route may see: problem details under `/api/`, else text."""
    if not scope["path"].startswith("/api/"):
        return PlainTextResponse(f"{detail}\n", status)
    problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(problem, status, media_type="application/problem+json")


class BodyTooLong(Exception):
    """A request whose body has no length given is longer than `MAX_REQUEST_BYTES`."""


def _limit_body(receive: Receive) -> Receive:
    left = MAX_REQUEST_BYTES

    async def receive_limited() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise BodyTooLong
        return message

    return receive_limited


def is_own_host(host: str) -> bool:
    """Return whether a Host header names this computer."""
    found = HOST_PATTERN.fullmatch(host.lower())
    return found is not None and is_loopback(found[1].strip("[]"))


def is_loopback(name: str) -> bool:
    """Return whether a name or an IP address is this computer's own, whatever a name server says.

    >>> is_loopback("127.0.0.2"), is_loopback("127.0.0.1.example")
    (True, False)
    """
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_own_origin(headers: Mapping[str, str]) -> bool:
    """Return whether a request comes from a page of this server.

    Browsers send `Origin` with each form. Without it, `Sec-Fetch-Site` decides, else the request is no browser's.
    """
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
