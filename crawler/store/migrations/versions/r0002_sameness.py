"""Clusters and stories: signatures and their index, links, stories, overrides, and the articles to cluster."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables. Every stored article waits to be clustered."""
    _signatures()
    _lookups()
    _stories()
    op.create_table(
        "unjudged",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("article_id", name="pk_unjudged"),
        _article("article_id", "fk_unjudged_article_id"),
    )
    op.execute("INSERT INTO unjudged (article_id) SELECT id FROM articles")


def _article(column: str, name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["articles.id"], name=name, ondelete="CASCADE")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), autoincrement=False, nullable=False)


def _signatures() -> None:
    op.create_table(
        "signatures",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("shingles", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("identity", sa.Text()),
        sa.Column("raw_cluster", sa.Integer(), nullable=False),
        sa.Column("cluster", sa.Integer(), nullable=False),
        sa.Column("story", sa.Integer()),
        sa.PrimaryKeyConstraint("number", name="pk_signatures"),
        _article("article_id", "fk_signatures_article_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_signatures_article_id", "signatures", ["article_id"], unique=True)
    for column in ("identity", "raw_cluster", "cluster", "story"):
        op.create_index(f"ix_signatures_{column}", "signatures", [column])


def _lookups() -> None:
    for table, columns in (
        ("bands", (_number("band"), _number("number"))),
        ("story_keys", (_number("key"), _number("day"), _number("number"))),
        ("passages", (sa.Column("passage", sa.BigInteger(), autoincrement=False, nullable=False), _number("number"))),
    ):
        key = sa.PrimaryKeyConstraint(*(column.name for column in columns), name=f"pk_{table}")
        op.create_table(table, *columns, key, sqlite_with_rowid=False)
    op.create_table(
        "boilerplate",
        sa.Column("passage", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("passage", name="pk_boilerplate"),
    )
    op.create_table(
        "links",
        _number("a"),
        _number("b"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("raw", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("a", "b", name="pk_links"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_links_b", "links", ["b"])


def _stories() -> None:
    op.create_table(
        "stories",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stories"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "overrules",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("act", sa.Integer(), nullable=False),
        sa.Column("a", sa.Text(), nullable=False),
        sa.Column("b", sa.Text(), nullable=False),
        sa.Column("together", sa.Boolean(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("undone_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_overrules"),
        _article("a", "fk_overrules_a"),
        _article("b", "fk_overrules_b"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_overrules_a", "overrules", ["a"])
    op.create_index("ix_overrules_b", "overrules", ["b"])
