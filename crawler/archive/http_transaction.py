"""One HTTP request with its response, before it is archived."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crawler.items import Run

HttpHeaders = Sequence[tuple[bytes, bytes]]
"""Names and values in the order of arrival. A name may occur several times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorRecord:
    """An archived record that already holds the payload of an address.

    `digest` is `sha256:<hex>` of the payload. `date` is the record's time (aware). `file` and `offset` are its place,
    or None if unknown.
    """

    url: str
    date: datetime
    digest: str
    file: str | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpTransaction:
    """A request and its response as received: `body` is still compressed if Content-Encoding says so.

    `fetched_at` is aware. The archive stores it in UTC and whole seconds. `ip` is the server's address. `truncated` is
    a WARC reason (`disconnect`, `length`) if the body is known to be incomplete. `prior_record` may already hold this
    payload. `run_tag` identifies the run (see `format_run_tag`).
    """

    url: str
    method: str
    request_headers: HttpHeaders
    payload: bytes
    status: int
    headers: HttpHeaders
    body: bytes
    fetched_at: datetime
    protocol: str = "HTTP/1.1"
    ip: str | None = None
    truncated: str | None = None
    prior_record: PriorRecord | None = None
    run_tag: str | None = None


def format_run_tag(run: Run, *, since: datetime | None, limit: int | None, url: str | None) -> str:
    """Return the value of the `Crawler-Run` header of a run's records: JSON in one line of ASCII.

    It has the run's `id` in the store, its start (to the microsecond), its limits, and the mode of a backfill.
    """
    limits = {"since": since.isoformat() if since else None, "limit": limit, "url": url}
    limits |= {"mode": run.mode if run.mode == "backfill" else None}
    values = {"id": run.id, "started": run.started_at.isoformat(), **limits}
    return json.dumps({name: value for name, value in values.items() if value is not None})
