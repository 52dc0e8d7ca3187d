"""Backfills: how far each source's history is walked, which pages and articles failed, and the index of their runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the tables and the index."""
    op.create_table(
        "backfills",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_day", sa.Text()),
        sa.Column("request_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_backfills"),
    )
    op.create_table(
        "backfill_pages",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("list_name", sa.Text(), nullable=False),
        sa.Column("page", sa.BigInteger(), nullable=False),
        sa.Column("next_page", sa.BigInteger()),
        sa.Column("is_retry", sa.Boolean(), nullable=False),
        sa.Column("listed", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("unread", sa.Integer()),
        sa.Column("newest_at", sa.DateTime(timezone=True)),
        sa.Column("oldest_at", sa.DateTime(timezone=True)),
        sa.Column("end_count", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("run_id", sa.Integer()),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_backfill_pages"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_backfill_pages_source_list_name_id", "backfill_pages", ["source", "list_name", "id"])
    op.create_table(
        "backfill_gaps",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url_key", sa.String(32), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("list_name", sa.Text(), nullable=False),
        sa.Column("page", sa.BigInteger(), nullable=False),
        sa.Column("is_list", sa.Boolean(), nullable=False),
        sa.Column("is_settled", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("newer_at", sa.DateTime(timezone=True)),
        sa.Column("older_at", sa.DateTime(timezone=True)),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "url_key", name="pk_backfill_gaps"),
        sqlite_with_rowid=False,
    )
    is_backfill = sa.text("mode = 'backfill'")
    op.create_index(
        "ix_runs_backfill", "runs", ["source", "id"], sqlite_where=is_backfill, postgresql_where=is_backfill
    )
