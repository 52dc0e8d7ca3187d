"""Snapshot folders: `snapshots/<source>/`, a stored page with what is known of its request and what it must yield.

<name>.html|.json|.txt|.xml   the body, byte for byte
<name>.meta.json              url, status, headers, fetched_at (null when unknown, never the file's time); also
                              method and payload of a POST, and `"follow": "stored"` for a list that is kept
                              without all its articles
<name>.expected.json          {"articles": […]}, {"links": […]} or {"raises": "Blocked"}
<name>.warc.gz                a WARC file holds its own requests and times
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crawler.archive.snapshot_reader import read_snapshots
from crawler.errors import NoSnapshots, UsageError
from crawler.items import SnapshotRef
from crawler.pages.snapshot import Snapshot, guess_kind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROBOTS_PATH = "/robots.txt"
"""Where every archive holds what the site allows, which is no page of the source."""
SIDE_FILE_SUFFIXES = (".meta.json", ".expected.json")


@dataclass(frozen=True)
class StoredPage:
    """One stored response of a source. `path` is its file; `follow` and `expected` come from the files beside it."""

    path: Path
    snapshot: Snapshot
    follow: str | None = None

    @cached_property
    def expected(self) -> dict[str, Any] | None:
        """What the page must yield, None where nobody has said it yet."""
        path = get_side_file(self.path, ".expected.json")
        return _read_json(path) if path.is_file() else None

    @property
    def raises(self) -> str | None:
        """The name of the error the page must raise, None when it must not."""
        return (self.expected or {}).get("raises")


def get_side_file(path: Path, ending: str) -> Path:
    """The file that stands beside a stored page: `a.html` → `a.meta.json`."""
    return path.with_name(path.name.removesuffix(".gz").rpartition(".")[0] + ending)


def find_source_folder(root: Path, source: str) -> Path:
    """The folder or WARC file that `root` holds for a source; NothingStored when it holds none."""
    if not root.exists():
        raise NoSnapshots(f"{root} does not exist; give a folder of snapshots or a .warc.gz file.")
    if root.is_file():
        return root
    inside = root / source
    found = inside if inside.is_dir() else root if root.absolute().name == source else None
    if found is None or not any(_list_page_files(found)):
        raise NoSnapshots(
            f"{root} holds nothing stored for {source!r}: no folder {source}/ with pages in it. "
            f"Store one with `crawler snapshot URL`."
        )
    return found


def load_stored_pages(root: Path, source: str) -> list[StoredPage]:
    """Everything stored for a source, oldest first (pages of unknown time before others, by name)."""
    place = find_source_folder(root, source)
    if place.is_file():
        pages = list(read_stored_file(place))
    else:
        base = place.absolute().parent
        pages = [page for path in sorted(_list_page_files(place)) for page in read_stored_file(path, base)]
    if not pages:
        raise NoSnapshots(f"{place} holds no response for {source!r}.")
    return sorted(pages, key=lambda page: (page.snapshot.fetched_at is not None, page.snapshot.fetched_at or EPOCH))


def read_stored_file(path: Path, base: Path | None = None, url: str | None = None) -> Iterator[StoredPage]:
    """The stored page in a file, or every response of a WARC file; file names in refs are relative to `base`.

    A WARC file's robots.txt is left out. Without a meta file: status 200, the address `url` (`stored://sha256/<hex>`
    when None), kind by ending.
    """
    if not path.is_file():
        raise UsageError(f"The file {path} does not exist.")
    if path.name.endswith((".warc.gz", ".warc")):
        yield from (StoredPage(path, page) for page in read_snapshots(path) if urlsplit(page.url).path != ROBOTS_PATH)
        return
    if guess_kind(path.name) is None:
        raise UsageError(f"{path}: the ending says no kind of page; use .html, .txt, .json, .xml or .warc.gz.")
    meta_path = get_side_file(path, ".meta.json")
    meta = _read_json(meta_path) if meta_path.is_file() else {}
    body = path.read_bytes()
    name = path.absolute().relative_to(base).as_posix() if base else path.name
    snapshot = Snapshot(url=url or meta.get("url") or "", body=body, status=meta.get("status") or 200)
    yield StoredPage(path, _apply_meta(snapshot, meta, meta_path, name), meta.get("follow"))


def _apply_meta(snapshot: Snapshot, meta: dict[str, Any], meta_path: Path, name: str) -> Snapshot:
    payload = meta.get("payload")
    try:
        fetched_at = datetime.fromisoformat(meta["fetched_at"]) if meta.get("fetched_at") else None
    except ValueError as error:
        raise UsageError(f"{meta_path}: fetched_at = {meta['fetched_at']!r} is no ISO 8601 time.") from error
    if fetched_at is not None and fetched_at.tzinfo is None:
        raise UsageError(f"{meta_path}: fetched_at = {meta['fetched_at']!r} has no offset; write e.g. +05:00 after it.")
    return replace(
        snapshot,
        url=snapshot.url or f"stored://{snapshot.digest.replace(':', '/')}",
        headers={
            key.lower(): value
            for key, value in (meta.get("headers") or {}).items()
            if key.lower() != "content-encoding"
        },
        fetched_at=fetched_at,
        method=meta.get("method") or ("POST" if payload else "GET"),
        payload=(payload if isinstance(payload, str) else json.dumps(payload)).encode() if payload else None,
        ref=SnapshotRef(file=name, offset=None, digest=snapshot.digest),
        kind_hint=guess_kind(name),
    )


def _list_page_files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        known = guess_kind(path.name) or path.name.endswith((".warc.gz", ".warc"))
        if known and path.is_file() and not path.name.endswith(SIDE_FILE_SUFFIXES) and not path.name.startswith("."):
            yield path


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path}: not valid JSON ({error}).") from error
    if not isinstance(values, dict):
        raise UsageError(f"{path}: must hold one JSON object.")
    return values
