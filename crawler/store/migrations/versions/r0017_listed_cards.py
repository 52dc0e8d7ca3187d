"""Cards by time, with the columns that filters ask for: a count of few stories reads no card that is not selected."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Replace the index by one with more columns."""
    columns = ["active_at", "article_id", "is_strong", "source", "language", "verdict", "version"]
    op.create_index("ix_article_cards_listed", "article_cards", columns)
    op.drop_index("ix_article_cards_active_at_article_id", "article_cards")
