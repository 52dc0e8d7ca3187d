"""From Scrapy's response to a Snapshot: the only place where live answers take their resting form."""

from __future__ import annotations

from dataclasses import replace

from scrapy.http import Response

from crawler.items import SnapshotRef
from crawler.pages.snapshot import Snapshot


def make_snapshot(response: Response, url: str) -> Snapshot:
    """The response at rest, under its public address `url`; its record is the archive's, where there is one."""
    request = response.request
    headers = {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in response.headers.items()
    }
    found = Snapshot(
        url=url,
        body=response.body,
        status=response.status,
        headers=headers,
        fetched_at=response.meta.get("fetched_at"),
        method=request.method if request else "GET",
        payload=request.body or None if request else None,
        kind_hint=response.meta.get("kind"),
    )
    return replace(found, ref=response.meta.get("record") or SnapshotRef(file=None, offset=None, digest=found.digest))
