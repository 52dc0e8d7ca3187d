"""What each version changed: judged once, when the version is saved, and stored with the version of the rules.

A change of the rules never rewrites the past. Versions of an older store are listed in `unjudged_revisions` and judged
once, a batch a transaction, so that a process that is killed loses at most one batch.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, select

from crawler.items import Article, Verdict
from crawler.revisions.revision_diff import RevisionDiff
from crawler.store.database import Database
from crawler.store.schema import revision_diffs, unjudged_revisions, versions
from crawler.store.serialization import parse_article, parse_diff, serialize_diff
from crawler.store.statements import make_insert_if_absent

REVISIONS_PER_BATCH = 50
_ADD_DIFF = make_insert_if_absent(revision_diffs)
_GET_TEXT = select(versions.c.article).where(
    versions.c.article_id == bindparam("of_article"), versions.c.version == bindparam("of_version")
)
_LIST_DIFFS = select(revision_diffs.c.version, revision_diffs.c.rules, revision_diffs.c.diff).where(
    revision_diffs.c.article_id == bindparam("of_article")
)
_GET_DIFF = _LIST_DIFFS.where(revision_diffs.c.version == bindparam("of_version"))
_LIST_UNJUDGED = (
    select(unjudged_revisions.c.article_id, unjudged_revisions.c.version)
    .order_by(unjudged_revisions.c.article_id, unjudged_revisions.c.version)
    .limit(bindparam("count"))
)
_DELETE_UNJUDGED = delete(unjudged_revisions).where(
    and_(
        unjudged_revisions.c.article_id == bindparam("of_article"),
        unjudged_revisions.c.version == bindparam("of_version"),
    )
)
log = logging.getLogger(__name__)


class RevisionDiffRepository:
    """`store.diffs`. `store.articles.save` adds them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, article_id: str, version: int) -> RevisionDiff | None:
        """Return what a version changed. None for a first version."""
        rows = self._database.fetch_all(_GET_DIFF, {"of_article": article_id, "of_version": version})
        if rows:
            return parse_diff(rows[0].diff, rows[0].rules)
        # A version that is not judged yet: its upgrade is under way in another process.
        old, new = (self._get_article(article_id, number) for number in (version - 1, version))
        return judge_revision(old, new) if old and new else None

    def list_by_article(self, article_id: str, articles: Sequence[Article]) -> list[RevisionDiff | None]:
        """Return what each of these versions of an article changed, None for the first."""
        rows = self._database.fetch_all(_LIST_DIFFS, {"of_article": article_id})
        stored = {row.version: parse_diff(row.diff, row.rules) for row in rows}
        numbers = [article.version or 1 for article in articles]
        return [stored.get(number) or self.get(article_id, number) for number in numbers]

    def judge_pending(self) -> int:
        """Judge the versions that no process judged yet. Return how many this one judged."""
        count = 0
        while batch := self._database.fetch_all(_LIST_UNJUDGED, {"count": REVISIONS_PER_BATCH}):
            if count == 0:
                log.info("Judging the revisions of the store once, by today's rules")
            with self._database.transaction() as connection:
                for row in batch:
                    write_diff(connection, row.article_id, row.version)
                    connection.execute(_DELETE_UNJUDGED, {"of_article": row.article_id, "of_version": row.version})
            count += len(batch)
        return count

    def _get_article(self, article_id: str, version: int) -> Article | None:
        rows = self._database.fetch_all(_GET_TEXT, {"of_article": article_id, "of_version": version})
        return parse_article(rows[0].article) if rows else None


def judge_revision(old: Article, new: Article) -> RevisionDiff | None:
    """Return what changed, or None where it is unknown: a text was removed, or an unexpected exception was logged.

    No text is lost for a judgement.
    """
    if old.text_removed_at or new.text_removed_at:
        return None
    # Most commands judge nothing and need none of the rules.
    from crawler.revisions.changes import diff_articles
    from crawler.revisions.reprocessing import diff_reprocessed

    try:
        return diff_reprocessed(old, new) if new.verdict is Verdict.REPROCESSED else diff_articles(old, new)
    except Exception:  # A text that the rules cannot read must still be stored and notified.
        log.exception("%s version %s could not be judged", new.id, new.version)
        return None


def write_diff(
    connection: Connection, article_id: str, version: int, new: Article | None = None
) -> RevisionDiff | None:
    """Judge a version and store what it changed, in the caller's transaction. Return that, or None if unknown.

    `new` is the version, if at hand.
    """
    old = _read_article(connection, article_id, version - 1)
    new = new or _read_article(connection, article_id, version)
    diff = judge_revision(old, new) if old and new else None
    if diff is not None:
        row: dict[str, Any] = {
            "article_id": article_id,
            "version": version,
            "severity": diff.severity,
            "rules": diff.rules,
            "judged_at": datetime.now(UTC),
            "diff": serialize_diff(diff),
        }
        connection.execute(_ADD_DIFF[connection.dialect.name], row)
    return diff


def _read_article(connection: Connection, article_id: str, version: int) -> Article | None:
    rows = connection.execute(_GET_TEXT, {"of_article": article_id, "of_version": version}).all()
    return parse_article(rows[0].article) if rows else None
