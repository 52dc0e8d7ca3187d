"""Statements that SQLAlchemy does not have for both databases, and columns labelled by their names in Python."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from importlib import import_module
from itertools import zip_longest
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ClauseElement, Connection, Dialect, Insert, Label, Row, Select, Table, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.visitors import iterate

MIN_LIST_SIZE = 8
"""Values that a query with a list is compiled for at least. Longer lists have twice as many, and so on."""


class InsertByDialect:
    """A statement for each dialect: `connection.execute(statement[connection.dialect.name], values)`.

    It is made at its first use, because importing the dialect that a store does not have takes 30 ms.
    """

    def __init__(self, table: Table, complete: Callable[[Any], Insert]) -> None:
        """`complete` makes the statement from the dialect's own INSERT."""
        self._table, self._complete = table, complete
        self._statements: dict[str, Insert] = {}

    def __getitem__(self, dialect: str) -> Insert:
        if dialect not in self._statements:
            own = import_module(f"sqlalchemy.dialects.{dialect}").insert(self._table)
            self._statements[dialect] = self._complete(own)
        return self._statements[dialect]


def make_upsert(table: Table, key: Sequence[str]) -> InsertByDialect:
    """Return an INSERT of a whole row that replaces the row with the same key."""

    def replace_row(own: Any) -> Insert:
        changed = {column.key: own.excluded[column.key] for column in table.columns if column.key not in key}
        statement: Insert = own.on_conflict_do_update(index_elements=list(key), set_=changed)
        return statement

    return InsertByDialect(table, replace_row)


def make_insert_if_absent(table: Table) -> InsertByDialect:
    """Return an INSERT of a whole row that does nothing if the key exists; `rowcount` is then 0."""
    return InsertByDialect(table, lambda own: own.on_conflict_do_nothing())


Parameters = Sequence[Any] | Mapping[str, Any]


def execute_by_driver(connection: Connection, sql: str, parameters: Parameters = ()) -> Any:
    """Execute the driver's own SQL without SQLAlchemy, which takes twice as long. Return the driver's cursor.

    For statements that every page pays for. Raise DBAPIError, as SQLAlchemy does.
    """
    with _translate_errors(connection, sql) as driver:
        return driver.execute(sql, parameters)


