"""Copy a whole store into another database while the first one is in use: SQLite and PostgreSQL, in any combination.

The rows are those of one moment: one transaction reads them all, and those who use the store continue. Each batch is
written together with the key of its last row, so a copy that is killed continues there. A continued copy has another
moment. So it first compares what it has with the store, and corrects what changed meanwhile. At the end the copy is
read again, and the counts and digests of all tables are compared.

Until everything is done, the revision of the copy ends in `COPY_MARK`, which keeps every other command away. The
full-text index is made again in the copy, because each database has its own kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    Row,
    Select,
    Table,
    Text,
    delete,
    func,
    insert,
    inspect,
    literal,
    select,
    text,
    tuple_,
)
from sqlalchemy.exc import DBAPIError

from crawler.errors import CrawlerError, StoreError, UsageError
from crawler.store.complete_schema import metadata
from crawler.store.database import ADVISORY_LOCK_KEY, Database, format_database_error, make_engine
from crawler.store.portable_copy import OPEN_SNAPSHOT, advance_sequences, count_rows, find_store_file, is_table_empty
from crawler.store.schema import COPY_MARK, SCHEMA_REVISION, articles, change_events, leases, runs, versions
from crawler.store.search_index import index_batch, reset_index, unindexed_versions
from crawler.store.statements import insert_rows, make_insert_if_absent, make_upsert, select_columns
from crawler.store.store import get_store_file, is_store_missing, open_store, parse_store_url, redact_url

ROWS_PER_BATCH = 1000
VERSIONS_PER_INDEX_BATCH = 200
LOCK_WAIT_MILLISECONDS = 2000
UNFINISHED_REVISION = SCHEMA_REVISION + COPY_MARK
COPY_LOCK = f"{ADVISORY_LOCK_KEY}, hashtext(current_schema() || ' copy')"
INDEXING = "indexing"
"""Phase of a copy whose rows are complete and compared."""

COPIED_TABLES = tuple(table for table in metadata.sorted_tables if table is not leases)
"""Those that others refer to are first. A lease is only true of a process that uses the first store."""

copy_state = Table(
    "store_copy", MetaData(), Column("name", Text, primary_key=True), Column("value", Text, nullable=False)
)
"""What an unfinished copy knows about itself. The table is dropped at the end."""
_SAVE_STATE = make_upsert(copy_state, key=("name",))

ProgressListener = Callable[[str, int, int], None]
"""Gets what is being done, how many rows of it are done, and how many there are."""


@dataclass(slots=True)
class RowDigest:
    """The number of rows, and a digest that does not depend on their order: databases sort texts differently."""

    count: int = 0
    total: int = 0

    def add(self, rows: Sequence[Row[Any]]) -> None:
        """Add rows."""
        self.count += len(rows)
        for row in rows:
            digest = blake2b(repr(tuple(row)).encode("utf-8", "surrogatepass"), digest_size=16).digest()
            self.total += int.from_bytes(digest, "big")
        self.total %= 1 << 128


@dataclass(slots=True)
class CopyReport:
    """What a copy has: rows by table, and the moment (UTC) of the store that it shows.

    `corrected` counts rows of an earlier start that had changed. `was_continued`: an earlier start had begun it.
    `was_written`: the store has stored more since that moment.
    """

    taken_at: datetime
    counts: dict[str, int] = field(default_factory=dict)
    corrected: int = 0
    indexed: int = 0
    was_continued: bool = False
    was_written: bool = False


def copy_store(source_url: str, target_url: str, on_progress: ProgressListener = lambda *_: None) -> CopyReport:
    """Copy a store into an empty database, or continue to. Memory does not grow with the store.

    Raise UsageError if there is no store, or the target has anything that is not this copy. Raise StoreError if a
    database fails meanwhile, and CrawlerError if the copy differs. Each time the next call continues.
    """
    _raise_if_same(source_url, target_url)
    if is_store_missing(source_url):
        raise UsageError(f"There is no store {redact_url(source_url)}: name the database to copy.")
    with open_store(source_url) as source:
        _begin_copy(_describe_source(source_url), target_url)
        engine = make_engine(parse_store_url(target_url))
        try:
            with engine.connect() as writing, _lock_target(writing, redact_url(target_url)):
                return _Copy(source.database, writing, on_progress).run()
        except DBAPIError as error:
            raise StoreError(
                f"The copy into {redact_url(target_url)} stopped: {format_database_error(error)}. "
                "Run the same command again: it continues."
            ) from error
        finally:
            engine.dispose()


def _raise_if_same(source_url: str, target_url: str) -> None:
    files = [find_store_file(url) for url in (source_url, target_url)]
    addresses = [parse_store_url(url) for url in (source_url, target_url)]
    places = [(address.host, address.port, address.database, address.query.get("options")) for address in addresses]
    if files[0] == files[1] and (files[0] is not None or places[0] == places[1]):
        raise UsageError(f"{redact_url(source_url)} cannot be copied into itself: name another database.")


def _describe_source(url: str) -> str:
    file = get_store_file(parse_store_url(url))
    return str(file.absolute()) if file else redact_url(url)


def _begin_copy(source: str, target_url: str) -> None:
    """Make the target an unfinished copy. Raise UsageError if it has anything else."""
    name = redact_url(target_url)
    if is_store_missing(target_url) or not _has_state(target_url):
        with open_store(target_url) as target, target.database.transaction(exclusive=True) as connection:
            filled = [table.name for table in metadata.sorted_tables if not is_table_empty(connection, table)]
            if filled:
                raise UsageError(
                    f"{name} has rows already ({', '.join(filled[:3])}), so nothing was copied. Name an empty database."
                )
            copy_state.create(connection)
            connection.execute(insert(copy_state), {"name": "source", "value": source})
            connection.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": UNFINISHED_REVISION})
        return
    engine = make_engine(parse_store_url(target_url))
    try:
        with engine.connect() as connection:
            found = _read_state(connection, "source")
            revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except DBAPIError as error:
        raise UsageError(
            f"{name} cannot be read: {format_database_error(error)}. Another copy may be in progress."
        ) from error
    finally:
        engine.dispose()
    if found != source:
        raise UsageError(f"{name} is an unfinished copy of {found}, not of {source}. Name an empty database.")
    if revision != UNFINISHED_REVISION:
        raise UsageError(f"Another version of this program began the copy {name}. Name an empty database.")


def _has_state(url: str) -> bool:
    engine = make_engine(parse_store_url(url))
    try:
        with engine.connect() as connection:
            return inspect(connection).has_table(copy_state.name)
    except DBAPIError as error:
        raise UsageError(
            f"{redact_url(url)} cannot be read: {format_database_error(error)}. Another copy may be in progress."
        ) from error
    finally:
        engine.dispose()


def _read_state(connection: Connection, name: str) -> str | None:
    found: str | None = connection.execute(select(copy_state.c.value).where(copy_state.c.name == name)).scalar()
    return found


@contextmanager
def _lock_target(connection: Connection, name: str) -> Iterator[None]:
    """Keep every other process away from the target. The end of the process unlocks it too.

    In SQLite the foreign keys are off meanwhile: the rows of a table may come before those that they refer to.
    """
    if connection.dialect.name == "sqlite":
        for pragma in (f"busy_timeout = {LOCK_WAIT_MILLISECONDS}", "locking_mode = EXCLUSIVE", "foreign_keys = OFF"):
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        try:
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
            connection.exec_driver_sql("COMMIT")
        except DBAPIError as error:
            raise UsageError(f"{name} is in use by another process: another copy may be in progress.") from error
    elif not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({COPY_LOCK})").scalar():
        raise UsageError(f"{name} is in use by another process: another copy is in progress.")
    yield


class _Copy:
    """Copies the tables into a locked target."""

    def __init__(self, source: Database, writing: Connection, on_progress: ProgressListener) -> None:
        self._source, self._writing, self._on_progress = source, writing, on_progress
        self._report = CopyReport(datetime.now(UTC))

    def run(self) -> CopyReport:
        """Copy and compare the rows unless an earlier start did, then make the index."""
        if _read_state(self._writing, "phase") != INDEXING:
            self._copy_rows()
        self._report.taken_at = datetime.fromisoformat(_read_state(self._writing, "taken_at") or "")
        activity = _read_state(self._writing, "activity")
        self._make_index()
        self._report.counts = {table.name: count_rows(self._writing, table) for table in COPIED_TABLES}
        with self._source.engine.connect() as reading:
            self._report.was_written = _read_activity(reading) != activity
        with self._transaction():
            copy_state.drop(self._writing)
            self._writing.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": SCHEMA_REVISION})
        if self._writing.dialect.name == "postgresql":
            self._writing.exec_driver_sql("ANALYZE")
        else:
            self._writing.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return self._report

    def _copy_rows(self) -> None:
        """Copy all rows of one moment."""
        with self._source.engine.connect() as reading:
            reading.exec_driver_sql("BEGIN" if reading.dialect.name == "sqlite" else OPEN_SNAPSHOT)
            activity = _read_activity(reading)  # SQLite's snapshot begins with the first read
            taken_at = datetime.now(UTC)
            totals = {table.name: count_rows(reading, table) for table in COPIED_TABLES}
            digests = {table.name: self._copy_table(reading, table, totals[table.name]) for table in COPIED_TABLES}
            reading.exec_driver_sql("COMMIT")
        for table in COPIED_TABLES:
            self._compare_table(table, digests[table.name])
        with self._transaction():
            reset_index(self._writing)
            if self._writing.dialect.name == "postgresql":
                advance_sequences(self._writing)
            self._save_state("taken_at", taken_at.isoformat())
            self._save_state("activity", activity)
            self._save_state("phase", INDEXING)

    def _copy_table(self, reading: Connection, table: Table, total: int) -> RowDigest:
        """Correct what an earlier start copied of a table, and add the rest. Return the digest of the store's rows."""
        digest = RowDigest()
        label = f"copying {table.name}"
        self._on_progress(label, 0, total)
        value = _read_state(self._writing, _make_key_name(table))
        last: list[Any] | None = json.loads(value) if value else None
        if last is not None:
            self._report.was_continued = True
            self._delete_stale(reading, table)
            for rows in iter_rows(reading, table, until=last):
                digest.add(rows)
                self._correct_rows(table, rows)
                self._on_progress(label, digest.count, total)
        for rows in iter_rows(reading, table, after=last):
            digest.add(rows)
            with self._transaction():
                insert_rows(self._writing, table, rows)
                self._save_state(_make_key_name(table), json.dumps(get_key(table, rows[-1])))
            self._on_progress(label, digest.count, total)
        return digest

    def _delete_stale(self, reading: Connection, table: Table) -> None:
        """Delete the rows that the store has no longer. First, because of keys that exist only once."""
        for rows in iter_rows(self._writing, table):
            keys = [get_key(table, row) for row in rows]
            kept = {tuple(get_key(table, row)) for row in _select_by_keys(reading, table, keys)}
            stale = [key for key in keys if tuple(key) not in kept]
            if stale:
                with self._transaction():
                    self._writing.execute(delete(table).where(_has_key(table, stale)))
                self._report.corrected += len(stale)

    def _correct_rows(self, table: Table, rows: Sequence[Row[Any]]) -> None:
        """Write those of the store's rows that the copy has otherwise, or lacks."""
        keys = [get_key(table, row) for row in rows]
        present = {tuple(get_key(table, row)): tuple(row) for row in _select_by_keys(self._writing, table, keys)}
        changed = [dict(row._mapping) for row in rows if present.get(tuple(get_key(table, row))) != tuple(row)]
        if changed:
            key = [column.key for column in table.primary_key]
            has_values = len(key) < len(table.columns)
            statement = make_upsert(table, key) if has_values else make_insert_if_absent(table)
            with self._transaction():
                self._writing.execute(statement[self._writing.dialect.name], changed)
            self._report.corrected += len(changed)

    def _compare_table(self, table: Table, expected: RowDigest) -> None:
        """Raise CrawlerError if the copy of a table has other rows than the store had."""
        found, label = RowDigest(), f"comparing {table.name}"
        self._on_progress(label, 0, expected.count)
        for rows in iter_rows(self._writing, table):
            found.add(rows)
            self._on_progress(label, found.count, expected.count)
        if found != expected:
            raise CrawlerError(
                f"The copy of the table {table.name} differs: {found.count:,} rows of {expected.count:,}, digest "
                f"{found.total:032x} instead of {expected.total:032x}. Run the same command again: it corrects it."
            )

    def _make_index(self) -> None:
        """Index all versions that wait, a batch a transaction."""
        total, done = count_rows(self._writing, unindexed_versions), 0
        while True:
            self._on_progress("indexing versions", done, total)
            with self._transaction():
                count = index_batch(self._writing, VERSIONS_PER_INDEX_BATCH)
            if count == 0:
                break
            done += count
        self._report.indexed = count_rows(self._writing, versions)

    def _save_state(self, name: str, value: str) -> None:
        self._writing.execute(_SAVE_STATE[self._writing.dialect.name], {"name": name, "value": value})

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._writing.exec_driver_sql("BEGIN")
        try:
            yield
            self._writing.exec_driver_sql("COMMIT")
        except BaseException:
            if not self._writing.invalidated:
                with suppress(DBAPIError):  # SQLite has rolled back itself when the disk is full
                    self._writing.exec_driver_sql("ROLLBACK")
            raise


