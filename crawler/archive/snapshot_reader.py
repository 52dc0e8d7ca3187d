"""Read WARC files as Snapshots: ours and other tools' (`.warc`, `.warc.gz`, sha1 digests, no request records).

A revisit record gets the payload of the record that it refers to. The reader looks at the file and offset it names,
then in the same file, then in the files of that day. A server's 304 stays a 304 without a body.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from crawler.archive.content_encoding import MAX_BODY_BYTES, BodyTooLarge, UndecodableBody, decode_body
from crawler.archive.http_transaction import PriorRecord
from crawler.archive.record_serializer import hash_payload
from crawler.archive.removed_files import explain_missing_file
from crawler.archive.spooled_archive import ArchiveRoot, WarcFile, get_local_path, get_root, resolve_archive_file
from crawler.archive.warc_records import WarcRecord, read_records
from crawler.errors import ArchiveError, ObjectStorageError
from crawler.items import SnapshotRef
from crawler.pages.doubts import lacks_end
from crawler.pages.snapshot import Snapshot, find_kind

EARLIEST_TIME = datetime.min.replace(tzinfo=UTC)
MAX_REVISIT_CHAIN = 20
"""Maximum length of a chain of revisits of revisits."""
DAY_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
OFFSET_PATTERN = re.compile(r"[0-9]{1,15}")
STATUS_PATTERN = re.compile(r"[1-9][0-9]{2}")
MAX_QUOTED_CHARACTERS = 200
BODY_HEADERS = ("content-encoding", "content-length")
"""Headers that are no longer true of a decoded body."""
FRAMING_HEADERS = ("content-length", "transfer-encoding", "content-encoding")
"""Headers, one of which shows where a whole body ends."""
LENGTH_PATTERN = re.compile(r"[0-9]{1,12}")


def read_snapshots(
    path: Path, *, limit: int = MAX_BODY_BYTES, on_error: Callable[[ArchiveError], None] | None = None
) -> Iterator[Snapshot]:
    """Yield every response of a WARC file in order, with decoded bodies of at most `limit` bytes.

    A response that cannot be read (cut off, too large, payload missing) is skipped. At the end, after all whole
    responses, an ArchiveError names the first one skipped, or where the file is broken. With `on_error` nothing is
    raised: it gets each of these errors.
    """
    errors: list[ArchiveError] = []
    try:
        for archived in read_responses(path, limit=limit):
            if archived.snapshot:
                yield archived.snapshot
            elif archived.error:
                errors.append(archived.error)
    except ArchiveError as error:
        if on_error is None:
            raise
        errors.append(error)
    if on_error is not None:
        for each in errors:
            on_error(each)
    elif errors:
        more = f" {len(errors) - 1} more could not be read." if errors[1:] else ""
        raise ArchiveError(f"{errors[0]}{more}", url=errors[0].url)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedResponse:
    """A response of a WARC file with what its run needs to know of it.

    `snapshot` is None, and `error` says why, for a record that cannot be read. `came_broken`: the server's answer was
    broken, and is stored as it came; a run tried again. `time` is the record's (aware).
    `run_tag` is what `format_run_tag` wrote, None in files of other programs. `original` is the record that has the
    payload: this one, or the one that a revisit refers to.
    """

    time: datetime
    run_tag: str | None
    snapshot: Snapshot | None
    original: PriorRecord | None = None
    error: ArchiveError | None = None
    came_broken: bool = False


def read_responses(path: WarcFile, *, limit: int = MAX_BODY_BYTES) -> Iterator[ArchivedResponse]:
    """Yield every response of a WARC file in order, also those that cannot be read.

    Raise ArchiveError, after all whole records, if the file breaks off or is no WARC file.
    """
    local = get_local_path(path)
    file = f"{local.parent.name}/{local.name}"
    finder = _PayloadFinder(root=get_root(path), path=path)
    last_time = EARLIEST_TIME
    for response, request in _pair_records(path):
        # A record without a valid time is in the file behind the one before it.
        time = last_time = parse_record_date(response) or last_time
        tag = response.headers.get("crawler-run")
        try:
            snapshot = _make_snapshot(response, request, file, finder, limit)
        except ArchiveError as error:
            came_broken = isinstance(error.__cause__, UndecodableBody)
            yield ArchivedResponse(time=time, run_tag=tag, snapshot=None, error=error, came_broken=came_broken)
        else:
            original = _find_original(response, snapshot)
            yield ArchivedResponse(time=time, run_tag=tag, snapshot=snapshot, original=original)
        finder.remember_offset(response)


def _find_original(response: WarcRecord, snapshot: Snapshot) -> PriorRecord | None:
    """Return the record that has the payload of a response, None if that is unknown."""
    headers = response.headers
    if response.kind != "revisit":
        assert snapshot.ref is not None
        time, ref = snapshot.fetched_at, snapshot.ref
        if time is None:
            return None
        return PriorRecord(url=snapshot.url, date=time, digest=ref.digest, file=ref.file, offset=ref.offset)
    date = headers.get("warc-refers-to-date", "")
    if not date or "warc-payload-digest" not in headers:
        return None
    offset = headers.get("warc-refers-to-file-offset")
    return PriorRecord(
        url=headers.get("warc-refers-to-target-uri", response.url),
        date=_parse_date(date),
        digest=headers["warc-payload-digest"],
        file=headers.get("warc-refers-to-filename"),
        offset=int(offset) if offset else None,
    )


def read_snapshot_at(root: ArchiveRoot, ref: SnapshotRef, *, limit: int = MAX_BODY_BYTES) -> Snapshot:
    """Return the response at a place. Raise ArchiveError if it is missing or broken, or if another one is there."""
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
        raise ArchiveError(f"{path} holds another page at byte {ref.offset} than the one stored as {ref.digest}.")
    return snapshot


def parse_record_date(record: WarcRecord) -> datetime | None:
    """Return the time of a record (aware), or None if it has no valid one."""
    try:
        return _parse_date(record.headers.get("warc-date", ""))
    except ValueError:
        return None


def _parse_date(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


@dataclass
class _PayloadFinder:
    """Finds the record with the payload of a revisit record."""

    root: ArchiveRoot
    path: WarcFile
    offsets_by_digest: dict[str, int] = field(default_factory=dict)

    def remember_offset(self, record: WarcRecord) -> None:
        """Remember where this file has a payload."""
        digest = record.headers.get("warc-payload-digest")
        if record.kind in ("response", "resource") and digest:
            self.offsets_by_digest.setdefault(digest, record.offset)

    def find_payload_record(self, revisit: WarcRecord, steps: int = 0) -> WarcRecord | None:
        """Return the record with the payload, or None. Follow a revisit of a revisit up to MAX_REVISIT_CHAIN times."""
        digest = revisit.headers.get("warc-payload-digest", "")
        for path, offset in self._list_places(revisit):
            try:
                for record in read_records(path, offset):
                    if record.kind in ("response", "resource") and _has_payload_of(record, revisit, digest):
                        return record
                    if offset:
                        # The record at the named offset is not the original: follow it once if it is a revisit.
                        can_follow = record.kind == "revisit" and steps < MAX_REVISIT_CHAIN
                        if can_follow and (found := self.find_payload_record(record, steps + 1)):
                            return found
                        break
            except ObjectStorageError:
                raise
            except ArchiveError:
                continue  # A broken or missing file is one place less to search.
        return None

    def _list_places(self, revisit: WarcRecord) -> Iterator[tuple[WarcFile, int]]:
        name = revisit.headers.get("warc-refers-to-filename")
        offset = revisit.headers.get("warc-refers-to-file-offset", "")
        if name and OFFSET_PATTERN.fullmatch(offset):
            yield resolve_archive_file(self.root, name), int(offset)
        known = self.offsets_by_digest.get(revisit.headers.get("warc-payload-digest", ""))
        if known is not None:
            yield self.path, known
        yield self.path, 0
        day = revisit.headers.get("warc-refers-to-date", "")[:10]
        if DAY_PATTERN.fullmatch(day):
            local = get_local_path(self.path)
            yield from ((path, 0) for path in sorted(local.parent.glob(f"{day}*.warc*")) if path != local)


def _has_payload_of(record: WarcRecord, revisit: WarcRecord, digest: str) -> bool:
    if digest:
        return record.headers.get("warc-payload-digest") == digest
    is_same_url = record.url == revisit.headers.get("warc-refers-to-target-uri", revisit.url)
    return is_same_url and record.headers.get("warc-date") == revisit.headers.get("warc-refers-to-date")


def _pair_records(path: WarcFile, offset: int = 0) -> Iterator[tuple[WarcRecord, WarcRecord | None]]:
    """Yield responses with their requests. A request follows its response (ours), precedes it, or is missing."""
    response: WarcRecord | None = None
    request_before: WarcRecord | None = None
    broken: ArchiveError | None = None
    records = read_records(path, offset)
    while broken is None:
        try:
            record = next(records, None)
        except ArchiveError as error:
            record, broken = None, error
        if record is None or record.kind != "request":
            if response is not None:
                yield response, None
            response = record
            if record is None:
                break
            if request_before is not None and _is_same_transaction(request_before, record):
                yield record, request_before
                response = None
            request_before = None
        elif response is not None and _is_same_transaction(record, response):
            yield response, record
            response = None
        else:
            request_before = record
    if broken is not None:
        raise broken


def _is_same_transaction(request: WarcRecord, response: WarcRecord) -> bool:
    concurrent = request.headers.get("warc-concurrent-to"), response.headers.get("warc-concurrent-to")
    ids = response.headers.get("warc-record-id"), request.headers.get("warc-record-id")
    if any(concurrent):
        return concurrent[0] == ids[0] or concurrent[1] == ids[1]
    return request.url == response.url


def _make_snapshot(
    response: WarcRecord, request: WarcRecord | None, file: str, finder: _PayloadFinder, limit: int
) -> Snapshot:
    where = f"{finder.path}, byte {response.offset}, {response.url[:MAX_QUOTED_CHARACTERS]}"
    _raise_if_hostile(response, where)
    holder = response
    status = _parse_status(response)
    digest = response.headers.get("warc-payload-digest", "")
    is_not_modified = response.kind == "revisit" and status == 304
    if response.kind == "revisit" and not is_not_modified:
        original = finder.find_payload_record(response)
        if original is None:
            prior = response.headers.get("warc-refers-to-filename")
            if prior and (explanation := _explain_missing(finder.root, prior)):
                raise ArchiveError(f"{where}: the payload is in another file. {explanation}", is_removed=True)
            raise ArchiveError(f"{where}: the record that holds the payload is not in the archive.")
        holder = original
    payload = holder.body
    if payload is None:
        raise ArchiveError(f"{where}: the record is too large to be read.")
    if not (is_not_modified and digest.startswith("sha256:")):
        digest = hash_payload(payload)
    try:
        body = decode_body(payload, holder.http_headers.get("content-encoding", ""), limit)
    except (BodyTooLarge, UndecodableBody) as error:
        raise ArchiveError(f"{where}: the body cannot be decoded: {error}.", url=response.url) from error
    return Snapshot(
        url=response.url,
        body=body,
        status=status,
        headers={name: value for name, value in response.http_headers.items() if name not in BODY_HEADERS},
        fetched_at=parse_record_date(response),
        method=request.first_word if request else "GET",
        payload=(request.body or None) if request else None,
        ref=SnapshotRef(file=file, offset=response.offset, digest=digest),
        is_cut_off=bool(payload) and _is_cut_off(holder, payload),
    )


def _explain_missing(root: ArchiveRoot, name: str) -> str | None:
    return explain_missing_file(get_local_path(resolve_archive_file(root, name)))


def _is_cut_off(record: WarcRecord, payload: bytes) -> bool:
    """Return whether a record has only the beginning of a document, as far as is known.

    Where the body ended with the connection, only the document itself shows its end. A compressed body shows its own.
    """
    headers = record.http_headers
    length = headers.get("content-length", "")
    if record.is_truncated or (LENGTH_PATTERN.fullmatch(length) and int(length) > len(payload)):
        return True
    is_close_delimited = record.first_word == "HTTP/1.0" or headers.get("connection", "").lower() == "close"
    if not is_close_delimited or any(name in headers for name in FRAMING_HEADERS):
        return False
    return lacks_end(payload, find_kind(headers.get("content-type", ""), payload))


def _parse_status(record: WarcRecord) -> int:
    word = record.start_line.split(" ", 1)[0]
    return int(word) if STATUS_PATTERN.fullmatch(word) else 200


def _raise_if_hostile(record: WarcRecord, where: str) -> None:
    """Raise ArchiveError, which names the field, for a header that could do harm."""
    word = record.start_line.split(" ", 1)[0]
    offset = record.headers.get("warc-refers-to-file-offset", "")
    file = PurePosixPath(record.headers.get("warc-refers-to-filename", ""))
    checks = (
        ("WARC-Refers-To-Filename", str(file), file.is_absolute() or ".." in file.parts or "\0" in str(file)),
        ("the status of the response", word, word.isdecimal() and not STATUS_PATTERN.fullmatch(word)),
        ("WARC-Target-URI", record.url, not _is_web_address(record.url)),
        ("WARC-Refers-To-Date", date := record.headers.get("warc-refers-to-date", ""), date and not _is_date(date)),
        ("WARC-Refers-To-File-Offset", offset, offset and not OFFSET_PATTERN.fullmatch(offset)),
    )
    for name, value, is_hostile in checks:
        if is_hostile:
            raise ArchiveError(f"{where}: {name} is {value[:MAX_QUOTED_CHARACTERS]!r}, which is invalid.")


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return DAY_PATTERN.fullmatch(text[:10]) is not None


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url.strip("<>"))
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        return False
