"""Copy a whole store into a SQLite file, and replace a whole store by such a file.

The file of a SQLite store is a consistent copy of its pages, the file of a PostgreSQL store has the same rows. Either
kind of store can be replaced by either file. No server's own tool is needed, such as `pg_dump`. Copied rows
have no full-text index: the next run makes it again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Table, delete, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from crawler.errors import CrawlerError, UsageError
from crawler.private_files import PRIVATE_FILE_MODE, make_private_folder
from crawler.store.complete_schema import metadata
from crawler.store.database import format_database_error, make_engine
from crawler.store.schema import leases
from crawler.store.search_index import reset_index
from crawler.store.statements import insert_rows, select_columns
from crawler.store.store import Store, get_store_file, open_store, parse_store_url, redact_url

ROWS_PER_READ = 500
IN_USE_WAIT_SECONDS = 2.0
CONTENT_TABLES = ("articles", "versions", "runs")
"""Tables by which a store counts as empty. Others may have rows before the first run."""
SIDE_FILE_SUFFIXES = ("-wal", "-shm")
"""Files of SQLite beside a database in use."""
OPEN_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


@dataclass(frozen=True, slots=True)
class StoreContents:
    """How many rows a store has in each of `CONTENT_TABLES`. `failure` says why it cannot be read, else None."""

    counts: Mapping[str, int]
    failure: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be lost if the store were replaced."""
        return self.failure is None and not any(self.counts.values())


def read_contents(url: str) -> StoreContents:
    """Return what a store of any revision has, without an upgrade. One that does not exist is empty, and is not made.

    A SQLite file that is damaged has a `failure`. Raise CrawlerError if a server cannot be reached.
    """
    address = parse_store_url(url)
    file = get_store_file(address)
    if file is not None and not file.exists():
        return StoreContents({})
    engine = make_engine(address)
    try:
        with engine.connect() as connection:
            present = set(inspect(connection).get_table_names())
            counted = [metadata.tables[name] for name in CONTENT_TABLES if name in present]
            return StoreContents({each.name: count_rows(connection, each) for each in counted})
    except DBAPIError as error:
        reason = format_database_error(error)
        if file is None:
            raise CrawlerError(f"The store {redact_url(url)} cannot be read: {reason}.") from error
        return StoreContents({}, reason)
    finally:
        engine.dispose()


def write_store_copy(url: str, file: Path) -> None:
    """Write everything in a store, as of one moment, into a new SQLite file. Runs may go on meanwhile.

    Raise CrawlerError if the store is damaged, cannot be reached, or the file cannot be written.
    """
    source = find_store_file(url)
    if source is not None:
        _copy_sqlite_file(source, file)
        return
    with (
        open_store(url) as store,
        open_store(f"sqlite:///{file}") as copy,
        store.database.engine.connect() as reading,
        copy.database.transaction(exclusive=True) as writing,
    ):
        reading.exec_driver_sql(OPEN_SNAPSHOT)
        _copy_rows(reading, writing)
        reset_index(writing)
        reading.exec_driver_sql("COMMIT")
    _merge_side_files(file)


def prepare_store_copy(file: Path) -> dict[str, int]:
    """Upgrade a copy to this version and delete what is only true of the moment of the copy. Return rows by table.

    Raise ConfigError if a newer version of this program wrote it.
    """
    with open_store(f"sqlite:///{file}", backup=False) as store, store.database.transaction() as connection:
        connection.execute(delete(leases))
        counts = {table.name: count_rows(connection, table) for table in metadata.sorted_tables}
    _merge_side_files(file)
    return counts


def replace_store(url: str, file: Path, former: Path) -> bool:
    """Replace a store by a prepared copy, in one step. `file` is moved or read. Return whether `former` was written.

    `former` is a SQLite file that gets what the store had before, if it was not empty. Raise UsageError while another
    process uses the store.
    """
    contents = read_contents(url)
    raise_if_in_use(url)
    target = find_store_file(url)
    if target is not None:
        _replace_file(target, file, None if contents.is_empty else former)
    else:
        if not contents.is_empty:
            write_store_copy(url, former)
        _load_rows(url, file)
    return not contents.is_empty