def fetch_by_driver(connection: Connection, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
    """Return all rows of a query as `execute_by_driver` executes it. SQLite reads most of them only when fetched."""
    with _translate_errors(connection, sql) as driver:
        rows: list[tuple[Any, ...]] = driver.execute(sql, parameters).fetchall()
        return rows


@contextmanager
def _translate_errors(connection: Connection, sql: str) -> Iterator[Any]:
    """Yield the driver's connection. Raise its errors as SQLAlchemy's."""
    dialect, driver = connection.dialect, connection.connection.driver_connection
    try:
        yield driver
    except dialect.loaded_dbapi.Error as error:
        is_lost = dialect.is_disconnect(error, driver, None)
        # Without the parameters, which may be a whole text.
        raise DBAPIError.instance(
            sql, None, error, dialect.loaded_dbapi.Error, connection_invalidated=is_lost
        ) from error


class _CompiledStatement(NamedTuple):
    """A statement as a driver executes it: the name of each parameter and what converts it. `own_values` are its own.

    `has_names`: the driver takes parameters by name.
    """

    sql: str
    parameters: Sequence[tuple[str, Callable[[Any], Any] | None]]
    own_values: Mapping[str, Any]
    has_names: bool

    def convert(self, values: Mapping[str, Any]) -> Parameters:
        """Return values as the driver expects them. Raise KeyError if one is missing."""
        known = {**self.own_values, **values} if self.own_values else values
        converted = [convert(known[name]) if convert else known[name] for name, convert in self.parameters]
        if self.has_names:
            return {name: value for (name, _), value in zip(self.parameters, converted, strict=True)}
        return converted

    def convert_rows(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[Parameters]:
        """Return rows as the driver expects them, in a tenth of the time if no value has to be converted."""
        names = [name for name, convert in self.parameters if convert is None]
        if self.own_values or len(names) < max(2, len(self.parameters)):
            return list(map(self.convert, rows))
        return rows if self.has_names else list(map(itemgetter(*names), rows))


class PreparedStatement:
    """A statement that every page pays for: compiled once for each database and executed by the driver.

    SQLAlchemy takes two to eight times as long. A row is a tuple of what the database holds, without any conversion.
    """

    def __init__(self, statement: ClauseElement | InsertByDialect) -> None:
        self._statement = statement
        self._compiled: dict[str, _CompiledStatement] = {}

    def execute(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """Execute it with these values, the same names in each call. Return the driver's cursor.

        Raise DBAPIError, and KeyError for a value that is missing.
        """
        compiled = self._get_compiled(connection, values)
        return execute_by_driver(connection, compiled.sql, compiled.convert(values))

    def fetch_all(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute it as `execute` does, and return all rows."""
        compiled = self._get_compiled(connection, values)
        return fetch_by_driver(connection, compiled.sql, compiled.convert(values))

    def execute_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute it with the values of each row. Raise DBAPIError."""
        if rows:
            compiled = self._get_compiled(connection, rows[0])
            with _translate_errors(connection, compiled.sql) as driver, closing(driver.cursor()) as cursor:
                cursor.executemany(compiled.sql, compiled.convert_rows(rows))

    def _get_compiled(self, connection: Connection, values: Mapping[str, Any]) -> _CompiledStatement:
        """Return the statement as the driver executes it. The first call compiles it, for the names of its values."""
        dialect, statement = connection.dialect, self._statement
        if known := self._compiled.get(dialect.name):
            return known
        if isinstance(statement, InsertByDialect):
            statement = statement[dialect.name]
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(values))
        parameters = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or compiled.params
        ]
        own = {name: compiled.params[name] for name, _ in parameters if not compiled.binds[name].required}
        made = _CompiledStatement(str(compiled), parameters, own, has_names=compiled.positiontup is None)
        self._compiled[dialect.name] = made
        return made


class IndexScanQuery(PreparedStatement):
    """A query that PostgreSQL answers from an index, even where its planner takes reading a whole table for cheaper.

    The setting and the query are one message, and one transaction. A transaction of the caller's own
    would be four messages more. The query is planned at each call.
    """

    def fetch_all(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute it, and return all rows."""
        from psycopg import ClientCursor  # Only a cursor that writes the values into the text sends two statements.

        compiled = self._get_compiled(connection, values)
        with _translate_errors(connection, compiled.sql) as driver, closing(ClientCursor(driver)) as cursor:
            cursor.execute(f"SET LOCAL enable_seqscan = off; {compiled.sql}", compiled.convert(values))
            cursor.nextset()
            return list(cursor.fetchall())


class _CompiledQuery(NamedTuple):
    """A query for a size of each of its lists: the statement, the names of each list's values, how rows are read."""

    statement: _CompiledStatement
    expanded: Mapping[str, Sequence[str]]
    make_row: Callable[[Iterable[Any]], Any]
    converted: Sequence[tuple[int, Callable[[Any], Any]]]
    """The columns that are converted, and what converts each."""

    def convert(self, values: Mapping[str, Any]) -> Parameters:
        """Return values as the driver expects them. What a list has less than its size becomes NULL."""
        known = dict(values)
        for name, names in self.expanded.items():
            known.update(zip_longest(names, known[name]))
        return self.statement.convert(known)

    def read_rows(self, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Return named rows with converted values. A column is converted as a whole, which takes half the time."""
        if not self.converted or not rows:
            return list(map(self.make_row, rows))
        columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
        for index, convert in self.converted:
            columns[index] = map(convert, columns[index])
        return list(map(self.make_row, zip(*columns, strict=True)))


class PreparedQuery:
    """A query that every page pays for, compiled once for each database and executed by the driver.

    It returns named tuples of what SQLAlchemy returns, in a third of the time. A parameter with `expanding=True` is a
    list. The query is compiled for a few sizes, and NULL fills the rest, because nothing is equal to it: so a list is
    for `IN`, never for `NOT IN`.
    """

    def __init__(self, query: Select[Any]) -> None:
        self._query = query
        parameters = [each for each in iterate(query) if isinstance(each, BindParameter) and each.required]
        self._names = {each.key for each in parameters}
        self._lists = sorted({each.key for each in parameters if each.expanding})
        self._compiled: dict[tuple[object, ...], _CompiledQuery] = {}

    def fetch_all(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Return all rows of the query with these values. Raise DBAPIError, and KeyError for a missing value."""
        sizes = [max(MIN_LIST_SIZE, 1 << (len(values[name]) - 1).bit_length()) for name in self._lists]
        key = (connection.dialect.name, *sizes)
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compiled[key] = self._compile(connection.dialect, sizes)
        return compiled.read_rows(fetch_by_driver(connection, compiled.statement.sql, compiled.convert(values)))

    def _compile(self, dialect: Dialect, sizes: Sequence[int]) -> _CompiledQuery:
        compiled: Any = self._query.compile(dialect=dialect)
        empty_lists = {name: [None] * size for name, size in zip(self._lists, sizes, strict=True)}
        expanded = compiled.construct_expanded_state({**dict.fromkeys(self._names), **empty_lists})
        lists = {name: expanded.parameter_expansion[name] for name in self._lists}
        given = self._names.union(*lists.values())
        binds = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()}
        binds |= expanded.processors  # those of the values in lists
        statement = _CompiledStatement(
            expanded.statement,
            [(name, binds.get(name)) for name in expanded.positiontup or expanded.parameters],
            {name: value for name, value in expanded.parameters.items() if name not in given},
            has_names=expanded.positiontup is None,
        )
        columns = list(self._query.selected_columns)
        names = [column.name for column in columns]
        row_type: Any = namedtuple("QueryRow", names, rename=True)  # type: ignore[misc]
        processors = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        return _CompiledQuery(
            statement,
            lists,
            row_type._make,
            [(index, convert) for index, convert in enumerate(processors) if convert],
        )


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row[Any]]) -> None:
    """Insert rows with all columns of the table, in its order. PostgreSQL gets them by COPY, in a third of the time."""
    dialect = connection.dialect
    if dialect.name != "postgresql":
        connection.execute(insert(table), [dict(row._mapping) for row in rows])
        return
    processors = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns]
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    driver: Any = connection.connection.driver_connection
    statement = f'COPY "{table.name}" ({names}) FROM STDIN'
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row([make(value) if make else value for make, value in zip(processors, row, strict=True)])
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError(statement, None, error) from error


