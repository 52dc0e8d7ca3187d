"""`crawler store`: backups while a crawl runs, a restore on another machine, a rebuild of a damaged archive."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from support.empty_stores import open_test_store
from support.qazmonitor_site import QazMonitorSite
from support.releases import unpack_release
from support.sandbox import Sandbox

pytestmark = pytest.mark.slow


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration of a data folder with a store and an archive."""
    return unpack_release("0004", tmp_path / "release")


def test_store_moves_to_another_machine(config: Path, tmp_path: Path) -> None:
    backup, etc, place = tmp_path / "backup.zip", tmp_path / "etc", Sandbox(tmp_path / "user")
    written, refused, restored, articles = place.run_many(
        ("--config", config, "store", "backup", backup),
        ("--config", config, "store", "restore", backup),
        ("store", "restore", backup, "--files", etc),
        ("articles",),
    )
    assert (written.code, refused.code, restored.code, articles.code) == (0, 2, 1, 0)
    assert written.out.splitlines() == [
        f"{backup}: the store with 12 articles, crawler.toml, rules.toml, and a list of 5 archive files (0.1 MB).",
        "Left out, to be written again after a restore: channels.desk.",
        "Variables are not in it: CRAWLER_ALLOW_PRIVATE, CRAWLER_CONTACT, CRAWLER_POLITENESS__AUTOTHROTTLE, "
        "CRAWLER_POLITENESS__CONCURRENCY, CRAWLER_POLITENESS__DELAY, CRAWLER_POLITENESS__RETRY_WAIT.",
        f"The archive itself is not in it: copy {config.parent / 'archive'} too.",
    ]
    assert "has 12 articles and 10 runs, so it is not replaced." in refused.err
    store = place.data_dir / "crawler.db"
    assert restored.out.startswith(f"{store} is the store of ")
    assert restored.out.endswith("Write again what the backup does not have: channels.desk.\n")
    missing = f"crawler: the archive {place.archive_dir} lacks 5 of 5 files that the backup lists:\n"
    assert restored.err.startswith(f"{missing}crawler: ktkz/2026-03-02.warc.gz is missing\n")
    assert f"12 of 12 stored articles in {store}." in articles.out
    assert (etc / "rules.toml").read_bytes() == (config.parent / "rules.toml").read_bytes()
    (config.parent / "archive").rename(place.archive_dir)
    (again,) = place.run_many(("store", "restore", backup, "--overwrite"))
    assert (again.code, again.err) == (0, "")
    assert f"What it had before is in {place.data_dir / 'crawler.before-restore-'}" in again.out
    assert f"The archive {place.archive_dir} has every file that the backup lists." in again.out


def test_rebuild_reads_what_it_can_of_a_damaged_archive(config: Path, tmp_path: Path) -> None:
    place, archive = Sandbox(tmp_path / "user"), config.parent / "archive"
    newest = archive / "qazmonitor" / "2026-03-03.warc.gz"
    newest.write_bytes(newest.read_bytes()[:-100])
    (archive / "another").mkdir()
    (archive / "ktkz" / "2026-03-02.warc.gz").rename(archive / "another" / "2026-03-02.warc.gz")
    (config.parent / "crawler.db").write_bytes(b"no database" * 1000)
    refused, done, health = place.run_many(
        ("--config", config, "store", "rebuild"),
        ("--config", config, "store", "rebuild", "--overwrite"),
        ("--config", config, "health", "--json"),
    )
    assert (refused.code, done.code) == (2, 1)
    assert "cannot be read (file is not a database)" in refused.err
    assert done.err == (
        f"crawler: not read: {archive / 'another'}: there is no such source\n"
        f"crawler: not read: {newest} is broken at byte {9313} of {newest.stat().st_size}: the record there is cut off "
        "or damaged. All records before it were read.\n"
    ).replace("9313", done.err.partition("at byte ")[2].partition(" ")[0])
    assert "10 articles" in done.out
    assert [line["source"] for line in health.lines] == ["ktkz", "mfa", "qazmonitor"]
    with open_test_store(f"sqlite:///{config.parent / 'crawler.db'}") as store:
        assert store.articles.count(source="mfa") == 7


def test_there_is_nothing_to_rebuild_without_an_archive(tmp_path: Path) -> None:
    done = Sandbox(tmp_path).run_crawler("store", "rebuild")
    assert done.code == 2
    assert "There is no archive in" in done.err


def test_backups_during_a_crawl_are_whole(tmp_path: Path) -> None:
    with QazMonitorSite(20) as site:
        place = Sandbox(tmp_path / "user", {"qazmonitor": site}, {"CRAWLER_POLITENESS__DELAY": "0.3"})
        counts = []
        with place.start_crawler("crawl", "qazmonitor") as running:
            assert running.stdout is not None
            while running.poll() is None:
                file = tmp_path / f"{len(counts)}.zip"
                (done,) = place.run_many(("store", "backup", file))
                if done.code == 0:
                    counts.append(read_backup(file, tmp_path / f"restored-{len(counts)}"))
        assert counts == sorted(counts)
        assert len(place.get_articles("qazmonitor")) == 20
    assert any(0 < count < 20 for count in counts)


def read_backup(file: Path, folder: Path) -> int:
    """Return how many articles a backup's store has. Each has its version."""
    with zipfile.ZipFile(file) as archive:
        archive.extract("crawler.db", folder)
    with open_test_store(f"sqlite:///{folder / 'crawler.db'}") as store:
        articles = list(store.articles.iter_newest())
        assert all(store.versions.list_by_article(each.id) == [each] for each in articles)
        return len(articles)
