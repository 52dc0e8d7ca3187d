"""Copy records of the archive byte for byte: a response, its request, and the original of a revisit.

Each record of an archive file is a gzip member of its own. Members joined together are a WARC file again.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

from crawler.archive.content_encoding import GZIP_WBITS
from crawler.archive.snapshot_reader import MAX_REVISIT_CHAIN
from crawler.archive.spooled_archive import ArchiveRoot, WarcFile, resolve_archive_file
from crawler.archive.warc_records import WarcRecord, read_records
from crawler.errors import ArchiveError
from crawler.items import SnapshotRef

READ_CHUNK_BYTES = 1 << 16
RECORD_PLACE_PATTERN = re.compile(r"\((\S+) at byte (\d+)\)")
"""What `format_record_place` writes. Stored notes have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedRecord:
    """A record of a file of the archive, with its bytes: `data` is the whole gzip member."""

    file: str
    record: WarcRecord
    data: bytes

    @property
    def key(self) -> tuple[str, int]:
        """File and offset, which identify a record in the archive."""
        return self.file, self.record.offset


def format_record_place(ref: SnapshotRef) -> str:
    """Return where a record is in the archive, in parentheses, for a note that `find_record_places` reads later."""
    return f"({ref.file} at byte {ref.offset})"


def find_record_places(note: str) -> list[tuple[str, int]]:
    """Return the file and offset of every record that a note names.

    The note on an unpublished version has no other field for them: the version's own reference is its last record.
    """
    return [(file, int(offset)) for file, offset in RECORD_PLACE_PATTERN.findall(note)]


def copy_transaction(root: ArchiveRoot, file: str, offset: int) -> list[CopiedRecord]:
    """Return the response (or revisit) record at an offset, its request, and the records a revisit refers to.

    Raise ArchiveError if a record is missing, broken, or no gzip member.
    """
    copies: list[CopiedRecord] = []
    for _ in range(MAX_REVISIT_CHAIN):
        response = _copy_pair(root, file, offset, copies)
        prior_file = response.headers.get("warc-refers-to-filename")
        prior_offset = response.headers.get("warc-refers-to-file-offset", "")
        if response.kind != "revisit" or not prior_file or not prior_offset.isdecimal():
            return copies
        file, offset = prior_file, int(prior_offset)
    raise ArchiveError(f"{file} at byte {offset}: too many revisits of revisits.")


def find_robots_before(root: ArchiveRoot, ref: SnapshotRef) -> SnapshotRef | None:
    """Return the last robots.txt of the same host before a record in the same file, or None."""
    if ref.file is None or ref.offset is None:
        return None
    robots, host = None, ""
    path = resolve_archive_file(root, ref.file)
    page = next(read_records(path, ref.offset), None)
    if page is not None:
        host = urlsplit(page.url).netloc
    for record in read_records(path):
        if record.offset >= ref.offset:
            break
        parts = urlsplit(record.url)
        if record.kind in ("response", "revisit") and (parts.netloc, parts.path) == (host, "/robots.txt"):
            digest = record.headers.get("warc-payload-digest", "")
            robots = SnapshotRef(file=ref.file, offset=record.offset, digest=digest)
    return robots


def find_software(root: ArchiveRoot, file: str) -> str | None:
    """Return the program that wrote a file, by the file's first record, or None."""
    try:
        member = read_gzip_member(resolve_archive_file(root, file), 0)
        text = zlib.decompress(member, GZIP_WBITS).decode("utf-8", "replace")
    except (ArchiveError, zlib.error):
        return None
    return next((line.partition(": ")[2] for line in text.splitlines() if line.startswith("software: ")), None)


def read_gzip_member(path: WarcFile, offset: int) -> bytes:
    """Return the gzip member at an offset, still compressed. Raise ArchiveError if there is none, or only a part."""
    data = bytearray()
    member = zlib.decompressobj(GZIP_WBITS)
    try:
        for chunk in _read_chunks(path, offset):
            data += chunk
            member.decompress(chunk)
            if member.eof:
                return bytes(data[: len(data) - len(member.unused_data)])
    except (OSError, zlib.error) as error:
        raise ArchiveError(f"{path} at byte {offset} cannot be copied: {error}.") from error
    raise ArchiveError(f"{path} breaks off in the record at byte {offset}.")


def _copy_pair(root: ArchiveRoot, file: str, offset: int, copies: list[CopiedRecord]) -> WarcRecord:
    """Copy a response and its request, if it follows. Return the response."""
    path = resolve_archive_file(root, file)
    records = list(islice(read_records(path, offset), 2))
    if not records or records[0].offset != offset:
        raise ArchiveError(f"{path} holds no record at byte {offset}.")
    response = records[0]
    pair = [response]
    if len(records) > 1 and records[1].headers.get("warc-concurrent-to") == response.headers.get("warc-record-id"):
        pair.append(records[1])
    copies += [CopiedRecord(file=file, record=record, data=read_gzip_member(path, record.offset)) for record in pair]
    return response


def _read_chunks(path: WarcFile, offset: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        while chunk := file.read(READ_CHUNK_BYTES):
            yield chunk
