"""How much a store holds, and what takes the space."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Text, func, select, text

from crawler.store.database import Database
from crawler.store.schema import articles, unclustered
from crawler.store.search_index import unindexed_versions


class RelationSize(NamedTuple):
    """A table or an index: rows (None: unknown), and bytes without its indexes. `table` is whose index it is."""

    name: str
    table: str
    is_index: bool
    rows: int | None
    bytes: int


class SourceYear(NamedTuple):
    """How many articles of a source are of a year (UTC)."""

    source: str
    year: int
    articles: int


class MonthGrowth(NamedTuple):
    """How many articles were first seen in a month (UTC, `2026-03`)."""

    month: str
    articles: int


class TimeRange(NamedTuple):
    """The times of the oldest and of the newest article (aware, UTC), None in an empty store."""

    oldest: datetime | None
    newest: datetime | None


# A cell of an inner page is a row in an index and in a table WITHOUT ROWID, and only a signpost in any other table.
_SQLITE_SIZES = """
SELECT stat.name, coalesce(master.tbl_name, stat.name), coalesce(master.type, 'table') = 'index',
    CASE WHEN master.type = 'index' OR list.wr = 1 THEN cells ELSE leaf_cells END, bytes
FROM (
    SELECT name, sum(pgsize) AS bytes, sum(ncell) AS cells,
        sum(CASE WHEN pagetype = 'leaf' THEN ncell ELSE 0 END) AS leaf_cells
    FROM dbstat GROUP BY name
) AS stat
LEFT JOIN sqlite_master AS master ON master.name = stat.name
LEFT JOIN pragma_table_list AS list ON list.schema = 'main' AND list.name = stat.name
"""
_HAS_DBSTAT = "SELECT count(*) FROM pragma_module_list WHERE name = 'dbstat'"
_POSTGRESQL_SIZES = """
SELECT item.relname, coalesce(owner.relname, item.relname), item.relkind = 'i', nullif(item.reltuples, -1)::bigint,
    CASE WHEN item.relkind = 'i' THEN pg_relation_size(item.oid) ELSE pg_table_size(item.oid) END
FROM pg_class AS item
LEFT JOIN pg_index AS link ON link.indexrelid = item.oid
LEFT JOIN pg_class AS owner ON owner.oid = link.indrelid
WHERE item.relkind IN ('r', 'i') AND item.relnamespace = current_schema()::regnamespace
"""


class StatisticsRepository:
    """`store.statistics`. The times of articles are in UTC."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_sqlite = database.engine.dialect.name == "sqlite"

    @property
    def has_exact_rows(self) -> bool:
        """Whether the rows of `list_relations` are counted. PostgreSQL estimates them."""
        return self._is_sqlite

    def list_relations(self) -> list[RelationSize]:
        """Return all tables and indexes, the largest first. Empty if this SQLite cannot measure them.

        SQLite reads every page of the file for it.
        """
        if self._is_sqlite and not self._database.fetch_all(text(_HAS_DBSTAT))[0][0]:
            return []
        rows = self._database.fetch_all(text(_SQLITE_SIZES if self._is_sqlite else _POSTGRESQL_SIZES))
        found = [RelationSize._make(row) for row in rows]
        found = [each._replace(is_index=bool(each.is_index), bytes=int(each.bytes)) for each in found]
        return sorted(found, key=lambda each: (-each.bytes, each.name))

    def get_bytes(self) -> int:
        """Return the bytes of the whole store."""
        if self._is_sqlite:
            names = ("page_count", "page_size")
            count, size = (self._database.fetch_all(text(f"PRAGMA {name}"))[0][0] for name in names)
            return int(count) * int(size)
        return sum(each.bytes for each in self.list_relations())

    def count_by_source_and_year(self) -> list[SourceYear]:
        """Return the articles of each source by the year of their time."""
        year = self._format_time(articles.c.dated_at, 4)
        query = select(articles.c.source, year, func.count()).group_by(articles.c.source, year)
        rows = self._database.fetch_all(query.order_by(articles.c.source, year))
        return [each._replace(year=int(each.year)) for each in map(SourceYear._make, rows)]

    def count_by_month(self) -> list[MonthGrowth]:
        """Return how many articles were first seen in each month, the earliest first."""
        month = self._format_time(articles.c.first_seen_at, 7)
        rows = self._database.fetch_all(select(month, func.count()).group_by(month).order_by(month))
        return [MonthGrowth._make(row) for row in rows]

    def get_time_range(self) -> TimeRange:
        """Return the times of the oldest and the newest article."""
        ends = (func.min(articles.c.dated_at), func.max(articles.c.dated_at))
        # Each alone is read from the end of an index.
        oldest, newest = (self._database.fetch_all(select(end))[0][0] for end in ends)
        return TimeRange(oldest, newest)

    def count_waiting(self) -> dict[str, int]:
        """Return how many versions wait for the full-text index, and how many articles for comparison."""
        counted = {"index": unindexed_versions, "comparison": unclustered}
        return {
            name: self._database.fetch_all(select(func.count()).select_from(table))[0][0]
            for name, table in counted.items()
        }

    def _format_time(self, column: Column[Any], length: int) -> ColumnElement[str]:
        """Return the first characters of a time in UTC as `2026-03-06`."""
        if self._is_sqlite:
            return func.substr(column, 1, length, type_=Text)  # SQLite stores such a text
        return func.substr(func.to_char(func.timezone("UTC", column), "YYYY-MM-DD"), 1, length, type_=Text)
