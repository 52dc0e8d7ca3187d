"""What each version changed, judged once and stored.

Versions that are stored already are listed in `unjudged_revisions`. `crawler.store.revision_diffs` judges them after
the upgrade, a batch a transaction, because that takes longer than an upgrade may hold its lock.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create both tables and list the stored versions that have one before them."""
    op.create_table(
        "revision_diffs",
        *_make_key_columns(),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("diff", sa.Text(), nullable=False),
        *_make_key_constraints("revision_diffs"),
    )
    op.create_table("unjudged_revisions", *_make_key_columns(), *_make_key_constraints("unjudged_revisions"))
    op.execute(
        "INSERT INTO unjudged_revisions (article_id, version)"
        " SELECT article_id, version FROM versions WHERE version > 1"
    )


def _make_key_columns() -> list[sa.Column[object]]:
    return [sa.Column("article_id", sa.Text(), nullable=False), sa.Column("version", sa.Integer(), nullable=False)]


def _make_key_constraints(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=f"fk_{table}_article_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("article_id", "version", name=f"pk_{table}"),
    ]
