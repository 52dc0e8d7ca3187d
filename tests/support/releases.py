"""Data folders that earlier versions of the program left behind: `tests/releases/<schema revision>.tar.xz`."""

from __future__ import annotations

import contextlib
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import Connection, Integer, MetaData, select

from crawler.config import load_config
from crawler.store import open_store
from crawler.store.database import make_engine
from crawler.store.store import get_store_file, parse_store_url
from crawler.store.upgrade import make_alembic_config

RELEASES = Path(__file__).resolve().parents[1] / "releases"
REVISIONS = sorted(path.name.partition(".")[0] for path in RELEASES.iterdir())
Tables = dict[str, list[dict[str, Any]]]
"""Rows by table."""


def unpack_release(revision: str, folder: Path) -> Path:
    """Write a release's data folder: crawler.toml, rules.toml, crawler.db and the archive. Return its configuration."""
    with tarfile.open(RELEASES / f"{revision}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    script = (folder / "store.sql").read_text(encoding="utf-8")
    with contextlib.closing(sqlite3.connect(folder / "crawler.db")) as database:
        database.executescript(script)
    (folder / "store.sql").unlink()
    config = folder / "crawler.toml"
    config.chmod(0o600)
    return config


def unpack_upgraded_release(revision: str, folder: Path) -> Path:
    """Do the same, and upgrade the store to today's revision."""
    config = unpack_release(revision, folder)
    open_store(load_config(config).database_url, backup=False).close()
    return config


def read_tables(url: str) -> Tables:
    """Return all rows of a database of any revision."""
    with connect(url) as connection:
        tables = MetaData()
        tables.reflect(connection)
        return {
            table.name: [dict(row._mapping) for row in connection.execute(select(table))]
            for table in tables.sorted_tables
        }


def load_tables(url: str, revision: str, rows: Tables) -> None:
    """Write the rows of another database of this revision into an empty one, which gets that revision."""
    with make_former_store(url, revision) as connection:
        connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if rows[table.name] and table.name != "alembic_version":
                connection.execute(table.insert(), rows[table.name])
                if "id" in table.c and isinstance(table.c.id.type, Integer):  # else the next row would get id 1
                    sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
                    connection.exec_driver_sql(f"SELECT setval({sequence}, (SELECT max(id) FROM {table.name}))")


@contextmanager
def make_former_store(url: str, revision: str) -> Iterator[Connection]:
    """Make an empty store of an earlier revision. Yield a connection that writes to it, and commit at the end."""
    if (file := get_store_file(parse_store_url(url))) is not None:
        file.parent.mkdir(exist_ok=True)
    with connect(url) as connection:
        config = make_alembic_config()
        config.attributes["connection"] = connection
        connection.exec_driver_sql("BEGIN")
        command.upgrade(config, revision)
        yield connection
        connection.exec_driver_sql("COMMIT")


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    engine = make_engine(parse_store_url(url))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
