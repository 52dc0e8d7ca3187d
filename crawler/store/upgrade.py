"""Upgrades a database to this program's schema: once, in one process, after a copy of a SQLite file."""

from __future__ import annotations

import atexit
import contextlib
import logging
import sqlite3
import threading
import time
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError

from crawler.errors import ConfigError
from crawler.private_files import make_private_file
from crawler.store.database import ADVISORY_LOCK_KEY, LOCK_WAIT_SECONDS
from crawler.store.schema import COPY_MARK, SCHEMA_REVISION

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).with_name("migrations")
WAL_RETRY_SECONDS = 0.02

log = logging.getLogger(__name__)
_alembic_lock = threading.Lock()  # Alembic keeps the current migration in module globals


def upgrade_schema(engine: Engine, name: str, file: Path | None, *, backup: bool) -> None:
    """Apply the revisions that a database lacks. `file` is a SQLite database's file, None for any other.

    With `backup`, a SQLite file that has tables is copied first, and the upgrade is logged as a warning, with the name
    of that copy. Raise ConfigError if a newer version of this program wrote the database.
    """
    with _alembic_lock, engine.connect() as connection:
        if file is not None:
            _raise_if_foreign(connection, name)
            _enable_wal(connection)
        if _read_revision(connection) == SCHEMA_REVISION:
            return  # the usual case: Alembic is not imported
        logging.getLogger("alembic").setLevel(logging.WARNING)  # it logs at its import too
        with _exclusive_transaction(connection):
            found = _read_revision(connection)
            if found == SCHEMA_REVISION:
                return  # another process was faster
            _raise_if_unusable(found, name)
            former = None
            if backup and file is not None and inspect(connection).get_table_names():
                former = file.with_name(f"{file.stem}.before-{SCHEMA_REVISION}.db")
                _copy_database(file, former)
            _run_migrations(connection)
        if found is not None and backup:
            kept = f" Its former state is kept in {former}." if former else ""
            log.warning("The store %s was upgraded to revision %s.%s", name, SCHEMA_REVISION, kept)


def make_alembic_config() -> Config:
    """Return Alembic's configuration, made here instead of in an `alembic.ini`."""
    from alembic.config import Config

    config = Config()
    folder = MIGRATIONS if MIGRATIONS.is_dir() else _extract_migrations()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@cache
def _extract_migrations() -> Path:
    """Return a folder with the migrations of an egg, which is a zip file: Alembic reads only files."""
    folder = TemporaryDirectory(prefix="crawler-migrations-")
    atexit.register(folder.cleanup)
    with zipfile.ZipFile(MIGRATIONS.parents[2]) as egg:
        egg.extractall(folder.name, [name for name in egg.namelist() if name.startswith("crawler/store/migrations/")])
    return Path(folder.name, "crawler", "store", "migrations")


def _read_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _raise_if_foreign(connection: Connection, name: str) -> None:
    if _read_revision(connection) is None and (tables := inspect(connection).get_table_names()):
        raise ConfigError(
            f"The file {name} is a database of another program (it has the table {tables[0]}) and stays as it is: name "
            "another file."
        )


def _raise_if_unusable(found: str | None, name: str) -> None:
    if found is not None and found.endswith(COPY_MARK):
        raise ConfigError(
            f"The store {name} is an unfinished copy of another one: run the same `crawler store copy` again, or set "
            "`database` to another store."
        )
    if found is not None and found not in _list_revisions():
        raise ConfigError(
            f"The store {name} was written by a newer version of this program (its revision {found} is unknown to "
            "this one): install that version, or set `database` to another store."
        )


@contextlib.contextmanager
def _exclusive_transaction(connection: Connection) -> Iterator[None]:
    """Run the block in a transaction that no other process is in.

    SQLite's foreign keys are off meanwhile, because a migration may replace a table by dropping it.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_sqlite else "BEGIN")
    try:
        if not is_sqlite:
            lock = f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK_KEY}, hashtext(current_schema()))"
            connection.exec_driver_sql(lock)
        yield
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        with contextlib.suppress(DBAPIError):  # SQLite has rolled back itself when the disk is full
            connection.exec_driver_sql("ROLLBACK")
        raise
    finally:
        if is_sqlite:
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")


def _run_migrations(connection: Connection) -> None:
    from alembic import command

    config = make_alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _list_revisions() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(make_alembic_config()).walk_revisions()}


def _enable_wal(connection: Connection) -> None:
    """Switch a file to write-ahead logging, permanently. SQLite does not wait if two processes do so at once."""
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        except OperationalError as error:
            is_busy = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > deadline:
                raise
            time.sleep(WAL_RETRY_SECONDS)
        else:
            return


def _copy_database(file: Path, target: Path) -> None:
    """Write a consistent copy of a database in use. Raise ConfigError, and leave no file, if that fails."""
    part = target.with_name(target.name + ".part")
    make_private_file(part)
    try:
        with contextlib.closing(sqlite3.connect(file)) as source, contextlib.closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
        part.replace(target)
    except sqlite3.Error as error:
        raise ConfigError(
            f"The store {file} is not upgraded, because it cannot be copied to {target}: {error}. Check whether the "
            "disk is full."
        ) from error
    finally:
        part.unlink(missing_ok=True)
