"""What lists show of each matched article, in columns of its own.

Matched articles that are stored already are listed in `unwritten_cards`. `crawler.store.article_cards` writes their
cards after the upgrade, a batch a transaction, because that takes longer than an upgrade may hold its lock.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create both tables and list the articles whose current version matches."""
    op.create_table(
        "article_cards",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("language", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text()),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_kind", sa.Text(), nullable=False),
        sa.Column("is_strong", sa.Boolean(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("excerpts", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        _make_article_reference("article_cards"),
        sa.PrimaryKeyConstraint("article_id", name="pk_article_cards"),
    )
    op.create_index("ix_article_cards_active_at_article_id", "article_cards", ["active_at", "article_id"])
    op.create_table(
        "unwritten_cards",
        sa.Column("article_id", sa.Text(), nullable=False),
        _make_article_reference("unwritten_cards"),
        sa.PrimaryKeyConstraint("article_id", name="pk_unwritten_cards"),
    )
    op.execute(
        "INSERT INTO unwritten_cards (article_id) SELECT DISTINCT articles.id FROM articles JOIN matches"
        " ON matches.article_id = articles.id AND matches.version = articles.current_version"
    )


def _make_article_reference(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=f"fk_{table}_article_id", ondelete="CASCADE")