def find_store_file(url: str) -> Path | None:
    """Return a SQLite store's file, behind a symbolic link, None for a server. Raise UsageError for one in memory."""
    address = parse_store_url(url)
    file = get_store_file(address)
    if file is None and address.get_backend_name() == "sqlite":
        raise UsageError("The store is in memory and ends with each command: set `database` to a file or a server.")
    return file.resolve() if file else None


def raise_if_in_use(url: str) -> None:
    """Raise UsageError while another process may use the store. A damaged SQLite file counts as free."""
    file = find_store_file(url)
    if file is None:
        with open_store(url) as store:
            _raise_if_leased(store)
    elif file.exists() and read_contents(url).failure is None:
        _merge_side_files(file)


def _copy_sqlite_file(source: Path, file: Path) -> None:
    try:
        with contextlib.closing(sqlite3.connect(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(file),))
        with contextlib.closing(sqlite3.connect(file)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise CrawlerError(f"The store {source} cannot be copied to {file.parent}: {error}.") from error
    if verdict != "ok":
        raise CrawlerError(f"The store {source} is damaged: {verdict}. Make it again with `crawler store rebuild`.")


def _merge_side_files(file: Path) -> None:
    """Make a closed database one file. Raise UsageError while another process uses it.

    SQLite changes the journal's mode only for a process that is alone.
    """
    with contextlib.closing(sqlite3.connect(file, timeout=IN_USE_WAIT_SECONDS)) as connection:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise CrawlerError(f"The store {file} cannot be replaced: {error}.") from error
            mode = "busy"
    if mode != "delete":
        raise UsageError(
            f"The store {file} is in use by another process. Stop `crawler watch` and every other command first."
        )


def _replace_file(target: Path, file: Path, former: Path | None) -> None:
    """Put a file in the place of a database, and keep the database under another name."""
    try:
        make_private_folder(target.parent)
        if former is not None:
            _keep_former_file(target, former)
        # A damaged database may have left its log, which would damage the new one.
        for suffix in SIDE_FILE_SUFFIXES:
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        file.chmod(PRIVATE_FILE_MODE)
        file.replace(target)
        _flush_folder(target.parent)
    except OSError as error:
        raise CrawlerError(f"The store {target} cannot be replaced: {error.strerror}: {error.filename}.") from error


def _keep_former_file(target: Path, former: Path) -> None:
    """Give the database a second name. The first one stays until it is replaced."""
    try:
        os.link(target, former)
    except OSError:  # a file system without hard links
        shutil.copy2(target, former)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _load_rows(url: str, file: Path) -> None:
    """Replace all rows of a PostgreSQL store by those of a SQLite file, in one transaction."""
    with (
        open_store(url) as store,
        open_store(f"sqlite:///{file}", backup=False) as copy,
        copy.database.engine.connect() as reading,
        store.database.transaction(exclusive=True) as writing,
    ):
        _raise_if_leased(store)
        names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
        writing.exec_driver_sql(f"TRUNCATE {names} CASCADE")
        _copy_rows(reading, writing)
        reset_index(writing)
        advance_sequences(writing)


def _raise_if_leased(store: Store) -> None:
    for lease in store.leases.list_active():
        raise UsageError(
            f"The store {store.name} is in use: process {lease.pid} on host {lease.host} holds {lease.source}. "
            "Stop `crawler watch` and every crawl first."
        )


def _copy_rows(reading: Connection, writing: Connection) -> None:
    """Copy every row of every table, those that others refer to first."""
    for table in metadata.sorted_tables:
        query = select(*select_columns(table, table.columns.keys())).execution_options(yield_per=ROWS_PER_READ)
        for rows in reading.execute(query).partitions():
            insert_rows(writing, table, rows)


def advance_sequences(connection: Connection) -> None:
    """Let new rows get numbers above those that were copied."""
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            sequence = connection.execute(
                text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
            ).scalar()
            last = connection.execute(select(func.max(column))).scalar()
            if sequence and last:
                connection.execute(text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})


def count_rows(connection: Connection, table: object) -> int:
    """Return how many rows a table has."""
    found: int = connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]
    return found


def is_table_empty(connection: Connection, table: Table) -> bool:
    """Return whether a table has no row."""
    return connection.execute(select(1).select_from(table).limit(1)).first() is None
