"""Articles, their versions and the places of their matches: written together, read back exactly."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, insert, literal, select, true, tuple_, update

from crawler.items import Article, Strength, Verdict
from crawler.store.columns import Moment, address_key
from crawler.store.connection import Database
from crawler.store.document import as_article, as_json
from crawler.store.memory import Memory, remember
from crawler.store.runs import count
from crawler.store.schema import articles, matches, versions
from crawler.store.upsert import Insert

PAGE = 200
"""Articles read at a time where they are streamed; ids asked for at a time where many are looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
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


class Hashes(NamedTuple):
    """What tells a text's versions apart, and what finds it at another address."""

    content: str
    copy: str


_BY_ID = articles.c.id == bindparam("at")
_CURRENT = select(articles.c.current_version, articles.c.content_hash).where(_BY_ID).with_for_update()
_ADD = Insert(articles)
_ADVANCE = update(articles).where(_BY_ID)
_TOUCH = update(articles).where(_BY_ID, articles.c.last_seen_at <= bindparam("seen"))
_TOUCH = _TOUCH.values(last_seen_at=bindparam("seen"), last_run_id=bindparam("run"))
_OF_VERSION = (versions.c.article_id == bindparam("at"), versions.c.version == bindparam("number"))
_HASH = select(versions.c.content_hash).where(*_OF_VERSION)
_ADD_VERSION = insert(versions)
_ADD_MATCHES = insert(matches)

_NAMED = {"version": articles.c.current_version.label("version")}
_KNOWN = select(*(_NAMED[f.name] if f.name in _NAMED else articles.c[f.name] for f in fields(Known)))
_FIND = _KNOWN.where(_BY_ID)
_KNOWN_MANY = _KNOWN.where(
    articles.c.source == bindparam("source"), articles.c.native_id.in_(bindparam("native_ids", expanding=True))
).order_by(articles.c.id)
_TWIN = (
    select(versions.c.article_id)
    .where(versions.c.copy_hash == bindparam("hash"), versions.c.article_id != bindparam("other_than"))
    .order_by(versions.c.seen_at, versions.c.article_id)
    .limit(1)
)
_ALL_VERSIONS = select(versions.c.article).where(versions.c.article_id == bindparam("at")).order_by(versions.c.version)
_VERSION = select(versions.c.article).where(*_OF_VERSION)
_JOINED = and_(versions.c.article_id == articles.c.id, versions.c.version == articles.c.current_version)
_TEXTS = select(versions.c.article, articles.c.dated_at, articles.c.id).select_from(articles.join(versions, _JOINED))
_NEWEST_FIRST = (articles.c.dated_at.desc(), articles.c.id.desc())
_ONE = _TEXTS.where(_BY_ID)
_BY_URL = _TEXTS.where(articles.c.url_key == bindparam("key")).order_by(*_NEWEST_FIRST)


