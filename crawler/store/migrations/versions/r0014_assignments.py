"""Who works on an article: `article_marks.assigned_to`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column. Nothing was assigned before."""
    op.add_column("article_marks", sa.Column("assigned_to", sa.Text()))
