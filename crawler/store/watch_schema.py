"""The tables of watching: who runs a source now, what the operator was told, how pages are built.

`leases` has a row for each source that runs, kept alive by heartbeats; `alarms` a row for each trouble from its opening
to its closing, with what is still to be told; `shapes` the structure of each page class as it was last seen.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from crawler.store.columns import Moment, Plain
from crawler.store.schema import metadata

__all__ = ["alarms", "leases", "metadata", "shapes"]

leases = Table(
    "leases",
    metadata,
    Column("source", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("born", Text),
    Column("taken_at", Moment, nullable=False),
    Column("beat_at", Moment, nullable=False),
)

alarms = Table(
    "alarms",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("message", Plain, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("times", Integer, nullable=False),
    Column("run_id", Integer),
    Column("untold", Text),
    Column("told_at", Moment),
    Column("done", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_at", Moment),
    Column("failure", Plain),
    Index("ix_alarms_source_closed_at", "source", "closed_at"),
    sqlite_autoincrement=True,
)

shapes = Table(
    "shapes",
    metadata,
    Column("source", Text, primary_key=True),
    Column("page_class", Text, primary_key=True),
    Column("print", Text, nullable=False),
    Column("paths", Plain, nullable=False),
    Column("url", Plain, nullable=False),
    Column("record_file", Plain),
    Column("record_offset", Integer),
    Column("first_seen_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("settled", Boolean, nullable=False),
)
