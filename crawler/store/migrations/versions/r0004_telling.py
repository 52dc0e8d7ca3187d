"""Notifications: change events, notifications, messages and deliveries; and leases of running sources."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables. Stored versions get no event. An index finds versions by their run."""
    op.create_index("ix_versions_run_id", "versions", ["run_id"])
    _leases()
    _news()
    _messages()
    _notices()


def _leases() -> None:
    op.create_table(
        "leases",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("born", sa.Text()),
        sa.Column("taken_at", MOMENT, nullable=False),
        sa.Column("beat_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_leases"),
    )


def _news() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("begun_at", MOMENT, nullable=False),
        sa.Column("digest_until", MOMENT),
        sa.Column("last_empty", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_subscriptions"),
    )
    op.create_table(
        "news",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Integer()),
        sa.Column("noted_at", MOMENT, nullable=False),
        sa.Column("quiet", sa.Text()),
        sa.Column("sorted_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_news"),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_news_article_id", ondelete="CASCADE"),
        sa.UniqueConstraint("article_id", "version", name="uq_news_article_id_version"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_news_sorted_at", "news", ["sorted_at"])
    op.create_index("ix_news_run_id", "news", ["run_id"])


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("begins_at", MOMENT),
        sa.Column("ends_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("key", name="uq_messages_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_messages_subscription_id", "messages", ["subscription", "id"])
    op.create_table(
        "deliveries",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT),
        sa.Column("failure", sa.Text()),
        sa.Column("took", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "channel", name="pk_deliveries"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_deliveries_message_id", ondelete="CASCADE"),
    )
    op.create_index("ix_deliveries_state_next_try_at", "deliveries", ["state", "next_try_at"])


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("news_id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("why", sa.Text()),
        sa.Column("message_id", sa.Integer()),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.ForeignKeyConstraint(["news_id"], ["news.id"], name="fk_notices_news_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_notices_message_id", ondelete="SET NULL"),
        sa.UniqueConstraint("subscription", "news_id", name="uq_notices_subscription_news_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notices_article_id_subscription", "notices", ["article_id", "subscription"])
    has_message = sa.text("message_id IS NOT NULL")
    op.create_index(
        "ix_notices_message_id", "notices", ["message_id"], sqlite_where=has_message, postgresql_where=has_message
    )
    op.create_index("ix_notices_news_id", "notices", ["news_id"])
    waiting = ["subscription", "outcome", "message_id"]
    op.create_index("ix_notices_subscription_outcome_message_id", "notices", waiting)
