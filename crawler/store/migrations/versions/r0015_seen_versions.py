"""Versions by the time that they were first seen: a digest of a day reads those of the day alone."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_versions_seen_at_article_id_version", "versions", ["seen_at", "article_id", "version"])
