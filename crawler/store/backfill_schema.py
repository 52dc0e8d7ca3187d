"""The tables of backfills, in the metadata of `schema.py`.

| tables | content |
|---|---|
| `backfills` | one row a source: from when on its history is wanted, and the requests of the last day |
| `backfill_pages` | every list page that a backfill read, with all its articles |
| `backfill_gaps` | list pages and articles that could not be read, and addresses that rightly have no article |
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from crawler.store.column_types import CleanText, UtcDateTime
from crawler.store.schema import metadata

backfills = Table(
    "backfills",
    metadata,
    Column("source", Text, primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("request_day", Text),
    Column("request_count", Integer, nullable=False),
)

backfill_pages = Table(
    "backfill_pages",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("list_name", Text, nullable=False),
    Column("page", BigInteger, nullable=False),
    Column("next_page", BigInteger),
    Column("is_retry", Boolean, nullable=False),
    Column("listed", Integer, nullable=False),
    Column("added", Integer, nullable=False),
    Column("unread", Integer),
    Column("newest_at", UtcDateTime),
    Column("oldest_at", UtcDateTime),
    Column("end_count", Integer, nullable=False),
    Column("reason", CleanText),
    Column("run_id", Integer),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    Index("ix_backfill_pages_source_list_name_id", "source", "list_name", "id"),
    sqlite_autoincrement=True,
)

backfill_gaps = Table(
    "backfill_gaps",
    metadata,
    Column("source", Text, primary_key=True),
    Column("url_key", String(32), primary_key=True),
    Column("url", CleanText, nullable=False),
    Column("list_name", Text, nullable=False),
    Column("page", BigInteger, nullable=False),
    Column("is_list", Boolean, nullable=False),
    Column("is_settled", Boolean, nullable=False),
    Column("kind", Text, nullable=False),
    Column("message", CleanText, nullable=False),
    Column("newer_at", UtcDateTime),
    Column("older_at", UtcDateTime),
    Column("tries", Integer, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)
