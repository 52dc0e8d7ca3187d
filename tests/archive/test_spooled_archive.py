"""Records and lists of an archive whose files are no longer on this machine. The storage is a folder."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.factories import make_transaction

from crawler.archive.http_transaction import HttpTransaction, PriorRecord
from crawler.archive.inventory import ArchiveFile, FileDamage, find_damaged_files, list_archive, list_files_by_source
from crawler.archive.object_storage import READ_AHEAD_BYTES, ObjectStorage
from crawler.archive.record_copy import copy_transaction, find_robots_before, find_software
from crawler.archive.snapshot_reader import read_responses, read_snapshot_at
from crawler.archive.spooled_archive import SpooledArchive, open_archive
from crawler.archive.uploads import upload_closed_files
from crawler.archive.warc_writer import WarcWriter
from crawler.config import ObjectsConfig
from crawler.errors import ArchiveError, ObjectStorageError
from crawler.items import SnapshotRef

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def fetched(path: str, body: bytes, minutes: int = 0, prior: PriorRecord | None = None) -> HttpTransaction:
    return make_transaction(
        f"https://site.example{path}",
        body,
        NOON + timedelta(minutes=minutes),
        prior,
        request_headers=[(b"Accept", b"text/html")],
    )


def write(folder: Path, *transactions: HttpTransaction) -> list[SnapshotRef]:
    with WarcWriter(folder, "demo", software="demo/1.0", has_own_files=True) as writer:
        return [writer.write(each) for each in transactions]


@pytest.fixture
def refs(tmp_path: Path) -> list[SnapshotRef]:
    """A page of one run, a large answer and a robots.txt of the next, and a revisit there of the page."""
    folder = tmp_path / "archive"
    (first,) = write(folder, fetched("/a", b"<p>text</p>"))
    prior = PriorRecord(
        url="https://site.example/a", date=NOON, digest=first.digest, file=first.file, offset=first.offset
    )
    again = [
        fetched("/robots.txt", b"User-agent: *\nAllow: /\n", 5),
        fetched("/large", os.urandom(2_000_000), 6),
        fetched("/a", b"<p>text</p>", 7, prior),
    ]
    return [first, *write(folder, *again)]


@pytest.fixture
def archive(tmp_path: Path, refs: list[SnapshotRef]) -> SpooledArchive:
    """The archive as a machine without the files sees it."""
    config = ObjectsConfig(address=f"file://{tmp_path}/bucket")
    assert upload_closed_files(tmp_path / "archive", ObjectStorage(config), NOON).uploaded == 2
    found = open_archive(tmp_path / "elsewhere", config)
    assert isinstance(found, SpooledArchive)
    return found


def test_records_are_the_same_without_the_folder(
    archive: SpooledArchive, refs: list[SnapshotRef], tmp_path: Path
) -> None:
    here = tmp_path / "archive"
    for ref in refs:
        assert read_snapshot_at(archive, ref) == read_snapshot_at(here, ref)
    file, offset = refs[-1].file, refs[-1].offset
    assert file
    assert offset
    copied = copy_transaction(archive, file, offset)
    assert copied == copy_transaction(here, file, offset)
    assert [each.record.kind for each in copied] == ["revisit", "request", "response", "request"]
    assert find_robots_before(archive, refs[-1]) == replace(refs[1], digest=refs[1].digest)
    assert find_software(archive, file) == "demo/1.0"
    files = list_files_by_source(archive)["demo"]
    times = [each.time for file in files for each in read_responses(file)]
    assert times == [NOON + timedelta(minutes=minutes) for minutes in (0, 5, 6, 7)]


def test_record_is_read_by_range(
    archive: SpooledArchive, refs: list[SnapshotRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges: list[int] = []
    read_range = archive.storage.read_range

    def count_bytes(name: str, start: int, end: int) -> bytes:
        ranges.append(end - start)
        return read_range(name, start, end)

    monkeypatch.setattr(archive.storage, "read_range", count_bytes)
    assert read_snapshot_at(archive, refs[1]).body == b"User-agent: *\nAllow: /\n"
    assert 1 <= len(ranges) <= 3
    assert sum(ranges) <= 3 * READ_AHEAD_BYTES


def test_file_in_the_folder_is_read_there(archive: SpooledArchive, refs: list[SnapshotRef], tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "bucket")
    here = SpooledArchive(tmp_path / "archive", archive.storage)
    assert read_snapshot_at(here, refs[0]).body == b"<p>text</p>"


def test_missing_file_and_missing_storage_are_two_errors(
    archive: SpooledArchive, refs: list[SnapshotRef], tmp_path: Path
) -> None:
    with pytest.raises(ArchiveError, match=r"demo/none\.warc\.gz is neither in .*elsewhere nor in file://") as missing:
        read_snapshot_at(archive, replace(refs[0], file="demo/none.warc.gz"))
    assert not isinstance(missing.value, ObjectStorageError)
    with pytest.raises(ArchiveError, match="no file of the archive"):
        read_snapshot_at(archive, replace(refs[0], file="../secret.warc.gz"))
    shutil.rmtree(tmp_path / "bucket")
    (tmp_path / "bucket").write_bytes(b"a file where the folder should be")
    down = open_archive(tmp_path / "elsewhere", ObjectsConfig(address=archive.storage.address))
    for ref in (refs[0], refs[-1]):
        with pytest.raises(ObjectStorageError, match="cannot be used"):
            read_snapshot_at(down, ref)


def test_list_for_a_backup_has_the_objects_too(archive: SpooledArchive, tmp_path: Path) -> None:
    listed = list_archive(archive)
    assert listed == list_archive(tmp_path / "archive")
    assert list(find_damaged_files(archive, listed)) == []
    bucket = tmp_path / "bucket"
    (bucket / f"{listed[0].name}.sha256").unlink()
    assert list_archive(archive) == listed
    (bucket / listed[0].name).write_bytes(b"x" * listed[0].size)
    (bucket / listed[1].name).write_bytes(b"x")
    gone = ArchiveFile("demo/2026-01-01.warc.gz", 1, "0" * 64)
    damaged = [how for _, how in find_damaged_files(archive, [*listed, gone])]
    assert damaged == [FileDamage.DIFFERENT, FileDamage.SHORTER, FileDamage.MISSING]