def iter_rows(
    connection: Connection, table: Table, *, after: Sequence[Any] | None = None, until: Sequence[Any] | None = None
) -> Iterator[Sequence[Row[Any]]]:
    """Yield the rows of a table in the order of their key, in batches: those after a key, up to another one."""
    last = after
    while True:
        query = _select_rows(table).order_by(*table.primary_key).limit(ROWS_PER_BATCH)
        if last is not None:
            query = query.where(_make_key(table) > _bind_key(table, last))
        if until is not None:
            query = query.where(_make_key(table) <= _bind_key(table, until))
        rows = connection.execute(query).all()
        if rows:
            last = get_key(table, rows[-1])
            yield rows
        if len(rows) < ROWS_PER_BATCH:
            return


def get_key(table: Table, row: Row[Any]) -> list[Any]:
    """Return the values of a row's primary key."""
    return [row._mapping[column.key] for column in table.primary_key]


def _select_rows(table: Table) -> Select[Any]:
    return select(*select_columns(table, table.columns.keys()))


def _select_by_keys(connection: Connection, table: Table, keys: Sequence[Sequence[Any]]) -> Sequence[Row[Any]]:
    return connection.execute(_select_rows(table).where(_has_key(table, keys))).all()


def _has_key(table: Table, keys: Sequence[Sequence[Any]]) -> Any:
    columns = list(table.primary_key)
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_([tuple(key) for key in keys])


def _make_key(table: Table) -> Any:
    columns = list(table.primary_key)
    return columns[0] if len(columns) == 1 else tuple_(*columns)


def _bind_key(table: Table, key: Sequence[Any]) -> Any:
    values = [literal(value, column.type) for value, column in zip(key, table.primary_key, strict=True)]
    return values[0] if len(values) == 1 else tuple_(*values)


def _make_key_name(table: Table) -> str:
    return f"last key of {table.name}"


def _read_activity(connection: Connection) -> str:
    """Return a text that changes whenever a run or a reader's message stores something."""
    newest = [func.max(table.c.id) for table in (runs, change_events)]
    seen = select(func.max(articles.c.last_seen_at)).scalar_subquery()
    return repr(tuple(connection.execute(select(*(select(each).scalar_subquery() for each in newest), seen)).one()))
