"""Versions: every text that an article ever had."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Text, bindparam, func, select, tuple_

from crawler.items import Article, Verdict
from crawler.store.database import Database
from crawler.store.schema import articles, matches, versions
from crawler.store.serialization import parse_article
from crawler.store.statements import PreparedQuery

_LIST_BY_ARTICLE = PreparedQuery(
    select(versions.c.article).where(versions.c.article_id == bindparam("of_article")).order_by(versions.c.version)
)
_GET_SITE_VERSION = (
    select(versions.c.article)
    .where(
        versions.c.article_id == bindparam("of_article"),
        versions.c.version < bindparam("of_version"),
        versions.c.verdict != Verdict.REPROCESSED,
    )
    .order_by(versions.c.version.desc())
    .limit(1)
)
_LIST_REPROCESSED = (
    select(versions.c.version)
    .where(versions.c.article_id == bindparam("of_article"), versions.c.verdict == Verdict.REPROCESSED)
    .order_by(versions.c.version)
)
_LIST_BY_SOURCE = (
    select(versions.c.article_id, versions.c.version, versions.c.article)
    .join(articles, articles.c.id == versions.c.article_id)
    .where(
        articles.c.source == bindparam("of_source"),
        tuple_(versions.c.article_id, versions.c.version)
        > tuple_(bindparam("after_article", type_=Text), bindparam("after_version", type_=Integer)),
    )
    .order_by(versions.c.article_id, versions.c.version)
    .limit(bindparam("count", type_=Integer))
)
VERSIONS_PER_READ = 200
MAX_VERSION = 2**31 - 1
"""No version has a higher number: the databases have no greater integer."""


class VersionRepository:
    """`store.versions`. `store.articles.save` adds them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_by_article(self, article_id: str) -> list[Article]:
        """Return every version of an article, the oldest first."""
        rows = self._database.fetch_all(_LIST_BY_ARTICLE, {"of_article": article_id})
        return [parse_article(row.article) for row in rows]

    def iter_by_source(self, source: str, *, after: str = "") -> Iterator[list[Article]]:
        """Yield every version of each of a source's articles, the oldest first, one list an article.

        The articles are in the database's order of their ids, those after an id if it is given. What is written during
        the iteration may be missing.
        """
        group: list[Article] = []
        last = (after, MAX_VERSION if after else 0)
        while True:
            values = {"of_source": source, "after_article": last[0], "after_version": last[1]}
            rows = self._database.fetch_all(_LIST_BY_SOURCE, {**values, "count": VERSIONS_PER_READ})
            for row in rows:
                version = parse_article(row.article)
                if group and group[0].id != version.id:
                    yield group
                    group = []
                group.append(version)
            if len(rows) < VERSIONS_PER_READ:
                break
            last = (rows[-1].article_id, rows[-1].version)
        if group:
            yield group

    def get_site_version(self, article: Article) -> Article:
        """Return the version that the site made: this one, or the one that it was read again from."""
        if article.verdict is not Verdict.REPROCESSED:
            return article
        key = {"of_article": article.id, "of_version": article.version}
        rows = self._database.fetch_all(_GET_SITE_VERSION, key)
        return parse_article(rows[0].article) if rows else article

    def list_reprocessed(self, article_id: str) -> list[int]:
        """Return the numbers of an article's versions that were only read again, in order."""
        return [row.version for row in self._database.fetch_all(_LIST_REPROCESSED, {"of_article": article_id})]

    def list_matched_between(self, begin: datetime, end: datetime) -> list[Article]:
        """Return the versions first seen from `begin` to before `end`, the earliest first, of matched articles.

        An article is matched here if one of these versions, or the one before it, has a match.
        """
        near = (matches.c.version == versions.c.version) | (matches.c.version == versions.c.version - 1)
        has_match = select(matches.c.rule).where(matches.c.article_id == versions.c.article_id, near).exists()
        matched_ids = select(versions.c.article_id).where(*make_time_conditions(begin, end), has_match)
        query = (
            select(versions.c.article)
            .where(*make_time_conditions(begin, end), versions.c.article_id.in_(matched_ids))
            .order_by(versions.c.seen_at, versions.c.article_id, versions.c.version)
        )
        return [parse_article(row.article) for row in self._database.fetch_all(query)]

    def count_by_source(self, begin: datetime, end: datetime) -> dict[str, int]:
        """Return how many articles were new or revised from `begin` to before `end`, by source."""
        count = func.count(versions.c.article_id.distinct())
        joined = articles.join(versions, versions.c.article_id == articles.c.id)
        query = select(articles.c.source, count).select_from(joined).where(*make_time_conditions(begin, end))
        rows: list[Any] = list(self._database.fetch_all(query.group_by(articles.c.source)))
        return {row[0]: row[1] for row in rows}


def make_time_conditions(begin: datetime | None, end: datetime | None = None) -> tuple[Any, ...]:
    """Return the conditions for versions first seen from `begin` to before `end`. None: at any time."""
    from_begin = () if begin is None else (versions.c.seen_at >= begin,)
    return from_begin if end is None else (*from_begin, versions.c.seen_at < end)