def select_columns(table: Table, keys: Iterable[str]) -> list[Label[Any]]:
    """Return the columns labelled by their keys. A row of an unlabelled column has the database's name."""
    return [table.c[key].label(key) for key in keys]


class KeyQuery:
    """A query for many keys. It has one of a few texts, whatever their number, so that the databases prepare it once.

    `make_text` returns the text for a number of keys, with `?` for each key and the values that follow it.
    """

    def __init__(self, make_text: Callable[[int], str], sizes: Sequence[int]) -> None:
        self._sizes = sizes
        self._texts = {
            (dialect, size): make_text(size).replace("?", placeholder)
            for dialect, placeholder in (("sqlite", "?"), ("postgresql", "%s"))
            for size in sizes
        }

    def fetch(self, connection: Connection, keys: Collection[Any], *values: Any) -> Iterator[tuple[Any, ...]]:
        """Yield the rows for all keys. `values` follow each key. Keys beyond the greatest size are asked for later."""
        chosen = list(keys)
        for start in range(0, len(chosen), self._sizes[-1]):
            chunk = chosen[start : start + self._sizes[-1]]
            size = next(size for size in self._sizes if size >= len(chunk))
            padded = [*chunk, *[None] * (size - len(chunk))]  # nothing is equal to NULL
            parameters = tuple(value for key in padded for value in (key, *values)) if values else tuple(padded)
            # By the driver: SQLAlchemy would process each parameter and each row by itself.
            yield from fetch_by_driver(connection, self._texts[connection.dialect.name, size], parameters)


def make_in_query(text: str, sizes: Sequence[int] = (8, 64, 128, 500)) -> KeyQuery:
    """Return a query with `{keys}` in its text, which becomes the list of keys: `… WHERE number IN ({keys})`."""
    return KeyQuery(lambda size: text.format(keys=", ".join("?" * size)), sizes)
