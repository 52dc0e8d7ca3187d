"""Articles: the current state of each one, and the write of a new version."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Row, Select, and_, bindparam, func, literal, select, true, tuple_

from crawler.items import Article, Strength, Verdict
from crawler.store.column_types import UtcDateTime, make_url_key
from crawler.store.database import Database
from crawler.store.http_cache import HttpCacheEntry, write_cache_entries
from crawler.store.runs import BACKFILL_MODE, write_counts
from crawler.store.schema import articles, matches, runs, versions
from crawler.store.serialization import parse_article
from crawler.store.statements import PreparedQuery, PreparedStatement
from crawler.store.versions import make_time_conditions

if TYPE_CHECKING:
    from crawler.similarity.preparation import PreparedArticle  # Reading needs none of what it imports.
    from crawler.store.article_writer import ReprocessedArticle

ARTICLES_PER_READ = 200
"""Articles that one query reads in a stream, and ids that one query looks up."""


class MatchTime(NamedTuple):
    """A rule that matched an article, and the article's time (aware, in UTC)."""

    rule: str
    article_id: str
    dated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleState:
    """The state of a stored article's current version, without its text.

    `first_run_id` is the run that stored the article first. It is None without a run or if the run's row is deleted.
    """

    id: str
    native_id: str
    language: str | None
    url: str
    version: int
    content_hash: str
    verdict: Verdict
    copy_of: str | None
    published_at: datetime | None
    first_seen_at: datetime
    first_run_id: int | None
    last_seen_at: datetime


_OF_ARTICLE = articles.c.id == bindparam("of_article")
_SELECT_STATES = select(
    *(
        articles.c["current_version" if field.name == "version" else field.name].label(field.name)
        for field in fields(ArticleState)
    )
)
_GET_STATE = PreparedQuery(_SELECT_STATES.where(_OF_ARTICLE))
_LIST_STATES_BY_ID = PreparedQuery(_SELECT_STATES.where(articles.c.id.in_(bindparam("of_articles", expanding=True))))
_LIST_STATES = _SELECT_STATES.where(articles.c.source == bindparam("of_source")).order_by(articles.c.id)
_LIST_STATES_OF_ONE = _LIST_STATES.where(articles.c.native_id == bindparam("of_native_id"))
_FIND_ORIGINAL = PreparedStatement(
    select(versions.c.article_id)
    .where(versions.c.copy_hash == bindparam("of_hash"), versions.c.article_id != bindparam("excluded_id"))
    .order_by(versions.c.seen_at, versions.c.article_id)
    .limit(1)
)
_IS_CURRENT = and_(versions.c.article_id == articles.c.id, versions.c.version == articles.c.current_version)
_SELECT_TEXTS = select(versions.c.article, articles.c.dated_at, articles.c.id).select_from(
    articles.join(versions, _IS_CURRENT)
)
_NEWEST_FIRST = (articles.c.dated_at.desc(), articles.c.id.desc())
_GET_TEXT = PreparedQuery(_SELECT_TEXTS.where(_OF_ARTICLE))
_GET_VERSION_TEXT = select(versions.c.article).where(
    versions.c.article_id == bindparam("of_article"), versions.c.version == bindparam("of_version")
)
_LIST_BY_URL = _SELECT_TEXTS.where(articles.c.url_key == bindparam("of_url_key")).order_by(*_NEWEST_FIRST)


