"""How PostgreSQL stores the vectors of the full-text index."""

from __future__ import annotations

from sqlalchemy import text

from crawler.store import Store

_LIST_COMPRESSIONS = text("SELECT number, pg_column_compression(vector) AS compression FROM search_vectors")


def list_compressions(store: Store) -> dict[int, str | None]:
    """Return the compression of each vector by its number. A vector of less than 2 kB has none in any case."""
    return {row.number: row.compression for row in store.database.fetch_all(_LIST_COMPRESSIONS)}
