"""The first tables: runs, articles, versions, matches, HTTP cache, failures, schedules, rematch log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create every table."""
    _runs()
    _articles()
    _versions()
    _memory()
    _schedules()
    _markings()


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.Column("health", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("born", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_source_id", "runs", ["source", "id"])


def _articles() -> None:
    op.create_table(
        "articles",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("native_id", sa.Text(), nullable=False),
        sa.Column("language", sa.Text()),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("url_key", sa.String(32), nullable=False),
        sa.Column("current_version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("copy_of", sa.Text()),
        sa.Column("matched", sa.Boolean(), nullable=False),
        sa.Column("published_at", MOMENT),
        sa.Column("dated_at", MOMENT, nullable=False),
        sa.Column("first_seen_at", MOMENT, nullable=False),
        sa.Column("first_run_id", sa.Integer()),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.Column("last_run_id", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_articles"),
        sa.ForeignKeyConstraint(["first_run_id"], ["runs.id"], name="fk_articles_first_run_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["last_run_id"], ["runs.id"], name="fk_articles_last_run_id", ondelete="SET NULL"),
    )
    op.create_index("ix_articles_source_native_id", "articles", ["source", "native_id"])
    op.create_index("ix_articles_source_dated_at_id", "articles", ["source", "dated_at", "id"])
    op.create_index("ix_articles_dated_at_id", "articles", ["dated_at", "id"])
    op.create_index("ix_articles_url_key", "articles", ["url_key"])
    matched = sa.column("matched", sa.Boolean()).is_(sa.true())
    op.create_index(
        "ix_articles_matched", "articles", ["dated_at", "id"], sqlite_where=matched, postgresql_where=matched
    )


def _versions() -> None:
    op.create_table(
        "versions",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("copy_hash", sa.Text(), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("run_id", sa.Integer()),
        sa.Column("article", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("article_id", "version", name="pk_versions"),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_versions_article_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_versions_run_id", ondelete="SET NULL"),
    )
    twins = ["copy_hash", "seen_at", "article_id"]
    op.create_index("ix_versions_copy_hash_seen_at_article_id", "versions", twins)
    op.create_table(
        "matches",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("strength", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("article_id", "version", "position", name="pk_matches"),
        sa.ForeignKeyConstraint(
            ["article_id", "version"],
            ["versions.article_id", "versions.version"],
            name="fk_matches_article_id_version",
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_matches_rule", "matches", ["rule"])


def _memory() -> None:
    op.create_table(
        "memory",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url_key", sa.String(32), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text()),
        sa.Column("last_modified", sa.Text()),
        sa.Column("digest", sa.Text()),
        sa.Column("record_file", sa.Text()),
        sa.Column("record_offset", sa.BigInteger()),
        sa.Column("record_date", MOMENT),
        sa.Column("checked_at", MOMENT, nullable=False),
        sa.Column("status", sa.Integer()),
        sa.PrimaryKeyConstraint("source", "url_key", name="pk_memory"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "failures",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url_key", sa.String(32), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("source", "url_key", name="pk_failures"),
        sqlite_with_rowid=False,
    )


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("jitter", sa.Integer(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("last_due_at", MOMENT),
        sa.Column("last_started_at", MOMENT),
        sa.Column("last_finished_at", MOMENT),
        sa.Column("next_due_at", MOMENT),
        sa.PrimaryKeyConstraint("source", name="pk_schedules"),
    )


def _markings() -> None:
    op.create_table(
        "markings",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("marked_at", MOMENT, nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_markings"),
        sa.ForeignKeyConstraint(
            ["article_id", "version"],
            ["versions.article_id", "versions.version"],
            name="fk_markings_article_id",
            ondelete="CASCADE",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_markings_article_id_version", "markings", ["article_id", "version"])
