"""A writer that dies, a full disk, several writers at once: the file stays readable and can be continued."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.factories import make_transaction

from crawler.archive.http_transaction import HttpTransaction
from crawler.archive.snapshot_reader import read_snapshot_at, read_snapshots
from crawler.archive.warc_writer import WarcWriter
from crawler.errors import ArchiveError

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
DAY = "demo/2026-11-22.warc.gz"

WRITING = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from crawler.archive.http_transaction import HttpTransaction
from crawler.archive.warc_writer import WarcWriter

folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
writer = WarcWriter(folder, "demo", software="test/1")
for number in range(count):
    writer.write(HttpTransaction(
        url=f"https://example.org/{name}/{number}", method="GET", request_headers=[], payload=b"", status=200,
        headers=[(b"Content-Encoding", b"none")], body=os.urandom(200_000 if count > 10_000 else 2_000),
        fetched_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    ))
    print(number, flush=True)
"""


def exchange(body: bytes, url: str = "https://example.org/x") -> HttpTransaction:
    return make_transaction(url, body, NOON)


def writing(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITING, str(folder), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_killed_writer_loses_nothing_and_the_next_one_continues(tmp_path: Path) -> None:
    with writing(tmp_path, "killed", 1_000_000) as process:
        assert process.stdout is not None
        for _ in range(20):
            last = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
    with WarcWriter(tmp_path, "demo", software="test/1") as writer:
        ref = writer.write(exchange(b"after the crash"))
    bodies = [s.body for s in read_snapshots(tmp_path / DAY)]
    assert len(bodies) >= last + 2
    assert bodies[-1] == b"after the crash"
    assert read_snapshot_at(tmp_path, ref).body == b"after the crash"


@pytest.mark.parametrize("cut", [1, 9, 40, 200])
def test_a_cut_off_record_is_an_error_to_a_reader_and_cut_away_by_the_next_writer(tmp_path: Path, cut: int) -> None:
    with WarcWriter(tmp_path, "demo", software="test/1") as writer:
        writer.write(exchange(b"first"))
        whole = (tmp_path / DAY).stat().st_size
        ref = writer.write(exchange(os.urandom(3000)))
    path = tmp_path / DAY
    os.truncate(path, int(ref.offset or 0) + cut)

    read = read_snapshots(path)
    assert next(read).body == b"first"
    with pytest.raises(ArchiveError, match=f"{path} is broken at byte {whole} of "):
        list(read)

    with WarcWriter(tmp_path, "demo", software="test/1") as writer:
        writer.write(exchange(b"second"))
    assert [s.body for s in read_snapshots(path)] == [b"first", b"second"]


def test_a_writer_at_work_cuts_away_what_another_left_behind(tmp_path: Path) -> None:
    with WarcWriter(tmp_path, "demo", software="test/1") as writer:
        writer.write(exchange(b"first"))
        with (tmp_path / DAY).open("ab") as file:
            file.write((tmp_path / DAY).read_bytes()[:60])
        writer.write(exchange(b"second"))
    assert [s.body for s in read_snapshots(tmp_path / DAY)] == [b"first", b"second"]


def test_a_damaged_file_stays_and_the_day_continues_in_another(tmp_path: Path) -> None:
    with WarcWriter(tmp_path, "demo", software="test/1") as writer:
        ref = writer.write(exchange(os.urandom(5000)))
        writer.write(exchange(b"behind the damage"))
    path = tmp_path / DAY
    damaged = bytearray(path.read_bytes())
    middle = int(ref.offset or 0) + 2500
    damaged[middle] ^= 0xFF
    path.write_bytes(damaged)

    with WarcWriter(tmp_path, "demo", software="test/1") as writer:
        new = writer.write(exchange(b"new"))
    assert path.read_bytes() == damaged
    assert new.file == "demo/2026-11-22-2.warc.gz"
    assert read_snapshot_at(tmp_path, new).body == b"new"
    with pytest.raises(ArchiveError, match="broken at byte"):
        list(read_snapshots(path))


def test_several_processes_share_a_file_without_harm(tmp_path: Path) -> None:
    processes = [writing(tmp_path, name, 60) for name in ("a", "b", "c")]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    urls = sorted(s.url for s in read_snapshots(tmp_path / DAY))
    assert urls == sorted(f"https://example.org/{name}/{n}" for name in "abc" for n in range(60))


def test_a_full_disk_is_one_sentence_and_leaves_nothing_by_halves(tmp_path: Path) -> None:
    writer = WarcWriter(tmp_path, "demo", software="test/1")
    writer.write(exchange(b"first"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(ArchiveError, match=r"2026-11-22\.warc\.gz cannot be written: file too large\. Free space"):
            writer.write(exchange(os.urandom(100_000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    writer.write(exchange(b"second"))
    writer.close()
    assert [s.body for s in read_snapshots(tmp_path / DAY)] == [b"first", b"second"]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("a file where the folder should be")
    with pytest.raises(ArchiveError, match="cannot be written: not a directory"):
        WarcWriter(tmp_path / "archive", "demo", software="test/1")


def test_a_file_deleted_while_in_use_is_an_error_not_a_loss(tmp_path: Path) -> None:
    writer = WarcWriter(tmp_path, "demo", software="test/1")
    writer.write(exchange(b"first"))
    (tmp_path / DAY).unlink()
    with pytest.raises(ArchiveError, match="deleted while in use"):
        writer.write(exchange(b"second"))
    writer.close()
