"""Statements that SQLAlchemy does not have for both databases, and columns labelled by their names in Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Insert, Label, Table
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
