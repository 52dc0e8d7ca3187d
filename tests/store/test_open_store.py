"""Opening a store: created, upgraded after a copy, or refused in one sentence."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from support.empty_stores import open_test_store
from support.factories import make_article

from crawler.config import Config
from crawler.context.configured_store import open_configured_store
from crawler.errors import ConfigError, EmptyStore, StoreError
from crawler.items import Run
from crawler.store import Store, open_store, schema, upgrade
from crawler.store.complete_schema import metadata
from crawler.store.database import SERVER_OPTIONS
from crawler.store.search_index import search_metadata

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
NOW, LATER = schema.SCHEMA_REVISION, f"{int(schema.SCHEMA_REVISION) + 1:04}"
NEXT = """
from alembic import op
import sqlalchemy as sa

revision = "{later}"
down_revision = "{now}"

def upgrade():
    with op.batch_alter_table("articles") as table:
        table.add_column(sa.Column("added", sa.Integer()))
        table.alter_column("native_id", nullable=True)
    {more}
"""


@pytest.fixture
def add_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that adds one revision to the program's migrations."""

    def add(more: str = "") -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(upgrade.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "versions" / f"r{LATER}_next.py").write_text(NEXT.format(more=more, now=NOW, later=LATER))
        monkeypatch.setattr(upgrade, "MIGRATIONS", folder)
        monkeypatch.setattr(upgrade, "SCHEMA_REVISION", LATER)

    return add


def get_refusal(url: str) -> str:
    with pytest.raises(ConfigError) as caught:
        open_store(url)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


def is_name_in_schema(name: str | None, kind: str, _: object) -> bool:
    """The full-text index has tables that only one database knows."""
    return kind != "table" or not str(name).startswith(("search_texts", "search_v", "search_words"))


def test_migrations_create_the_tables_of_the_schema(store: Store) -> None:
    with store.database.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_name": is_name_in_schema}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, [metadata, search_metadata]) == []


def test_indexes_of_some_rows(store: Store) -> None:
    """The schema has no conditions: the dialects' modules would be imported for them."""
    inspector, name = inspect(store.database.engine), f"{store.database.engine.dialect.name}_where"
    tables = ("runs", "articles", "unjudged", "notices")
    indexes = [index for table in tables for index in inspector.get_indexes(table)]
    assert {index["name"] for index in indexes if name in index.get("dialect_options", {})} == {
        "ix_runs_backfill",
        "ix_articles_matched",
        "ix_unjudged_urgent",
        "ix_notices_message_id",
    }


def test_newest_migration_is_the_schema_revision() -> None:
    assert ScriptDirectory.from_config(upgrade.make_alembic_config()).get_heads() == [schema.SCHEMA_REVISION]


def test_reopened_store_has_its_articles(store: Store, url: str) -> None:
    store.articles.save(make_article(), content_hash="h", run_id=None, seen_at=NOON)
    store.close()
    with open_store(url) as reopened:
        assert reopened.articles.get("mfa:1:ru") == make_article()


def test_upgrade_keeps_the_articles(url: str, add_revision: Callable[..., None]) -> None:
    with open_store(url) as store:
        store.articles.save(make_article(), content_hash="h", run_id=None, seen_at=NOON)
    add_revision()
    with open_store(url) as store:
        assert store.versions.list_by_article("mfa:1:ru") == [make_article()]
        assert store.database.fetch_all(text("SELECT added FROM articles")) == [(None,)]


def test_failed_upgrade_changes_nothing(url: str, add_revision: Callable[..., None]) -> None:
    open_store(url).close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upgrade, "MIGRATIONS", upgrade.MIGRATIONS)
        patch.setattr(upgrade, "SCHEMA_REVISION", NOW)
        add_revision('op.execute("SELECT * FROM nowhere")')
        assert "nowhere" in get_refusal(url)
        patch.undo()
    with open_store(url) as store:
        assert store.articles.count() == 0


def test_cause_of_a_failed_upgrade_is_named_after_sqlite_rolled_back(
    tmp_path: Path, add_revision: Callable[..., None]
) -> None:
    file = tmp_path / "crawler.db"
    open_test_store(f"sqlite:///{file}").close()
    # As SQLite does when the disk is full.
    add_revision(more='op.execute("ROLLBACK"); op.execute("SELECT full_disk")')
    with pytest.raises(ConfigError, match="no such column: full_disk"):
        open_store(f"sqlite:///{file}")


