"""Articles, their versions and the places of their matches: written together, read back exactly."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, literal, select, true, tuple_

from crawler.items import Article, Verdict
from crawler.store.article_writer import TextHashes, write_article, write_last_seen
from crawler.store.columns import UtcDateTime, make_url_key
from crawler.store.database import Database
from crawler.store.http_cache import HttpCacheEntry, write_cache_entries
from crawler.store.runs import write_counts
from crawler.store.schema import articles, matches, versions
from crawler.store.serialization import parse_article
from crawler.store.statements import PreparedStatement

ARTICLES_PER_READ = 200
"""Articles read at a time where they are streamed; ids asked for at a time where many are looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleState:
    """What is known of a stored article without reading its text: the state of its current version.

    `first_run_id` is the run that stored it first, None when that run's record is gone or there was none.
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


_BY_ID = articles.c.id == bindparam("at")
_NAMES = tuple(field.name for field in fields(ArticleState))
_KNOWN = select(*(articles.c["current_version" if name == "version" else name] for name in _NAMES))
_FIND = PreparedStatement(_KNOWN.where(_BY_ID))
_KNOWN_ONE = PreparedStatement(
    _KNOWN.where(articles.c.source == bindparam("source"), articles.c.native_id == bindparam("native_id")).order_by(
        articles.c.id
    )
)
_KNOWN_MANY = _KNOWN.order_by(articles.c.id)
_TWIN = PreparedStatement(
    select(versions.c.article_id)
    .where(versions.c.copy_hash == bindparam("hash"), versions.c.article_id != bindparam("other_than"))
    .order_by(versions.c.seen_at, versions.c.article_id)
    .limit(1)
)
_TEXT = select(versions.c.article).where(versions.c.article_id == bindparam("at"))
_ALL_VERSIONS = PreparedStatement(_TEXT.order_by(versions.c.version))
_VERSION = PreparedStatement(_TEXT.where(versions.c.version == bindparam("number")))
_JOINED = and_(versions.c.article_id == articles.c.id, versions.c.version == articles.c.current_version)
_TEXTS = select(versions.c.article, articles.c.dated_at, articles.c.id).select_from(articles.join(versions, _JOINED))
_NEWEST_FIRST = (articles.c.dated_at.desc(), articles.c.id.desc())
_ONE = PreparedStatement(_TEXTS.where(_BY_ID))
_BY_URL = PreparedStatement(_TEXTS.where(articles.c.url_key == bindparam("key")).order_by(*_NEWEST_FIRST))


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
    ) -> int:
        """Keep a judged article with its version, matches, its page's memory and its run's counts, or nothing.

        `content_hash` tells its versions apart, `copy_hash` (the same when None) finds its copies elsewhere.
        A verdict of unchanged only moves `last_seen_at` and the address. Saving the same version and text again does
        nothing more. When another process took the version's number for another text, this text becomes the next
        version: neither is lost. The number it is kept under is returned. A version that matches, or changes one that
        may have, is put into the outbox as news; `quiet` says why nobody is to be told of it.
        """
        with self._database.transaction() as connection:
            hashes = TextHashes(content_hash, copy_hash or content_hash)
            version = write_article(connection, article, hashes, run_id, seen_at, suppressed_because)
            if cache_entry is not None:
                write_cache_entries(connection, (cache_entry,))
            if counts is not None and run_id is not None:
                write_counts(connection, run_id, dict(counts))
        return version

    def get_state(self, article_id: str) -> ArticleState | None:
        """What is known of one article, None when it is not stored."""
        rows = self._database.fetch_prepared(_FIND, {"at": article_id})
        return _known(rows[0]) if rows else None

    def get_states(self, source: str, native_ids: Collection[str]) -> dict[str, list[ArticleState]]:
        """What is known of these native ids of a source, a list (its languages) each; ids not stored are left out."""
        found: dict[str, list[ArticleState]] = {}
        wanted = list(dict.fromkeys(native_ids))
        for start in range(0, len(wanted), ARTICLES_PER_READ):
            for row in self._known_rows(source, wanted[start : start + ARTICLES_PER_READ]):
                known = _known(tuple(row))
                found.setdefault(known.native_id, []).append(known)
        return found

    def _known_rows(self, source: str, native_ids: list[str]) -> Iterable[Sequence[Any]]:
        if len(native_ids) == 1:  # asked before each request: prepared, it takes a third
            return self._database.fetch_prepared(_KNOWN_ONE, {"source": source, "native_id": native_ids[0]})
        return self._database.fetch_all(
            _KNOWN_MANY.where(articles.c.source == source, articles.c.native_id.in_(native_ids))
        )

    def list_first_seen_since(self, source: str, since: datetime) -> list[ArticleState]:
        """What is known of a source's articles first seen at this time or later, the newest first."""
        recent = _KNOWN.where(articles.c.source == source, articles.c.first_seen_at >= since)
        rows = self._database.fetch_all(recent.order_by(articles.c.first_seen_at.desc(), articles.c.id))
        return [_known(tuple(row)) for row in rows]

    def list_publication_times(self, source: str, since: datetime) -> list[datetime]:
        """When the source published what is stored, since a moment, the earliest first; an article once, in whatever
        languages it came."""
        dated = articles.c.dated_at >= since  # the same time where there is one, and it has an index
        wanted = (articles.c.source == source, dated, articles.c.published_at >= since)
        query = select(func.min(articles.c.published_at)).where(*wanted).group_by(articles.c.native_id)
        return sorted(row[0] for row in self._database.fetch_all(query))

    def list_published_since(self, source: str, since: datetime) -> list[ArticleState]:
        """What is known of a source's articles published at this time or later, the newest first."""
        dated = articles.c.dated_at >= since  # the same time where there is one, and it has an index
        query = _KNOWN.where(articles.c.source == source, dated, articles.c.published_at >= since)
        rows = self._database.fetch_all(query.order_by(articles.c.dated_at.desc(), articles.c.id))
        return [_known(tuple(row)) for row in rows]

    def get_languages(self, source: str, *, until: datetime | None = None) -> set[str]:
        """The languages of which something of the source is stored, or was by then."""
        query = select(articles.c.language).where(articles.c.source == source).distinct()
        if until is not None:
            query = query.where(articles.c.first_seen_at <= until)
        return {row[0] for row in self._database.fetch_all(query) if row[0]}

    def mark_seen(self, source: str, native_ids: Mapping[str, datetime], *, run_id: int | None) -> None:
        """Note when the addresses of these articles last answered about them, without a text to store."""
        with self._database.transaction() as connection:
            write_last_seen(connection, source, native_ids, run_id)

    def find_original(self, copy_hash: str, excluded_id: str) -> str | None:
        """The id of the article in which this text was stored first, in any version, other than the one given."""
        rows = self._database.fetch_prepared(_TWIN, {"hash": copy_hash, "other_than": excluded_id})
        return rows[0][0] if rows else None

    def get(self, article_id: str, version: int | None = None) -> Article | None:
        """An article as it was saved: its current version, or the one asked for."""
        if version is None:
            rows = self._database.fetch_prepared(_ONE, {"at": article_id})
        else:
            rows = self._database.fetch_prepared(_VERSION, {"at": article_id, "number": version})
        return parse_article(rows[0][0]) if rows else None

    def versions__list_by_article(self, article_id: str) -> list[Article]:
        """Every version of an article, the oldest first."""
        return [parse_article(row[0]) for row in self._database.fetch_prepared(_ALL_VERSIONS, {"at": article_id})]

    def versions__list_matched_between(self, begin: datetime, end: datetime) -> list[Article]:
        """Every version first seen from `begin` on and before `end`, the earliest first, of articles in which a rule
        found something then, or had found something until then."""
        before = (matches.c.version == versions.c.version) | (matches.c.version == versions.c.version - 1)
        place = select(matches.c.rule).where(matches.c.article_id == versions.c.article_id, before)
        touched = select(versions.c.article_id).where(*_seen_in(begin, end), place.exists())
        query = select(versions.c.article).where(*_seen_in(begin, end), versions.c.article_id.in_(touched))
        rows = self._database.fetch_all(query.order_by(versions.c.seen_at, versions.c.article_id, versions.c.version))
        return [parse_article(row.article) for row in rows]

    def versions__count_by_source(self, begin: datetime, end: datetime) -> dict[str, int]:
        """How many articles of each source, matched or not, were new or revised from `begin` on and before `end`."""
        number = func.count(versions.c.article_id.distinct())
        joined = articles.join(versions, versions.c.article_id == articles.c.id)
        query = select(articles.c.source, number).select_from(joined).where(*_seen_in(begin, end))
        rows: list[Any] = list(self._database.fetch_all(query.group_by(articles.c.source)))
        return {row[0]: row[1] for row in rows}

    def list_by_url(self, url: str) -> list[Article]:
        """The articles whose canonical address this is (several sources or languages may share one), newest first."""
        return [parse_article(row[0]) for row in self._database.fetch_prepared(_BY_URL, {"key": make_url_key(url)})]

    def get_first_seen_time(self, article_id: str) -> datetime | None:
        """When an article was first seen, in UTC; None when it is not stored."""
        known = self.get_state(article_id)
        return known.first_seen_at if known else None

    def iter_newest(
        self,
        *,
        source: str | None = None,
        matched: bool | None = None,
        since: datetime | None = None,
        language: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Article]:
        """Articles in their current version, newest first, streamed; `matched` asks for a strong match.

        An article's time is its publication, else when it was fetched, else when it was first seen; `since` is
        compared with that. What is written while this is being read may or may not appear.
        """
        query = _where(_TEXTS, source, matched, since, language).order_by(*_NEWEST_FIRST)
        left, page = limit, query
        while left is None or left > 0:
            wanted = ARTICLES_PER_READ if left is None else min(ARTICLES_PER_READ, left)
            rows = self._database.fetch_all(page.limit(wanted))
            for row in rows:
                yield parse_article(row.article)
            if len(rows) < wanted:
                return
            left = None if left is None else left - wanted
            page = query.where(_older_than(rows[-1]))

    def count(
        self,
        *,
        source: str | None = None,
        matched: bool | None = None,
        since: datetime | None = None,
        language: str | None = None,
    ) -> int:
        """How many articles `select` would give."""
        query = _where(select(func.count()).select_from(articles), source, matched, since, language)
        found: int = self._database.fetch_all(query)[0][0]
        return found


