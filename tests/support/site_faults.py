"""The faults of a loopback copy: `site.add_fault(path, kind)`."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.http_server import SiteReply, SiteRequest
    from support.local_site import LocalSite

ALL_PATHS = "*"
"""Every path but robots.txt."""
MB = 2**20

SHELL = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"/><title>GOV.KZ</title></head><body>'
    "<noscript>You need to enable JavaScript to run this app.</noscript>"
    '<div id="root"></div><script src="/static/js/main.js"></script></body></html>'
)
CHALLENGE = (
    "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><h1>Checking your browser</h1>"
    "<noscript>Enable JavaScript and cookies to continue</noscript>"
    "<script>window._cf_chl_opt={cType:'managed'};</script>"
    '<script src="/cdn-cgi/challenge-platform/h/g/orchestrate/chl_page/v1"></script></body></html>'
)
ENTITY_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "spam spam spam spam">'
    + "".join(f'<!ENTITY {n} "{f"&{p};" * 10}">' for p, n in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><rss version='2.0'><channel><title>&i;</title><item><title>&i;</title><link>&i;</link></item></channel></rss>"
)


@dataclass
class SiteFault:
    """One active fault at a path. `times` None: until healed."""

    where: str
    kind: str
    times: int | None
    value: object

    def applies_to(self, path: str) -> bool:
        return self.times != 0 and (self.where == path or (self.where == ALL_PATHS and path != "/robots.txt"))

    def use_once(self) -> bool:
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(frozen=True)
class BrokenReply:
    """An answer that http.server cannot make. It is written byte by byte to the connection, which is then closed."""

    chunks: tuple[bytes, ...] = ()
    pause: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()
    hang: bool = False

    def write(self, handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
        """Send the chunks with a pause after each. Stop at once when the site stops."""
        if self.hang:
            stopping.wait(120)
        if not self.headers:
            return
        handler.send_response(200)
        for name, value in (*self.headers, ("Connection", "close")):
            handler.send_header(name, value)
        handler.end_headers()
        for chunk in self.chunks:
            handler.wfile.write(chunk)
            handler.wfile.flush()
            if stopping.wait(self.pause):
                return


Made = Any
Maker = Callable[["LocalSite", "SiteRequest", Any], Made]


def _page(status: int, title: str) -> str:
    return f"<html><head><title>{status} {title}</title></head><body><h1>{status} {title}</h1><hr>nginx</body></html>"


def _status(status: int, title: str) -> Maker:
    return lambda site, request, value: {"status": status, "body": _page(status, title)}


def _retry_after(status: int, title: str) -> Maker:
    """`value` is the Retry-After header: seconds or an HTTP date, 1 by default."""
    return lambda site, request, value: {
        "status": status,
        "body": _page(status, title),
        "headers": {"Retry-After": str(1 if value is None else value)},
    }


def _json(body: str, status: int = 200) -> Maker:
    return lambda site, request, value: {"status": status, "body": body, "kind": "application/json; charset=utf-8"}


def _slow(site: LocalSite, request: SiteRequest, value: Any) -> BrokenReply:
    """A byte every `value` seconds (0.2 by default) of a page of 10,000 bytes."""
    headers = (("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "10000"))
    return BrokenReply(tuple(b"<" for _ in range(10_000)), pause=float(value or 0.2), headers=headers)


def _cut_gzip(site: LocalSite, request: SiteRequest, value: Any) -> dict[str, Any]:
    body = gzip.compress(_page(200, "cut").encode() * 50 + site.url.encode() * 500, mtime=0)
    return {"body": body[: len(body) // 2], "headers": {"Content-Encoding": "gzip"}}


def _gzip_bomb(site: LocalSite, request: SiteRequest, value: Any) -> dict[str, Any]:
    """A gzip body that expands to `value` MB (64 by default)."""
    return {"body": _compress_zeros(int(value or 64)), "headers": {"Content-Encoding": "gzip"}}


@cache  # To compress them for each request makes a loaded machine miss the timeout.
def _compress_zeros(mb: int) -> bytes:
    return gzip.compress(bytes(mb * MB), mtime=0)


def _huge(site: LocalSite, request: SiteRequest, value: Any) -> dict[str, Any]:
    """`value` MB (32 by default) of plain body."""
    return {"body": b"x" * (int(value or 32) * MB), "headers": {"Content-Encoding": "identity"}}


def _redirect_loop(site: LocalSite, request: SiteRequest, value: Any) -> dict[str, Any]:
    return {"status": 302, "headers": {"Location": f"{request.path}?again={int(request.query.get('again', 0)) + 1}"}}


def _self_redirect(site: LocalSite, request: SiteRequest, value: Any) -> dict[str, Any]:
    return {"status": 302, "headers": {"Location": request.path}}


def _endless(site: LocalSite, request: SiteRequest, value: Any) -> BrokenReply:
    """A body without a length that never ends: 64 kB at a time, up to 64 MB."""
    chunk = b"<p>" + b"x" * 2**16
    return BrokenReply(tuple(chunk for _ in range(1000)), headers=(("Content-Type", "text/html; charset=utf-8"),))


def _broken_xml(site: LocalSite, request: SiteRequest, value: Any) -> dict[str, Any]:
    """The feed, cut within its first entry."""
    body = str(site.answer(request).body)
    return {"body": body[: body.index("<item>") + 12], "kind": "application/rss+xml; charset=utf-8"}


def _wrong_charset(site: LocalSite, request: SiteRequest, value: Any) -> SiteReply:
    """The page in Windows-1251, with a header that says UTF-8."""
    reply = site.answer(request)
    return replace(reply, body=str(reply.body).encode("cp1251", "replace"))


def _mojibake(site: LocalSite, request: SiteRequest, value: Any) -> SiteReply:
    """The page as a server sends it that read its UTF-8 as Windows-1251."""
    reply = site.answer(request)
    return replace(reply, body=str(reply.body).encode().decode("cp1251", "replace"))


def _cut_off(site: LocalSite, request: SiteRequest, value: Any) -> BrokenReply:
    """The page without a length, cut within the text of its first article; other documents are cut in the middle."""
    body = str(site.answer(request).body)
    start = body.find("page-content")
    end = body.find("</div></div>", start) if start >= 0 else len(body)
    start = max(start, 0)
    return BrokenReply(
        (body[: start + (end - start) * 2 // 3].encode(),), headers=(("Content-Type", "text/html; charset=utf-8"),)
    )


def _twice(site: LocalSite, request: SiteRequest, value: Any) -> SiteReply:
    """The answer of the data interface with each record twice."""
    reply = site.answer(request)
    data = json.loads(reply.body)
    data["data"]["news"] = [record for record in data["data"]["news"] for _ in range(2)]
    return replace(reply, body=json.dumps(data, ensure_ascii=False))


def _redirect(site: LocalSite, request: SiteRequest, value: Any) -> dict[str, Any]:
    """A redirect to the address `value`."""
    return {"status": 302, "headers": {"Location": str(value)}}


def _moved(site: LocalSite, request: SiteRequest, value: Any) -> dict[str, Any]:
    """A permanent redirect to the address `value`."""
    return {"status": 301, "headers": {"Location": str(value)}}


FAULT_KINDS: dict[str, Maker] = {
    "400_not_allowed": _json('{"statusCode":400,"error":"Bad Request","message":"notAllowed"}', 400),
    "404": _status(404, "Not Found"),
    "500": _status(500, "Internal Server Error"),
    "504": _status(504, "Gateway Time-out"),
    "503": _retry_after(503, "Service Unavailable"),
    "429": _retry_after(429, "Too Many Requests"),
    "403_challenge": lambda site, request, value: {
        "status": 403,
        "body": CHALLENGE,
        "headers": {"cf-mitigated": "challenge"},
    },
    "200_challenge": lambda site, request, value: {"body": CHALLENGE},
    "shell": lambda site, request, value: {"body": SHELL},
    "not_json": _json("upstream connect error or disconnect/reset before headers"),
    "graphql_errors": _json('{"errors":[{"message":"Request failed with status code 502"}],"data":null}'),
    "empty": lambda site, request, value: site.make_empty_reply(request),
    "slow": _slow,
    "hang": lambda site, request, value: BrokenReply(hang=True),
    "drop": lambda site, request, value: BrokenReply(),
    "truncated_gzip": _cut_gzip,
    "gzip_bomb": _gzip_bomb,
    "huge": _huge,
    "entity_bomb": lambda site, request, value: {"body": ENTITY_BOMB, "kind": "application/rss+xml"},
    "endless": _endless,
    "broken_xml": _broken_xml,
    "wrong_charset": _wrong_charset,
    "mojibake": _mojibake,
    "cut_off": _cut_off,
    "twice": _twice,
    "redirect_loop": _redirect_loop,
    "self_redirect": _self_redirect,
    "redirect": _redirect,
    "moved": _moved,
    "robots_forbids": lambda site, request, value: {"body": "User-agent: *\nDisallow: /\n", "kind": "text/plain"},
}
"""Every fault by name. A maker returns the fields of a SiteReply, a SiteReply, or a BrokenReply."""
