"""Snapshot folders: `snapshots/<source>/` has stored pages, their meta data, and what they must yield.

<name>.html|.json|.txt|.xml   the body, byte for byte
<name>.meta.json              url, status, headers, fetched_at (null if unknown, never the file's time), method and
                              payload of a POST. `"follow": "stored"`: this list is stored without all its articles
<name>.expected.json          {"articles": […]}, {"links": […]} or {"raises": "Blocked"}
<name>.warc.gz                a WARC file has its own requests and times
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crawler.archive.snapshot_reader import read_snapshots
from crawler.errors import ArchiveError, NoSnapshots, UsageError
from crawler.items import SnapshotRef
from crawler.pages.snapshot import Snapshot, guess_kind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROBOTS_PATH = "/robots.txt"
"""A response that every archive file has and that is no page of the source."""
WARC_SUFFIXES = (".warc.gz", ".warc")
SIDE_FILE_SUFFIXES = (".meta.json", ".expected.json")
META_TYPES = {"url": str, "status": int, "headers": dict, "fetched_at": str, "method": str, "follow": str}
"""The types of what a meta file may say. Each value may also be null or missing."""
TYPE_NAMES = {str: "a text", int: "a whole number", dict: "an object of texts"}


@dataclass(frozen=True)
class StoredPage:
    """One stored response of a source. `path` is its file. `follow` and `expected` are in the files next to it."""

    path: Path
    snapshot: Snapshot
    follow: str | None = None

    @cached_property
    def expected(self) -> dict[str, Any] | None:
        """What the page must yield, or None if there is no expectation yet."""
        path = get_side_file(self.path, ".expected.json")
        return _read_json(path) if path.is_file() else None

    @property
    def raises(self) -> str | None:
        """The name of the error that the page must raise, or None."""
        return (self.expected or {}).get("raises")


def get_side_file(path: Path, suffix: str) -> Path:
    """Return the path of a file next to a stored page: `a.html` → `a.meta.json`."""
    return path.with_name(path.name.removesuffix(".gz").rpartition(".")[0] + suffix)


def find_source_folder(root: Path, source: str) -> Path:
    """Return the folder or WARC file of a source in `root`. Raise NoSnapshots if there is none."""
    if not root.exists():
        raise NoSnapshots(f"{root} does not exist; give a folder of snapshots or a .warc.gz file.")
    if root.is_file():
        return root
    subfolder = root / source
    folder = subfolder if subfolder.is_dir() else root if root.absolute().name == source else None
    if folder is None or not any(_list_page_files(folder)):
        raise NoSnapshots(
            f"{root} holds nothing stored for {source!r}: no folder {source}/ with pages in it. "
            f"Store one with `crawler snapshot URL`."
        )
    return folder


def load_stored_pages(
    root: Path, source: str, *, on_error: Callable[[ArchiveError], None] | None = None
) -> list[StoredPage]:
    """Return all stored pages of a source, oldest first. Pages of unknown time come before others, by name.

    `on_error` gets what cannot be read of WARC files, while other pages can. Without, or without a page, it is raised.
    """
    place = find_source_folder(root, source)
    errors: list[ArchiveError] = []
    collect_error = errors.append if on_error else None
    if place.is_file():
        pages = list(read_stored_file(place, on_error=collect_error))
    else:
        paths, base = sorted(_list_page_files(place)), place.absolute().parent
        pages = [page for path in paths for page in read_stored_file(path, base, on_error=collect_error)]
    if errors and not pages:
        raise errors[0]
    if on_error is not None:
        for error in errors:
            on_error(error)
    if not pages:
        raise NoSnapshots(f"{place} holds no response for {source!r}.")
    return sorted(pages, key=lambda page: (page.snapshot.fetched_at is not None, page.snapshot.fetched_at or EPOCH))


def read_stored_file(
    path: Path,
    base: Path | None = None,
    url: str | None = None,
    *,
    on_error: Callable[[ArchiveError], None] | None = None,
) -> Iterator[StoredPage]:
    """Yield the stored page of a file, or every response of a WARC file except robots.txt.

    File names in refs are relative to `base`. A page without a meta file has the status 200, the address `url`
    (`stored://sha256/<hex>` if None), and the kind that its suffix says. `on_error`: see `read_snapshots`.
    """
    if not path.is_file():
        raise UsageError(f"The file {path} does not exist.")
    if path.name.endswith(WARC_SUFFIXES):
        pages = read_snapshots(path, on_error=on_error)
        yield from (StoredPage(path, page) for page in pages if urlsplit(page.url).path != ROBOTS_PATH)
        return
    if guess_kind(path.name) is None:
        raise UsageError(f"{path}: the suffix is not of a page; use .html, .txt, .json, .xml or .warc.gz.")
    meta_path = get_side_file(path, ".meta.json")
    meta = _read_json(meta_path) if meta_path.is_file() else {}
    _raise_if_wrong_type(meta, meta_path)
    body = path.read_bytes()
    name = path.absolute().relative_to(base).as_posix() if base else path.name
    snapshot = Snapshot(url=url or meta.get("url") or "", body=body, status=meta.get("status") or 200)
    yield StoredPage(path, _apply_meta(snapshot, meta, meta_path, name), meta.get("follow"))


def _raise_if_wrong_type(meta: dict[str, Any], meta_path: Path) -> None:
    found = [(name, meta[name], kind) for name, kind in META_TYPES.items() if meta.get(name) is not None]
    if isinstance(headers := meta.get("headers"), dict):
        found += [(f"headers.{name}", value, str) for name, value in headers.items()]
    for name, value, kind in found:
        if not isinstance(value, kind):
            raise UsageError(f"{meta_path}: {name} = {json.dumps(value)} must be {TYPE_NAMES[kind]}.")


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
        is_page = guess_kind(path.name) or path.name.endswith(WARC_SUFFIXES)
        is_hidden = path.name.startswith(".")
        if is_page and path.is_file() and not path.name.endswith(SIDE_FILE_SUFFIXES) and not is_hidden:
            yield path


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path}: not valid JSON ({error}).") from error
    if not isinstance(values, dict):
        raise UsageError(f"{path}: must be one JSON object.")
    return values
