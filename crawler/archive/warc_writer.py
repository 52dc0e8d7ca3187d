"""Append records to one WARC file per source and day: `<folder>/<source>/<YYYY-MM-DD>.warc.gz`.

Several processes may append to one file. Each append holds an exclusive lock (`flock`) and writes one block, so records
of two writers never mix. A writer that is killed in the middle of an append leaves a gzip member that is cut off. The
next writer sees that the file has grown, finds the last whole member and removes the rest. A file that is damaged in
another way, or that got shorter under the writer, stays as it is, and the day continues in `<day>-2.warc.gz`.

Every append hands its bytes to the operating system, so `kill -9` loses nothing. `close` also waits for the disk.

With object storage each writer has files of its own, whose names no other machine uses:
`<YYYY-MM-DD>-<HHMMSSmmm>-<random>.warc.gz`. It holds a shared lock on its file until it closes it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from crawler.archive.content_encoding import GZIP_WBITS
from crawler.archive.http_transaction import HttpTransaction
from crawler.archive.record_serializer import PackedRecords, make_warcinfo, pack_transaction
from crawler.errors import ArchiveError
from crawler.items import SnapshotRef
from crawler.private_files import close_file_to_others, make_private_folder, open_private_file

SCAN_CHUNK_BYTES = 1 << 18


class WarcWriter:
    """Appends the transactions of one source. Threads must not share it (`pack_transaction` may run in any).

    Methods raise ArchiveError if the folder or a file cannot be written.
    """

    def __init__(self, folder: Path, source: str, *, software: str, has_own_files: bool = False) -> None:
        self._folder, self._source, self._software = folder, source, software
        self._has_own_files = has_own_files
        self._day, self._number = "", 1
        self._path = folder
        self._file = -1
        self._end = 0
        with _explain_errors(folder / source):
            make_private_folder(folder / source)
        if not os.access(folder / source, os.W_OK | os.X_OK):
            raise ArchiveError(
                f"The archive folder {folder / source} cannot be written: permission denied. "
                "Give this user the right to write there, or set another data_dir."
            )

    def write(self, transaction: HttpTransaction) -> SnapshotRef:
        """Append a transaction. Return the place of its response (or revisit) record."""
        return self.append(pack_transaction(transaction))

    def append(self, packed: PackedRecords) -> SnapshotRef:
        """Append records, all or none. Return the place of the first."""
        if packed.day != self._day:
            self._open_day(packed.day)
        try:
            with self._lock_file():
                start = self._append_locked(packed.data)
        except _FileShortened:
            # Records that the store refers to are gone. What is left stays as it is, and a new file begins.
            self._open_day(packed.day, self._number + 1)
            with self._lock_file():
                start = self._append_locked(packed.data)
        return SnapshotRef(file=f"{self._source}/{self._path.name}", offset=start, digest=packed.digest)

    def close(self) -> None:
        """Wait until the disk has everything, and close the file. A further append opens it again."""
        if self._file >= 0:
            file, self._file, self._day = self._file, -1, ""
            try:
                with _explain_errors(self._path):
                    os.fsync(file)
            finally:
                os.close(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open_day(self, day: str, number: int = 1) -> None:
        self.close()
        name = f"{day}.warc.gz" if number == 1 else f"{day}-{number}.warc.gz"
        if self._has_own_files:
            now = datetime.now(UTC)
            name = f"{day}-{now:%H%M%S}{now.microsecond // 1000:03}-{secrets.token_hex(4)}.warc.gz"
        self._path = self._folder / self._source / name
        with _explain_errors(self._path):
            make_private_folder(self._path.parent)
            self._file = open_private_file(self._path, os.O_RDWR | os.O_CREAT)
            close_file_to_others(self._path)
            if self._has_own_files:
                fcntl.flock(self._file, fcntl.LOCK_SH)
        self._day, self._number, self._end = day, number, 0
        with self._lock_file():
            is_damaged = self._cut_torn_end() is None
        if is_damaged:
            self._open_day(day, number + 1)

    def _append_locked(self, data: bytes) -> int:
        """Write at the end of the locked file and return the offset. Restore its length if that fails."""
        stat = os.fstat(self._file)
        if stat.st_nlink == 0:
            raise FileNotFoundError(2, "it was deleted while in use")
        if stat.st_size < self._end:
            raise _FileShortened
        if stat.st_size != self._end and self._cut_torn_end() is None:
            raise OSError(5, "another process left it broken")
        start = self._end
        warcinfo = b""
        if start == 0:
            warcinfo = make_warcinfo(self._source, self._path.name, self._software, datetime.now(UTC))
        try:
            _write_all(self._file, warcinfo + data, start)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, start)
            raise
        self._end = start + len(warcinfo) + len(data)
        return start + len(warcinfo)

    def _cut_torn_end(self) -> int | None:
        """Remove what a killed writer left behind `self._end`. Return the new length, None if the file is damaged."""
        end = find_whole_end(self._file, self._end)
        if end is not None:
            if end < os.fstat(self._file).st_size:
                os.ftruncate(self._file, end)
            self._end = end
        return end

    @contextmanager
    def _lock_file(self) -> Iterator[None]:
        with _explain_errors(self._path):
            if self._has_own_files:
                yield  # The shared lock stays: to change it would release it for a moment.
                return
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)


class _FileShortened(Exception):
    """The file is shorter than what this writer wrote: someone cut or replaced it."""


def find_whole_end(file: int, start: int = 0) -> int | None:
    """Return the offset behind the last whole gzip member of an open file, scanning from `start`.

    `start` must be the end of a member. Bytes behind the result are a member that is cut off. Return None if the bytes
    are damaged or no gzip: then nothing may be removed.
    """
    end, position = start, start
    member = zlib.decompressobj(GZIP_WBITS)
    while chunk := os.pread(file, SCAN_CHUNK_BYTES, position):
        position += len(chunk)
        while chunk:
            try:
                member.decompress(chunk)
            except zlib.error:
                return None
            chunk = b""
            if member.eof:
                chunk = member.unused_data
                end = position - len(chunk)
                member = zlib.decompressobj(GZIP_WBITS)
    return end


def _write_all(file: int, data: bytes, position: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(file, rest, position)
        rest, position = rest[written:], position + written


@contextmanager
def _explain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveError(
            f"The archive {path} cannot be written: {(error.strerror or str(error)).lower()}. "
            "Free space on the disk or give this user the right to write there; no partial record was written."
        ) from error
