"""Read WARC records from a file, each whole or not at all.

warcio finds and parses the records: gzip or plain, WARC 1.0 and 1.1, other tools' variants. It silently skips records
that are cut off and bytes behind the last record. This module raises ArchiveError for both.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from warcio.archiveiterator import WARCIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders

from crawler.archive.content_encoding import GZIP_WBITS
from crawler.archive.removed_files import explain_missing_file
from crawler.archive.spooled_archive import WarcFile, get_local_path
from crawler.errors import ArchiveError

MAX_RECORD_BYTES = 256 << 20
"""A longer record has the `body` None."""
MAX_EXPANDED_BYTES = 4 << 30
"""Maximum size of a file whose members are not its records, when it is expanded."""
READ_BYTES = 1 << 20
EXPAND_STEP_BYTES = 1 << 14
"""Bytes given to zlib at once. It copies what it does not use for each of a file's members."""
CHUNK_START = re.compile(rb"[0-9a-fA-F]{1,8}[ \t]*(?:;[^\r\n]*)?\r?\n")
"""Some tools store a body without its chunks and keep the header that announces them."""
LAST_CHUNK = re.compile(rb"(?:\A|\n)0+[ \t]*(?:;[^\r\n]*)?\r?\n(?:[^\r\n]+\r?\n)*(?:\r?\n)?\Z")
MAX_TRAILER_BYTES = 4096
MAX_HEAD_BYTES = 1 << 16
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*(?=\r\n|\Z)", re.IGNORECASE)
RECORD_END = b"\r\n\r\n"
LENGTH_PATTERN = re.compile(r"\s*[0-9]{1,15}\s*")
MAX_QUOTED_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcRecord:
    """A response, resource, revisit or request record. `headers` and `http_headers` have lower-case names.

    `first_word` of the status or request line is a response's protocol or a request's method; `start_line` is the rest.
    `body` is the payload as stored, not in chunks. None if the record is longer than MAX_RECORD_BYTES. `is_truncated`:
    the record says that its payload is not whole, or its last chunk is missing.
    """

    kind: str
    offset: int
    headers: Mapping[str, str]
    start_line: str
    first_word: str
    http_headers: Mapping[str, str]
    body: bytes | None
    is_truncated: bool = False

    @property
    def url(self) -> str:
        """The address of the record."""
        return self.headers.get("warc-target-uri", "")


def read_records(path: WarcFile, offset: int = 0) -> Iterator[WarcRecord]:
    """Yield the HTTP records of a WARC file in order, starting at the offset of a record.

    Raise ArchiveError if the file is missing or is no WARC file, or, after all whole records, if it breaks off.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        if explanation := explain_missing_file(get_local_path(path)):
            raise ArchiveError(explanation, is_removed=True) from error
        raise ArchiveError(f"The archive {path} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    with file:
        count = 0
        broken: ArchiveError | None = None
        try:
            for record in _read_open_file(file, path, offset):
                yield record
                count += 1
        except ArchiveError as error:
            broken = error
        is_past_end = count == 0 and offset > 0 and offset >= file.seek(0, io.SEEK_END)
        expanded = _expand_gzip(file) if broken or is_past_end else None
        if expanded is not None:
            with closing(expanded):
                yield from islice(_read_open_file(expanded, path, offset), count, None)
        elif broken:
            raise broken


def _expand_gzip(file: BinaryIO) -> BinaryIO | None:
    """Return a gzip file as a temporary file, None for one whose first member is one record, and for any other file.

    A `.warc.gz` has one member a record. Other tools also compress a whole `.warc` at once, or piece by piece. Of a
    file that is cut off or damaged the part before that place is returned.
    """
    expanded = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 - the caller closes it
    first_length = 0
    file.seek(0)
    piece, stream = file.read(EXPAND_STEP_BYTES), zlib.decompressobj(GZIP_WBITS)
    try:
        while piece and expanded.tell() < MAX_EXPANDED_BYTES:
            expanded.write(stream.decompress(piece, READ_BYTES))
            piece = stream.unconsumed_tail or stream.unused_data or file.read(EXPAND_STEP_BYTES)
            if stream.eof:
                first_length = first_length or expanded.tell()
                stream = zlib.decompressobj(GZIP_WBITS)
    except zlib.error:  # bytes behind the last member, or damage
        pass
    if expanded.tell() == 0 or _measure_first_record(expanded) == (first_length or expanded.tell()):
        expanded.close()
        return None
    return expanded


def _measure_first_record(file: BinaryIO) -> int:
    """Return the bytes of the first record of a plain WARC file, with the line ends after it; 0 for another file."""
    file.seek(0)
    head, separator, _ = file.read(MAX_HEAD_BYTES).partition(b"\r\n\r\n")
    length = CONTENT_LENGTH.search(head) if head.startswith(b"WARC/") and separator else None
    return len(head) + len(separator) + int(length[1]) + len(RECORD_END) if length else 0


def _read_open_file(file: BinaryIO, path: WarcFile, offset: int) -> Iterator[WarcRecord]:
    size = file.seek(0, io.SEEK_END)
    end = file.seek(offset)
    try:
        with closing(_QuietIterator(file)) as iterator:
            for found in iterator:
                start = iterator.offset
                _raise_if_bad_length(found, path, start)
                record = _parse_record(found, start)
                iterator.read_to_end()
                end = iterator.offset
                if record is not None:
                    yield record
    except (ArchiveLoadFailed, EOFError, ValueError, AttributeError, OverflowError) as error:
        # AttributeError: warcio reads the scheme of a record that has no address.
        raise _make_broken_error(path, end, size) from error
    if end < size:
        raise _make_broken_error(path, end, size)


class _QuietIterator(WARCIterator):  # type: ignore[misc]
    """warcio's reader, which prints nothing about bytes between two records."""

    INC_RECORD = ""


def _raise_if_bad_length(found: Any, path: WarcFile, start: int) -> None:
    """Raise ArchiveError for a record that does not say where it ends. warcio takes a negative length for none."""
    length = found.rec_headers.get_header("Content-Length") if found.rec_headers else None
    if length is not None and not LENGTH_PATTERN.fullmatch(length):
        raise ArchiveError(
            f"{path}, byte {start}: Content-Length is {length[:MAX_QUOTED_CHARACTERS]!r}, which is invalid. "
            "All records before it were read."
        )


def _make_broken_error(path: WarcFile, end: int, size: int) -> ArchiveError:
    if end <= 0:
        return ArchiveError(f"{path} is no WARC file. Name a .warc or .warc.gz file.")
    return ArchiveError(
        f"{path} is broken at byte {end} of {size}: the record there is cut off or damaged. "
        "All records before it were read."
    )


def _parse_record(found: Any, start: int) -> WarcRecord | None:
    """Return a record of warcio with its body, or None if it is no HTTP record. Raise EOFError if it is cut off."""
    if found.rec_type is None or found.length is None:
        raise EOFError("the record's header is cut off")
    is_resource = found.rec_type == "resource" and found.http_headers is None
    if found.rec_type in ("response", "revisit") and found.http_headers is None and _is_http_type(found):
        # warcio parses no HTTP at an address such as file:///etc/passwd; the reader rejects the address.
        found.http_headers = StatusAndHeaders("", [], "")
    is_http = is_resource or (found.rec_type in ("response", "revisit", "request") and found.http_headers is not None)
    length = found.payload_length if found.http_headers is not None else found.length
    body = _read_block(found.raw_stream, max(length, 0), keep=is_http and length <= MAX_RECORD_BYTES)
    if not is_http:
        return None
    if is_resource:
        return _make_resource_record(found, start, body)
    http_headers = _join_headers(found.http_headers.headers)
    is_truncated = "WARC-Truncated" in found.rec_headers
    if body and http_headers.get("transfer-encoding", "").lower() == "chunked" and CHUNK_START.match(body):
        is_truncated |= LAST_CHUNK.search(body[-MAX_TRAILER_BYTES:]) is None
        body = ChunkedDataReader(io.BytesIO(body), decomp_type=None).read()
    return WarcRecord(
        kind=found.rec_type,
        offset=start,
        headers=_join_headers(found.rec_headers.headers),
        start_line=found.http_headers.statusline,
        first_word=found.http_headers.protocol,
        http_headers=http_headers,
        body=body,
        is_truncated=is_truncated,
    )


def _is_http_type(found: Any) -> bool:
    content_type: str = found.rec_headers.get_header("Content-Type") or ""
    return content_type.lower().startswith("application/http")


def _make_resource_record(found: Any, start: int, body: bytes | None) -> WarcRecord | None:
    """Return a body without HTTP headers as a response with status 200, None if it is of no web page."""
    headers = _join_headers(found.rec_headers.headers)
    if not headers.get("warc-target-uri", "").lower().startswith(("http://", "https://")):
        return None
    return WarcRecord(
        kind="resource",
        offset=start,
        headers=headers,
        start_line="200 OK",
        first_word="",
        http_headers={"content-type": headers["content-type"]} if "content-type" in headers else {},
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
