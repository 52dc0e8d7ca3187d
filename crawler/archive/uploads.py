"""Upload the closed WARC files of a folder to object storage, and remove from the folder what is there long enough.

A file is closed when no process holds its lock. A killed writer holds none: what it left of its last record is cut
off. The object is read back and compared by SHA-256. Then a marker beside the file,
`.<file>.<hash of the address>.uploaded`, says that it is there: with another address all files wait again, and none is
removed before it is there.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler.archive.inventory import has_unique_name, list_spooled_files
from crawler.archive.object_storage import ObjectStorage
from crawler.archive.warc_writer import find_whole_end
from crawler.errors import ArchiveError, ObjectStorageError
from crawler.private_files import make_private_file
from crawler.text.counts import format_count

LATE_RECORDS = timedelta(hours=1)
"""How long after midnight (UTC) a run may still write to the file of the day before."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class UploadReport:
    """What one call did. `problem` is why it ended early; `conflicts` are files of which the storage has another."""

    uploaded: int = 0
    uploaded_bytes: int = 0
    removed: int = 0
    problem: ObjectStorageError | None = None
    conflicts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class WaitingFiles:
    """Closed files that are not in the storage. `since`: when the oldest was last written (UTC)."""

    count: int
    size: int
    since: datetime

    def __str__(self) -> str:
        wait = "waits" if self.count == 1 else "wait"
        return f"{format_count(self.count, 'WARC file')} ({format_size(self.size)}) {wait} to be uploaded"


def format_size(size: int) -> str:
    """Return a number of bytes for people, in kB or MB."""
    return f"{size / 1000:,.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:,.1f} MB"


def upload_closed_files(
    folder: Path,
    storage: ObjectStorage,
    now: datetime,
    *,
    first_source: str = "",
    keep_days: int | None = None,
    max_bytes: int | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> UploadReport:
    """Upload the files that wait, those of `first_source` first, then remove what was uploaded `keep_days` ago.

    `max_bytes`: larger files wait for a caller that has time. Where the storage fails, the rest waits too. Raise
    ArchiveError if the folder cannot be read or written.
    """
    report = UploadReport()
    with _explain_errors(folder):
        waiting, uploaded = _divide_files(folder, storage.address)
        try:
            for path in sorted(waiting, key=lambda path: path.parent.name != first_source):
                if should_stop():
                    return report
                if _is_day_over(path, now) and (max_bytes is None or path.stat().st_size <= max_bytes):
                    _upload_file(path, storage, report)
            for path in uploaded if keep_days is not None else ():
                if should_stop():
                    return report
                _remove_old_file(path, storage, now - timedelta(days=keep_days or 0), report)
        except ObjectStorageError as error:
            report.problem = error
    return report


def find_waiting_files(folder: Path, address: str, now: datetime, source: str | None = None) -> WaitingFiles | None:
    """Return the closed files, of all sources or one, that are not in the storage at `address`. None: there are none.

    Raise ArchiveError if the folder cannot be read.
    """
    stats = []
    with _explain_errors(folder):
        for path in _divide_files(folder, address)[0]:
            if source in (None, path.parent.name) and _is_day_over(path, now):
                with _lock_closed_file(path, os.O_RDONLY) as file:
                    if file is not None and (stat := os.fstat(file)).st_size:
                        stats.append(stat)
    if not stats:
        return None
    oldest = min(stat.st_mtime for stat in stats)
    return WaitingFiles(len(stats), sum(stat.st_size for stat in stats), datetime.fromtimestamp(oldest, UTC))


def _divide_files(folder: Path, address: str) -> tuple[list[Path], list[Path]]:
    """Return the files that have no marker, and those that have one. One listing of each folder, no file is read."""
    waiting: list[Path] = []
    uploaded: list[Path] = []
    markers: dict[Path, set[str]] = {}
    for path in list_spooled_files(folder):
        if path.parent not in markers:
            markers[path.parent] = {entry.name for entry in path.parent.glob(".*.uploaded")}
        has_marker = _get_marker_path(path, address).name in markers[path.parent]
        (uploaded if has_marker else waiting).append(path)
    return waiting, uploaded


def _is_day_over(path: Path, now: datetime) -> bool:
    """Return whether no later run appends to a file: it has the name of one writer, or its day is over."""
    day = (now.astimezone(UTC) - LATE_RECORDS).date().isoformat()
    return has_unique_name(path) or path.name[: len(day)] < day


def _upload_file(path: Path, storage: ObjectStorage, report: UploadReport) -> None:
    """Upload a file, unless it is open or empty."""
    name = f"{path.parent.name}/{path.name}"
    with _lock_closed_file(path) as file:
        if file is None or not _cut_torn_record(file):
            return
        with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as data:
            size, sha256 = len(data), hashlib.sha256(data).hexdigest()
            stored_size = storage.get_size(name)
            if stored_size is None:  # else each call would send a file in conflict again, only to be refused
                storage.put_if_absent(name, data)
        if stored_size not in (None, size) or storage.hash_object(name) != (size, sha256):
            report.conflicts.append(name)
            log.error(
                "%s/%s is another file than %s, which stays where it is. Two machines may have written it before they "
                "had this storage: rename the one here, its versions refer to the one there.",
                *(storage.address, name, path),
            )
            return
        storage.put_digest(name, sha256)
        marker = _get_marker_path(path, storage.address)
        make_private_file(marker)
        marker.write_text(f"{sha256}  {path.name}\n{storage.address}\n", encoding="utf-8")
    report.uploaded += 1
    report.uploaded_bytes += size


def _remove_old_file(path: Path, storage: ObjectStorage, before: datetime, report: UploadReport) -> None:
    """Remove a file that was uploaded before a time, if its object is there. If it is not, upload it again later."""
    marker = _get_marker_path(path, storage.address)
    if marker.stat().st_mtime > before.timestamp():
        return
    if storage.get_size(f"{path.parent.name}/{path.name}") != path.stat().st_size:
        log.error("%s is no longer in %s as it was uploaded. It is uploaded again.", path, storage.address)
        marker.unlink(missing_ok=True)
        return
    with _lock_closed_file(path) as file:
        if file is not None:
            path.unlink()
            marker.unlink(missing_ok=True)
            report.removed += 1


@contextmanager
def _lock_closed_file(path: Path, flags: int = os.O_RDWR) -> Iterator[int | None]:
    """Yield the descriptor of a file that no process writes or uploads, locked, else None."""
    try:
        file = os.open(path, flags | os.O_CLOEXEC)
    except FileNotFoundError:  # another process has removed it
        yield None
        return
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file
    finally:
        os.close(file)


def _cut_torn_record(file: int) -> bool:
    """Remove the cut-off record of a killed writer. Return whether anything is left. A damaged file stays as it is."""
    size, end = os.fstat(file).st_size, find_whole_end(file)
    if end is not None and end < size:
        os.ftruncate(file, end)
        return end > 0
    return size > 0


def _get_marker_path(path: Path, address: str) -> Path:
    mark = hashlib.blake2b(address.encode(), digest_size=4).hexdigest()
    return path.with_name(f".{path.name}.{mark}.uploaded")  # hidden: no reader takes it for a WARC file


@contextmanager
def _explain_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ArchiveError(f"The archive {error.filename or folder} cannot be read or written: {reason}.") from error
