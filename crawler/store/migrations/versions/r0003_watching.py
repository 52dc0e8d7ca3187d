"""Monitoring: the operator's alarms, and the measures of a run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table, and the column, which is empty for the stored runs."""
    op.add_column("runs", sa.Column("measures", sa.Text(), nullable=False, server_default="{}"))
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("latest", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer()),
        sa.Column("untold", sa.Text()),
        sa.Column("told_at", MOMENT),
        sa.Column("done", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", MOMENT),
        sa.Column("failure", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_alarms"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alarms_source_closed_at", "alarms", ["source", "closed_at"])
