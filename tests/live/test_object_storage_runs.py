"""Runs whose WARC files go to object storage: what a second machine reads, and what an outage leaves behind."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gov_site import GovSite
from support.object_bucket import CREDENTIALS, KEY, SECRET, serve_bucket
from support.sandbox import Sandbox

from crawler.items import Health

CLOSED_ENDPOINT = "http://127.0.0.1:9"
"""Nothing listens at the port `discard`."""


def make_second_machine(first: Sandbox, folder: Path, variables: dict[str, str]) -> Sandbox:
    """Another machine with the same store, and without any file of the archive."""
    second = Sandbox(folder, first.sites, variables)
    shutil.copytree(first.data_dir, second.data_dir, ignore=shutil.ignore_patterns("archive"))
    assert not second.archive_dir.exists()
    return second


def get_last_counts(place: Sandbox) -> tuple[Health | None, int]:
    with place.open_store() as store:
        run = store.runs.list_recent("mfa")[0]
        return run.health, run.counts.get("archive_waiting", 0)


@pytest.mark.slow
def test_second_machine_has_the_evidence_of_a_run(tmp_path: Path) -> None:
    storage = {"CRAWLER_OBJECTS__ADDRESS": f"file://{tmp_path}/bucket", "CRAWLER_OBJECTS__KEEP_DAYS": "0"}
    with GovSite(2) as site:
        first = Sandbox(tmp_path / "first", {"mfa": site}, storage)
        ran = first.run_crawler("crawl", "mfa")
        assert ran.code == 0, ran.all_output
        (uploaded,) = (tmp_path / "bucket" / "mfa").glob("*.warc.gz")
        second = make_second_machine(first, tmp_path / "second", storage)
        assert first.run_crawler("archive", "upload").code == 0
        assert list((first.archive_dir / "mfa").iterdir()) == []
    article, *_ = first.get_articles()
    for place in (first, second):
        done = place.run_crawler("evidence", article, "-o", "evidence.zip")
        assert done.code == 0, done.all_output
        with zipfile.ZipFile(place.work_dir / "evidence.zip") as found:
            assert uploaded.name in found.read("provenance.json").decode()
            assert b"the same title, lead and text" in found.read("provenance.json")


@pytest.mark.slow
def test_outage_changes_nothing_about_a_run(tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    bucket.write_bytes(b"a file where the folder should be")
    with GovSite(2) as site:
        place = Sandbox(tmp_path / "user", {"mfa": site}, {"CRAWLER_OBJECTS__ADDRESS": f"file://{bucket}"})
        ran = place.run_crawler("crawl", "mfa", "-v")
        assert ran.code == 0, ran.all_output
        assert "1 WARC file (" in ran.all_output
        assert f"waits to be uploaded. file://{bucket} cannot be used: " in ran.all_output
        assert "waits to be uploaded to file://" in place.run_crawler("health", "mfa").all_output
        failed = place.run_crawler("archive", "upload")
        assert failed.code == 21
        assert place.run_crawler("crawl", "mfa").code == 0
        assert get_last_counts(place) == (Health.HEALTHY, 1)
        assert place.run_crawler("store", "backup", "b.zip").code == 21
        assert not (place.work_dir / "b.zip").exists()
        bucket.unlink()
        assert place.run_crawler("crawl", "mfa").code == 0
        assert get_last_counts(place) == (Health.HEALTHY, 2)
    assert len(list(bucket.rglob("*.warc.gz"))) == 3
    assert "wait" not in place.run_crawler("archive", "status").all_output


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of an S3 server with an empty bucket."""
    with serve_bucket() as bucket:
        yield bucket.endpoint


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_s3_has_the_archive_of_two_machines(endpoint: str, tmp_path: Path) -> None:
    variables = {
        "CRAWLER_OBJECTS__ADDRESS": "s3://news-archive/crawler",
        "CRAWLER_OBJECTS__ENDPOINT": endpoint,
        "CRAWLER_OBJECTS__KEEP_DAYS": "0",
        **CREDENTIALS,
        "AWS_REGION": "us-east-1",
    }
    outputs = []
    with GovSite(2) as site:
        first = Sandbox(tmp_path / "first", {"mfa": site}, variables)
        outputs.append(first.run_crawler("crawl", "mfa", "-v", CRAWLER_OBJECTS__ENDPOINT=CLOSED_ENDPOINT))
        assert "1 WARC file (" in outputs[-1].all_output
        assert outputs[-1].code == 0
        outputs.append(first.run_crawler("crawl", "mfa", "-v"))
        assert "2 WARC files uploaded" in outputs[-1].all_output
    outputs.append(first.run_crawler("archive", "upload"))
    assert "2 uploaded files removed here" in outputs[-1].all_output
    second = make_second_machine(first, tmp_path / "second", variables)
    article, *_ = second.get_articles()
    for words, code in (
        (("evidence", article, "-o", "evidence.zip"), 0),
        (("reprocess", "mfa"), 0),
        (("store", "backup", "backup.zip"), 0),
        (("store", "restore", "backup.zip", "--overwrite"), 0),
        (("store", "rebuild", "--overwrite"), 0),
        (("config",), 0),
    ):
        outputs.append(second.run_crawler(*words))
        assert outputs[-1].code == code, outputs[-1].all_output
    outputs.append(second.run_crawler("evidence", article, "-o", "n.zip", CRAWLER_OBJECTS__ENDPOINT=CLOSED_ENDPOINT))
    assert outputs[-1].code == 21
    assert not (second.work_dir / "n.zip").exists()
    outputs.append(second.run_crawler("archive", "upload", CRAWLER_OBJECTS__ADDRESS="s3://no-such-bucket"))
    assert outputs[-1].code == 21
    text = "".join(each.all_output for each in outputs)
    assert SECRET not in text
    assert KEY not in text
