"""A SQLite or PostgreSQL database: one connection per thread, and explicit transactions.

There is no pool. Each thread has one user of the store at a time, and a pool's checkout, reset and check-in would cost
as much as saving an article. So each thread keeps the connection it opened (`NullPool`), in autocommit, and a write
begins its own transaction.

A SQLite write begins with `BEGIN IMMEDIATE`. It waits for the lock at the start (at most 30 s), where waiting is safe,
and never fails half way. On PostgreSQL a write holds a shared advisory lock, and an exclusive transaction an exclusive
one. An exclusive transaction locks rows in any order, so two of them could deadlock.

Do not carry a database over a `fork`. A child process opens its own.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, overload

from sqlalchemy import URL, Connection, Engine, Executable, Row, create_engine, event
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.pool import NullPool, StaticPool

from crawler.errors import CrawlerError, StoreError
from crawler.store.statements import PreparedQuery, PreparedStatement, execute_by_driver

LOCK_WAIT_SECONDS = 30
SERVER_OPTIONS = {
    "connect_timeout": 10,
    # Notice within half a minute that the host of the server is gone, and not after two hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
"""Options of libpq, in seconds and, the last one, milliseconds. Those in the URL take precedence."""
SERVER_SIDE_LIMITS = "; ".join(
    f"SET tcp_{name.removeprefix('tcp_')} = {value}"
    for name, value in SERVER_OPTIONS.items()
    if name != "connect_timeout"
)
"""The same for the server. Else the locks of a machine that was lost within a transaction stay for two hours."""
ADVISORY_LOCK_KEY = 0x63726177
"""First half of the advisory lock's key on PostgreSQL. The second half is a hash of the schema's name."""

Rows = Sequence[Row[Any]]
AnyStatement = Executable | PreparedStatement | PreparedQuery

ENGINE_OPTIONS: dict[str, Any] = {
    "isolation_level": "AUTOCOMMIT",
    "execution_options": {"preserve_rowcount": True},  # else unknown after an INSERT
}


class FileIdentity(NamedTuple):
    """Which file is at a path: another one has another number."""

    device: int
    inode: int

    @classmethod
    def from_path(cls, path: Path) -> FileIdentity | None:
        """Return the identity of the file at a path, None if there is none."""
        try:
            stat = path.stat()
        except OSError:
            return None
        return cls(stat.st_dev, stat.st_ino)


class _ThreadState(threading.local):
    """One thread's connection with the SQLite file that it opened, and the state of its transaction."""

    connection: Connection | None = None
    file: FileIdentity | None = None
    in_transaction: bool = False
    has_failed: bool = False


