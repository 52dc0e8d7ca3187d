"""Articles that wait for clustering have their fingerprint, and those that an alert depends on come first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the columns. What waits already has no fingerprint, and is clustered first."""
    for column in (
        sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("version", sa.Integer()),
        sa.Column("day", sa.Integer()),
        sa.Column("identity", sa.Text()),
        sa.Column("fingerprint", sa.LargeBinary()),
    ):
        op.add_column("unjudged", column)
    unjudged = sa.table("unjudged", sa.column("urgent", sa.Boolean))
    op.execute(unjudged.update().values(urgent=sa.true()))
    is_urgent = sa.column("urgent", sa.Boolean()).is_(sa.true())
    op.create_index(
        "ix_unjudged_urgent", "unjudged", ["article_id"], sqlite_where=is_urgent, postgresql_where=is_urgent
    )
    op.create_index("ix_unjudged_day", "unjudged", ["day"])
