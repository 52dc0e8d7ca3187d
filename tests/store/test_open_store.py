"""Opening a store: made, upgraded with a copy first, or refused in one sentence."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from crawler.errors import ConfigError, CrawlerError
from crawler.items import Article
from crawler.store import Store, open_store, schema, upgrade

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
def with_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets the program be one revision newer."""

    def program(more: str = "") -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(upgrade.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "versions" / f"r{LATER}_next.py").write_text(NEXT.format(more=more, now=NOW, later=LATER))
        monkeypatch.setattr(upgrade, "MIGRATIONS", folder)
        monkeypatch.setattr(upgrade, "SCHEMA_REVISION", LATER)

    return program


def refused(url: str) -> str:
    with pytest.raises(ConfigError) as caught:
        open_store(url)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


def test_the_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    with store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, schema.metadata) == []


def test_the_newest_migration_is_the_one_the_code_names() -> None:
    assert ScriptDirectory.from_config(upgrade.make_alembic_config()).get_heads() == [schema.SCHEMA_REVISION]


def test_what_was_stored_is_there_when_opened_again(url: str, an_article: Callable[..., Article]) -> None:
    with open_store(url) as store:
        store.articles.save(an_article(), content_hash="h", run_id=None, seen_at=NOON)
    with open_store(url) as store:
        assert store.articles.get("mfa:1:ru") == an_article()


def test_an_upgrade_keeps_what_is_stored(
    url: str, an_article: Callable[..., Article], with_next: Callable[..., None]
) -> None:
    with open_store(url) as store:
        store.articles.save(an_article(), content_hash="h", run_id=None, seen_at=NOON)
    with_next()
    with open_store(url) as store:
        assert store.versions.list_by_article("mfa:1:ru") == [an_article()]
        assert store.database.fetch_all(text("SELECT added FROM articles")) == [(None,)]


def test_a_failed_upgrade_changes_nothing(url: str, with_next: Callable[..., None]) -> None:
    open_store(url).close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upgrade, "MIGRATIONS", upgrade.MIGRATIONS)
        patch.setattr(upgrade, "SCHEMA_REVISION", NOW)
        with_next('op.execute("SELECT * FROM nowhere")')
        assert "nowhere" in refused(url)
        patch.undo()
    with open_store(url) as store:
        assert store.articles.count() == 0


def test_a_sqlite_file_is_copied_before_an_upgrade_and_only_then(
    tmp_path: Path, with_next: Callable[..., None]
) -> None:
    folder = tmp_path / "data"
    for _ in range(2):
        open_store(f"sqlite:///{folder / 'crawler.db'}").close()
    assert [file.name for file in folder.iterdir()] == ["crawler.db"]
    with_next()
    for _ in range(2):
        open_store(f"sqlite:///{folder / 'crawler.db'}").close()
    assert sorted(file.name for file in folder.iterdir()) == [f"crawler.before-{LATER}.db", "crawler.db"]
    with closing(sqlite3.connect(folder / f"crawler.before-{LATER}.db")) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [(NOW,)]
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_no_copy_when_none_is_wanted(tmp_path: Path, with_next: Callable[..., None]) -> None:
    address = f"sqlite:///{tmp_path / 'data' / 'crawler.db'}"
    open_store(address).close()
    with_next()
    open_store(address, backup=False).close()
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["crawler.db"]


def test_a_store_of_a_newer_program_is_refused_and_left_alone(url: str) -> None:
    with open_store(url) as store, store.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    message = refused(url)
    assert "newer version of this program" in message
    assert "9999" in message


def test_sqlite_writes_ahead_and_checks_references(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'a' / 'b' / 'crawler.db'}") as store:
        pragmas = ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        assert [store.database.fetch_all(text(f"PRAGMA {name}"))[0][0] for name in pragmas] == ["wal", 1, 1, 30_000]


def test_a_store_in_memory_lives_until_it_is_closed() -> None:
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
def test_an_unusable_address_is_refused_in_one_sentence_without_a_password(url: str, says: str) -> None:
    message = refused(url)
    assert says in message
    assert "s3cret" not in message


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "crawler.db"
    file.write_text("minutes of the meeting\n" * 100)
    assert "not a database" in refused(f"sqlite:///{file}")
    assert file.read_text() == "minutes of the meeting\n" * 100


def test_a_postgresql_database_that_does_not_exist_is_refused(postgres: str) -> None:
    assert "nowhere" in refused(postgres.replace("/postgres?", "/nowhere?"))


def test_a_lost_connection_is_opened_again(postgres_url: str) -> None:
    with open_store(postgres_url) as store, psycopg.connect(postgres_url, autocommit=True) as other:
        for use in (
            lambda: store.articles.count(),
            lambda: store.failures.record("s", "u", "k", "m", NOON),
        ):
            use()
            store_pid = store.database.fetch_all(text("SELECT pg_backend_pid()"))[0][0]
            other.execute("SELECT pg_terminate_backend(%s)", [store_pid])
            use()
        assert store.failures.list_by_source("s")[0].tries == 2


def test_a_connection_lost_inside_a_batch_fails_the_whole_batch(postgres_url: str) -> None:
    with open_store(postgres_url) as store, psycopg.connect(postgres_url, autocommit=True) as other:
        with pytest.raises(CrawlerError), store.transaction():
            store.failures.record("batch", "u", "k", "m", NOON)
            pid = store.database.fetch_all(text("SELECT pg_backend_pid()"))[0][0]
            other.execute("SELECT pg_terminate_backend(%s)", [pid])
            store.failures.record("batch", "u2", "k", "m", NOON)
        assert store.failures.list_by_source("batch") == []


def test_a_full_disk_is_said_in_a_sentence_and_leaves_a_usable_store(
    tmp_path: Path, an_article: Callable[..., Article]
) -> None:
    with open_store(f"sqlite:///{tmp_path / 'crawler.db'}") as store:
        store.database._get_connection().exec_driver_sql("PRAGMA max_page_count = 40")
        with pytest.raises(CrawlerError, match=r"crawler\.db could not be written: database or disk is full\."):
            store.articles.save(an_article(body="x" * 10**6), content_hash="h", run_id=None, seen_at=NOON)
        assert store.articles.count() == 0
        store.articles.save(an_article(), content_hash="h", run_id=None, seen_at=NOON)
