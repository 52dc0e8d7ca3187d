"""Bring a database to this program's schema: once, by one process at a time, with a copy of a SQLite file first."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError

from crawler.errors import ConfigError
from crawler.store.database import ADVISORY_LOCK_KEY, LOCK_WAIT_SECONDS
from crawler.store.schema import SCHEMA_REVISION

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).with_name("migrations")

_ONE = threading.Lock()  # Alembic keeps the migration at work in module globals


def upgrade_schema(engine: Engine, name: str, file: Path | None, *, backup: bool) -> None:
    """Apply the revisions a database lacks; `file` is a SQLite database's file, None for any other.

    ConfigError when the database was written by a newer version of this program.
    """
    with _ONE, engine.connect() as connection:
        if file is not None:
            _use_wal(connection)
        if _revision(connection) == SCHEMA_REVISION:
            return  # the usual case, which spares the import of Alembic
        with _alone(connection):
            found = _revision(connection)
            if found == SCHEMA_REVISION:
                return  # another process was faster
            _refuse_newer(found, name)
            if backup and file is not None and inspect(connection).get_table_names():
                _copy(file, file.with_name(f"{file.stem}.before-{SCHEMA_REVISION}.db"))
            _apply(connection)


def _revision(connection: Connection) -> str | None:
    """The revision a database says it has, None for a database without one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _refuse_newer(found: str | None, name: str) -> None:
    if found is not None and found not in _known():
        raise ConfigError(
            f"The store {name} was written by a newer version of this program (its revision {found} is unknown to "
            "this one): install that version, or set `database` to another store."
        )


@contextlib.contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """A transaction that no other process is in; foreign keys are off, since SQLite alters a table by dropping it."""
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if sqlite else "BEGIN")
    try:
        if not sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK_KEY}, hashtext(current_schema()))")
        yield
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    finally:
        if sqlite:
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")


def _apply(connection: Connection) -> None:
    from alembic import command

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = make_alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _known() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(make_alembic_config()).walk_revisions()}


def make_alembic_config() -> Config:
    """Alembic's configuration, made here instead of in an `alembic.ini`."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _use_wal(connection: Connection) -> None:
    """Switch a file to write-ahead logging, for good. SQLite does not wait when two processes do so at once."""
    until = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _copy(file: Path, to: Path) -> None:
    """A consistent copy of a database in use, whole or not there at all."""
    part = to.with_name(to.name + ".part")
    with contextlib.closing(sqlite3.connect(file)) as source, contextlib.closing(sqlite3.connect(part)) as target:
        source.backup(target)
    part.replace(to)
