"""The table of watching: `alarms` has a row for each trouble of a source, from its opening to its closing, with what
is still to be told."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from crawler.store.columns import CleanText, UtcDateTime
from crawler.store.schema import metadata

__all__ = ["alarms", "metadata"]

alarms = Table(
    "alarms",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("latest", Text, nullable=False),
    Column("message", CleanText, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("times", Integer, nullable=False),
    Column("run_id", Integer),
    Column("untold", Text),
    Column("told_at", UtcDateTime),
    Column("done", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_at", UtcDateTime),
    Column("failure", CleanText),
    Index("ix_alarms_source_closed_at", "source", "closed_at"),
    sqlite_autoincrement=True,
)
