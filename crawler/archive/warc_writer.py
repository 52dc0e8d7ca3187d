"""WarcWriter: records → one WARC file per source and day, `<folder>/<source>/<YYYY-MM-DD>.warc.gz`.

Several processes may append to one file: each append happens under an exclusive lock (`flock`) and as one block, so
that records of two writers never mix. A writer that is killed in the middle of an append leaves a cut-off gzip member
at the end; whoever appends next sees that the file has grown, finds the last whole member and cuts the rest off.
A file that is broken in another way (not by a cut-off end) is never touched: writing goes on in `<day>-2.warc.gz`.

Bytes are handed to the operating system with each append, so `kill -9` loses nothing that was returned as written;
`close` also waits for the disk.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from crawler.archive.http_transaction import HttpTransaction
from crawler.archive.record_serializer import COMPRESSION_LEVEL, PackedRecords, make_warcinfo, pack_transaction
from crawler.errors import ArchiveError
from crawler.items import SnapshotRef

SCAN_CHUNK_BYTES = 1 << 18


class WarcWriter:
    """Appends exchanges of one source; not to be shared by threads (`pack` may run in any).

    ArchiveError when the folder or a file cannot be written.
    """

    def __init__(self, folder: Path, source: str, *, software: str, compress_level: int = COMPRESSION_LEVEL) -> None:
        self._folder, self._source, self._software, self._level = folder, source, software, compress_level
        self._day = ""
        self._path = folder
        self._file = -1
        self._end = 0
        with _explain_errors(folder / source):
            (folder / source).mkdir(parents=True, exist_ok=True)
        if not os.access(folder / source, os.W_OK | os.X_OK):
            raise ArchiveError(
                f"The archive folder {folder / source} cannot be written: permission denied. "
                "Give this user the right to write there, or set another data_dir."
            )

    def write(self, exchange: HttpTransaction) -> SnapshotRef:
        """Pack and append one exchange; where its response (or revisit) record stands."""
        return self.append(pack_transaction(exchange, self._level))

    def append(self, packed: PackedRecords) -> SnapshotRef:
        """Append packed records, whole or not at all; where the first of them stands."""
        if packed.day != self._day:
            self._open_day(packed.day)
        with self._lock_file():
            start = self._append_locked(packed.data)
        file = f"{self._source}/{self._path.name}"
        return SnapshotRef(file=file, offset=start, digest=packed.digest)

    def close(self) -> None:
        """Wait until the disk has everything, and let go of the file; a further append opens it again."""
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
        self._path = self._folder / self._source / name
        with _explain_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._day, self._end = day, 0
        with self._lock_file():
            broken = self._cut_torn_end() is None
        if broken:
            self._open_day(day, number + 1)

    def _append_locked(self, data: bytes) -> int:
        """Write at the end of the locked file; its former length on any failure."""
        about = os.fstat(self._file)
        if about.st_nlink == 0:
            raise FileNotFoundError(2, "it was deleted while in use")
        if about.st_size != self._end and self._cut_torn_end() is None:
            raise OSError(5, "another process left it broken")
        start = self._end
        first = b""
        if start == 0:
            first = make_warcinfo(self._source, self._path.name, self._software, datetime.now(UTC), self._level)
        try:
            _write_all(self._file, first + data, start)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, start)
            raise
        self._end = start + len(first) + len(data)
        return start + len(first)

    def _cut_torn_end(self) -> int | None:
        """Cut off what a killed writer left behind `self._end`; the file's new length, None where it is broken."""
        end = find_whole_end(self._file, self._end)
        if end is not None:
            if end < os.fstat(self._file).st_size:
                os.ftruncate(self._file, end)
            self._end = end
        return end

    @contextmanager
    def _lock_file(self) -> Iterator[None]:
        with _explain_errors(self._path):
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)


def find_whole_end(file: int, start: int = 0) -> int | None:
    """The offset behind the last whole gzip member of an open file, read from the end of a member at `start`.

    What follows is a member cut off at its end (a killed writer). None when the bytes are no gzip at all or damaged:
    then nothing may be cut off.
    """
    end, position = start, start
    gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
    while chunk := os.pread(file, SCAN_CHUNK_BYTES, position):
        position += len(chunk)
        while chunk:
            try:
                gzip.decompress(chunk)
            except zlib.error:
                return None
            chunk = b""
            if gzip.eof:
                chunk = gzip.unused_data
                end = position - len(chunk)
                gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
    return end


def _write_all(file: int, data: bytes, position: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, position)
        view, position = view[written:], position + written


@contextmanager
def _explain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveError(
            f"The archive {path} cannot be written: {(error.strerror or str(error)).lower()}. "
            "Free space on the disk or give this user the right to write there; nothing was written by halves."
        ) from error
