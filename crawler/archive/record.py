"""Exchange → the bytes of its WARC records, each a gzip member of its own.

Written here and not by warcio's writer, which always compresses at level 9 and copies each body through a temporary
file: about five times the cost. The tests read every record back with warcio.

Pure and free of state: `pack` may run in any thread (zlib and hashlib let go of the interpreter lock).
"""

from __future__ import annotations

import hashlib
import re
import uuid
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from crawler.archive.exchange import Earlier, Exchange, Headers

LEVEL = 3
"""zlib's level for what is not compressed yet: nearly the speed of 1 and nearly the size of 6."""

SAME_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BREAKS = re.compile(rb"[\r\n\x00]+")
_SECRET = {b"authorization", b"proxy-authorization", b"cookie"}
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Packed:
    """The records of one exchange, ready to be appended; the response (or revisit) record stands first.

    `day` is `YYYY-MM-DD` (UTC), `digest` is `sha256:<hex>` of the payload. `original` is the earlier record that a
    revisit record leaves its payload to, None where the payload is here.
    """

    day: str
    data: bytes
    digest: str
    original: Earlier | None


def pack(exchange: Exchange, level: int = LEVEL) -> Packed:
    """The response (or revisit) record of an exchange and then its request record, compressed one by one."""
    date = utc(exchange.fetched_at)
    digest = digest_of(exchange.body)
    response_id = _new_id()
    original = exchange.earlier if _profile(exchange, digest) else None
    response = _response(exchange, response_id, date, digest)
    request = _request(exchange, response_id, date)
    return Packed(
        day=date[:10],
        data=_member(response, 0 if _is_compressed(exchange.headers) else level) + _member(request, level),
        digest=digest,
        original=original,
    )


def opening(source: str, file: str, software: str, now: datetime, level: int = LEVEL) -> bytes:
    """The warcinfo record that stands at the start of a file, as a gzip member."""
    about = f"software: {software}\r\nformat: WARC File Format 1.1\r\nisPartOf: {source}\r\nsource: {source}\r\n"
    block = about.encode()
    headers = [("WARC-Filename", file), ("Content-Type", "application/warc-fields")]
    return _member(_record("warcinfo", _new_id(), utc(now), headers, (block,)), level)


def digest_of(data: bytes) -> str:
    """`sha256:<hex>` of some bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def utc(moment: datetime) -> str:
    """A WARC-Date: UTC, whole seconds. ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _response(exchange: Exchange, record_id: str, date: str, digest: str) -> list[bytes]:
    version = b"HTTP/1.0" if exchange.protocol == "HTTP/1.0" else b"HTTP/1.1"
    reason = _REASONS.get(exchange.status, "").encode()
    head = _http_head(b"%s %d %s" % (version, exchange.status, reason), _dechunked(exchange))
    headers = [("WARC-Target-URI", exchange.url)]
    if exchange.ip:
        headers.append(("WARC-IP-Address", exchange.ip))
    if exchange.truncated:
        headers.append(("WARC-Truncated", exchange.truncated))
    if exchange.run:
        headers.append(("Crawler-Run", exchange.run))
    kind, block = "response", (head, exchange.body)
    if revisit := list(_revisit(exchange, digest)):
        kind, block = "revisit", (head, b"")
        headers += revisit
    else:
        headers.append(("WARC-Payload-Digest", digest))
    headers.append(("Content-Type", "application/http; msgtype=response"))
    return _record(kind, record_id, date, headers, block)


def _revisit(exchange: Exchange, digest: str) -> Iterator[tuple[str, str]]:
    """The headers by which a record leaves its payload to an earlier one; none when there is no such record."""
    earlier, profile = exchange.earlier, _profile(exchange, digest)
    if earlier is None or profile is None:
        return
    yield "WARC-Profile", profile
    yield "WARC-Payload-Digest", earlier.digest
    yield "WARC-Refers-To-Target-URI", earlier.url
    yield "WARC-Refers-To-Date", utc(earlier.date)
    if earlier.file is not None and earlier.offset is not None:
        # No part of WARC 1.1, but known from Heritrix; they spare a reader the search through a whole file.
        yield "WARC-Refers-To-Filename", earlier.file
        yield "WARC-Refers-To-File-Offset", str(earlier.offset)


def _profile(exchange: Exchange, digest: str) -> str | None:
    """Why the payload need not be written again, None when it must be."""
    if exchange.earlier is None:
        return None
    if exchange.status == HTTPStatus.NOT_MODIFIED and not exchange.body:
        return NOT_MODIFIED
    return SAME_PAYLOAD if exchange.body and exchange.earlier.digest == digest else None


def _request(exchange: Exchange, response_id: str, date: str) -> list[bytes]:
    parts = urlsplit(exchange.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    given = [(name, value) for name, value in exchange.request_headers if name.lower() not in _SECRET]
    if not any(name.lower() == b"host" for name, _ in given):
        given.insert(0, (b"Host", parts.netloc.rpartition("@")[2].encode()))
    head = _http_head(f"{exchange.method} {target} HTTP/1.1".encode(), given)
    headers = [
        ("WARC-Target-URI", exchange.url),
        ("WARC-Concurrent-To", response_id),
        ("Content-Type", "application/http; msgtype=request"),
    ]
    return _record("request", _new_id(), date, headers, (head, exchange.payload))


def _dechunked(exchange: Exchange) -> Headers:
    """Headers that hold for the body as it is kept: whole, no longer in chunks."""
    names = {name.lower() for name, _ in exchange.headers}
    if b"transfer-encoding" not in names:
        return exchange.headers
    gone = (b"transfer-encoding", b"content-length")
    kept = [(name, value) for name, value in exchange.headers if name.lower() not in gone]
    return [*kept, (b"Content-Length", b"%d" % len(exchange.body))]


def _http_head(first: bytes, headers: Headers) -> bytes:
    """A status or request line with its headers; what could not have been a header is left out."""
    lines = [b"%s: %s" % (name, _BREAKS.sub(b" ", value).strip()) for name, value in headers if _TOKEN.fullmatch(name)]
    return b"\r\n".join([first.rstrip(), *lines, b"", b""])


def _record(
    kind: str, record_id: str, date: str, headers: Iterable[tuple[str, str]], block: Iterable[bytes]
) -> list[bytes]:
    parts = list(block)
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    lines = [
        "WARC/1.1",
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: {record_id}",
        f"WARC-Date: {date}",
        *(f"{name}: {value}" for name, value in headers),
        f"WARC-Block-Digest: sha256:{digest.hexdigest()}",
        f"Content-Length: {sum(map(len, parts))}",
    ]
    return [("\r\n".join(lines) + "\r\n\r\n").encode(), *parts, b"\r\n\r\n"]


def _member(parts: Iterable[bytes], level: int) -> bytes:
    gzip = zlib.compressobj(level, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return b"".join([*map(gzip.compress, parts), gzip.flush()])


def _is_compressed(headers: Headers) -> bool:
    return any(name.lower() == b"content-encoding" and value.strip() != b"identity" for name, value in headers)


def _new_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"
