"""A machine without any WARC file of its own looks after a store whose archive is in an S3 bucket."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update
from store.conftest import NOON
from support.gov_site import GovSite
from support.object_bucket import BUCKET, CREDENTIALS, Bucket, serve_bucket
from support.sandbox import Sandbox

from crawler.store import open_store
from crawler.store.schema import articles, change_events, matches, unclustered

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]
CLOSED_ENDPOINT = "http://127.0.0.1:9"
"""Nothing listens at the port `discard`."""


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    """An empty bucket."""
    with serve_bucket() as found:
        yield found


@pytest.fixture(scope="module")
def crawled(bucket: Bucket, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A machine that made a run, and keeps no file that it has uploaded."""
    variables = {
        "CRAWLER_OBJECTS__ADDRESS": f"s3://{BUCKET}/crawler",
        "CRAWLER_OBJECTS__ENDPOINT": bucket.endpoint,
        "CRAWLER_OBJECTS__KEEP_DAYS": "0",
        "AWS_REGION": "us-east-1",
        **CREDENTIALS,
    }
    with GovSite(4) as site:
        first = Sandbox(tmp_path_factory.mktemp("machines") / "first", {"mfa": site}, variables)
        ran = first.run_crawler("crawl", "mfa")
        assert ran.code == 0, ran.all_output
    assert first.run_crawler("archive", "upload").code == 0
    assert list((first.archive_dir / "mfa").iterdir()) == []
    return first


@pytest.fixture
def second(crawled: Sandbox, url: str, tmp_path: Path) -> Sandbox:
    """Another machine, with a copy of the store in SQLite or PostgreSQL."""
    machine = Sandbox(tmp_path / "second", variables={**crawled.variables, "CRAWLER_DATABASE": url})
    copied = machine.run_crawler("store", "copy", f"sqlite:///{crawled.data_dir / 'crawler.db'}", url)
    assert copied.code == 0, copied.all_output
    return machine


def read_evidence(machine: Sandbox, article: str) -> tuple[int, bytes, dict[str, Any]]:
    """Return the exit code, the records behind the first one, which has the time, and the provenance of a package.

    One without any record has no file for them.
    """
    path = machine.work_dir / "evidence.zip"
    path.unlink(missing_ok=True)
    done = machine.run_crawler("evidence", article, "-o", path.name)
    with zipfile.ZipFile(path) as found:
        first = zlib.decompressobj(wbits=31)
        if "records.warc.gz" in found.namelist():
            first.decompress(found.read("records.warc.gz"))
        return done.code, first.unused_data, json.loads(found.read("provenance.json"))


def make_articles_old_and_unmatched(url: str) -> None:
    """Make the texts of all articles such that the policy may remove them."""
    with open_store(url) as store, store.database.transaction() as connection:
        for table in (change_events, matches, unclustered):
            connection.execute(delete(table))
        connection.execute(update(articles).values(first_seen_at=NOON, dated_at=NOON))


def test_copied_store_is_checked_and_pruned_and_keeps_its_evidence(
    second: Sandbox, crawled: Sandbox, bucket: Bucket, url: str
) -> None:
    checked = second.run_crawler("store", "check", "--records")
    assert checked.code == 0, checked.all_output
    assert f"and s3://{BUCKET}/crawler." in checked.all_output
    objects, article = bucket.list_objects(), next(iter(crawled.get_articles()))
    stats = second.run_crawler("store", "stats", "--json")
    stored = sum(size for name, size in objects.items() if not name.endswith(".sha256"))
    assert sum(each["bytes"] for each in json.loads(stats.out)["archive"]) == stored > 0
    code, records, _ = read_evidence(second, article)
    assert (code, bool(records)) == (0, True)
    assert records == read_evidence(crawled, article)[1]
    refused = second.run_crawler("store", "prune", CRAWLER_RETENTION__ARCHIVE="1d")
    assert (refused.code, "files there are never deleted" in refused.all_output) == (2, True)
    make_articles_old_and_unmatched(url)
    pruned = second.run_crawler("store", "prune", "--json", CRAWLER_RETENTION__UNMATCHED_TEXTS="1d")
    assert pruned.code == 0, pruned.all_output
    with open_store(url) as store:
        removed = [each.id for each in store.articles.iter_newest() if not each.body]
    assert sum(count for _, count, _ in json.loads(pruned.out)["text_counts"]) == len(removed) > 0
    _, records, provenance = read_evidence(second, removed[0])
    assert records == read_evidence(crawled, removed[0])[1]
    assert "removed by the retention policy" in json.dumps(provenance), provenance
    assert bucket.list_objects() == objects
    checked = second.run_crawler("store", "check", "--records")
    assert checked.code == 0, checked.all_output


def test_restored_store_names_what_the_bucket_has_lost(second: Sandbox, crawled: Sandbox, bucket: Bucket) -> None:
    assert second.run_crawler("store", "backup", "backup.zip").code == 0
    with zipfile.ZipFile(second.work_dir / "backup.zip") as backup:
        listed = json.loads(backup.read("backup.json"))["archive"]
    sizes = {name.removeprefix("crawler/"): size for name, size in bucket.list_objects().items()}
    assert {each["name"]: each["size"] for each in listed} == {
        name: size for name, size in sizes.items() if not name.endswith(".sha256")
    }
    down = second.run_crawler("store", "check", CRAWLER_OBJECTS__ENDPOINT=CLOSED_ENDPOINT)
    assert (down.code, "does not exist" in down.all_output) == (21, False), down.all_output
    restored = second.run_crawler("store", "restore", "backup.zip", "--overwrite")
    assert restored.code == 0, restored.all_output
    lost = {each["name"]: bucket.read(f"crawler/{each['name']}") for each in listed}
    for name in lost:
        bucket.client.delete_object(Bucket=BUCKET, Key=f"crawler/{name}")
    try:
        restored = second.run_crawler("store", "restore", "backup.zip", "--overwrite")
        assert restored.code == 1, restored.all_output
        assert all(f"{name} is missing" in restored.all_output for name in lost), restored.all_output
        code, _, provenance = read_evidence(second, next(iter(crawled.get_articles())))
        assert (code, "is neither in" in json.dumps(provenance)) == (1, True), provenance
        assert second.run_crawler("store", "rebuild", "--overwrite").code == 2
    finally:
        for name, data in lost.items():
            bucket.client.put_object(Bucket=BUCKET, Key=f"crawler/{name}", Body=data)
    rebuilt = second.run_crawler("store", "rebuild", "--overwrite")
    assert rebuilt.code == 0, rebuilt.all_output
    assert second.run_crawler("store", "check", "--records").code == 0
