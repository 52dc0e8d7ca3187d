"""A whole store copied into a SQLite file, and put in the place of another store: each kind of store by each kind."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.empty_stores import open_test_store
from support.factories import make_article
from support.filled_store import MATCH, NOON, fill_store, read_rows

from crawler.errors import ConfigError, CrawlerError, UsageError
from crawler.items import Run
from crawler.keywords.index_query import IndexPhrase
from crawler.store.portable_copy import (
    prepare_store_copy,
    raise_if_in_use,
    read_contents,
    replace_store,
    write_store_copy,
)


@pytest.fixture
def filled_url(url: str) -> str:
    """The URL of a store with rows, that no process uses."""
    with open_test_store(url) as store:
        fill_store(store)
        store.leases.release("mfa", "holder")
    return url


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A prepared copy of a filled SQLite store."""
    source = f"sqlite:///{tmp_path / 'source.db'}"
    with open_test_store(source) as store:
        fill_store(store)
    write_store_copy(source, tmp_path / "copy.db")
    prepare_store_copy(tmp_path / "copy.db")
    return tmp_path / "copy.db"


@pytest.mark.slow
def test_copy_has_every_row(filled_url: str, tmp_path: Path) -> None:
    write_store_copy(filled_url, tmp_path / "copy.db")
    counts = prepare_store_copy(tmp_path / "copy.db")
    assert read_rows(f"sqlite:///{tmp_path / 'copy.db'}") == read_rows(filled_url)
    assert (counts["articles"], counts["versions"], counts["failures"]) == (3, 4, 1)


@pytest.mark.slow
def test_copy_is_made_while_the_store_is_written(url: str, tmp_path: Path) -> None:
    with open_test_store(url) as store:
        fill_store(store)
        with store.transaction():
            store.failures.record("mfa", "https://later", "Gone", "404", NOON)
            write_store_copy(url, tmp_path / "copy.db")
    with open_test_store(f"sqlite:///{tmp_path / 'copy.db'}") as copy:
        assert [each.url for each in copy.failures.list_by_source("mfa")] == ["https://x/\ufffd"]
        assert copy.articles.count() == 3


@pytest.mark.slow
def test_store_is_replaced_by_a_copy(url: str, copy: Path, tmp_path: Path) -> None:
    expected = read_rows(f"sqlite:///{copy}")
    assert not replace_store(url, copy, tmp_path / "former.db")
    assert read_rows(url) == expected
    assert not (tmp_path / "former.db").exists()
    with open_test_store(url) as store:
        assert store.leases.list_active() == []
        assert store.runs.record_start(Run(source="mfa", started_at=NOON)).id == 2
        store.articles.save(make_article("9", matches=(MATCH,)), content_hash="h", run_id=None, seen_at=NOON)
        assert store.articles.count() == 4


@pytest.mark.slow
def test_replaced_store_is_searched_once_it_is_indexed(url: str, copy: Path, tmp_path: Path) -> None:
    replace_store(url, copy, tmp_path / "former.db")
    with open_test_store(url) as store:
        store.search.index_pending()
        found = [(each.article.id, each.version) for each in store.search.iter_newest(IndexPhrase(("текст",)))]
        assert sorted(found) == [("mfa:0:ru", 1), ("mfa:0:ru", 2), ("mfa:1:ru", 1), ("mfa:2:ru", 1)]


@pytest.mark.slow
def test_copy_is_searched_once_it_is_indexed(filled_url: str, tmp_path: Path) -> None:
    write_store_copy(filled_url, tmp_path / "copy.db")
    with open_test_store(f"sqlite:///{tmp_path / 'copy.db'}") as store:
        store.search.index_pending()
        assert len(list(store.search.iter_newest(IndexPhrase(("текст",))))) == 4


@pytest.mark.slow
def test_former_content_is_kept(filled_url: str, tmp_path: Path) -> None:
    before = read_rows(filled_url)
    empty, former = tmp_path / "empty.db", tmp_path / "former.db"
    open_test_store(f"sqlite:///{empty}").close()
    prepare_store_copy(empty)
    assert replace_store(filled_url, empty, former)
    assert read_contents(filled_url).is_empty
    assert read_rows(f"sqlite:///{former}") == before


@pytest.mark.slow
def test_store_in_use_is_not_replaced(url: str, copy: Path, tmp_path: Path) -> None:
    with open_test_store(url) as store:
        store.leases.acquire("watch:mfa", "holder")
        with pytest.raises(UsageError, match=r"in use"):
            replace_store(url, copy, tmp_path / "former.db")
        assert store.articles.count() == 0
        store.leases.release("watch:mfa", "holder")
    replace_store(url, copy, tmp_path / "former.db")


def test_store_that_does_not_exist_is_empty_and_is_not_made(tmp_path: Path) -> None:
    assert read_contents(f"sqlite:///{tmp_path / 'nowhere.db'}").is_empty
    raise_if_in_use(f"sqlite:///{tmp_path / 'nowhere.db'}")
    assert list(tmp_path.iterdir()) == []


def test_damaged_file_is_named_and_can_be_replaced(copy: Path, tmp_path: Path) -> None:
    damaged, former = tmp_path / "crawler.db", tmp_path / "former.db"
    content = b"SQLite format 3\0" + b"\xff" * 5000
    damaged.write_bytes(content)
    url = f"sqlite:///{damaged}"
    assert not read_contents(url).is_empty
    with pytest.raises(CrawlerError, match=r"crawler\.db .*: file is not a database"):
        write_store_copy(url, tmp_path / "never.db")
    assert replace_store(url, copy, former)
    assert former.read_bytes() == content
    assert read_contents(url).counts == {"articles": 3, "versions": 4, "runs": 1}


def test_file_with_a_damaged_name_in_its_schema_can_be_replaced(copy: Path, tmp_path: Path) -> None:
    damaged, former = tmp_path / "crawler.db", tmp_path / "former.db"
    content = copy.read_bytes().replace(b"CREATE TABLE articles", b"CREAT\xc1 TABLE articles")
    damaged.write_bytes(content)
    url = f"sqlite:///{damaged}"
    assert read_contents(url).failure == "database disk image is malformed"
    with pytest.raises(ConfigError, match="database disk image is malformed"):
        open_test_store(url)
    assert replace_store(url, copy, former)
    assert former.read_bytes() == content


def test_file_with_a_damaged_page_is_not_copied(copy: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'versions'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with copy.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with pytest.raises(CrawlerError, match=r"malformed|damaged"):
        write_store_copy(f"sqlite:///{copy}", tmp_path / "never.db")


def test_link_to_the_file_stays_a_link(copy: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "disk.db")
    replace_store(f"sqlite:///{link}", copy, tmp_path / "former.db")
    assert link.is_symlink()
    assert (tmp_path / "disk.db").stat().st_mode & 0o777 == 0o600


def test_copy_of_a_newer_program_is_refused(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(ConfigError, match="newer version"):
        prepare_store_copy(copy)


def test_store_in_memory_is_refused() -> None:
    with pytest.raises(UsageError, match="in memory"):
        raise_if_in_use("sqlite://")
