"""Whatever is written comes back byte for byte, by our reader and by plain warcio."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from crawler.archive.http_transaction import HttpTransaction, PriorRecord
from crawler.archive.snapshot_reader import read_snapshot_at, read_snapshots
from crawler.archive.warc_writer import WarcWriter
from crawler.items import SnapshotRef

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
URL = "https://example.org/news/1/a?b=c"

names = st.from_regex(r"\A[A-Za-z][A-Za-z0-9-]{0,20}\Z").map(str.encode)
values = st.binary(max_size=60).filter(lambda v: not set(v) & {0, 10, 13}).map(bytes.strip)
plain_headers = st.lists(st.tuples(names, values), max_size=8).map(
    lambda pairs: [(n, v) for n, v in pairs if n.lower() not in (b"content-encoding", b"transfer-encoding")]
)


def exchange(body: bytes = b"<p>hello</p>", **changes: object) -> HttpTransaction:
    given = {
        "url": URL,
        "method": "GET",
        "request_headers": [(b"User-Agent", b"test")],
        "payload": b"",
        "status": 200,
        "headers": [(b"Content-Type", b"text/html")],
        "body": body,
        "fetched_at": NOON,
    }
    return HttpTransaction(**{**given, **changes})  # type: ignore[arg-type]


def write(folder: Path, *exchanges: HttpTransaction) -> list[SnapshotRef]:
    with WarcWriter(folder, "demo", software="test/1") as writer:
        return [writer.write(each) for each in exchanges]


def test_a_file_is_named_by_source_and_day_in_utc(tmp_path: Path) -> None:
    late = NOON.replace(hour=1).astimezone(tz=None).astimezone() - timedelta(hours=2)
    (ref,) = write(tmp_path, exchange(fetched_at=late))
    assert ref.file == "demo/2026-11-21.warc.gz"
    assert (tmp_path / ref.file).is_file()


def test_a_file_opens_with_who_wrote_it_and_for_which_source(tmp_path: Path) -> None:
    (ref,) = write(tmp_path, exchange())
    with (tmp_path / str(ref.file)).open("rb") as file:
        first = next(iter(ArchiveIterator(file)))
        assert first.rec_type == "warcinfo"
        assert first.rec_headers.protocol == "WARC/1.1"
        assert b"source: demo" in first.content_stream().read()


@given(st.lists(st.tuples(st.binary(max_size=3000), plain_headers, st.binary(max_size=200)), min_size=1, max_size=4))
@pytest.mark.slow
def test_any_body_comes_back_byte_for_byte(pages: list[tuple[bytes, list[tuple[bytes, bytes]], bytes]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        sent = [
            exchange(body, headers=headers, payload=payload, method="POST" if payload else "GET")
            for body, headers, payload in pages
        ]
        refs = write(Path(name), *sent)
        path = Path(name) / str(refs[0].file)

        snapshots = list(read_snapshots(path))
        assert [s.body for s in snapshots] == [e.body for e in sent]
        assert [s.payload or b"" for s in snapshots] == [e.payload for e in sent]
        assert [s.method for s in snapshots] == [e.method for e in sent]
        assert [s.ref for s in snapshots] == refs
        assert [read_snapshot_at(Path(name), ref).body for ref in refs] == [e.body for e in sent]

        with path.open("rb") as file:
            kept = [r for r in ArchiveIterator(file) if r.rec_type == "response" and _remember(r)]
        assert [r.kept for r in kept] == [e.body for e in sent]
        for record, each in zip(kept, sent, strict=True):
            assert [n.encode() for n, _ in record.http_headers.headers] == [n for n, _ in each.headers]
        _warcio_check(path)


def _remember(record: object) -> bool:
    record.kept = record.raw_stream.read()  # type: ignore[attr-defined]
    return True


def _warcio_check(path: Path) -> None:
    from warcio.checker import Checker

    class Given:
        inputs = (str(path),)
        verbose = False

    assert Checker(Given).process_all() == 0


def test_the_command_warcio_check_finds_every_digest_right(tmp_path: Path) -> None:
    (ref, _) = write(tmp_path, exchange(), exchange(b"", status=204))
    path = tmp_path / str(ref.file)
    check = [sys.executable, "-m", "warcio.cli", "check", "-v", str(path)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "digest pass" in done.stdout
    assert "fail" not in done.stdout


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"text" * 500, mtime=0)),
        ("br", brotli.compress(b"text" * 500)),
        ("zstd", zstd.compress(b"text" * 500)),
        ("gzip, br", brotli.compress(gzip.compress(b"text" * 500, mtime=0))),
    ],
)
def test_a_compressed_body_is_kept_as_received_and_read_decoded(tmp_path: Path, encoding: str, packed: bytes) -> None:
    (ref,) = write(tmp_path, exchange(packed, headers=[(b"Content-Encoding", encoding.encode())]))
    assert ref.digest == "sha256:" + hashlib.sha256(packed).hexdigest()
    assert read_snapshot_at(tmp_path, ref).body == b"text" * 500
    with (tmp_path / str(ref.file)).open("rb") as file:
        kept = [r.raw_stream.read() for r in ArchiveIterator(file) if r.rec_type == "response"]
    assert kept == [packed]


def test_a_chunked_body_is_stored_whole_with_its_length(tmp_path: Path) -> None:
    chunked = exchange(b"all of it", headers=[(b"Transfer-Encoding", b"chunked"), (b"X-Other", b"1")])
    (ref,) = write(tmp_path, chunked)
    with (tmp_path / str(ref.file)).open("rb") as file:
        (record,) = [r for r in ArchiveIterator(file) if r.rec_type == "response" and _remember(r)]
    assert record.kept == b"all of it"
    assert record.http_headers.headers == [("X-Other", "1"), ("Content-Length", "9")]


def test_a_request_is_kept_without_its_secrets(tmp_path: Path) -> None:
    headers = [(b"Authorization", b"Basic c2VjcmV0"), (b"Cookie", b"secret=1"), (b"Accept", b"*/*")]
    (ref,) = write(tmp_path, exchange(request_headers=headers))
    text = gzip.decompress((tmp_path / str(ref.file)).read_bytes())
    assert b"Accept: */*" in text
    assert b"Host: example.org" in text
    assert b"ecret" not in text


def test_a_page_that_came_again_unchanged_is_a_revisit_and_reads_the_same(tmp_path: Path) -> None:
    page = gzip.compress(b"the page")
    headers = [(b"Content-Encoding", b"gzip")]
    (first,) = write(tmp_path, exchange(page, headers=headers))
    prior = PriorRecord(url=URL, date=NOON, digest=first.digest, file=first.file, offset=first.offset)
    next_day = NOON + timedelta(days=1)
    (again,) = write(tmp_path, exchange(page, headers=headers, fetched_at=next_day, prior_record=prior))

    assert again.file == "demo/2026-11-23.warc.gz"
    assert again.digest == first.digest
    with (tmp_path / str(again.file)).open("rb") as file:
        (record,) = [r for r in ArchiveIterator(file) if r.rec_type == "revisit"]
    assert record.rec_headers.get("WARC-Profile").endswith("/identical-payload-digest")
    assert record.rec_headers.get("WARC-Refers-To-Target-URI") == URL
    assert record.rec_headers.get("WARC-Refers-To-Date") == "2026-11-22T12:00:00Z"
    assert read_snapshot_at(tmp_path, again).body == b"the page"
    assert read_snapshot_at(tmp_path, again).fetched_at == next_day
    assert [s.body for s in read_snapshots(tmp_path / str(again.file))] == [b"the page"]
    _warcio_check(tmp_path / str(again.file))


def test_a_revisit_is_resolved_without_the_hint_to_file_and_offset(tmp_path: Path) -> None:
    (first,) = write(tmp_path, exchange(b"the page"))
    prior = PriorRecord(url=URL, date=NOON, digest=first.digest)
    refs = write(
        tmp_path,
        exchange(b"the page", fetched_at=NOON + timedelta(days=1), prior_record=prior),
        exchange(b"the page", fetched_at=NOON + timedelta(minutes=1), prior_record=prior),
    )
    assert [read_snapshot_at(tmp_path, ref).body for ref in refs] == [b"the page", b"the page"]


def test_a_revisit_of_a_revisit_still_leads_to_the_page(tmp_path: Path) -> None:
    (ref,) = write(tmp_path, exchange(b"the page"))
    for days in (1, 2, 3):
        before = NOON + timedelta(days=days - 1)
        prior = PriorRecord(url=URL, date=before, digest=ref.digest, file=ref.file, offset=ref.offset)
        (ref,) = write(tmp_path, exchange(b"the page", fetched_at=NOON + timedelta(days=days), prior_record=prior))
    assert ref.file == "demo/2026-11-25.warc.gz"
    assert read_snapshot_at(tmp_path, ref).body == b"the page"


def test_a_changed_page_is_written_in_full_though_an_earlier_record_is_known(tmp_path: Path) -> None:
    prior = PriorRecord(url=URL, date=NOON, digest="sha256:" + "0" * 64, file="demo/x.warc.gz", offset=5)
    (ref,) = write(tmp_path, exchange(b"other", prior_record=prior))
    assert read_snapshot_at(tmp_path, ref).body == b"other"


def test_not_modified_is_a_revisit_that_stays_a_304(tmp_path: Path) -> None:
    (first,) = write(tmp_path, exchange(b"the page"))
    prior = PriorRecord(url=URL, date=NOON, digest=first.digest, file=first.file, offset=first.offset)
    (ref,) = write(tmp_path, exchange(b"", status=304, prior_record=prior))
    with (tmp_path / str(ref.file)).open("rb") as file:
        (record,) = [r for r in ArchiveIterator(file) if r.rec_type == "revisit"]
    assert record.rec_headers.get("WARC-Profile").endswith("/server-not-modified")
    snapshot = list(read_snapshots(tmp_path / str(ref.file)))[1]
    assert (snapshot.status, snapshot.body) == (304, b"")


@pytest.mark.parametrize("length", [0, 100])
def test_file_that_got_shorter_is_left_and_a_new_one_begins(tmp_path: Path, length: int) -> None:
    with WarcWriter(tmp_path, "demo", software="test/1") as writer:
        first = writer.write(exchange())
        path = tmp_path / str(first.file)
        with path.open("r+b") as file:
            file.truncate(length)
        later = [writer.write(exchange(body=body)) for body in (b"second", b"third")]
    assert path.stat().st_size == length
    assert {ref.file for ref in later} == {"demo/2026-11-22-2.warc.gz"}
    assert [read_snapshot_at(tmp_path, ref).body for ref in later] == [b"second", b"third"]
