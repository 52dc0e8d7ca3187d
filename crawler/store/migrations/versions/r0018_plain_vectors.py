"""The vectors of PostgreSQL's full-text index without compression: a search reads the vector of each hit.

Vectors that are stored already stay compressed until the index is made again. To write them all would hold the lock of
the upgrade for minutes.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Store new vectors as they are."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE search_vectors ALTER COLUMN vector SET STORAGE EXTERNAL")
