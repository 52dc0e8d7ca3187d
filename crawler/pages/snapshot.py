"""Snapshot: one HTTP response at rest.

Scrapy, WARC files and tests make snapshots. Page objects read them without network, clock or database. Live crawls and
replays therefore share one path.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from crawler.items import SnapshotRef
from crawler.pages.tolerant_json import parse_json
from crawler.text.decoding import decode_text

KINDS_BY_EXTENSION = {
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".txt": "text",
    ".xml": "xml",
    ".rss": "xml",
    ".pdf": "pdf",
}
SNIFFED_BYTES = 512
"""Bytes from which the kind is guessed when no header names it."""


@dataclass(frozen=True)
class Snapshot:
    """One response: the requested URL, its status, its headers and its body.

    `body` is the bytes as received, with the content encoding (gzip) undone. `headers` have lower-case names.
    `fetched_at` is aware, None when unknown. `method` and `payload` (a POST body) are the request's. `ref` says where
    the bytes are stored. `is_cut_off` says that the body is, as far as is known, only the beginning of the document.
    """

    url: str
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fetched_at: datetime | None = None
    method: str = "GET"
    payload: bytes | None = None
    ref: SnapshotRef | None = None
    kind_hint: str | None = None
    is_cut_off: bool = False

    @cached_property
    def kind(self) -> str:
        """`html`, `json`, `xml`, `pdf` or `text`: by `kind_hint` (a file's extension), Content-Type, or the body."""
        return self.kind_hint or find_kind(self.headers.get("content-type", ""), self.body)

    @cached_property
    def text(self) -> str:
        """The body as text (see `decode_text`)."""
        return decode_text(self.body, self.headers.get("content-type"))

    @cached_property
    def json(self) -> Any:
        """The body as JSON (see `tolerant_json`). Raises ValueError when it is none."""
        return parse_json(self.text)

    @property
    def digest(self) -> str:
        """`sha256:<hex>` of the body."""
        return "sha256:" + hashlib.sha256(self.body).hexdigest()


def guess_kind(path: str) -> str | None:
    """Return the kind by the extension of a file name or URL, or None for an unknown extension."""
    return KINDS_BY_EXTENSION.get(PurePosixPath(urlsplit(path).path).suffix.lower())


def find_kind(content_type: str, body: bytes) -> str:
    """Return the kind of a document by its Content-Type (may be empty), or else by its start."""
    return _parse_content_type(content_type) or _sniff_body(body)


def _parse_content_type(content_type: str) -> str | None:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.endswith("json"):
        return "json"
    if media_type in ("text/html", "application/xhtml+xml"):
        return "html"
    if media_type.endswith("xml"):
        return "xml"
    if media_type == "application/pdf":
        return "pdf"
    return "text" if media_type == "text/plain" else None


def _sniff_body(body: bytes) -> str:
    head = body[:SNIFFED_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"%pdf-"):
        return "pdf"
    if head.startswith((b"{", b"[")):
        return "json"
    if head.startswith((b"<?xml", b"<rss", b"<feed")):
        return "xml"
    return "html" if head.startswith(b"<") else "text"
