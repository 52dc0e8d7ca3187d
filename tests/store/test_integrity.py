"""What `crawler store check` finds in a store: each kind of damage is made, and found with what to do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from support.factories import make_article, make_transaction
from support.filled_store import NOON, fill_store

from crawler.archive.object_storage import ObjectStorage
from crawler.archive.removed_files import remove_file
from crawler.archive.spooled_archive import ArchiveRoot, SpooledArchive, open_archive
from crawler.archive.uploads import upload_closed_files
from crawler.archive.warc_writer import WarcWriter
from crawler.config import ObjectsConfig
from crawler.errors import ObjectStorageError
from crawler.items import Run, SnapshotRef
from crawler.service.store_check import ADVICE, SENTENCES, StoreChecker, format_finding
from crawler.store import HttpCacheEntry, Store
from crawler.store.integrity import FindingKind, list_references

LATER = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
NO_FOREIGN_KEYS = {
    "sqlite": ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"),
    "postgresql": ("SET session_replication_role = replica", "SET session_replication_role = DEFAULT"),
}


@pytest.fixture
def filled(store: Store) -> Iterator[Store]:
    """A store with rows that refer to each other, and no damage."""
    fill_store(store)
    with store.database.transaction() as connection:
        connection.execute(text("DELETE FROM signatures"))
        connection.execute(text("UPDATE runs SET finished_at = started_at"))
    yield store


def damage(store: Store, statement: str) -> None:
    """Execute SQL without foreign keys."""
    off, on = NO_FOREIGN_KEYS[store.database.engine.dialect.name]
    with store.database.engine.connect() as connection:
        for each in (off, statement, on):
            connection.execute(text(each))


def check(store: Store, root: ArchiveRoot, *, with_records: bool = False) -> list[str]:
    found = StoreChecker(store, root, with_records=with_records).iter_findings()
    return [format_finding(each) for each in found]


def test_sound_store_has_no_finding(filled: Store, tmp_path: Path) -> None:
    assert check(filled, tmp_path) == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "DELETE FROM versions WHERE article_id = 'mfa:1:ru'",
            {"No version is stored of 1 article: mfa:1:ru. Restore", "markings → versions", "matches → versions"},
        ),
        (
            "UPDATE articles SET current_version = 9 WHERE id = 'mfa:2:ru'",
            {"The current version is not stored of 1 article: mfa:2:ru. Restore"},
        ),
        ("DELETE FROM articles WHERE id = 'mfa:1:ru'", {"(versions → articles): mfa:1:ru 1. Restore"}),
        (
            "UPDATE versions SET article = substr(article, 1, 40) WHERE article_id = 'mfa:2:ru'",
            {"The row of 1 version cannot be read: mfa:2:ru version 1. Restore"},
        ),
        (
            "UPDATE versions SET article = '[]' WHERE article_id = 'mfa:2:ru'",
            {"The row of 1 version cannot be read: mfa:2:ru version 1. Restore"},
        ),
        (
            """UPDATE versions SET article = '{"snapshot": 5}' WHERE article_id = 'mfa:2:ru'""",
            {"The row of 1 version cannot be read: mfa:2:ru version 1. Restore"},
        ),
        ("DELETE FROM news", {"A row that does not exist is named by 1 row (notices → news): 1. Restore"}),
        (
            "DELETE FROM search_entries WHERE article_id = 'mfa:1:ru'",
            {"The full-text index lacks 1 version: mfa:1:ru 1. Make the index"},
        ),
    ],
)
def test_damage_of_rows_is_found(filled: Store, tmp_path: Path, statement: str, expected: set[str]) -> None:
    damage(filled, statement)
    found = "\n".join(check(filled, tmp_path))
    missing = {part for part in expected if part not in found and not part.startswith("markings")}
    assert not missing, found


def test_index_without_a_text_is_found_and_made_again(filled: Store, tmp_path: Path) -> None:
    is_sqlite = filled.database.engine.dialect.name == "sqlite"
    damage(
        filled,
        "INSERT INTO search_texts (search_texts) VALUES ('delete-all')" if is_sqlite else "DELETE FROM search_vectors",
    )
    (found,) = check(filled, tmp_path)
    assert found.startswith("The full-text index has no text of 4 versions: ")
    assert found.endswith("Make the index again with `crawler store reindex`.")
    filled.search.reset()
    filled.search.index_pending()
    assert check(filled, tmp_path) == []


def test_words_that_are_not_listed_are_found_and_listed_again(filled: Store, tmp_path: Path) -> None:
    damage(filled, "DELETE FROM search_words")
    (found,) = check(filled, tmp_path)
    assert found.startswith("The list of the full-text index's words lacks ")
    filled.search.reset()
    filled.search.index_pending()
    assert check(filled, tmp_path) == []


def test_many_rows_are_counted_and_some_are_named(store: Store, tmp_path: Path) -> None:
    for number in range(7):
        store.articles.save(make_article(str(number)), content_hash=str(number), run_id=None, seen_at=NOON)
    damage(store, "UPDATE articles SET copy_of = 'nobody'")
    (found,) = check(store, tmp_path)
    assert "A row that does not exist is named by 7 rows (articles → articles): " in found
    assert " and 2 more. " in found


def test_run_of_a_dead_process_is_found(filled: Store, tmp_path: Path) -> None:
    run = filled.runs.record_start(Run(source="ktkz", started_at=NOON))
    assert check(filled, tmp_path) == []  # this process lives
    damage(filled, f"UPDATE runs SET pid = 2147483646, born = NULL WHERE id = {run.id}")
    (found,) = check(filled, tmp_path)
    assert found.startswith(
        f"ktkz has 1 run without an end, whose process has ended: run {run.id}, process 2147483646 on "
    )
    assert found.endswith("The next run of the source closes it: `crawler crawl ktkz`.")


@pytest.fixture
def ref(filled: Store, tmp_path: Path) -> SnapshotRef:
    """The record of a stored version in the archive."""
    transaction = make_transaction("https://mfa.example/9", b"text", NOON, headers=[])
    with WarcWriter(tmp_path, "mfa", software="test/1") as writer:
        ref = writer.write(transaction)
    filled.articles.save(make_article("9", snapshot=ref), content_hash="9", run_id=None, seen_at=NOON)
    return ref


@pytest.mark.slow
def test_records_that_the_archive_lacks_are_found(filled: Store, ref: SnapshotRef, tmp_path: Path) -> None:
    assert ref.file is not None
    assert ref.offset is not None
    path = tmp_path / ref.file
    data = path.read_bytes()
    assert check(filled, tmp_path, with_records=True) == []
    path.write_bytes(data[: ref.offset] + b"x" * 30)
    assert check(filled, tmp_path) == []
    (found,) = check(filled, tmp_path, with_records=True)
    assert found.startswith(f"The archive file {ref.file} has no such record for 1 version: mfa:9:ru version 1 (")
    path.write_bytes(data[: ref.offset])
    (found,) = check(filled, tmp_path)
    assert found.startswith(
        f"The archive file {ref.file} ends before the records of 1 version: mfa:9:ru version 1. Copy"
    )
    path.write_bytes(data)
    entry = HttpCacheEntry(source="mfa", url="https://x", checked_at=NOON, record_file=ref.file)
    filled.http_cache.save(entry)
    path.rename(path.with_suffix(".away"))
    (found,) = check(filled, tmp_path)
    assert found.startswith(f"The archive file {ref.file} does not exist. It is named by 2 versions: ")
    path.with_suffix(".away").rename(path)
    remove_file(tmp_path, ref.file, LATER)
    assert check(filled, tmp_path, with_records=True) == []


@pytest.fixture
def spooled(ref: SnapshotRef, tmp_path: Path) -> SpooledArchive:
    """The archive of `ref`, whose only file is on object storage and no longer here."""
    config = ObjectsConfig(address=f"file://{tmp_path}/bucket")
    assert upload_closed_files(tmp_path, ObjectStorage(config), LATER, first_source="mfa").uploaded == 1
    archive = open_archive(tmp_path / "elsewhere", config)
    assert isinstance(archive, SpooledArchive)
    return archive


@pytest.mark.slow
def test_records_that_object_storage_lacks_are_found(
    filled: Store, ref: SnapshotRef, spooled: SpooledArchive, tmp_path: Path
) -> None:
    assert ref.file is not None
    assert ref.offset is not None
    path = tmp_path / "bucket" / ref.file
    assert check(filled, spooled) == check(filled, spooled, with_records=True) == []
    data = path.read_bytes()
    path.write_bytes(data[: ref.offset])
    (found,) = check(filled, open_archive(spooled.folder, ObjectsConfig(address=spooled.storage.address)))
    assert found.startswith(f"The archive file {ref.file} ends before the records of 1 version: mfa:9:ru version 1. ")
    path.unlink()
    for with_records in (False, True):
        (found,) = check(filled, spooled, with_records=with_records)
        assert found.startswith(f"The archive file {ref.file} does not exist. It is named by 1 version: mfa:9:ru ")
        assert "run `crawler archive upload` on the machine that wrote it" in found
    rename_file(filled, ref, f"mfa/{datetime.now(UTC):%Y-%m-%d}-104500123-1f0c9a7e.warc.gz")
    assert check(filled, spooled, with_records=True) == []


@pytest.mark.slow
def test_unreachable_storage_is_no_damage(filled: Store, spooled: SpooledArchive, tmp_path: Path) -> None:
    damage(filled, "DELETE FROM search_entries WHERE article_id = 'mfa:1:ru'")
    shutil.rmtree(tmp_path / "bucket")
    (tmp_path / "bucket").write_bytes(b"a file where the folder should be")
    down = open_archive(spooled.folder, ObjectsConfig(address=spooled.storage.address))
    findings = StoreChecker(filled, down, with_records=True).iter_findings()
    assert next(findings).kind is FindingKind.VERSION_NOT_INDEXED
    with pytest.raises(ObjectStorageError, match="cannot be used"):
        list(findings)


def rename_file(store: Store, ref: SnapshotRef, name: str) -> None:
    """Let the version name another file of the archive."""
    damage(store, f"UPDATE versions SET article = replace(article, '{ref.file}', '{name}')")


def test_every_kind_has_a_sentence_and_advice() -> None:
    assert set(FindingKind) == set(SENTENCES) == set(ADVICE)


def test_references_are_named_once() -> None:
    references = list_references()
    assert len({(each.name, each.columns) for each in references}) == len(references)
