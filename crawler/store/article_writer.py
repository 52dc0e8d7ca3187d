"""How an article is written: its row, a version when its text is new, and the places of that version's matches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select, update

from crawler.items import Article, Strength, Verdict
from crawler.store.columns import CleanText, UtcDateTime, make_url_key
from crawler.store.events import add_event
from crawler.store.schema import articles, matches, unclustered, versions
from crawler.store.serialization import serialize_article
from crawler.store.statements import PreparedStatement, make_insert_if_absent

STATE_COLUMNS = (
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
MATCH_COLUMNS = ("rule", "term", "surface", "field", "start", "end", "strength")


class TextHashes(NamedTuple):
    """What tells a text's versions apart, and what finds it at another address."""

    content: str
    copy: str


_BY_ID = articles.c.id == bindparam("at")
_CURRENT = PreparedStatement(
    select(articles.c.current_version, articles.c.content_hash).where(_BY_ID).with_for_update()
)
_ADD = make_insert_if_absent(articles)
_DATED = func.coalesce(bindparam("dated", type_=UtcDateTime), articles.c.dated_at)
_ADVANCE = PreparedStatement(update(articles).where(_BY_ID).values(dated_at=_DATED), names=STATE_COLUMNS)
_SEEN_BEFORE = articles.c.last_seen_at <= bindparam("seen")
_SIGHT = update(articles).where(_BY_ID, _SEEN_BEFORE)
_AT = {"url": bindparam("address", type_=CleanText), "url_key": bindparam("key")}
_PUBLISHED = func.coalesce(bindparam("published", type_=UtcDateTime), articles.c.published_at)
_TIMES = {"published_at": _PUBLISHED, "dated_at": func.coalesce(_PUBLISHED, articles.c.dated_at)}
"""Where an article stands on its list: a time that was corrected, with nothing else, makes no version."""
_TOUCH = PreparedStatement(_SIGHT.values(last_seen_at=bindparam("seen"), last_run_id=bindparam("run"), **_AT, **_TIMES))
_OF_SOURCE = (articles.c.source == bindparam("of"), articles.c.native_id == bindparam("named"), _SEEN_BEFORE)
_SEEN = PreparedStatement(
    update(articles).where(*_OF_SOURCE).values(last_seen_at=bindparam("seen"), last_run_id=bindparam("run"))
)
_OF_VERSION = (versions.c.article_id == bindparam("at"), versions.c.version == bindparam("number"))
_HASH = PreparedStatement(select(versions.c.content_hash).where(*_OF_VERSION))
_ADD_VERSION = PreparedStatement(insert(versions))
_ADD_MATCHES = PreparedStatement(insert(matches))
_TO_JUDGE = make_insert_if_absent(unclustered)


def write_article(
    connection: Connection,
    article: Article,
    hashes: TextHashes,
    run_id: int | None,
    seen_at: datetime,
    suppressed_because: str | None = None,
) -> int:
    """Write what is new about an article, in the caller's transaction; the version it is kept under. `quiet` says why
    nobody is to be told of it, None for news.

    The row of the article is locked from the first statement on, so that two writers of one article take turns.
    """
    if article.verdict is None or (article.version is None and article.verdict is not Verdict.UNCHANGED):
        raise ValueError(f"{article.id} has not been judged: it needs a verdict and a version to be saved.")
    at = {"at": article.id}
    probably_new = article.version == 1 and article.verdict is not Verdict.UNCHANGED
    rows = [] if probably_new else _CURRENT.fetch_all(connection, at)
    if not rows:
        first = article if article.version else replace(article, version=1)
        if _insert_article(connection, first, hashes, run_id, seen_at):
            return _add_version(connection, first, hashes, run_id, seen_at, suppressed_because)
        rows = _CURRENT.fetch_all(connection, at)
    place = {"address": article.url, "key": make_url_key(article.url)}
    _TOUCH.execute(connection, {**at, "seen": seen_at, "run": run_id, "published": article.published_at, **place})
    current, current_hash = rows[0]
    later = _make_next_version(connection, article, hashes.content, current, current_hash)
    if later is None:
        return int(current)
    _ADVANCE.execute(connection, {**at, "dated": later.published_at, **_make_state_row(later, hashes.content)})
    return _add_version(connection, later, hashes, run_id, seen_at, suppressed_because)


def write_last_seen(
    connection: Connection, source: str, native_ids: Mapping[str, datetime], run_id: int | None
) -> None:
    """Move `last_seen_at` of the articles with these ids, in the caller's transaction; never back."""
    for native_id in sorted(native_ids):  # in one order everywhere, so that two writers do not wait for each other
        _SEEN.execute(connection, {"of": source, "named": native_id, "seen": native_ids[native_id], "run": run_id})


def _insert_article(
    connection: Connection, article: Article, hashes: TextHashes, run_id: int | None, seen_at: datetime
) -> bool:
    """Whether the article was not stored yet; now it is."""
    row = _make_state_row(article, hashes.content)
    row |= {"id": article.id, "source": article.source, "native_id": article.native_id}
    row |= {"dated_at": article.published_at or article.fetched_at or seen_at}
    row |= {"first_seen_at": seen_at, "first_run_id": run_id, "last_seen_at": seen_at, "last_run_id": run_id}
    return _ADD.execute(connection, row).rowcount == 1


def _make_next_version(
    connection: Connection, article: Article, content_hash: str, current: int, current_hash: str
) -> Article | None:
    """The article as a version to add to those stored, None when there is nothing to add."""
    if article.verdict is Verdict.UNCHANGED:
        return None
    assert article.version is not None
    if article.version > current:
        return article
    stored = _HASH.execute(connection, {"at": article.id, "number": article.version}).scalar()
    if content_hash in (stored, current_hash):
        return None
    verdict = Verdict.REVISED if article.verdict is Verdict.NEW else article.verdict
    return replace(article, version=current + 1, verdict=verdict)


def _make_state_row(article: Article, content_hash: str) -> dict[str, Any]:
    """The values of `STATE`."""
    return {
        "language": article.language,
        "url": article.url,
        "url_key": make_url_key(article.url),
        "current_version": article.version,
        "content_hash": content_hash,
        "verdict": article.verdict,
        "copy_of": article.copy_of,
        "matched": any(match.strength is Strength.STRONG for match in article.matches),
        "published_at": article.published_at,
    }


def _add_version(
    connection: Connection,
    article: Article,
    hashes: TextHashes,
    run_id: int | None,
    seen_at: datetime,
    quiet: str | None,
) -> int:
    assert article.version is not None
    row = {"article_id": article.id, "version": article.version}
    row |= {
        "content_hash": hashes.content,
        "copy_hash": hashes.copy,
        "seen_at": seen_at,
        "run_id": run_id,
        "article": serialize_article(article),
    }
    _ADD_VERSION.execute(connection, row)
    _TO_JUDGE.execute(connection, {"article_id": article.id})
    insert_matches(connection, article)
    add_event(connection, article, run_id, seen_at, quiet)
    return article.version


def insert_matches(connection: Connection, article: Article) -> None:
    """Write the places of a version's matches, of which none is stored."""
    if article.matches:
        key = {"article_id": article.id, "version": article.version}
        places = [{name: getattr(match, name) for name in MATCH_COLUMNS} for match in article.matches]
        _ADD_MATCHES.execute_many(connection, [{**key, "position": i, **place} for i, place in enumerate(places)])
