"""Serialize an HTTP transaction as WARC 1.1 records, each in a gzip member of its own.

The HTTP heads are written here and not by warcio, which percent-encodes header values that are not ASCII.
Pure functions: `pack_transaction` may run in any thread.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from warcio.statusandheaders import StatusAndHeaders

from crawler.archive.http_transaction import HttpHeaders, HttpTransaction, PriorRecord

WARC_VERSION = "WARC/1.1"
SAME_PAYLOAD_PROFILE = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED_PROFILE = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"

COMPRESSION_LEVEL = 5
"""zlib's level for bodies that arrived uncompressed: nearly the size of level 9 at a third of its time."""
STORED_LEVEL = 0
"""The level for bodies that arrived compressed, which no level makes smaller."""

_HEADER_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LINE_BREAKS = re.compile(rb"[\r\n\x00]+")
_SECRET_HEADERS = {b"authorization", b"proxy-authorization", b"cookie"}
_REASON_PHRASES = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class PackedRecords:
    """The records of one transaction, ready to be appended. The response (or revisit) record is the first.

    `day` is `YYYY-MM-DD` (UTC). `digest` is `sha256:<hex>` of the payload. A revisit record refers to `prior_record`
    for its payload. None if the payload is here.
    """

    day: str
    data: bytes
    digest: str
    prior_record: PriorRecord | None


def pack_transaction(transaction: HttpTransaction) -> PackedRecords:
    """Return the response (or revisit) record of a transaction, followed by its request record."""
    date = format_warc_date(transaction.fetched_at)
    digest = hash_payload(transaction.body)
    response_id = _make_record_id()
    response = _make_response(transaction, response_id, date, digest)
    return PackedRecords(
        day=date[:10],
        data=response + _make_request(transaction, response_id, date),
        digest=digest,
        prior_record=transaction.prior_record if _choose_revisit_profile(transaction, digest) else None,
    )


def make_warcinfo(source: str, file: str, software: str, now: datetime) -> bytes:
    """Return the warcinfo record that begins a file."""
    info = f"software: {software}\r\nformat: WARC File Format 1.1\r\nisPartOf: {source}\r\nsource: {source}\r\n"
    headers = [("WARC-Filename", file), ("Content-Type", "application/warc-fields")]
    return _make_record("warcinfo", _make_record_id(), format_warc_date(now), headers, info.encode())


