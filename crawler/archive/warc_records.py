"""One WARC record read from a file, whole or not at all.

warcio finds and parses the records (gzip or plain, WARC 1.0 and 1.1, other tools' habits); what it passes over in
silence - records cut off, bytes behind the last one - is an ArchiveError here.
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
"""Records longer than this many bytes are passed over, their `body` is None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcRecord:
    """A response, revisit or request record. `headers` and `http` have lower-case names.

    `first` is the status or request line without its first word. `body` is the payload as kept, no longer in chunks;
    None where the record is longer than MAX_RECORD.
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
        """The address the record belongs to."""
        return self.headers.get("warc-target-uri", "")


def read_records(path: Path, offset: int = 0) -> Iterator[WarcRecord]:
    """The HTTP records of a WARC file from a record's offset on, in the order they stand.

    ArchiveError when the file is missing, is no WARC file, or breaks off (after everything whole was given).
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
        # AttributeError: warcio asks a record without an address for its scheme
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
    """A warcio record with its body; None for kinds that are no HTTP traffic. EOFError when it is cut off."""
    if found.rec_type is None or found.length is None:
        raise EOFError("the record's header is cut off")
    wanted = found.rec_type in ("response", "revisit", "request") and found.http_headers is not None
    length = found.payload_length if found.http_headers is not None else found.length
    body = _read_block(found.raw_stream, max(length, 0), keep=wanted and length <= MAX_RECORD_BYTES)
    if not wanted:
        return None
    http = _join_headers(found.http_headers.headers)
    if body and http.get("transfer-encoding", "").lower() == "chunked":
        body = ChunkedDataReader(io.BytesIO(body), decomp_type=None).read()
    return WarcRecord(
        kind=found.rec_type,
        offset=start,
        headers=_join_headers(found.rec_headers.headers),
        start_line=found.http_headers.statusline,
        method=found.http_headers.protocol,
        http_headers=http,
        body=body,
    )


def _read_block(stream: Any, length: int, *, keep: bool) -> bytes | None:
    kept = bytearray()
    read = 0
    while read < length and (piece := stream.read(min(length - read, 1 << 20))):
        read += len(piece)
        if keep:
            kept += piece
    if read < length:
        raise EOFError("the record's block is cut off")
    return bytes(kept) if keep else None


def _join_headers(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; values of a name that came several times are joined by commas."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined
