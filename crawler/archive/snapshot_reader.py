"""WARC files → Snapshots: ours and other tools' (`.warc`, `.warc.gz`, sha1 digests, no request records).

A revisit record is given the payload of the record that it refers to: found at the file and offset it names, else in
the same file, else in the file of that day beside it. A server's 304 stays what it was: status 304, no body.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from crawler.archive.content_encoding import MAX_BODY_BYTES, BodyTooLarge, UndecodableBody, decode_body
from crawler.archive.record_serializer import hash_payload
from crawler.archive.warc_records import WarcRecord, read_records
from crawler.errors import ArchiveError
from crawler.items import SnapshotRef
from crawler.pages.snapshot import Snapshot

MAX_REVISIT_CHAIN = 20
"""How long a chain of revisits of revisits may be."""


def read_snapshots(path: Path, *, limit: int = MAX_BODY_BYTES) -> Iterator[Snapshot]:
    """Every response of a WARC file, in the order they stand; bodies content-decoded, at most `limit` bytes each.

    What cannot be given (too large, its original missing) is passed over. ArchiveError comes at the end, after
    everything that is whole, and names what was missing.
    """
    file = f"{path.parent.name}/{path.name}"
    originals = _PayloadFinder(root=path.parent.parent, path=path)
    missing: list[str] = []
    for response, request in _pair_records(path):
        try:
            yield _make_snapshot(response, request, file, originals, limit)
        except ArchiveError as error:
            missing.append(str(error))
        originals.remember_offset(response)
    if missing:
        more = f" So it is with {len(missing) - 1} more." if missing[1:] else ""
        raise ArchiveError(missing[0] + more)


def read_snapshot_at(root: Path, ref: SnapshotRef, *, limit: int = MAX_BODY_BYTES) -> Snapshot:
    """The response that `ref` points at; ArchiveError when it is not there, is broken or is another one."""
    if ref.file is None or ref.offset is None:
        raise ArchiveError(f"{ref.file or 'The page'} is no record of the archive: it has no offset.")
    path = resolve_archive_file(root, ref.file)
    try:
        response, request = next(_pair_records(path, ref.offset))
    except StopIteration:
        raise ArchiveError(f"{path} holds no response at byte {ref.offset}.") from None
    snapshot = _make_snapshot(response, request, ref.file, _PayloadFinder(root=root, path=path), limit)
    assert snapshot.ref is not None
    if response.offset != ref.offset or snapshot.ref.digest != ref.digest:
        raise ArchiveError(f"{path} holds another page at byte {ref.offset} than the one kept as {ref.digest}.")
    return snapshot


@dataclass
class _PayloadFinder:
    """Finds the payload that a revisit record refers to."""

    root: Path
    path: Path
    offsets_by_digest: dict[str, int] = field(default_factory=dict)

    def remember_offset(self, record: WarcRecord) -> None:
        """Remember where a payload stands in this file."""
        digest = record.headers.get("warc-payload-digest")
        if record.kind == "response" and digest:
            self.offsets_by_digest.setdefault(digest, record.offset)

    def find_payload_record(self, revisit: WarcRecord, steps: int = 0) -> WarcRecord | None:
        """The record with the payload, None when it is nowhere; follows a revisit of a revisit, not without end."""
        digest = revisit.headers.get("warc-payload-digest", "")
        for path, offset in self._list_places(revisit):
            try:
                for record in read_records(path, offset):
                    if record.kind == "response" and _has_payload_of(record, revisit, digest):
                        return record
                    if offset:
                        if (
                            record.kind == "revisit"
                            and steps < MAX_REVISIT_CHAIN
                            and (found := self.find_payload_record(record, steps + 1))
                        ):
                            return found
                        break
            except ArchiveError:
                continue  # a broken or missing file is one place less to look in
        return None

    def _list_places(self, revisit: WarcRecord) -> Iterator[tuple[Path, int]]:
        name = revisit.headers.get("warc-refers-to-filename")
        offset = revisit.headers.get("warc-refers-to-file-offset", "")
        if name and offset.isdecimal():
            yield resolve_archive_file(self.root, name), int(offset)
        known = self.offsets_by_digest.get(revisit.headers.get("warc-payload-digest", ""))
        if known is not None:
            yield self.path, known
        yield self.path, 0
        day = revisit.headers.get("warc-refers-to-date", "")[:10]
        if day:
            yield from ((path, 0) for path in sorted(self.path.parent.glob(f"{day}*.warc*")) if path != self.path)


def _has_payload_of(record: WarcRecord, revisit: WarcRecord, digest: str) -> bool:
    if digest:
        return record.headers.get("warc-payload-digest") == digest
    same_url = record.url == revisit.headers.get("warc-refers-to-target-uri", revisit.url)
    return same_url and record.headers.get("warc-date") == revisit.headers.get("warc-refers-to-date")


def _pair_records(path: Path, offset: int = 0) -> Iterator[tuple[WarcRecord, WarcRecord | None]]:
    """Responses with their requests, which stand behind (ours) or before them, or are missing."""
    waiting: WarcRecord | None = None
    before: WarcRecord | None = None
    broken: ArchiveError | None = None
    found = read_records(path, offset)
    while broken is None:
        try:
            record = next(found, None)
        except ArchiveError as error:
            record, broken = None, error
        if record is None or record.kind != "request":
            if waiting is not None:
                yield waiting, None
            waiting = record
            if record is None:
                break
            if before is not None and _is_same_transaction(before, record):
                yield record, before
                waiting = None
            before = None
        elif waiting is not None and _is_same_transaction(record, waiting):
            yield waiting, record
            waiting = None
        else:
            before = record
    if broken is not None:
        raise broken


def _is_same_transaction(request: WarcRecord, response: WarcRecord) -> bool:
    named = request.headers.get("warc-concurrent-to"), response.headers.get("warc-concurrent-to")
    ids = response.headers.get("warc-record-id"), request.headers.get("warc-record-id")
    if any(named):
        return named[0] == ids[0] or named[1] == ids[1]
    return request.url == response.url


def _make_snapshot(
    response: WarcRecord, request: WarcRecord | None, file: str, originals: _PayloadFinder, limit: int
) -> Snapshot:
    where = f"{originals.path}, byte {response.offset}, {response.url}"
    payload, encoding = response.body, response.http_headers.get("content-encoding", "")
    status = _parse_status(response)
    digest = response.headers.get("warc-payload-digest", "")
    if response.kind == "revisit" and status != 304:
        original = originals.find_payload_record(response)
        if original is None:
            raise ArchiveError(f"{where}: the record that holds the payload is not in the archive.")
        payload, encoding = original.body, original.http_headers.get("content-encoding", "")
    if payload is None:
        raise ArchiveError(f"{where}: the record is too large to be read.")
    if not (response.kind == "revisit" and status == 304 and digest.startswith("sha256:")):
        digest = hash_payload(payload)
    try:
        body = decode_body(payload, encoding, limit)
    except (BodyTooLarge, UndecodableBody) as error:
        raise ArchiveError(f"{where}: the body cannot be decoded: {error}.") from error
    return Snapshot(
        url=response.url,
        body=body,
        status=status,
        headers={
            name: value
            for name, value in response.http_headers.items()
            if name not in ("content-encoding", "content-length")
        },
        fetched_at=parse_record_date(response),
        method=request.method if request else "GET",
        payload=(request.body or None) if request else None,
        ref=SnapshotRef(file=file, offset=response.offset, digest=digest),
    )


def _parse_status(record: WarcRecord) -> int:
    word = record.start_line.split(" ", 1)[0]
    return int(word) if word.isdecimal() else 200


def parse_record_date(record: WarcRecord) -> datetime | None:
    """When a record says it was made."""
    try:
        moment = datetime.fromisoformat(record.headers.get("warc-date", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def resolve_archive_file(root: Path, name: str) -> Path:
    """A file below `root`; ArchiveError for a name that leads out of it."""
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts:
        raise ArchiveError(f"{name!r} is no file of the archive {root}.")
    return root / parts
