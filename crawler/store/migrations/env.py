"""What Alembic executes: the revisions, in the transaction that `crawler.store.upgrade` opened on its connection."""

from __future__ import annotations

from alembic import context

from crawler.store import telling_schema, watch_schema  # noqa: F401 - they add their tables
from crawler.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by making it anew
)
context.run_migrations()
