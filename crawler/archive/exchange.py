"""Exchange: one request with its response, on the way into the archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

Headers = Sequence[tuple[bytes, bytes]]
"""Names and values in the order they were received, a name as often as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A record that already holds the payload of an address.

    `digest` is `sha256:<hex>` of that payload, `date` the (aware) time of the record; `file` and `offset` say where
    it stands, None where that is not known.
    """

    url: str
    date: datetime
    digest: str
    file: str | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and the response to it, as received: `body` is still compressed where Content-Encoding says so.

    `fetched_at` is aware and goes into the archive in UTC and whole seconds. `ip` is the server's address.
    `truncated` is a WARC reason (`disconnect`, `length`) where the body is known to be cut off. `earlier` is the
    record that may already hold this payload. `run` says whose response it is (`archive.past.tag_of`).
    """

    url: str
    method: str
    request_headers: Headers
    payload: bytes
    status: int
    headers: Headers
    body: bytes
    fetched_at: datetime
    protocol: str = "HTTP/1.1"
    ip: str | None = None
    truncated: str | None = None
    earlier: Earlier | None = None
    run: str | None = None
