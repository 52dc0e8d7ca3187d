"""INSERT … ON CONFLICT in the words of the database at hand; SQLite and PostgreSQL say it alike."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite


class Insert:
    """Statements for one table, made once, each in both dialects; `[dialect name]` gives the right one.

    With `key`, a row that stands already takes the new row's values; without, it stays as it is, which the result's
    `rowcount` of 0 tells.
    """

    def __init__(self, table: Table, key: Sequence[str] = ()) -> None:
        changed = [column.name for column in table.columns if column.name not in key]
        self._statements: dict[str, Executable] = {}
        for dialect in (sqlite, postgresql):
            insert = dialect.insert(table)
            self._statements[dialect.__name__.rpartition(".")[2]] = (
                insert.on_conflict_do_update(
                    index_elements=list(key), set_={name: insert.excluded[name] for name in changed}
                )
                if key
                else insert.on_conflict_do_nothing().execution_options(preserve_rowcount=True)
            )

    def __getitem__(self, dialect: str) -> Executable:
        return self._statements[dialect]
