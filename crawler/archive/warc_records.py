"""Read WARC records from a file, each whole or not at all.

warcio finds and parses the records: gzip or plain, WARC 1.0 and 1.1, other tools' variants. It silently skips records
that are cut off and bytes behind the last record. This module raises ArchiveError for both.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from warcio.archiveiterator import WARCIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed

from crawler.errors import ArchiveError

MAX_RECORD_BYTES = 256 << 20
"""A longer record has the `body` None."""
READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcRecord:
    """A response, revisit or request record. `headers` and `http_headers` have lower-case names.

    `start_line` is the status or request line without its first word. `body` is the payload as stored, not in chunks.
    None if the record is longer than MAX_RECORD_BYTES.
    """

    kind: str
    offset: int
    headers: Mapping[str, str]
    start_line: str
    method: str
    http_headers: Mapping[str, str]
    body: bytes | None

    @property
    def url(self) -> str:
        """The address of the record."""
        return self.headers.get("warc-target-uri", "")


def read_records(path: Path, offset: int = 0) -> Iterator[WarcRecord]:
    """Yield the HTTP records of a WARC file in order, starting at the offset of a record.

    Raise ArchiveError if the file is missing or is no WARC file, or, after all whole records, if it breaks off.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise ArchiveError(f"The archive {path} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    with file:
        yield from _read_open_file(file, path, offset)


def _read_open_file(file: BinaryIO, path: Path, offset: int) -> Iterator[WarcRecord]:
    size = file.seek(0, io.SEEK_END)
    end = file.seek(offset)
    try:
        with closing(WARCIterator(file)) as iterator:
            for found in iterator:
                start = iterator.offset
                record = _parse_record(found, start)
                iterator.read_to_end()
                end = iterator.offset
                if record is not None:
                    yield record
    except (ArchiveLoadFailed, EOFError, ValueError, AttributeError) as error:
        # AttributeError: warcio reads the scheme of a record that has no address.
        raise _make_broken_error(path, end, size) from error
    if end < size:
        raise _make_broken_error(path, end, size)


def _make_broken_error(path: Path, end: int, size: int) -> ArchiveError:
    if end == 0:
        return ArchiveError(f"{path} is no WARC file. Name a .warc or .warc.gz file.")
    return ArchiveError(
        f"{path} is broken at byte {end} of {size}: the record there is cut off or damaged. "
        "All records before it were read."
    )


def _parse_record(found: Any, start: int) -> WarcRecord | None:
    """Return a record of warcio with its body, or None if it is no HTTP record. Raise EOFError if it is cut off."""
    if found.rec_type is None or found.length is None:
        raise EOFError("the record's header is cut off")
    is_http = found.rec_type in ("response", "revisit", "request") and found.http_headers is not None
    length = found.payload_length if found.http_headers is not None else found.length
    body = _read_block(found.raw_stream, max(length, 0), keep=is_http and length <= MAX_RECORD_BYTES)
    if not is_http:
        return None
    http_headers = _join_headers(found.http_headers.headers)
    if body and http_headers.get("transfer-encoding", "").lower() == "chunked":
        body = ChunkedDataReader(io.BytesIO(body), decomp_type=None).read()
    return WarcRecord(
        kind=found.rec_type,
        offset=start,
        headers=_join_headers(found.rec_headers.headers),
        start_line=found.http_headers.statusline,
        method=found.http_headers.protocol,
        http_headers=http_headers,
        body=body,
    )


def _read_block(stream: Any, length: int, *, keep: bool) -> bytes | None:
    block = bytearray()
    count = 0
    while count < length and (piece := stream.read(min(length - count, READ_BYTES))):
        count += len(piece)
        if keep:
            block += piece
    if count < length:
        raise EOFError("the record's block is cut off")
    return bytes(block) if keep else None


def _join_headers(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Return headers by lower-case name. Several values of one name are joined by commas."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined
