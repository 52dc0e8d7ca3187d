"""What readers do with articles: seen, important, false alarm, notes; who did it and when, and what was undone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the log of actions, and the two tables with their result."""
    op.create_table(
        "reader_actions",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
        _make_article_reference("reader_actions"),
        sa.PrimaryKeyConstraint("id", name="pk_reader_actions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reader_actions_article_id", "reader_actions", ["article_id"])
    op.create_index("ix_reader_actions_batch", "reader_actions", ["batch"])
    op.create_table(
        "seen_marks",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _make_article_reference("seen_marks"),
        sa.PrimaryKeyConstraint("article_id", "reader", name="pk_seen_marks"),
    )
    op.create_table(
        "article_marks",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("is_important", sa.Boolean(), nullable=False),
        sa.Column("is_false_alarm", sa.Boolean(), nullable=False),
        _make_article_reference("article_marks"),
        sa.PrimaryKeyConstraint("article_id", name="pk_article_marks"),
    )


def _make_article_reference(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=f"fk_{table}_article_id", ondelete="CASCADE")