class ArticleRepository:
    """`store.articles`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(
        self,
        article: Article,
        *,
        content_hash: str,
        copy_hash: str | None = None,
        run_id: int | None,
        seen_at: datetime,
        cache_entry: HttpCacheEntry | None = None,
        counts: Mapping[str, int] | None = None,
        suppressed_because: str | None = None,
        prepared: PreparedArticle | None = None,
    ) -> int:
        """Write an article that has a verdict, with everything that belongs to it, in one transaction.

        These are its version, matches, change event, its page's cache entry and its run's counts. Return the number
        of the stored version.

        `content_hash` distinguishes the versions of an article; `copy_hash` (None: the same) finds its copies. With
        the verdict `unchanged` only the times and the URL change. Saving the same version and text again does nothing.
        `suppressed_because` is the event's; None lets the subscriptions decide. `prepared` is the text prepared for
        clustering; without it, clustering reads the text again.
        """
        from crawler.store.article_writer import Sighting, TextIndex, write_article  # To read takes less time without.

        with self._database.transaction() as connection:
            text = TextIndex(content_hash, copy_hash or content_hash, prepared)
            version = write_article(connection, article, text, Sighting(seen_at, run_id, suppressed_because))
            if cache_entry is not None:
                write_cache_entries(connection, (cache_entry,))
            if counts is not None and run_id is not None:
                write_counts(connection, run_id, dict(counts))
        return version

    def save_reprocessed(self, batch: Iterable[ReprocessedArticle]) -> int:
        """Write articles that were read again, each as its next version, in one transaction. Nobody is notified.

        Return how many were written. One whose current version is not the compared one any more is skipped.
        """
        from crawler.store.article_writer import write_reprocessed

        with self._database.transaction() as connection:
            # in one order everywhere, so that two writers cannot deadlock
            return sum(write_reprocessed(connection, each) for each in sorted(batch, key=lambda each: each.former.id))

    def get(self, article_id: str, version: int | None = None) -> Article | None:
        """Return an article as it was saved, in its current version or in the given one. None if it is not stored."""
        rows: Sequence[Any]
        if version is None:
            rows = self._database.fetch_all(_GET_TEXT, {"of_article": article_id})
        else:
            rows = self._database.fetch_all(_GET_VERSION_TEXT, {"of_article": article_id, "of_version": version})
        return parse_article(rows[0].article) if rows else None

    def get_state(self, article_id: str) -> ArticleState | None:
        """Return an article's state, or None if it is not stored."""
        rows = self._database.fetch_all(_GET_STATE, {"of_article": article_id})
        return _make_state(rows[0]) if rows else None

    def get_many_states(self, article_ids: Iterable[str]) -> dict[str, ArticleState]:
        """Return the states of articles by id. Missing ids are skipped."""
        parts = (
            self._database.fetch_all(_LIST_STATES_BY_ID, {"of_articles": part}) for part in _split_ids(article_ids)
        )
        return {row.id: _make_state(row) for part in parts for row in part}

    def get_states(self, source: str, native_ids: Collection[str]) -> dict[str, list[ArticleState]]:
        """Return the states of a source's articles by native id, one per language. Missing ids are skipped."""
        found: dict[str, list[ArticleState]] = {}
        for part in _split_ids(native_ids):
            for row in self._fetch_states(source, part):
                found.setdefault(row.native_id, []).append(_make_state(row))
        return found

    def _fetch_states(self, source: str, native_ids: list[str]) -> Collection[Row[Any]]:
        if len(native_ids) == 1:  # before each request: an `IN` is compiled again each time, an `=` is not
            values = {"of_source": source, "of_native_id": native_ids[0]}
            return self._database.fetch_all(_LIST_STATES_OF_ONE, values)
        return self._database.fetch_all(_LIST_STATES.where(articles.c.native_id.in_(native_ids)), {"of_source": source})

    def list_first_seen_since(self, source: str, since: datetime) -> list[ArticleState]:
        """Return the states of a source's articles first seen at this time or later, the newest first.

        Those that a backfill found are skipped: they are old, and would hide the new ones.
        """
        recent = _SELECT_STATES.where(articles.c.source == source, articles.c.first_seen_at >= since)
        recent = recent.where(_make_watched_condition(source))
        rows = self._database.fetch_all(recent.order_by(articles.c.first_seen_at.desc(), articles.c.id))
        return [_make_state(row) for row in rows]

    def list_published_since(self, source: str, since: datetime) -> list[ArticleState]:
        """Return the states of a source's articles published at this time or later, the newest first."""
        query = _SELECT_STATES.where(*_make_published_conditions(source, since))
        rows = self._database.fetch_all(query.order_by(articles.c.dated_at.desc(), articles.c.id))
        return [_make_state(row) for row in rows]

    def list_publication_times(self, source: str, since: datetime, *, with_backfilled: bool = False) -> list[datetime]:
        """Return when the source published its stored articles, the earliest first.

        An article in several languages counts once, with its earliest time. What a backfill found is skipped, unless
        `with_backfilled`: a history with gaps would distort how often the source seems to publish.
        """
        query = select(func.min(articles.c.published_at)).where(*_make_published_conditions(source, since))
        if not with_backfilled:
            query = query.where(_make_watched_condition(source))
        return sorted(row[0] for row in self._database.fetch_all(query.group_by(articles.c.native_id)))

    def get_languages(self, source: str, *, until: datetime | None = None) -> set[str]:
        """Return the languages of the source's stored articles, of those first seen by `until` if it is given."""
        query = select(articles.c.language).where(articles.c.source == source).distinct()
        if until is not None:
            query = query.where(articles.c.first_seen_at <= until)
        return {row[0] for row in self._database.fetch_all(query) if row[0]}

    def list_sources(self) -> list[str]:
        """Return the names of the sources that have articles."""
        query = select(articles.c.source).distinct()
        return sorted(row[0] for row in self._database.fetch_all(query))

    def mark_seen(self, source: str, native_ids: Mapping[str, datetime], *, run_id: int | None) -> None:
        """Write when the pages of these articles were last seen, without a text to store."""
        from crawler.store.article_writer import write_last_seen

        with self._database.transaction() as connection:
            write_last_seen(connection, source, native_ids, run_id)

    def find_original(self, copy_hash: str, excluded_id: str) -> str | None:
        """Return the id of the other article that had this text first, in any version. None if there is none."""
        rows = self._database.fetch_all(_FIND_ORIGINAL, {"of_hash": copy_hash, "excluded_id": excluded_id})
        return rows[0][0] if rows else None

    def list_by_url(self, url: str) -> list[Article]:
        """Return the articles with this canonical URL, the newest first. Sources and languages may share one."""
        rows = self._database.fetch_all(_LIST_BY_URL, {"of_url_key": make_url_key(url)})
        return [parse_article(row.article) for row in rows]

    def get_first_seen_time(self, article_id: str) -> datetime | None:
        """Return when an article was first seen, in UTC. None if it is not stored."""
        state = self.get_state(article_id)
        return state.first_seen_at if state else None

    def iter_newest(
        self,
        *,
        source: str | None = None,
        matched: bool | None = None,
        since: datetime | None = None,
        seen_since: datetime | None = None,
        seen_until: datetime | None = None,
        language: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Article]:
        """Return an iterator over articles in their current version, the newest first.

        `matched` selects by a strong match. An article's time is its publication, else when it was fetched, else when
        it was first seen; `since` is compared with that. `seen_since` and `seen_until` select articles with a version
        that was first seen from the one to before the other. What is written during the iteration may be missing.
        """
        filtered = _add_filters(_SELECT_TEXTS, source, matched, since, (seen_since, seen_until), language)
        query = filtered.order_by(*_NEWEST_FIRST)
        left, page = limit, query
        while left is None or left > 0:
            wanted = ARTICLES_PER_READ if left is None else min(ARTICLES_PER_READ, left)
            rows = self._database.fetch_all(page.limit(wanted))
            for row in rows:
                yield parse_article(row.article)
            if len(rows) < wanted:
                return
            left = None if left is None else left - wanted
            page = query.where(_is_older_than(rows[-1]))

    def list_match_times(
        self, rules: Collection[str], sources: Collection[str], since: datetime, until: datetime
    ) -> list[MatchTime]:
        """Return when articles with a strong match appeared: one row for each article and rule, in no order.

        Empty `rules` and `sources` mean any. An article's time is that of `iter_newest`; its current version counts.
        """
        found = (
            select(matches.c.rule, matches.c.article_id, articles.c.dated_at)
            .join_from(matches, articles, articles.c.id == matches.c.article_id)
            .where(
                matches.c.version == articles.c.current_version,
                matches.c.strength == Strength.STRONG,
                articles.c.matched.is_(true()),
                articles.c.dated_at >= since,
                articles.c.dated_at < until,
            )
            .distinct()
        )
        found = found.where(matches.c.rule.in_(rules)) if rules else found
        found = found.where(articles.c.source.in_(sources)) if sources else found
        return [MatchTime(row.rule, row.article_id, row.dated_at) for row in self._database.fetch_all(found)]

    def count(
        self,
        *,
        source: str | None = None,
        matched: bool | None = None,
        since: datetime | None = None,
        seen_since: datetime | None = None,
        seen_until: datetime | None = None,
        language: str | None = None,
    ) -> int:
        """Return how many articles `iter_newest` would yield."""
        counted = select(func.count()).select_from(articles)
        query = _add_filters(counted, source, matched, since, (seen_since, seen_until), language)
        found: int = self._database.fetch_all(query)[0][0]
        return found