def test_sqlite_file_is_copied_before_an_upgrade_only(tmp_path: Path, add_revision: Callable[..., None]) -> None:
    folder = tmp_path / "data"
    for _ in range(2):
        open_store(f"sqlite:///{folder / 'crawler.db'}").close()
    assert [file.name for file in folder.iterdir()] == ["crawler.db"]
    add_revision()
    for _ in range(2):
        open_store(f"sqlite:///{folder / 'crawler.db'}").close()
    assert sorted(file.name for file in folder.iterdir()) == [f"crawler.before-{LATER}.db", "crawler.db"]
    with closing(sqlite3.connect(folder / f"crawler.before-{LATER}.db")) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [(NOW,)]
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_store_that_cannot_be_copied_is_not_upgraded(tmp_path: Path, add_revision: Callable[..., None]) -> None:
    file, former = tmp_path / "crawler.db", tmp_path / f"crawler.before-{LATER}.db"
    open_test_store(f"sqlite:///{file}").close()
    (tmp_path / f"{former.name}.part").write_bytes(b"no database, so that the copy fails")
    add_revision()
    message = f"is not upgraded, because it cannot be copied to {former}: file is not a database"
    with pytest.raises(ConfigError, match=message):
        open_store(f"sqlite:///{file}")
    assert not list(tmp_path.glob("*.before-*"))
    open_store(f"sqlite:///{file}").close()
    assert former.exists()


def test_no_copy_without_backup(tmp_path: Path, add_revision: Callable[..., None]) -> None:
    address = f"sqlite:///{tmp_path / 'data' / 'crawler.db'}"
    open_store(address).close()
    add_revision()
    open_store(address, backup=False).close()
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["crawler.db"]


def test_an_empty_store_beside_an_archive_is_refused(url: str, tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path, database=url)
    (config.archive_dir / "mfa").mkdir(parents=True)
    (config.archive_dir / "mfa" / "2026-03-05.warc.gz").write_bytes(b"record")
    with pytest.raises(EmptyStore, match="1 day of records"):
        open_configured_store(config)
    with open_configured_store(config, new_store=True) as store:
        assert store.is_empty()
        store.runs.record_start(Run(source="mfa", mode="live", started_at=NOON))
        assert not store.is_empty()
    open_configured_store(config).close()


def test_store_of_a_newer_program_is_refused(store: Store, url: str) -> None:
    def set_revision(revision: str) -> None:
        with store.database.transaction() as connection:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")

    set_revision("9999")
    try:
        message = get_refusal(url)
    finally:
        set_revision(NOW)  # other tests use this store in PostgreSQL too
    assert "newer version of this program" in message
    assert "9999" in message


def test_sqlite_pragmas(tmp_path: Path) -> None:
    with open_test_store(f"sqlite:///{tmp_path / 'a' / 'b' / 'crawler.db'}") as store:
        pragmas = ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        assert [store.database.fetch_all(text(f"PRAGMA {name}"))[0][0] for name in pragmas] == ["wal", 1, 1, 30_000]


def test_store_in_memory_lives_until_it_is_closed() -> None:
    for _ in range(2):
        with open_store("sqlite://") as store:
            store.failures.record("mfa", "https://x", "Blocked", "403", NOON)
            assert len(store.failures.list_by_source("mfa")) == 1


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("crawler.db", "not a database address"),
        ("postgresql://host:port/x", "not a database address"),
        ("", "not a database address"),
        ("mysql://root@localhost/x", "'mysql'"),
        ("postgresql+psycopg2://localhost/x", "'postgresql+psycopg2'"),
        ("sqlite:////proc/nowhere/crawler.db", "/proc/nowhere"),
        ("sqlite:////tmp", "/tmp"),
        ("postgresql://bob:s3cret@127.0.0.1:1/news", "postgresql://bob@127.0.0.1:1/news"),
        ("postgres://bob@127.0.0.1:1/news?password=s3cret", "postgresql://bob@127.0.0.1:1/news"),
    ],
)
def test_unusable_url_is_refused_without_its_password(url: str, says: str) -> None:
    message = get_refusal(url)
    assert says in message
    assert "s3cret" not in message


def test_file_that_is_no_database_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    """Its permissions too: `/etc/passwd`, given by mistake, must not be closed to all programs but those of root."""
    file = tmp_path / "crawler.db"
    file.write_text("minutes of the meeting\n" * 100)
    file.chmod(0o644)
    assert "not a database" in get_refusal(f"sqlite:///{file}")
    assert file.stat().st_mode & 0o777 == 0o644
    assert file.read_text() == "minutes of the meeting\n" * 100


def test_database_of_another_program_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE places (url)")
    assert "is a database of another program (it has the table places)" in get_refusal(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("places",)]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert list(tmp_path.iterdir()) == [file]


def test_opening_a_store_again_keeps_the_locks_of_the_process(tmp_path: Path) -> None:
    """Who opens and closes the file without SQLite ends these locks.

    Another process then takes itself for the last one, and deletes the log with what this process has written.
    """
    file = tmp_path / "crawler.db"
    command = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM articles').fetchone()"
    with open_store(f"sqlite:///{file}") as first:
        first.articles.save(make_article(), content_hash="a", run_id=None, seen_at=datetime.now(UTC))
        open_store(f"sqlite:///{file}").close()
        subprocess.run([sys.executable, "-c", command, file], check=True)
        assert (tmp_path / "crawler.db-wal").stat().st_size
        assert first.articles.count() == 1


def test_missing_postgresql_database_is_refused(postgres: str) -> None:
    assert "nowhere" in get_refusal(postgres.replace("/postgres?", "/nowhere?"))


