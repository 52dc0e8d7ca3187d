"""The words of the full-text index, in a table also on SQLite.

PostgreSQL has the table since revision 0011. `search_vocabulary` stays for checks: it reads every entry of a word to
get to the next one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

SQLITE_WORDS = (
    "CREATE TABLE search_words (word TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID",
    # Words with a colon are facets. A full stop is the end of a phrase.
    "INSERT INTO search_words (word) SELECT term FROM search_vocabulary WHERE term != '.' AND instr(term, ':') = 0",
)


def upgrade() -> None:
    """Add the column, and on SQLite the table with the words that are indexed already."""
    op.add_column("search_state", sa.Column("generation", sa.Integer(), nullable=False, server_default="0"))
    if op.get_bind().dialect.name == "sqlite":
        for statement in SQLITE_WORDS:
            op.execute(statement)