def _seen_in(begin: datetime, end: datetime) -> tuple[Any, ...]:
    """Versions first seen in a time. Articles last seen before it cannot have one, and their rows are soon read."""
    lately = select(articles.c.id).where(articles.c.last_seen_at >= begin)
    return versions.c.article_id.in_(lately), versions.c.seen_at >= begin, versions.c.seen_at < end


def _known(row: tuple[Any, ...]) -> ArticleState:
    values = dict(zip(_NAMES, row, strict=True))
    return ArticleState(**{**values, "verdict": Verdict(values["verdict"])})


def _where(
    query: Select[Any], source: str | None, matched: bool | None, since: datetime | None, language: str | None
) -> Select[Any]:
    if source is not None:
        query = query.where(articles.c.source == source)
    if matched is not None:  # in the words of the partial index, which is used only then
        strong = articles.c.matched.is_(true())
        query = query.where(strong if matched else ~strong)
    if since is not None:
        query = query.where(articles.c.dated_at >= since)
    if language is not None:
        query = query.where(articles.c.language == language)
    return query


def _older_than(row: Any) -> Any:
    """Everything after this row in the order of `_NEWEST_FIRST`."""
    return tuple_(articles.c.dated_at, articles.c.id) < tuple_(literal(row.dated_at, UtcDateTime), literal(row.id))
