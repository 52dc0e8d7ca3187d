"""Which run a response of the archive belongs to, and rebuilds that are interrupted or find little."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.empty_stores import open_test_store
from support.releases import read_tables, unpack_release
from warcio.archiveiterator import ArchiveIterator
from warcio.warcwriter import WARCWriter

from crawler.config import Config, load_config
from crawler.errors import UsageError
from crawler.service.backup import make_store_folder
from crawler.service.rebuild import rebuild_store
from crawler.service.rebuilt_run import RunScope, parse_run_tag
from crawler.store import Store, open_store

NOON = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
START = datetime(2026, 3, 2, 5, 0, 0, 123456, tzinfo=UTC)
STARTED = f'"started": "{START.isoformat()}"'


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A data folder with an archive of three sources, and the store of its runs."""
    return load_config(unpack_release("0004", tmp_path / "release"))


def list_texts(store: Store) -> set[tuple[Any, ...]]:
    """Return what each version says and when, without its place in the archive."""
    found = (store.versions.list_by_article(article.id) for article in store.articles.iter_newest())
    return {(each.id, each.version, each.verdict, each.body, each.fetched_at) for of in found for each in of}


@pytest.mark.parametrize(
    ("tag", "scope"),
    [
        (f'{{"id": 7, {STARTED}}}', RunScope(started_at=START)),
        (
            f'{{{STARTED}, "limit": 5, "since": "2026-03-01T00:00:00+05:00", "url": "https://www.kt.kz/"}}',
            RunScope(
                started_at=START,
                limit=5,
                since=datetime(2026, 3, 1, tzinfo=UTC) - timedelta(hours=5),
                url="https://www.kt.kz/",
            ),
        ),
        (f'{{{STARTED}, "limit": "5"}}', RunScope(started_at=START)),
        (None, RunScope(started_at=NOON)),
        ("", RunScope(started_at=NOON)),
        ("[1]", RunScope(started_at=NOON)),
        ("{}", RunScope(started_at=NOON)),
        ('{"started": "2026-03-02T05:00:00"}', RunScope(started_at=NOON)),
        ('{"started": "yesterday"}', RunScope(started_at=NOON)),
        (f'{{{STARTED}, "url": "file:///etc/passwd"}}', RunScope(started_at=NOON)),
    ],
)
def test_tag_of_a_run_is_read_or_ignored(tag: str | None, scope: RunScope) -> None:
    assert parse_run_tag(tag, NOON) == scope


@pytest.mark.slow
def test_records_without_tags_are_divided_into_runs(config: Config) -> None:
    with open_test_store(config.database_url) as store:
        texts = list_texts(store)
        starts = sorted(run.started_at for run in store.runs.list_recent())
    for path in config.archive_dir.rglob("*.warc.gz"):
        remove_tags(path)
    report = rebuild_store(config, NOON, overwrite=True)
    assert (report.runs, report.unreadable) == (10, [])
    with open_test_store(config.database_url) as store:
        assert list_texts(store) == texts
        rebuilt_starts = sorted(run.started_at for run in store.runs.list_recent())
        assert all(abs(one - two) < timedelta(seconds=5) for one, two in zip(starts, rebuilt_starts, strict=True))


def remove_tags(path: Path) -> None:
    """Write a file again without the header that names the run."""
    other = path.with_suffix(".part")
    with path.open("rb") as stream, other.open("wb") as out:
        writer = WARCWriter(out, gzip=True)
        for record in ArchiveIterator(stream):
            record.rec_headers.remove_header("Crawler-Run")
            # The places of other records in the file change too.
            record.rec_headers.remove_header("WARC-Refers-To-File-Offset")
            writer.write_record(record)
    other.replace(path)


def test_interrupted_rebuild_leaves_the_store_as_it_was(config: Config) -> None:
    open_store(config.database_url, backup=False).close()
    folder = config.data_folder
    before, names = read_tables(config.database_url), sorted(path.name for path in folder.iterdir())

    def interrupt(name: str) -> None:
        if name.startswith("qazmonitor"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild_store(config, NOON, overwrite=True, on_file=interrupt)
    assert sorted(path.name for path in folder.iterdir()) == names
    assert read_tables(config.database_url) == before


def test_store_that_a_process_uses_is_not_rebuilt(config: Config) -> None:
    with open_test_store(config.database_url) as store:
        assert store.articles.count() == 12
        with pytest.raises(UsageError, match="in use by another process"):
            rebuild_store(config, NOON, overwrite=True)
        assert store.articles.count() == 12


def test_only_one_rebuild_at_a_time(config: Config) -> None:
    with make_store_folder(config), pytest.raises(UsageError, match="Another restore or rebuild is in progress"):
        rebuild_store(config, NOON, overwrite=True)


def test_what_a_killed_rebuild_left_is_deleted(config: Config) -> None:
    left = config.data_folder / ".store-work" / "crawler.db"
    left.parent.mkdir()
    left.write_bytes(b"half a store")
    assert rebuild_store(config, NOON, overwrite=True).versions == 16
    assert not left.parent.exists()
