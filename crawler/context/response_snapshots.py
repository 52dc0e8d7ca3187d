"""Responses of live runs as Snapshots: the only conversion, so that live runs and replays read the same."""

from __future__ import annotations

from dataclasses import replace

from scrapy.http import Response

from crawler.context.request_meta import RequestMeta
from crawler.items import SnapshotRef
from crawler.pages.doubts import lacks_end
from crawler.pages.snapshot import Snapshot, find_kind


def is_cut_off(response: Response) -> bool:
    """Return whether a response is only the beginning of a document, as far as is known.

    Scrapy's flag `dataloss` says so. Its flag `partial` says that the body ended with the connection: then only the
    document itself shows its end. A compressed body shows its own.
    """
    if "dataloss" in response.flags:
        return True
    if "partial" not in response.flags or response.headers.get("Content-Encoding"):
        return False
    content_type = (response.headers.get("Content-Type") or b"").decode("latin-1")
    return lacks_end(response.body, find_kind(content_type, response.body))


def make_snapshot(response: Response, url: str) -> Snapshot:
    """Return the response as a Snapshot under its public address `url`."""
    request, meta = response.request, RequestMeta.from_request(response)
    headers = {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in response.headers.items()
    }
    snapshot = Snapshot(
        url=url,
        body=response.body,
        status=response.status,
        headers=headers,
        fetched_at=meta.fetched_at,
        method=request.method if request else "GET",
        payload=request.body or None if request else None,
        kind_hint=meta.kind,
        is_cut_off=is_cut_off(response),
    )
    return replace(snapshot, ref=meta.record or SnapshotRef(file=None, offset=None, digest=snapshot.digest))