def hash_payload(data: bytes) -> str:
    """Return `sha256:<hex>` of some bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def format_warc_date(time: datetime) -> str:
    """Return a WARC-Date: UTC, whole seconds. Raise ValueError for a time without a zone."""
    if time.tzinfo is None:
        raise ValueError(f"{time} has no time zone")
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _make_response(transaction: HttpTransaction, record_id: str, date: str, digest: str) -> bytes:
    version = b"HTTP/1.0" if transaction.protocol == "HTTP/1.0" else b"HTTP/1.1"
    reason = _REASON_PHRASES.get(transaction.status, "").encode()
    start_line = b"%s %d %s" % (version, transaction.status, reason)
    head = _format_http_head(start_line, _remove_chunk_headers(transaction))
    optional = [
        ("WARC-IP-Address", transaction.ip),
        ("WARC-Truncated", transaction.truncated),
        ("Crawler-Run", transaction.run_tag),
    ]
    headers = [("WARC-Target-URI", transaction.url), *((name, value) for name, value in optional if value)]
    kind, block = "response", head + transaction.body
    if revisit_headers := list(_list_revisit_headers(transaction, digest)):
        kind, block = "revisit", head
        headers += revisit_headers
    else:
        headers.append(("WARC-Payload-Digest", digest))
    headers.append(("Content-Type", "application/http; msgtype=response"))
    level = STORED_LEVEL if _is_compressed(transaction.headers) else COMPRESSION_LEVEL
    return _make_record(kind, record_id, date, headers, block, level)


def _list_revisit_headers(transaction: HttpTransaction, digest: str) -> Iterator[tuple[str, str]]:
    """Yield the headers that refer to the record with the payload. Nothing if there is no such record."""
    prior, profile = transaction.prior_record, _choose_revisit_profile(transaction, digest)
    if prior is None or profile is None:
        return
    yield "WARC-Profile", profile
    yield "WARC-Payload-Digest", prior.digest
    yield "WARC-Refers-To-Target-URI", prior.url
    yield "WARC-Refers-To-Date", format_warc_date(prior.date)
    if prior.file is not None and prior.offset is not None:
        # Not part of WARC 1.1, but known from Heritrix: a reader need not search the whole file.
        yield "WARC-Refers-To-Filename", prior.file
        yield "WARC-Refers-To-File-Offset", str(prior.offset)


def _choose_revisit_profile(transaction: HttpTransaction, digest: str) -> str | None:
    """Return why the payload need not be written again, or None if it must be."""
    if transaction.prior_record is None:
        return None
    if transaction.status == HTTPStatus.NOT_MODIFIED and not transaction.body:
        return NOT_MODIFIED_PROFILE
    return SAME_PAYLOAD_PROFILE if transaction.body and transaction.prior_record.digest == digest else None


def _make_request(transaction: HttpTransaction, response_id: str, date: str) -> bytes:
    parts = urlsplit(transaction.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = [(name, value) for name, value in transaction.request_headers if name.lower() not in _SECRET_HEADERS]
    if not any(name.lower() == b"host" for name, _ in headers):
        headers.insert(0, (b"Host", parts.netloc.rpartition("@")[2].encode()))
    head = _format_http_head(f"{transaction.method} {target} HTTP/1.1".encode(), headers)
    record_headers = [
        ("WARC-Target-URI", transaction.url),
        ("WARC-Concurrent-To", response_id),
        ("Content-Type", "application/http; msgtype=request"),
    ]
    return _make_record("request", _make_record_id(), date, record_headers, head + transaction.payload)


def _is_compressed(headers: HttpHeaders) -> bool:
    return any(name.lower() == b"content-encoding" and value.strip() != b"identity" for name, value in headers)


def _remove_chunk_headers(transaction: HttpTransaction) -> HttpHeaders:
    """Return headers that are true of the stored body, which is whole and not in chunks."""
    if b"transfer-encoding" not in {name.lower() for name, _ in transaction.headers}:
        return transaction.headers
    wrong = (b"transfer-encoding", b"content-length")
    headers = [(name, value) for name, value in transaction.headers if name.lower() not in wrong]
    return [*headers, (b"Content-Length", b"%d" % len(transaction.body))]


def _format_http_head(start_line: bytes, headers: HttpHeaders) -> bytes:
    """Return a status or request line with its headers, without names that no header can have."""
    lines = [
        b"%s: %s" % (name, _LINE_BREAKS.sub(b" ", value).strip())
        for name, value in headers
        if _HEADER_NAME.fullmatch(name)
    ]
    return b"\r\n".join([start_line.rstrip(), *lines, b"", b""])


def _make_record(
    kind: str,
    record_id: str,
    date: str,
    headers: Iterable[tuple[str, str]],
    block: bytes,
    level: int = COMPRESSION_LEVEL,
) -> bytes:
    all_headers = [
        ("WARC-Type", kind),
        ("WARC-Record-ID", record_id),
        ("WARC-Date", date),
        *headers,
        ("WARC-Block-Digest", hash_payload(block)),
        ("Content-Length", str(len(block))),
    ]
    # Not by warcio's writer, which drops the block of a revisit, hashes the head of a request as part of its payload,
    # and always compresses at level 9.
    head = StatusAndHeaders("", all_headers, protocol=WARC_VERSION).to_bytes()
    return gzip.compress(head + block + b"\r\n\r\n", level, mtime=0)


def _make_record_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"
