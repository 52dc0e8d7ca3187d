"""The files of an archive: in the order in which they were written, listed with their digests, and compared later.

With object storage (`SpooledArchive`) these are the files of the folder and the objects that are no longer in it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from crawler.archive.removed_files import list_removed_files
from crawler.archive.spooled_archive import ArchiveRoot, SpooledArchive, SpooledFile, WarcFile, resolve_archive_file
from crawler.errors import ArchiveError

WARC_NAME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)(?:-(?P<time>\d{9})-[0-9a-f]{8}|-(?P<number>\d+))?\.warc(?:\.gz)?", re.ASCII
)
"""`2026-01-31` is the day's file on this machine, `2026-01-31-2` the one after it was damaged. With object storage each
writer has its own: `2026-01-31-104500123-1f0c9a7e`."""
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


def list_files_by_source(root: ArchiveRoot) -> dict[str, list[WarcFile]]:
    """Return the WARC files of each source, in the order in which they were written.

    Raise ObjectStorageError if the storage of closed files cannot be listed.
    """
    folder = root.folder if isinstance(root, SpooledArchive) else root
    names = {f"{path.parent.name}/{path.name}" for path in list_spooled_files(folder)}
    if isinstance(root, SpooledArchive):
        names |= {name for name in root.storage.list_sizes() if is_warc_name(name)}
    found: dict[str, list[WarcFile]] = {}
    for name in sorted(names, key=_make_sort_key):
        found.setdefault(name.partition("/")[0], []).append(resolve_archive_file(root, name))
    return found


def list_spooled_files(folder: Path) -> list[Path]:
    """Return the WARC files that are in the folder of an archive, by source, in the order of writing."""
    if not folder.is_dir():
        return []
    found = (path for each in folder.iterdir() if each.is_dir() for path in each.iterdir())
    names = {f"{path.parent.name}/{path.name}": path for path in found if WARC_NAME.fullmatch(path.name)}
    return [names[name] for name in sorted(names, key=_make_sort_key)]


def has_unique_name(path: Path) -> bool:
    """Return whether a file's name is that of one writer. Another machine may have a file named by its day alone."""
    found = WARC_NAME.fullmatch(path.name)
    return found is not None and found["time"] is not None


def is_warc_name(name: str) -> bool:
    """Return whether a name is `<source>/<file>` of a WARC file, and does not lead out of the archive."""
    source, separator, file = name.partition("/")
    return bool(source not in ("", ".", "..") and separator and WARC_NAME.fullmatch(file))


def _make_sort_key(name: str) -> tuple[str, str, str, int, str]:
    source, _, file = name.partition("/")
    found = WARC_NAME.fullmatch(file)
    assert found is not None
    return source, found["day"], found["time"] or "", int(found["number"] or 1), file


def list_days(root: Path) -> list[str]:
    """Return the days (UTC, `2026-01-31`) of which an archive has records of any source, the oldest first."""
    return sorted({path.name[: len("2026-01-31")] for path in list_spooled_files(root) if path.stat().st_size})


def measure_archive(root: ArchiveRoot) -> dict[tuple[str, str], int]:
    """Return the bytes of the files by source and month (`2026-03`). No file is read.

    A file that is on this machine and on object storage counts once. Raise ObjectStorageError if the storage cannot be
    listed.
    """
    sizes: dict[str, int] = {}
    folder = root.folder if isinstance(root, SpooledArchive) else root
    if isinstance(root, SpooledArchive):
        sizes = {name: size for name, size in root.storage.list_sizes().items() if is_warc_name(name)}
    sizes |= {f"{path.parent.name}/{path.name}": path.stat().st_size for path in list_spooled_files(folder)}
    sums: Counter[tuple[str, str]] = Counter()
    for name, size in sizes.items():
        source, _, file = name.partition("/")
        sums[source, file[: len("2026-03")]] += size
    return dict(sums)


def list_archive(root: ArchiveRoot) -> list[ArchiveFile]:
    """Return every WARC file with its digest, as of now. Runs may go on meanwhile.

    The digest of a file that is only on object storage is the one that was stored there after its upload. An archive
    that does not exist has none. Raise ArchiveError if a file cannot be read.
    """
    listed = []
    for source, files in list_files_by_source(root).items():
        for file in files:
            if isinstance(file, Path):
                listed.append(_hash_file(file, f"{source}/{file.name}"))
            elif file.path.is_file():
                listed.append(_hash_file(file.path, file.name))
            elif found := _describe_object(file):
                listed.append(found)
    return listed


def _describe_object(file: SpooledFile) -> ArchiveFile | None:
    storage = file.archive.storage
    size, sha256 = storage.get_size(file.name), storage.read_digest(file.name)
    if size is None or sha256 is None:  # the upload was cut off behind the object
        found = storage.hash_object(file.name)
        return ArchiveFile(file.name, *found) if found else None
    return ArchiveFile(file.name, size, sha256)


def find_damaged_files(root: ArchiveRoot, listed: Iterable[ArchiveFile]) -> Iterator[tuple[ArchiveFile, FileDamage]]:
    """Yield the listed files that an archive does not have as they were. Every byte of it is read.

    One that the retention policy removed is not listed.
    """
    folder = root.folder if isinstance(root, SpooledArchive) else root
    removed = list_removed_files(folder)
    for each in listed:
        if each.name in removed and not (folder / each.name).is_file():
            continue
        path = folder / each.name
        if not path.is_file() and isinstance(root, SpooledArchive):
            found = root.storage.hash_object(each.name)
            if found is None:
                yield each, FileDamage.MISSING
            elif found != (each.size, each.sha256):
                yield each, FileDamage.SHORTER if found[0] < each.size else FileDamage.DIFFERENT
        elif not path.is_file():
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
