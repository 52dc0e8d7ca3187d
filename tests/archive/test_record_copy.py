"""Records copied out of the archive, byte for byte."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.factories import make_transaction

from crawler.archive.http_transaction import HttpTransaction, PriorRecord
from crawler.archive.record_copy import (
    copy_transaction,
    find_record_places,
    find_robots_before,
    find_software,
    format_record_place,
    read_gzip_member,
)
from crawler.archive.warc_writer import WarcWriter
from crawler.errors import ArchiveError
from crawler.items import SnapshotRef

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def fetched(path: str, body: bytes, minutes: int = 0, earlier: PriorRecord | None = None) -> HttpTransaction:
    return make_transaction(
        f"https://site.example{path}",
        body,
        NOON + timedelta(minutes=minutes),
        earlier,
        request_headers=[(b"Accept", b"text/html")],
    )


def write(folder: Path, *exchanges: HttpTransaction) -> list[SnapshotRef]:
    with WarcWriter(folder, "demo", software="demo/1.0") as writer:
        return [writer.write(one) for one in exchanges]


def test_a_revisit_comes_with_its_original(tmp_path: Path) -> None:
    (first,) = write(tmp_path, fetched("/a", b"<p>text</p>"))
    earlier = PriorRecord(
        url="https://site.example/a", date=NOON, digest=first.digest, file=first.file, offset=first.offset
    )
    (again,) = write(tmp_path, fetched("/a", b"<p>text</p>", 5, earlier))
    assert again.file is not None
    assert again.offset is not None
    found = copy_transaction(tmp_path, again.file, again.offset)
    assert [copied.record.kind for copied in found] == ["revisit", "request", "response", "request"]
    assert found[2].record.body == b"<p>text</p>"
    stored = (tmp_path / again.file).read_bytes()
    assert stored.endswith(found[0].data + found[1].data)
    assert found[2].key == (first.file, first.offset)


def test_the_last_robots_of_the_same_host_before_a_record(tmp_path: Path) -> None:
    other = fetched("/robots.txt", b"no")
    refs = write(
        tmp_path,
        fetched("/robots.txt", b"first"),
        fetched("/robots.txt", b"second", 1),
        fetched("/a", b"page", 2),
        fetched("/robots.txt", b"third", 3),
    )
    found = find_robots_before(tmp_path, refs[2])
    assert found is not None
    assert (found.offset, found.digest) == (refs[1].offset, refs[1].digest)
    assert find_robots_before(tmp_path, refs[0]) is None
    assert other.url.endswith("/robots.txt")


def test_the_writing_program_is_named(tmp_path: Path) -> None:
    (ref,) = write(tmp_path, fetched("/a", b"page"))
    assert ref.file is not None
    assert find_software(tmp_path, ref.file) == "demo/1.0"
    assert find_software(tmp_path, "demo/none.warc.gz") is None


def test_what_cannot_be_copied_is_an_error(tmp_path: Path) -> None:
    (ref,) = write(tmp_path, fetched("/a", b"page"))
    assert ref.file is not None
    path = tmp_path / ref.file
    with pytest.raises(ArchiveError, match="cannot be copied"):
        read_gzip_member(path, 3)
    with pytest.raises(ArchiveError, match="breaks off"):
        read_gzip_member(path, path.stat().st_size)
    with pytest.raises(ArchiveError, match="no file of the archive"):
        copy_transaction(tmp_path, "../secret.warc.gz", 0)
    assert zlib.decompress(read_gzip_member(path, 0), 31).startswith(b"WARC/1.1")


def test_places_of_records_are_found_in_a_note() -> None:
    refs = [SnapshotRef(file=f"mfa/2026-03-0{day}.warc.gz", offset=day * 40, digest="") for day in (6, 7)]
    note = f"HTTP 404 {format_record_place(refs[0])} on 6 March, HTTP 410 {format_record_place(refs[1])} on 7 March"
    assert find_record_places(note) == [(ref.file, ref.offset) for ref in refs]
    assert find_record_places("HTTP 404 (mfa/2026-03-06.warc.gz at byte 240)") == [("mfa/2026-03-06.warc.gz", 240)]
    assert find_record_places("HTTP 404") == []