class ArticleRoom:
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
        memory: Memory | None = None,
        counts: Mapping[str, int] | None = None,
    ) -> int:
        """Keep a judged article with its version, matches, its page's memory and its run's counts, or nothing.

        `content_hash` tells its versions apart, `copy_hash` (the same when None) finds its copies elsewhere.
        A verdict of unchanged only moves `last_seen_at`. Saving the same version and text again does nothing more.
        When another process took the version's number for another text, this text becomes the next version: neither
        is lost. The number it is kept under is returned.
        """
        with self._database.writing() as connection:
            hashes = Hashes(content_hash, copy_hash or content_hash)
            version = _keep(connection, article, hashes, run_id, seen_at)
            if memory is not None:
                remember(connection, (memory,))
            if counts is not None and run_id is not None:
                count(connection, run_id, dict(counts))
        return version

    def find(self, article_id: str) -> Known | None:
        """What is known of one article, None when it is not stored."""
        rows = self._database.read(_FIND, {"at": article_id})
        return _known(rows[0]) if rows else None

    def known(self, source: str, native_ids: Collection[str]) -> dict[str, list[Known]]:
        """What is known of these native ids of a source, a list (its languages) each; ids not stored are left out."""
        found: dict[str, list[Known]] = {}
        wanted = list(dict.fromkeys(native_ids))
        for start in range(0, len(wanted), PAGE):
            values = {"source": source, "native_ids": wanted[start : start + PAGE]}
            for row in self._database.read(_KNOWN_MANY, values):
                found.setdefault(row.native_id, []).append(_known(row))
        return found

    def twin(self, copy_hash: str, other_than: str) -> str | None:
        """The id of the article in which this text was stored first, in any version, other than the one given."""
        rows = self._database.read(_TWIN, {"hash": copy_hash, "other_than": other_than})
        return rows[0][0] if rows else None

    def get(self, article_id: str, version: int | None = None) -> Article | None:
        """An article as it was saved: its current version, or the one asked for."""
        if version is None:
            rows = self._database.read(_ONE, {"at": article_id})
        else:
            rows = self._database.read(_VERSION, {"at": article_id, "number": version})
        return as_article(rows[0].article) if rows else None

    def versions(self, article_id: str) -> list[Article]:
        """Every version of an article, the oldest first."""
        return [as_article(row.article) for row in self._database.read(_ALL_VERSIONS, {"at": article_id})]

    def by_url(self, url: str) -> list[Article]:
        """The articles whose canonical address this is (several sources or languages may share one), newest first."""
        return [as_article(row.article) for row in self._database.read(_BY_URL, {"key": address_key(url)})]

    def first_seen(self, article_id: str) -> datetime | None:
        """When an article was first seen, in UTC; None when it is not stored."""
        known = self.find(article_id)
        return known.first_seen_at if known else None

    def select(
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
            wanted = PAGE if left is None else min(PAGE, left)
            rows = self._database.read(page.limit(wanted))
            for row in rows:
                yield as_article(row.article)
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
        found: int = self._database.read(query)[0][0]
        return found


def _keep(connection: Connection, article: Article, hashes: Hashes, run_id: int | None, seen_at: datetime) -> int:
    """Write what is new about an article, in the caller's transaction; the version it is kept under."""
    if article.verdict is None or (article.version is None and article.verdict is not Verdict.UNCHANGED):
        raise ValueError(f"{article.id} has not been judged: it needs a verdict and a version to be saved.")
    at = {"at": article.id}
    row = connection.execute(_CURRENT, at).first()
    if row is None:
        first = replace(article, version=article.version or 1)
        state = _state(first, hashes.content)
        state |= {"id": article.id, "source": article.source, "native_id": article.native_id}
        state |= {"dated_at": article.published_at or article.fetched_at or seen_at}
        state |= {"first_seen_at": seen_at, "first_run_id": run_id, "last_seen_at": seen_at, "last_run_id": run_id}
        if connection.execute(_ADD[connection.dialect.name], state).rowcount == 1:
            return _add_version(connection, first, hashes, run_id, seen_at)
        row = connection.execute(_CURRENT, at).one()  # PostgreSQL: another process was faster
    connection.execute(_TOUCH, {**at, "seen": seen_at, "run": run_id})
    later = _as_later(connection, article, hashes.content, row.current_version, row.content_hash)
    if later is None:
        return int(row.current_version)
    state = _state(later, hashes.content)
    if later.published_at is not None:
        state["dated_at"] = later.published_at
    connection.execute(_ADVANCE, {**at, **state})
    return _add_version(connection, later, hashes, run_id, seen_at)


def _as_later(
    connection: Connection, article: Article, content_hash: str, current: int, current_hash: str
) -> Article | None:
    """The article as a version to add to those stored, None when there is nothing to add."""
    if article.verdict is Verdict.UNCHANGED:
        return None
    assert article.version is not None
    if article.version > current:
        return article
    stored = connection.execute(_HASH, {"at": article.id, "number": article.version}).scalar()
    if content_hash in (stored, current_hash):
        return None
    verdict = Verdict.REVISED if article.verdict is Verdict.NEW else article.verdict
    return replace(article, version=current + 1, verdict=verdict)


def _state(article: Article, content_hash: str) -> dict[str, Any]:
    """The columns that follow an article's current version."""
    return {
        "language": article.language,
        "url": article.url,
        "url_key": address_key(article.url),
        "current_version": article.version,
        "content_hash": content_hash,
        "verdict": article.verdict,
        "copy_of": article.copy_of,
        "matched": any(match.strength is Strength.STRONG for match in article.matches),
        "published_at": article.published_at,
    }


def _add_version(
    connection: Connection, article: Article, hashes: Hashes, run_id: int | None, seen_at: datetime
) -> int:
    assert article.version is not None
    row = {"article_id": article.id, "version": article.version, "content_hash": hashes.content}
    row |= {"copy_hash": hashes.copy, "seen_at": seen_at, "run_id": run_id, "article": as_json(article)}
    connection.execute(_ADD_VERSION, row)
    if article.matches:
        key = {"article_id": article.id, "version": article.version}
        names = ("rule", "term", "surface", "field", "start", "end", "strength")
        places = [{name: getattr(match, name) for name in names} for match in article.matches]
        connection.execute(_ADD_MATCHES, [{**key, "position": i, **place} for i, place in enumerate(places)])
    return article.version


def _known(row: Row[Any]) -> Known:
    return Known(**{**row._mapping, "verdict": Verdict(row.verdict)})


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


def _older_than(row: Row[Any]) -> Any:
    """Everything after this row in the order of `_NEWEST_FIRST`."""
    return tuple_(articles.c.dated_at, articles.c.id) < tuple_(literal(row.dated_at, Moment), literal(row.id))
