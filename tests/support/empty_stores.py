"""Empty stores that are copies of one: applying every migration takes longer than most tests."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql

from crawler.store import Store, open_store
from crawler.store.complete_schema import metadata
from crawler.store.search_index import INDEX_VERSION
from crawler.store.store import get_store_file, parse_store_url

# PostgreSQL makes new files for a table that is truncated and for a sequence that is altered.
EMPTY_INDEX = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM search_entries)
        OR EXISTS (SELECT FROM search_vectors)
        OR EXISTS (SELECT FROM search_words)
    THEN
        TRUNCATE search_entries, search_vectors, search_words;
    END IF;
END $$
"""
RESTART_NUMBERS = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences
WHERE schemaname = current_schema() AND last_value IS NOT NULL
"""


@cache
def _make_template() -> tuple[Path, TemporaryDirectory[str]]:
    folder = TemporaryDirectory(prefix="empty-store-")  # kept with the path, because its end deletes the folder
    file = Path(folder.name) / "crawler.db"
    open_store(f"sqlite:///{file}").close()
    return file, folder


def open_test_store(url: str) -> Store:
    """Open a store as `open_store` does. A SQLite file that does not exist is copied instead of made by migrations."""
    file = get_store_file(parse_store_url(url))
    if file is not None and not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_make_template()[0], file)
    return open_store(url)


def empty_tables(connection: psycopg.Connection) -> None:
    """Delete every row of a PostgreSQL store, and restart its numbers. The connection commits each statement."""
    names = [sql.Identifier(table.name) for table in metadata.sorted_tables]
    connection.execute("SET session_replication_role = replica")  # no foreign keys meanwhile
    connection.execute(sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(name) for name in names))
    connection.execute("DELETE FROM unindexed_versions")
    connection.execute(EMPTY_INDEX)
    connection.execute("UPDATE search_state SET folding = %s", (INDEX_VERSION,))
    connection.execute(RESTART_NUMBERS)
