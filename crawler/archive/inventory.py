"""The files of an archive: in the order in which they were written, listed with their digests, and compared later."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from crawler.errors import ArchiveError

WARC_NAME = re.compile(r"(?P<day>\d{4}-\d\d-\d\d)(?:-(?P<number>\d+))?\.warc(?:\.gz)?")
HASH_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file of the archive as it was: `name` is `<source>/<file>`, `sha256` of its first `size` bytes (hex)."""

    name: str
    size: int
    sha256: str


class FileDamage(StrEnum):
    """How a file differs from the list. A file that only grew does not differ."""

    MISSING = "missing"
    SHORTER = "shorter"
    DIFFERENT = "different"


def list_sources(root: Path) -> list[str]:
    """Return the names of the folders in an archive that have WARC files."""
    if not root.is_dir():
        return []
    return sorted(folder.name for folder in root.iterdir() if folder.is_dir() and list_warc_files(folder))


def list_warc_files(folder: Path) -> list[Path]:
    """Return a source's WARC files in the order in which they were written."""
    found = [(match, path) for path in folder.iterdir() if (match := WARC_NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found, key=lambda each: (each[0]["day"], int(each[0]["number"] or 1)))]


def list_days(root: Path) -> list[str]:
    """Return the days (UTC, `2026-01-31`) of which an archive has records of any source, the oldest first."""
    paths = (path for source in list_sources(root) for path in list_warc_files(root / source))
    return sorted({path.name[: len("2026-01-31")] for path in paths if path.stat().st_size})


def list_archive(root: Path) -> list[ArchiveFile]:
    """Return every WARC file with its digest, as of now. Runs may go on meanwhile.

    An archive that does not exist has none. Raise ArchiveError if a file cannot be read.
    """
    paths = (path for source in list_sources(root) for path in list_warc_files(root / source))
    return [_hash_file(path, f"{path.parent.name}/{path.name}") for path in paths]


def find_damaged_files(root: Path, listed: Iterable[ArchiveFile]) -> Iterator[tuple[ArchiveFile, FileDamage]]:
    """Yield the listed files that an archive does not have as they were."""
    for each in listed:
        path = root / each.name
        if not path.is_file():
            yield each, FileDamage.MISSING
        elif path.stat().st_size < each.size:
            yield each, FileDamage.SHORTER
        elif _hash_file(path, each.name, each.size) != each:
            yield each, FileDamage.DIFFERENT


def _hash_file(path: Path, name: str, size: int | None = None) -> ArchiveFile:
    try:
        with path.open("rb") as file:
            length = _read_whole_size(file) if size is None else size
            return ArchiveFile(name, length, _hash_start(file, length))
    except OSError as error:
        raise ArchiveError(f"The archive {path} cannot be read: {(error.strerror or str(error)).lower()}.") from error


def _read_whole_size(file: BinaryIO) -> int:
    """Return a file's size while no writer is within an append."""
    fcntl.flock(file, fcntl.LOCK_SH)
    try:
        return os.fstat(file.fileno()).st_size
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _hash_start(file: BinaryIO, size: int) -> str:
    digest, left = hashlib.sha256(), size
    while left and (chunk := file.read(min(left, HASH_CHUNK_BYTES))):
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest()
