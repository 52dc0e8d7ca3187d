"""Closed WARC files go to object storage, once and whole; nothing is lost while it fails. The storage is a folder."""

from __future__ import annotations

import gzip
import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.factories import make_transaction

from crawler.archive.http_transaction import HttpTransaction
from crawler.archive.inventory import list_spooled_files
from crawler.archive.object_storage import ObjectStorage
from crawler.archive.snapshot_reader import read_snapshots
from crawler.archive.uploads import find_waiting_files, upload_closed_files
from crawler.archive.warc_writer import WarcWriter
from crawler.config import ObjectsConfig

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def fetched(body: bytes) -> HttpTransaction:
    return make_transaction("https://site.example/a", body, NOON)


def write(folder: Path, *bodies: bytes, source: str = "demo", own: bool = True) -> Path:
    with WarcWriter(folder, source, software="demo/1.0", has_own_files=own) as writer:
        name = [writer.write(fetched(body)).file for body in bodies][-1]
    assert name
    return folder / name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    return tmp_path / "bucket"


@pytest.fixture
def storage(bucket: Path) -> ObjectStorage:
    return ObjectStorage(ObjectsConfig(address=f"file://{bucket}"))


def test_closed_file_is_uploaded_once_with_its_digest(folder: Path, bucket: Path, storage: ObjectStorage) -> None:
    path = write(folder, b"page")
    report = upload_closed_files(folder, storage, NOON)
    assert (report.uploaded, report.uploaded_bytes, report.problem) == (1, path.stat().st_size, None)
    copy = bucket / "demo" / path.name
    assert copy.read_bytes() == path.read_bytes()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (bucket / "demo" / f"{path.name}.sha256").read_text() == f"{digest}  {path.name}\n"
    assert upload_closed_files(folder, storage, NOON).uploaded == 0
    assert find_waiting_files(folder, storage.address, NOON) is None
    assert list_spooled_files(folder) == [path]


def test_file_of_a_living_writer_stays_until_it_is_closed(folder: Path, storage: ObjectStorage) -> None:
    with WarcWriter(folder, "demo", software="demo/1.0", has_own_files=True) as writer:
        for body in (b"one", b"two"):
            writer.write(fetched(body))
            assert upload_closed_files(folder, storage, NOON).uploaded == 0
        assert find_waiting_files(folder, storage.address, NOON) is None
    assert upload_closed_files(folder, storage, NOON).uploaded == 1


def test_two_writers_of_a_day_have_two_files(folder: Path) -> None:
    assert write(folder, b"one") != write(folder, b"two")
    assert len(list_spooled_files(folder)) == 2


def test_cut_off_record_of_a_killed_writer_is_not_uploaded(folder: Path, bucket: Path, storage: ObjectStorage) -> None:
    path = write(folder, b"page")
    whole = path.read_bytes()
    path.write_bytes(whole + gzip.compress(b"WARC/1.1 cut off")[:-5])
    assert upload_closed_files(folder, storage, NOON).uploaded == 1
    assert (bucket / "demo" / path.name).read_bytes() == path.read_bytes() == whole
    assert [page.body for page in read_snapshots(bucket / "demo" / path.name)] == [b"page"]


def write_in_conflict(folder: Path, bucket: Path) -> tuple[Path, Path]:
    """Return a closed file, and the object under its name that another machine has written."""
    path = write(folder, b"page")
    other = bucket / "demo" / path.name
    other.parent.mkdir(parents=True)
    other.write_bytes(b"of another machine")
    return path, other


def test_another_object_of_the_name_is_never_overwritten(
    folder: Path, bucket: Path, storage: ObjectStorage, caplog: pytest.LogCaptureFixture
) -> None:
    path, other = write_in_conflict(folder, bucket)
    report = upload_closed_files(folder, storage, NOON, keep_days=0)
    assert (report.uploaded, report.conflicts) == (0, [f"demo/{path.name}"])
    assert "is another file than" in caplog.text
    upload_closed_files(folder, storage, NOON + timedelta(days=9), keep_days=0)
    assert other.read_bytes() == b"of another machine"
    assert path.exists()


