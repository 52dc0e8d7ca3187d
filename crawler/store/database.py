"""One database, reached by one connection a thread, with transactions said out loud.

Why no pool: a store has one user at a time in each thread, and a pool's checkout, reset and check-in would cost as
much as a save. So each thread keeps the connection it opened (`NullPool`), in autocommit; a write begins its
transaction itself. A SQLite write says `BEGIN IMMEDIATE`: it waits for the lock at the start (30 s at most), where
waiting is safe, and never fails half way. On PostgreSQL every write holds a shared advisory lock and a batch an
exclusive one: a batch locks rows in the order it meets them, and two of them could otherwise wait for each other.

A database opened here must not be carried over a `fork`; a child opens its own.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from sqlalchemy import URL, Connection, Engine, Executable, Row, create_engine, event
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.pool import NullPool, StaticPool

from crawler.errors import CrawlerError
from crawler.store.statements import PreparedStatement

LOCK_WAIT_SECONDS = 30
CONNECT_TIMEOUT_SECONDS = 10
ADVISORY_LOCK_KEY = 0x63726177
"""First half of the advisory lock's key on PostgreSQL; the second is the schema's name, hashed."""

Rows = Sequence[Row[Any]]
T = TypeVar("T")

ENGINE_OPTIONS: dict[str, Any] = {
    "isolation_level": "AUTOCOMMIT",
    "execution_options": {"preserve_rowcount": True},  # else unknown after an INSERT
}


class _ThreadState(threading.local):
    """What one thread holds: its connection, and whether a transaction is open in it or has failed."""

    connection: Connection | None = None
    in_transaction: bool = False
    has_failed: bool = False


class Database:
    """Reads and writes for the rooms of the store; `name` is its address without password, for messages."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine, self.name = engine, name
        self._mine = _ThreadState()
        self._opened: list[Connection] = []
        postgres = engine.dialect.name == "postgresql"
        self._begin: dict[bool, tuple[str, ...]] = {False: ("BEGIN IMMEDIATE",), True: ("BEGIN IMMEDIATE",)}
        if postgres:
            key = f"{ADVISORY_LOCK_KEY}, hashtext(current_schema())"
            self._begin = {
                False: ("BEGIN", f"SELECT pg_advisory_xact_lock_shared({key})"),
                True: ("BEGIN", f"SELECT pg_advisory_xact_lock({key})"),
            }

    def fetch_all(self, statement: Executable) -> Rows:
        """All rows of a query; inside a batch it sees what the batch wrote. A lost connection is tried once more."""
        return self._run_with_reconnect(lambda connection: connection.execute(statement).all())

    def fetch_prepared(self, prepared: PreparedStatement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """All rows of a prepared query, as `read`."""
        return self._run_with_reconnect(lambda connection: prepared.fetch_all(connection, values))

    def _run_with_reconnect(self, ask: Callable[[Connection], T]) -> T:
        try:
            return ask(self._get_connection())
        except DBAPIError as error:
            if not error.connection_invalidated or self._mine.in_transaction:
                self._raise_store_error("read", error)
        self._drop_connection()
        try:
            return ask(self._get_connection())
        except DBAPIError as error:
            self._raise_store_error("read", error)

    @contextlib.contextmanager
    def transaction(self, *, exclusive: bool = False) -> Iterator[Connection]:
        """A transaction: all of the block or nothing. Inside another one it becomes a part of that.

        A part that failed spoils the whole, also when its exception was caught: the whole is rolled back and its
        end raises CrawlerError, for half a save must never be committed.
        """
        mine = self._mine
        if mine.in_transaction:
            assert mine.connection is not None
            try:
                yield mine.connection
            except BaseException:
                mine.has_failed = True
                raise
            return
        connection = self._begin_with_reconnect(self._begin[exclusive])
        mine.in_transaction, mine.has_failed = True, False
        try:
            yield connection
            if mine.has_failed:
                raise CrawlerError(f"Nothing of this batch was written to the store {self.name}: a part of it failed.")
            connection.exec_driver_sql("COMMIT")
        except BaseException as error:
            self._roll_back(connection)
            if isinstance(error, DBAPIError):
                self._raise_store_error("written", error)
            raise
        finally:
            mine.in_transaction = False

    def close(self) -> None:
        """Close the connections of all threads; nobody may use the database afterwards."""
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._mine = _ThreadState()
        self.engine.dispose()

    def _get_connection(self) -> Connection:
        if self._mine.connection is None:
            try:
                self._mine.connection = self.engine.connect()
            except DBAPIError as error:
                self._raise_store_error("reached", error)
            self._opened.append(self._mine.connection)
        return self._mine.connection

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
        connection = self._get_connection()
        for statement in statements:
            connection.exec_driver_sql(statement)
        return connection

    def _roll_back(self, connection: Connection) -> None:
        """End the transaction; where that fails the connection is dropped, and the database ends it itself."""
        try:
            connection.exec_driver_sql("ROLLBACK")
        except (DBAPIError, PendingRollbackError):  # the second: SQLAlchemy knows that the connection is lost
            self._drop_connection()

    def _drop_connection(self) -> None:
        connection, self._mine.connection = self._mine.connection, None
        if connection is not None:
            self._opened.remove(connection)
            connection.invalidate()
            connection.close()

    def _raise_store_error(self, done: str, error: DBAPIError) -> NoReturn:
        raise CrawlerError(f"The store {self.name} could not be {done}: {format_database_error(error)}.") from error


def make_engine(url: URL) -> Engine:
    """An engine for a SQLite or PostgreSQL address, its connections prepared; nothing is opened yet."""
    if url.get_backend_name() == "postgresql":
        arguments = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_SECONDS}
        return create_engine(url, poolclass=NullPool, connect_args=arguments, **ENGINE_OPTIONS)
    in_memory = is_in_memory(url)
    engine = create_engine(
        url,
        poolclass=StaticPool if in_memory else NullPool,  # a database in memory lives as long as its one connection
        connect_args={"timeout": LOCK_WAIT_SECONDS, "check_same_thread": in_memory},  # False: `close` may come from any
        **ENGINE_OPTIONS,
    )
    event.listen(engine, "connect", _set_sqlite_pragmas)
    return engine


def is_in_memory(url: URL) -> bool:
    """Whether a SQLite address means a database in memory, usable in the thread that opened it only."""
    return url.database in (None, "", ":memory:")


def format_database_error(error: DBAPIError) -> str:
    """What the database itself said, one line without a full stop."""
    lines = str(error.orig).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error.orig).__name__


def _set_sqlite_pragmas(connection: Any, _: Any) -> None:
    """NORMAL: with WAL, a power cut may cost the last commits but never harms the file; a `kill -9` costs nothing."""
    for pragma in ("synchronous = NORMAL", "foreign_keys = ON", "cache_size = -16000", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
