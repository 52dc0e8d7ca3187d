"""The script that Alembic executes: the revisions, in the transaction that `crawler.store.upgrade` opened."""

from __future__ import annotations

from alembic import context

from crawler.store.complete_schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter a column in place
)
context.run_migrations()