class Database:
    """Reads and writes for the repositories. `name` is the database's URL without password, for messages."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine, self.name = engine, name
        self._path: Path | None = None
        self._last_file: FileIdentity | None = None
        if engine.dialect.name == "sqlite" and not is_in_memory(engine.url):
            self._path = Path(str(engine.url.database)).absolute()
        self._thread = _ThreadState()
        self.fence: Callable[[Connection], None] | None = None
        """Raises within each transaction that must not be written any more (`LeaseRepository.fence_writes`)."""
        self._opened: list[Connection] = []
        self._begin_statements: dict[bool, tuple[str, ...]] = {
            False: ("BEGIN IMMEDIATE",),
            True: ("BEGIN IMMEDIATE",),
        }
        if engine.dialect.name == "postgresql":
            key = f"{ADVISORY_LOCK_KEY}, hashtext(current_schema())"
            self._begin_statements = {
                False: ("BEGIN", f"SELECT pg_advisory_xact_lock_shared({key})"),
                True: ("BEGIN", f"SELECT pg_advisory_xact_lock({key})"),
            }

    @overload
    def fetch_all(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Rows: ...

    @overload
    def fetch_all(
        self, statement: PreparedStatement, values: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]: ...

    @overload
    def fetch_all(self, statement: PreparedQuery, values: Mapping[str, Any] | None = None) -> list[Any]: ...

    def fetch_all(self, statement: AnyStatement, values: Mapping[str, Any] | None = None) -> Any:
        """Return all rows of a query. After a lost connection it is executed once more. Raise StoreError if it fails.

        Within a transaction the query sees what the transaction wrote. A prepared statement returns plain tuples, a
        prepared query named ones.
        """
        try:
            return self._execute_query(statement, values)
        except DBAPIError as error:
            if not error.connection_invalidated or self._thread.in_transaction:
                self._raise_store_error("read", error)
        self._drop_connection()
        try:
            return self._execute_query(statement, values)
        except DBAPIError as error:
            self._raise_store_error("read", error)

    def _execute_query(self, statement: AnyStatement, values: Mapping[str, Any] | None) -> Any:
        connection = self._get_connection()
        if isinstance(statement, PreparedQuery | PreparedStatement):
            return statement.fetch_all(connection, values or {})
        return connection.execute(statement, values).all()

    @contextlib.contextmanager
    def transaction(self, *, exclusive: bool = False, is_fenced: bool = True) -> Iterator[Connection]:
        """Write everything in the block, or nothing. Inside another transaction the block becomes a part of that.

        `is_fenced`: raise what the `fence` raises, before anything is written.

        A part that fails makes the whole transaction fail, even if the caller catches the exception: the whole is
        rolled back and its end raises CrawlerError. Half a save must never be committed. Raise StoreError if the store
        cannot be written.
        """
        thread = self._thread
        if thread.in_transaction:
            assert thread.connection is not None
            try:
                yield thread.connection
            except BaseException:
                thread.has_failed = True
                raise
            return
        connection = self._begin_with_reconnect(self._begin_statements[exclusive])
        thread.in_transaction, thread.has_failed = True, False
        try:
            if is_fenced and self.fence:
                self.fence(connection)
            yield connection
            if thread.has_failed:
                raise CrawlerError(
                    f"Nothing of this transaction was written to the store {self.name}: a part of it failed."
                )
            execute_by_driver(connection, "COMMIT")
        except BaseException as error:
            self._roll_back(connection)
            if isinstance(error, DBAPIError):
                self._raise_store_error("written", error)
            raise
        finally:
            thread.in_transaction = False

    def raise_if_lost(self) -> None:
        """Raise StoreError if this thread's SQLite file was deleted or replaced. A read would not notice that."""
        self._raise_if_file_lost()

    def close(self) -> None:
        """Close the connections of all threads. The database cannot be used afterwards."""
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._thread = _ThreadState()
        self.engine.dispose()

    def _get_connection(self) -> Connection:
        if self._thread.connection is None:
            self._raise_if_file_lost()  # to connect would make an empty file
            try:
                self._thread.connection = self.engine.connect()
            except DBAPIError as error:
                self._raise_store_error("reached", error)
            self._opened.append(self._thread.connection)
            self._thread.file = self._last_file = FileIdentity.from_path(self._path) if self._path else None
        return self._thread.connection

    def _raise_if_file_lost(self) -> None:
        """Raise StoreError if the SQLite file that this thread opened is no longer at its path.

        SQLite itself reads and writes a deleted file without an error. What is written there is lost. If there is
        another file, the next call opens that.
        """
        opened = self._thread.file or self._last_file
        if opened is None or self._path is None or (found := FileIdentity.from_path(self._path)) == opened:
            return
        self._drop_connection()
        if found is None:
            raise self._make_deleted_error()
        self._thread.file = self._last_file = None
        raise StoreError(
            f"The store {self.name} was replaced by another file while it was in use. Run the command again, with the "
            "new file."
        )

    def _make_deleted_error(self) -> StoreError:
        return StoreError(
            f"The store {self.name} was deleted while it was in use. Put it back, or use `crawler store restore` or "
            "`crawler store rebuild`."
        )

    def _begin_with_reconnect(self, statements: tuple[str, ...]) -> Connection:
        try:
            return self._begin_transaction(statements)
        except DBAPIError as error:
            self._drop_connection()  # also when only the lock failed: its transaction is open
            if not error.connection_invalidated:
                self._raise_store_error("written", error)
        try:
            return self._begin_transaction(statements)
        except DBAPIError as error:
            self._drop_connection()
            self._raise_store_error("written", error)

    def _begin_transaction(self, statements: tuple[str, ...]) -> Connection:
        self._raise_if_file_lost()
        connection = self._get_connection()
        for statement in statements:
            execute_by_driver(connection, statement)
        return connection

    def _roll_back(self, connection: Connection) -> None:
        """Roll the transaction back. If that fails, drop the connection: the database then rolls back itself.

        What writers remember of the connection's rows (`Connection.info`) may be of this transaction.
        """
        try:
            connection.info.clear()
            connection.exec_driver_sql("ROLLBACK")
        except (DBAPIError, PendingRollbackError):  # the second: SQLAlchemy knows that the connection is lost
            self._drop_connection()

    def _drop_connection(self) -> None:
        connection, self._thread.connection = self._thread.connection, None
        if connection is not None:
            self._opened.remove(connection)
            connection.invalidate()
            connection.close()

    def _raise_store_error(self, failed_action: str, error: DBAPIError) -> NoReturn:
        if self._last_file is not None and self._path is not None and FileIdentity.from_path(self._path) is None:
            raise self._make_deleted_error() from error  # SQLite calls it a disk I/O error, or a file that is read-only
        message = format_database_error(error)
        advice = "Check the file and the disk" if self._path else "Check the database server"
        raise StoreError(f"The store {self.name} could not be {failed_action}: {message}. {advice}.") from error


def make_engine(url: URL) -> Engine:
    """Return an engine for a SQLite or PostgreSQL URL. It opens no connection yet."""
    if url.get_backend_name() == "postgresql":
        arguments = {name: value for name, value in SERVER_OPTIONS.items() if name not in url.query}
        engine = create_engine(url, poolclass=NullPool, connect_args=arguments, **ENGINE_OPTIONS)
        event.listen(engine, "connect", _set_server_side_limits)
        return engine
    in_memory = is_in_memory(url)
    engine = create_engine(
        url,
        poolclass=StaticPool if in_memory else NullPool,  # a database in memory lives as long as its one connection
        # False: any thread may call `close`
        connect_args={"timeout": LOCK_WAIT_SECONDS, "check_same_thread": in_memory},
        **ENGINE_OPTIONS,
    )
    event.listen(engine, "connect", _set_sqlite_pragmas)
    return engine


def is_in_memory(url: URL) -> bool:
    """Return whether a SQLite URL means a database in memory. Only the thread that opened it can use it."""
    return url.database in (None, "", ":memory:")


def format_database_error(error: DBAPIError) -> str:
    """Return the first line of the database's own message, without a full stop."""
    lines = str(error.orig).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error.orig).__name__


def _set_server_side_limits(connection: Any, _: Any) -> None:
    connection.execute(SERVER_SIDE_LIMITS)


def _set_sqlite_pragmas(connection: Any, _: Any) -> None:
    # NORMAL: with WAL, a power cut may lose the last commits but never damages the file; a `kill -9` loses nothing.
    try:
        for pragma in ("synchronous = NORMAL", "foreign_keys = ON", "cache_size = -16000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
    except UnicodeDecodeError as error:  # of a message that quotes damaged bytes of the file
        raise sqlite3.DatabaseError("database disk image is malformed") from error