def test_lost_connection_is_opened_again(empty_postgres_store: str) -> None:
    with open_store(empty_postgres_store) as store, psycopg.connect(empty_postgres_store, autocommit=True) as other:
        for use in (
            lambda: store.articles.count(),
            lambda: store.failures.record("s", "u", "k", "m", NOON),
        ):
            use()
            store_pid = store.database.fetch_all(text("SELECT pg_backend_pid()"))[0][0]
            other.execute("SELECT pg_terminate_backend(%s)", [store_pid])
            use()
        assert store.failures.list_by_source("s")[0].tries == 2


def test_the_server_gives_a_lost_machine_up_as_soon_as_a_client_does(empty_postgres_store: str) -> None:
    """Through a Unix socket the values stay 0, but their source shows that they were set."""
    query = text("SELECT name FROM pg_settings WHERE source = 'session' AND name LIKE 'tcp%'")
    with open_store(empty_postgres_store) as store:
        names = {row.name for row in store.database.fetch_all(query)}
    assert names == {f"tcp_{name}" for name in SERVER_OPTIONS if name.startswith("keepalives")} | {"tcp_user_timeout"}


def test_connection_lost_in_a_transaction_fails_it(empty_postgres_store: str) -> None:
    with open_store(empty_postgres_store) as store, psycopg.connect(empty_postgres_store, autocommit=True) as other:
        with pytest.raises(StoreError), store.transaction():
            store.failures.record("batch", "u", "k", "m", NOON)
            pid = store.database.fetch_all(text("SELECT pg_backend_pid()"))[0][0]
            other.execute("SELECT pg_terminate_backend(%s)", [pid])
            store.failures.record("batch", "u2", "k", "m", NOON)
        assert store.failures.list_by_source("batch") == []


def test_full_disk_raises_and_leaves_a_usable_store(tmp_path: Path) -> None:
    with open_test_store(f"sqlite:///{tmp_path / 'crawler.db'}") as store:
        store.database._get_connection().exec_driver_sql("PRAGMA max_page_count = 40")
        with pytest.raises(StoreError, match=r"crawler\.db could not be written: database or disk is full\."):
            store.articles.save(make_article(body="x" * 10**6), content_hash="h", run_id=None, seen_at=NOON)
        assert store.articles.count() == 0
        store.articles.save(make_article(), content_hash="h", run_id=None, seen_at=NOON)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "crawler.db"


def move_files(file: Path, target: Path) -> None:
    """Move a database with its files of SQLite."""
    for each in file.parent.glob(f"{file.name}*"):
        each.rename(target.parent / each.name.replace(file.name, target.name))


def test_nothing_is_written_to_a_deleted_file(file: Path) -> None:
    with open_test_store(f"sqlite:///{file}") as store:
        store.failures.record("s", "u", "k", "m", NOON)
        moved = file.with_name("moved.db")
        move_files(file, moved)
        for _ in range(2):
            with pytest.raises(StoreError, match=r"crawler\.db was deleted while it was in use\."):
                store.failures.record("s", "u2", "k", "m", NOON)
        assert not file.exists()
        move_files(moved, file)
        store.failures.record("s", "u3", "k", "m", NOON)
        assert [each.url for each in store.failures.list_by_source("s")] == ["u", "u3"]


def test_a_file_in_place_of_another_is_noticed_once_and_then_used(file: Path) -> None:
    with open_test_store(f"sqlite:///{file}") as store:
        store.failures.record("s", "old", "k", "m", NOON)
        move_files(file, file.with_name("moved.db"))
        open_test_store(f"sqlite:///{file}").close()
        with pytest.raises(StoreError, match=r"crawler\.db was replaced by another file while it was in use\."):
            store.failures.record("s", "lost", "k", "m", NOON)
        store.failures.record("s", "new", "k", "m", NOON)
        assert [each.url for each in store.failures.list_by_source("s")] == ["new"]


def test_another_thread_makes_no_empty_file_in_place_of_a_deleted_one(file: Path) -> None:
    errors: list[Exception] = []

    def write(store: Store) -> None:
        try:
            store.failures.record("s", "u", "k", "m", NOON)
        except StoreError as error:
            errors.append(error)

    with open_test_store(f"sqlite:///{file}") as store:
        store.failures.record("s", "u", "k", "m", NOON)
        move_files(file, file.with_name("moved.db"))
        thread = Thread(target=write, args=(store,))
        thread.start()
        thread.join()
    assert len(errors) == 1
    assert not file.exists()


def test_a_missing_table_is_an_error_of_the_store(store: Store) -> None:
    def rename_table(name: str, new_name: str) -> None:
        with store.database.transaction() as connection:
            connection.execute(text(f"ALTER TABLE {name} RENAME TO {new_name}"))

    reason = r"could not be read: .*failures.*\. Check the (file and the disk|database server)\."
    rename_table("failures", "gone")
    try:
        with pytest.raises(StoreError, match=reason):
            store.failures.list_by_source("s")
    finally:
        rename_table("gone", "failures")  # other tests use this store in PostgreSQL too