def _split_ids(ids: Iterable[str]) -> Iterator[list[str]]:
    """Yield the different ids, as many together as one query looks up."""
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), ARTICLES_PER_READ):
        yield wanted[start : start + ARTICLES_PER_READ]


def _make_state(row: Row[Any]) -> ArticleState:
    return ArticleState(**{**row._asdict(), "verdict": Verdict(row.verdict)})


def _make_published_conditions(source: str, since: datetime) -> tuple[Any, ...]:
    # `dated_at` is the same time for an article with a publication time, and has an index.
    return articles.c.source == source, articles.c.dated_at >= since, articles.c.published_at >= since


def _make_watched_condition(source: str) -> Any:
    """Return the condition for articles that no backfill found first."""
    found = select(runs.c.id).where(runs.c.source == source, runs.c.mode == BACKFILL_MODE)
    return articles.c.first_run_id.is_(None) | articles.c.first_run_id.not_in(found)


def _add_filters(
    query: Select[Any],
    source: str | None,
    matched: bool | None,
    since: datetime | None,
    seen: tuple[datetime | None, datetime | None],
    language: str | None,
) -> Select[Any]:
    if source is not None:
        query = query.where(articles.c.source == source)
    if matched is not None:
        is_matched = articles.c.matched.is_(true())  # exactly the condition of the partial index
        query = query.where(is_matched if matched else ~is_matched)
    if since is not None:
        query = query.where(articles.c.dated_at >= since)
    if seen != (None, None):
        query = query.where(articles.c.id.in_(select(versions.c.article_id).where(*make_time_conditions(*seen))))
    if language is not None:
        query = query.where(articles.c.language == language)
    return query


def _is_older_than(row: Row[Any]) -> Any:
    """Return the condition for everything after this row in the order of `_NEWEST_FIRST`."""
    return tuple_(articles.c.dated_at, articles.c.id) < tuple_(literal(row.dated_at, UtcDateTime), literal(row.id))