def test_file_in_conflict_is_not_sent_again(
    folder: Path, bucket: Path, storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = write_in_conflict(folder, bucket)
    sent: list[str] = []
    monkeypatch.setattr(storage, "put_if_absent", lambda name, data: sent.append(name))
    monkeypatch.setattr(storage, "read_range", lambda *place: sent.append("read") or b"")
    report = upload_closed_files(folder, storage, NOON)
    assert (report.conflicts, sent) == ([f"demo/{path.name}"], [])


def test_upload_that_was_cut_off_behind_the_object_is_finished(
    folder: Path, bucket: Path, storage: ObjectStorage
) -> None:
    path = write(folder, b"page")
    storage.put_if_absent(f"demo/{path.name}", path.read_bytes())
    assert upload_closed_files(folder, storage, NOON).uploaded == 1
    assert (bucket / "demo" / f"{path.name}.sha256").exists()


def test_uploaded_file_is_removed_when_it_is_old_enough(folder: Path, storage: ObjectStorage) -> None:
    path = write(folder, b"page")
    upload_closed_files(folder, storage, NOON)
    now = datetime.now(UTC)  # a file's own time decides
    assert upload_closed_files(folder, storage, now + timedelta(days=2), keep_days=3).removed == 0
    assert upload_closed_files(folder, storage, now + timedelta(days=900)).removed == 0
    assert upload_closed_files(folder, storage, now + timedelta(days=4), keep_days=3).removed == 1
    assert list(path.parent.iterdir()) == []


def test_file_whose_object_is_gone_is_kept_and_uploaded_again(
    folder: Path, bucket: Path, storage: ObjectStorage
) -> None:
    path = write(folder, b"page")
    upload_closed_files(folder, storage, NOON)
    (bucket / "demo" / path.name).unlink()
    later = datetime.now(UTC) + timedelta(days=1)
    assert upload_closed_files(folder, storage, later, keep_days=0).removed == 0
    assert upload_closed_files(folder, storage, later, keep_days=0).uploaded == 1
    assert (bucket / "demo" / path.name).read_bytes() == path.read_bytes()


def test_with_another_address_all_files_wait_again(folder: Path, storage: ObjectStorage, tmp_path: Path) -> None:
    path = write(folder, b"page")
    upload_closed_files(folder, storage, NOON)
    other = ObjectStorage(ObjectsConfig(address=f"file://{tmp_path}/other"))
    waiting = find_waiting_files(folder, other.address, NOON)
    assert waiting is not None
    assert (waiting.count, waiting.size) == (1, path.stat().st_size)
    report = upload_closed_files(folder, other, datetime.now(UTC) + timedelta(days=9), keep_days=0)
    assert (report.uploaded, report.removed) == (1, 0)


def test_storage_that_fails_loses_nothing(folder: Path, bucket: Path, storage: ObjectStorage) -> None:
    paths = [write(folder, b"one", source="b"), write(folder, b"two", source="a")]
    bucket.write_bytes(b"a file where the folder should be")
    report = upload_closed_files(folder, storage, NOON)
    assert report.uploaded == 0
    assert report.problem is not None
    assert str(report.problem).startswith(f"file://{bucket} cannot be used: ")
    waiting = find_waiting_files(folder, storage.address, NOON)
    assert str(waiting) == "2 WARC files (2 kB) wait to be uploaded"
    assert find_waiting_files(folder, storage.address, NOON, "none") is None
    bucket.unlink()
    retried = upload_closed_files(folder, ObjectStorage(ObjectsConfig(address=storage.address)), NOON)
    assert retried.uploaded == 2
    assert all(path.exists() for path in paths)


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_REGION"])
def test_variable_with_a_line_break_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for each in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(each, "example")
    monkeypatch.setenv(name, "exam-ple\n")
    write(folder, b"page")
    storage = ObjectStorage(ObjectsConfig(address="s3://news-archive", endpoint="http://127.0.0.1:9"))
    problem = upload_closed_files(folder, storage, NOON).problem
    assert str(problem) == (
        f"s3://news-archive cannot be used: {name} has a line break or another control character. Write it again "
        "without."
    )


def test_file_of_a_day_waits_until_the_day_is_over(folder: Path, storage: ObjectStorage) -> None:
    path = write(folder, b"page", own=False)
    assert path.name == "2026-03-06.warc.gz"
    midnight = datetime(2026, 3, 7, tzinfo=UTC)
    for now, count in ((NOON, 0), (midnight + timedelta(minutes=59), 0), (midnight + timedelta(minutes=61), 1)):
        assert upload_closed_files(folder, storage, now).uploaded == count


def test_own_source_comes_first_and_large_files_wait(folder: Path, bucket: Path, storage: ObjectStorage) -> None:
    small = {name: write(folder, b"page", source=name) for name in ("a", "b", "c")}
    large = write(folder, os.urandom(50_000), source="b")
    seen: list[int] = []

    def stop_after_two() -> bool:
        seen.append(len(seen))
        return len(seen) > 2

    upload_closed_files(folder, storage, NOON, first_source="b", max_bytes=20_000, should_stop=stop_after_two)
    found = {file.parent.name: file.name for file in bucket.rglob("*.warc.gz")}
    assert found == {"b": small["b"].name}
    upload_closed_files(folder, storage, NOON, max_bytes=20_000)
    assert len(list(bucket.rglob("*.warc.gz"))) == 3
    upload_closed_files(folder, storage, NOON)
    assert (bucket / "b" / large.name).exists()
