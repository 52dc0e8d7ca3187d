"""Records as they lie in the archive, byte for byte: a response, its request, and the original of a revisit.

Each record of an archive file is a gzip member of its own, so members put one behind the other are a WARC file again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from crawler.archive.snapshot_reader import resolve_archive_file
from crawler.archive.warc_records import WarcRecord, read_records
from crawler.errors import ArchiveError
from crawler.items import SnapshotRef

READ_CHUNK_BYTES = 1 << 16
MAX_COPIED_REVISITS = 20
"""How long a chain of revisits of revisits may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedRecord:
    """One record with its bytes. `file` and `offset` say where it lies; `data` is the whole gzip member."""

    file: str
    record: WarcRecord
    data: bytes

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from every other record of the archive."""
        return self.file, self.record.offset


def copy_transaction(root: Path, file: str, offset: int) -> list[CopiedRecord]:
    """The response (or revisit) record at an offset, its request behind it, and the records a revisit refers to.

    ArchiveError when a record is missing, broken, or no gzip member.
    """
    found: list[CopiedRecord] = []
    for _ in range(MAX_COPIED_REVISITS):
        response = _copy_pair(root, file, offset, found)
        named = response.headers.get("warc-refers-to-filename")
        where = response.headers.get("warc-refers-to-file-offset", "")
        if response.kind != "revisit" or not named or not where.isdecimal():
            return found
        file, offset = named, int(where)
    raise ArchiveError(f"{file} at byte {offset}: a revisit of a revisit without end.")


def _copy_pair(root: Path, file: str, offset: int, found: list[CopiedRecord]) -> WarcRecord:
    path = resolve_archive_file(root, file)
    some = list(islice(read_records(path, offset), 2))
    if not some or some[0].offset != offset:
        raise ArchiveError(f"{path} holds no record at byte {offset}.")
    response = some[0]
    wanted = [response]
    if len(some) > 1 and some[1].headers.get("warc-concurrent-to") == response.headers.get("warc-record-id"):
        wanted.append(some[1])
    found += [CopiedRecord(file=file, record=record, data=read_gzip_member(path, record.offset)) for record in wanted]
    return response


def find_robots_before(root: Path, ref: SnapshotRef) -> SnapshotRef | None:
    """The last robots.txt of the same host in the same file, before a record; None where none is kept there."""
    if ref.file is None or ref.offset is None:
        return None
    found, host = None, ""
    path = resolve_archive_file(root, ref.file)
    asked = next(read_records(path, ref.offset), None)
    if asked is not None:
        host = urlsplit(asked.url).netloc
    for record in read_records(path):
        if record.offset >= ref.offset:
            break
        split = urlsplit(record.url)
        if record.kind in ("response", "revisit") and (split.netloc, split.path) == (host, "/robots.txt"):
            digest = record.headers.get("warc-payload-digest", "")
            found = SnapshotRef(file=ref.file, offset=record.offset, digest=digest)
    return found


def find_software(root: Path, file: str) -> str | None:
    """The program that says, in the file's first record, that it wrote the file."""
    try:
        text = zlib.decompress(read_gzip_member(resolve_archive_file(root, file), 0), 16 + zlib.MAX_WBITS).decode(
            "utf-8", "replace"
        )
    except (ArchiveError, zlib.error):
        return None
    return next((line.partition(": ")[2] for line in text.splitlines() if line.startswith("software: ")), None)


def read_gzip_member(path: Path, offset: int) -> bytes:
    """The bytes of the gzip member that begins at an offset; ArchiveError when there is none, or only a part."""
    data = bytearray()
    gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        for piece in _read_chunks(path, offset):
            data += piece
            gzip.decompress(piece)
            if gzip.eof:
                return bytes(data[: len(data) - len(gzip.unused_data)])
    except (OSError, zlib.error) as error:
        raise ArchiveError(f"{path} at byte {offset} cannot be copied: {error}.") from error
    raise ArchiveError(f"{path} breaks off in the record at byte {offset}.")


def _read_chunks(path: Path, offset: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        while piece := file.read(READ_CHUNK_BYTES):
            yield piece
