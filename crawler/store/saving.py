"""How an article is written: its row, a version when its text is new, and the places of that version's matches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select, update

from crawler.items import Article, Strength, Verdict
from crawler.store.columns import Moment, Plain, address_key
from crawler.store.document import as_json
from crawler.store.news import note
from crawler.store.schema import articles, matches, unjudged, versions
from crawler.store.statements import Prepared, insert_or_leave

STATE = (
    "language",
    "url",
    "url_key",
    "current_version",
    "content_hash",
    "verdict",
    "copy_of",
    "matched",
    "published_at",
)
"""The columns that follow an article's current version."""
PLACE = ("rule", "term", "surface", "field", "start", "end", "strength")


class Hashes(NamedTuple):
    """What tells a text's versions apart, and what finds it at another address."""

    content: str
    copy: str


_BY_ID = articles.c.id == bindparam("at")
_CURRENT = Prepared(select(articles.c.current_version, articles.c.content_hash).where(_BY_ID).with_for_update())
_ADD = insert_or_leave(articles)
_DATED = func.coalesce(bindparam("dated", type_=Moment), articles.c.dated_at)
_ADVANCE = Prepared(update(articles).where(_BY_ID).values(dated_at=_DATED), names=STATE)
_SEEN_BEFORE = articles.c.last_seen_at <= bindparam("seen")
_SIGHT = update(articles).where(_BY_ID, _SEEN_BEFORE)
_AT = {"url": bindparam("address", type_=Plain), "url_key": bindparam("key")}
_PUBLISHED = func.coalesce(bindparam("published", type_=Moment), articles.c.published_at)
_TIMES = {"published_at": _PUBLISHED, "dated_at": func.coalesce(_PUBLISHED, articles.c.dated_at)}
"""Where an article stands on its list: a time that was corrected, with nothing else, makes no version."""
_TOUCH = Prepared(_SIGHT.values(last_seen_at=bindparam("seen"), last_run_id=bindparam("run"), **_AT, **_TIMES))
_OF_SOURCE = (articles.c.source == bindparam("of"), articles.c.native_id == bindparam("named"), _SEEN_BEFORE)
_SEEN = Prepared(
    update(articles).where(*_OF_SOURCE).values(last_seen_at=bindparam("seen"), last_run_id=bindparam("run"))
)
_OF_VERSION = (versions.c.article_id == bindparam("at"), versions.c.version == bindparam("number"))
_HASH = Prepared(select(versions.c.content_hash).where(*_OF_VERSION))
_ADD_VERSION = Prepared(insert(versions))
_ADD_MATCHES = Prepared(insert(matches))
_TO_JUDGE = insert_or_leave(unjudged)


def keep(
    connection: Connection,
    article: Article,
    hashes: Hashes,
    run_id: int | None,
    seen_at: datetime,
    quiet: str | None = None,
) -> int:
    """Write what is new about an article, in the caller's transaction; the version it is kept under. `quiet` says why
    nobody is to be told of it, None for news.

    The row of the article is locked from the first statement on, so that two writers of one article take turns.
    """
    if article.verdict is None or (article.version is None and article.verdict is not Verdict.UNCHANGED):
        raise ValueError(f"{article.id} has not been judged: it needs a verdict and a version to be saved.")
    at = {"at": article.id}
    probably_new = article.version == 1 and article.verdict is not Verdict.UNCHANGED
    rows = [] if probably_new else _CURRENT.rows(connection, at)
    if not rows:
        first = article if article.version else replace(article, version=1)
        if _added(connection, first, hashes, run_id, seen_at):
            return _add_version(connection, first, hashes, run_id, seen_at, quiet)
        rows = _CURRENT.rows(connection, at)
    place = {"address": article.url, "key": address_key(article.url)}
    _TOUCH.run(connection, {**at, "seen": seen_at, "run": run_id, "published": article.published_at, **place})
    current, current_hash = rows[0]
    later = _as_later(connection, article, hashes.content, current, current_hash)
    if later is None:
        return int(current)
    _ADVANCE.run(connection, {**at, "dated": later.published_at, **_state(later, hashes.content)})
    return _add_version(connection, later, hashes, run_id, seen_at, quiet)


def sight(connection: Connection, source: str, native_ids: Mapping[str, datetime], run_id: int | None) -> None:
    """Move `last_seen_at` of the articles with these ids, in the caller's transaction; never back."""
    for native_id in sorted(native_ids):  # in one order everywhere, so that two writers do not wait for each other
        _SEEN.run(connection, {"of": source, "named": native_id, "seen": native_ids[native_id], "run": run_id})


def _added(connection: Connection, article: Article, hashes: Hashes, run_id: int | None, seen_at: datetime) -> bool:
    """Whether the article was not stored yet; now it is."""
    row = _state(article, hashes.content)
    row |= {"id": article.id, "source": article.source, "native_id": article.native_id}
    row |= {"dated_at": article.published_at or article.fetched_at or seen_at}
    row |= {"first_seen_at": seen_at, "first_run_id": run_id, "last_seen_at": seen_at, "last_run_id": run_id}
    return _ADD.run(connection, row).rowcount == 1


def _as_later(
    connection: Connection, article: Article, content_hash: str, current: int, current_hash: str
) -> Article | None:
    """The article as a version to add to those stored, None when there is nothing to add."""
    if article.verdict is Verdict.UNCHANGED:
        return None
    assert article.version is not None
    if article.version > current:
        return article
    stored = _HASH.run(connection, {"at": article.id, "number": article.version}).scalar()
    if content_hash in (stored, current_hash):
        return None
    verdict = Verdict.REVISED if article.verdict is Verdict.NEW else article.verdict
    return replace(article, version=current + 1, verdict=verdict)


def _state(article: Article, content_hash: str) -> dict[str, Any]:
    """The values of `STATE`."""
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
    connection: Connection, article: Article, hashes: Hashes, run_id: int | None, seen_at: datetime, quiet: str | None
) -> int:
    assert article.version is not None
    row = {"article_id": article.id, "version": article.version}
    row |= {
        "content_hash": hashes.content,
        "copy_hash": hashes.copy,
        "seen_at": seen_at,
        "run_id": run_id,
        "article": as_json(article),
    }
    _ADD_VERSION.run(connection, row)
    _TO_JUDGE.run(connection, {"article_id": article.id})
    add_matches(connection, article)
    note(connection, article, run_id, seen_at, quiet)
    return article.version


def add_matches(connection: Connection, article: Article) -> None:
    """Write the places of a version's matches, of which none is stored."""
    if article.matches:
        key = {"article_id": article.id, "version": article.version}
        places = [{name: getattr(match, name) for name in PLACE} for match in article.matches]
        _ADD_MATCHES.run_many(connection, [{**key, "position": i, **place} for i, place in enumerate(places)])
