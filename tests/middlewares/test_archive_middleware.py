"""Real crawls of a loopback site: every response is archived as it was received."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from random import Random
from typing import Any

import pytest

from crawler.archive.snapshot_reader import read_snapshot_at, read_snapshots
from crawler.items import SnapshotRef

PAGE = b"<html><p>A page that is long enough to be worth packing.</p></html>" * 20
PACKED = gzip.compress(PAGE)


def kept(folder: Path) -> list[Any]:
    return [snapshot for path in sorted(folder.rglob("*.warc.gz")) for snapshot in read_snapshots(path)]


def test_a_page_is_kept_as_received_with_its_request(site: Any, crawl: Any, tmp_path: Path) -> None:
    site.pages["/page"] = site.answer(PACKED, Content_Encoding="gzip", X_Own="yes")
    ran = crawl(
        {"url": site.url("/page"), "method": "POST", "body": '{"query": 1}', "headers": {"Authorization": "secret"}},
        CRAWLER_ARCHIVE_DIR=str(tmp_path / "archive"),
    )
    assert ran.only["size"] == len(PAGE)
    file, offset, digest = ran.only["record"]
    assert digest == "sha256:" + hashlib.sha256(PACKED).hexdigest()
    snapshot = read_snapshot_at(tmp_path / "archive", SnapshotRef(file=file, offset=offset, digest=digest))
    assert (snapshot.url, snapshot.status, snapshot.body) == (site.url("/page"), 200, PAGE)
    assert (snapshot.method, snapshot.payload) == ("POST", b'{"query": 1}')
    assert snapshot.headers["x-own"] == "yes"
    assert str(snapshot.fetched_at) == ran.only["fetched_at"]
    raw = gzip.decompress((tmp_path / "archive" / file).read_bytes())
    assert PACKED in raw
    assert b"User-Agent: probe/1.0" in raw
    assert b"secret" not in raw


def test_a_status_that_is_none_of_http_is_reported_and_not_kept(site: Any, crawl: Any, tmp_path: Path) -> None:
    statuses = ("000", "-1", "12345")
    for number, status in enumerate(statuses):
        site.pages[f"/{number}"] = f"HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    site.pages["/page"] = site.answer(PAGE)
    urls = [site.url(f"/{number}") for number in range(len(statuses))]
    ran = crawl(*urls, site.url("/page"), CRAWLER_ARCHIVE_DIR=str(tmp_path), RETRY_TIMES=0)
    assert [page.get("error") for page in ran.pages] == ["Unreachable"] * len(statuses) + [None]
    assert [snapshot.body for snapshot in kept(tmp_path)] == [PAGE]


def test_a_body_sent_in_chunks_is_kept_whole(site: Any, crawl: Any, tmp_path: Path) -> None:
    site.pages["/page"] = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b"5\r\n<p>a \r\n7\r\npage</p\r\n1\r\n>\r\n0\r\n\r\n"
    )
    crawl(site.url("/page"), CRAWLER_ARCHIVE_DIR=str(tmp_path))
    (snapshot,) = kept(tmp_path)
    assert snapshot.body == b"<p>a page</p>"
    assert "transfer-encoding" not in snapshot.headers


def test_redirects_failed_tries_and_robots_are_kept_too(site: Any, crawl: Any, tmp_path: Path) -> None:
    site.pages["/robots.txt"] = site.answer(b"User-agent: *\nAllow: /\n", Content_Type="text/plain")
    site.pages["/old"] = site.answer(b"", 302, Location="/new")
    site.pages["/new"] = [site.answer(b"busy", 503), site.answer(b"here")]
    ran = crawl(site.url("/old"), CRAWLER_ARCHIVE_DIR=str(tmp_path), ROBOTSTXT_OBEY=True)
    snapshots = kept(tmp_path)
    seen = [(snapshot.url.rpartition("/")[2], snapshot.status) for snapshot in snapshots]
    assert seen == [("robots.txt", 200), ("old", 302), ("new", 503), ("new", 200)]
    assert ran.only["record"] == [snapshots[3].ref.file, snapshots[3].ref.offset, snapshots[3].ref.digest]


def test_a_page_known_from_an_earlier_run_becomes_a_revisit(site: Any, crawl: Any, tmp_path: Path) -> None:
    site.pages["/page"] = site.answer(PAGE)
    first = crawl(site.url("/page"), CRAWLER_ARCHIVE_DIR=str(tmp_path)).only
    file, offset, digest = first["record"]
    memory = {
        "url": site.url("/page"),
        "digest": digest,
        "record_file": file,
        "record_offset": offset,
        "record_date": first["fetched_at"],
    }
    asked = {"url": site.url("/page"), "meta": {"cache_entry": memory}}
    again = crawl(asked, CRAWLER_ARCHIVE_DIR=str(tmp_path)).only
    assert again["record"][1] > offset
    assert again["record"][2] == digest
    assert first["original"] == again["original"] == first["record"]
    assert [snapshot.body for snapshot in kept(tmp_path)] == [PAGE, PAGE]
    raw = gzip.decompress((tmp_path / file).read_bytes())
    assert raw.count(PAGE) == 1
    assert f"WARC-Refers-To-File-Offset: {offset}".encode() in raw


@pytest.mark.parametrize("left", [None, b"cut"])
def test_a_page_whose_earlier_record_is_lost_is_kept_whole(
    site: Any, crawl: Any, tmp_path: Path, left: bytes | None
) -> None:
    site.pages["/page"] = site.answer(PAGE)
    first = crawl(site.url("/page"), CRAWLER_ARCHIVE_DIR=str(tmp_path)).only
    file, offset, digest = first["record"]
    memory = {"url": site.url("/page"), "digest": digest, "record_file": file, "record_offset": offset}
    (tmp_path / file).rename(tmp_path / "away")
    if left:
        (tmp_path / file).write_bytes(left)
    asked = {"url": site.url("/page"), "meta": {"cache_entry": {**memory, "record_date": first["fetched_at"]}}}
    again = crawl(asked, CRAWLER_ARCHIVE_DIR=str(tmp_path)).only
    assert again["original"] == again["record"]
    file, offset, digest = again["record"]
    assert read_snapshot_at(tmp_path, SnapshotRef(file=file, offset=offset, digest=digest)).body == PAGE


def test_a_memory_without_a_record_changes_nothing(site: Any, crawl: Any, tmp_path: Path) -> None:
    site.pages["/page"] = site.answer(PAGE)
    memory = dict.fromkeys(("digest", "record_file", "record_offset", "record_date")) | {"url": site.url("/page")}
    ran = crawl({"url": site.url("/page"), "meta": {"cache_entry": memory}}, CRAWLER_ARCHIVE_DIR=str(tmp_path))
    assert ran.only["record"]
    assert [snapshot.body for snapshot in kept(tmp_path)] == [PAGE]


def test_not_modified_leaves_the_original_where_it_was(site: Any, crawl: Any, tmp_path: Path) -> None:
    site.pages["/page"] = site.answer(b"", 304)
    known = {"url": site.url("/page"), "digest": "sha256:" + "1" * 64, "record_date": "2026-11-22T00:00:00+00:00"}
    memory = {**known, "record_file": "demo/2026-11-22.warc.gz", "record_offset": 7}
    asked = [{"url": site.url("/page"), "meta": {"cache_entry": memory}}, site.url("/page")]
    revisit, plain = crawl(*asked, CRAWLER_ARCHIVE_DIR=str(tmp_path)).pages
    assert revisit["original"] == ["demo/2026-11-22.warc.gz", 7, known["digest"]]
    assert plain["original"] is None
    assert [(snapshot.status, snapshot.body) for snapshot in kept(tmp_path)] == [(304, b""), (304, b"")]


def test_without_an_archive_folder_nothing_is_written(site: Any, crawl: Any, tmp_path: Path) -> None:
    site.pages["/page"] = site.answer(PAGE)
    assert crawl(site.url("/page"), CRAWLER_ARCHIVE_DIR="").only["record"] is None
    assert list(tmp_path.iterdir()) == []


def test_when_the_disk_is_full_the_run_ends_and_says_so(site: Any, crawl: Any, tmp_path: Path) -> None:
    site.pages["/small"] = site.answer(b"small")
    site.pages["/large"] = site.answer(Random(0).randbytes(100_000))
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10000, -1))\n"
    ran = crawl(
        site.url("/small"), site.url("/large"), CRAWLER_ARCHIVE_DIR=str(tmp_path), before=limit, CONCURRENT_REQUESTS=1
    )
    small, large = ran.pages
    assert small["body"] == "small"
    assert "crawler.errors.ArchiveError" in large["kinds"]
    assert "cannot be written: file too large. Free space on the disk" in large["message"]
    assert ran.closed == "archive_failed"
    assert [snapshot.body for snapshot in kept(tmp_path)] == [b"small"]
