"""Statements that SQLAlchemy does not have for both databases, and columns labelled by their names in Python."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Label, Row, Table
from sqlalchemy.dialects import postgresql, sqlite

InsertByDialect = dict[str, Insert]
"""A statement per dialect: `connection.execute(statement[connection.dialect.name], values)`."""


def make_upsert(table: Table, key: Sequence[str]) -> InsertByDialect:
    """Return an INSERT of a whole row that replaces the row with the same key."""
    statements: InsertByDialect = {}
    for name, insert in (("sqlite", sqlite.insert(table)), ("postgresql", postgresql.insert(table))):
        changed = {column.key: insert.excluded[column.key] for column in table.columns if column.key not in key}
        statements[name] = insert.on_conflict_do_update(index_elements=list(key), set_=changed)
    return statements


def make_insert_if_absent(table: Table) -> InsertByDialect:
    """Return an INSERT of a whole row that does nothing if the key exists; `rowcount` is then 0."""
    return {
        "sqlite": sqlite.insert(table).on_conflict_do_nothing(),
        "postgresql": postgresql.insert(table).on_conflict_do_nothing(),
    }


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

    def fetch(self, connection: Connection, keys: Collection[Any], *values: Any) -> Iterator[Row[Any]]:
        """Yield the rows for all keys. `values` follow each key. Keys beyond the greatest size are asked for later."""
        chosen = list(keys)
        for start in range(0, len(chosen), self._sizes[-1]):
            chunk = chosen[start : start + self._sizes[-1]]
            size = next(size for size in self._sizes if size >= len(chunk))
            padded = [*chunk, *[None] * (size - len(chunk))]  # nothing is equal to NULL
            parameters = tuple(value for key in padded for value in (key, *values))
            # As the driver's own SQL: SQLAlchemy would process each of the parameters by itself.
            yield from connection.exec_driver_sql(self._texts[connection.dialect.name, size], parameters)


def make_in_query(text: str, sizes: Sequence[int] = (8, 64, 500)) -> KeyQuery:
    """Return a query with `{keys}` in its text, which becomes the list of keys: `… WHERE number IN ({keys})`."""
    return KeyQuery(lambda size: text.format(keys=", ".join("?" * size)), sizes)
