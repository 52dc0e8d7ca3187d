"""Statements compiled once, for what happens at every page; and INSERT … ON CONFLICT in both dialects.

SQLAlchemy spends some 60 µs around a statement, most of it to find the compiled form and to wrap rows; several
statements a page would cost more than the database itself. `Prepared` keeps the SQL text that SQLAlchemy compiled,
with the types' conversions, and hands both to the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import ClauseElement, Connection, CursorResult, Dialect, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Convert = Callable[[Any], Any] | None
Values = Mapping[str, Any]


class CompiledStatement(NamedTuple):
    """What the driver needs: SQL, its parameters in order, values that the statement brings itself, conversions."""

    sql: str
    binds: list[tuple[str, Convert]]
    positional: bool
    own_values: dict[str, Any]
    column_converters: list[Convert]

    def bind_values(self, values: Values) -> Any:
        """The parameters as the driver takes them."""
        if self.own_values:
            values = {**self.own_values, **values}
        if self.positional:
            return tuple([convert(values[name]) if convert else values[name] for name, convert in self.binds])
        return {name: convert(values[name]) if convert else values[name] for name, convert in self.binds}


class PreparedStatement:
    """One statement, the same or its own for each dialect, that is given its values by name."""

    def __init__(self, statements: Mapping[str, ClauseElement] | ClauseElement, names: Sequence[str] = ()) -> None:
        """`names` are the columns that an UPDATE sets from values of the same name."""
        self._statements = statements
        self._options: dict[str, Any] = {"column_keys": list(names)} if names else {}
        self._compiled: dict[str, CompiledStatement] = {}

    def execute(self, connection: Connection, values: Values) -> CursorResult[Any]:
        """Execute it; rows come as the driver gives them, `rowcount` as it counts them."""
        compiled = self._get_compiled(connection.dialect)
        return connection.exec_driver_sql(compiled.sql, compiled.bind_values(values))

    def execute_many(self, connection: Connection, rows: Iterable[Values]) -> None:
        """Execute it for each of the rows, of which there is at least one."""
        compiled = self._get_compiled(connection.dialect)
        connection.exec_driver_sql(compiled.sql, [compiled.bind_values(row) for row in rows])

    def fetch_all(self, connection: Connection, values: Values) -> list[tuple[Any, ...]]:
        """The rows of a query, their columns converted."""
        converts = self._get_compiled(connection.dialect).column_converters
        found = self.execute(connection, values).all()
        return [tuple(f(value) if f else value for f, value in zip(converts, row, strict=True)) for row in found]

    def _get_compiled(self, dialect: Dialect) -> CompiledStatement:
        found = self._compiled.get(dialect.name)
        return found or self._compiled.setdefault(dialect.name, self._compile(dialect))

    def _compile(self, dialect: Dialect) -> CompiledStatement:
        statement = self._statements[dialect.name] if isinstance(self._statements, Mapping) else self._statements
        compiled = cast(SQLCompiler, statement.compile(dialect=dialect, **self._options))
        names = list(compiled.positiontup or ()) if compiled.positional else list(compiled.binds)
        columns = statement.selected_columns if isinstance(statement, Select) else ()
        return CompiledStatement(
            sql=str(compiled),
            binds=[(name, _type(compiled.binds[name], dialect).bind_processor(dialect)) for name in names],
            positional=compiled.positional,
            own_values={name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required},
            column_converters=[_type(column, dialect).result_processor(dialect, None) for column in columns],
        )


def make_upsert(table: Table, key: Sequence[str]) -> PreparedStatement:
    """An INSERT of a whole row that takes the place of the one with the same key."""
    statements: dict[str, ClauseElement] = {}
    for dialect in (sqlite, postgresql):
        insert = dialect.insert(table)
        changed = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in key}
        statements[_name(dialect)] = insert.on_conflict_do_update(index_elements=list(key), set_=changed)
    return PreparedStatement(statements)


def make_insert_if_absent(table: Table) -> PreparedStatement:
    """An INSERT of a whole row that does nothing where one with the same key stands; `rowcount` is 0 then."""
    return PreparedStatement({_name(d): d.insert(table).on_conflict_do_nothing() for d in (sqlite, postgresql)})


def _name(dialect: Any) -> str:
    return str(dialect.__name__).rpartition(".")[2]


def _type(element: Any, dialect: Dialect) -> TypeEngine[Any]:
    type_: TypeEngine[Any] = element.type
    return type_.dialect_impl(dialect)
