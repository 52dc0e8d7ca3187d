"""How an article is written: its row, a version if its text is new, that version's matches, index entry and event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select, update

from crawler.items import Article, Strength, Verdict
from crawler.store.article_cards import CardTime, refresh_card, write_card
from crawler.store.column_types import CleanText, UtcDateTime, make_url_key
from crawler.store.events import BACKFILL_RUN, add_event
from crawler.store.pending_articles import is_urgent, save_pending
from crawler.store.revision_diffs import write_diff
from crawler.store.schema import articles, matches, versions
from crawler.store.search_index import add_entry, move_entries
from crawler.store.serialization import serialize_article
from crawler.store.statements import PreparedStatement, make_insert_if_absent

if TYPE_CHECKING:
    from crawler.similarity.preparation import PreparedArticle  # Reading needs none of what it imports.

MATCH_COLUMNS = ("rule", "term", "surface", "field", "start", "end", "strength")


class Sighting(NamedTuple):
    """When and in which run an article's page was read. `suppressed_because`: see `ChangeEvent`."""

    seen_at: datetime
    run_id: int | None
    suppressed_because: str | None = None


class TextIndex(NamedTuple):
    """By what a text is found: `content_hash` distinguishes the versions of an article, `copy_hash` finds copies.

    `prepared` is for clustering. Without it the text is read again then.
    """

    content_hash: str
    copy_hash: str
    prepared: PreparedArticle | None = None


class ReprocessedArticle(NamedTuple):
    """An article as its archived page is read today. `former` is the stored current version, which stays readable."""

    article: Article
    former: Article
    text: TextIndex


_OF_ARTICLE = articles.c.id == bindparam("of_article")
_GET_CURRENT = (
    select(articles.c.current_version, articles.c.content_hash, articles.c.verdict, articles.c.dated_at)
    .where(_OF_ARTICLE)
    .with_for_update()
)
_GET_TIME = select(articles.c.dated_at).where(_OF_ARTICLE)
_ADD_ARTICLE = PreparedStatement(make_insert_if_absent(articles))
_ADVANCE = (
    update(articles)
    .where(_OF_ARTICLE)
    .values(dated_at=func.coalesce(bindparam("new_published_at", type_=UtcDateTime), articles.c.dated_at))
)
_SEEN_BEFORE = articles.c.last_seen_at <= bindparam("seen_at", type_=UtcDateTime)
_SEEN_NOW = {"last_seen_at": bindparam("seen_at", type_=UtcDateTime), "last_run_id": bindparam("of_run")}
_NEW_PUBLISHED_AT = func.coalesce(bindparam("new_published_at", type_=UtcDateTime), articles.c.published_at)
# A site that corrects only the time of an article makes no version, but the article's place in lists changes.
_TOUCH = (
    update(articles)
    .where(_OF_ARTICLE, _SEEN_BEFORE)
    .values(
        **_SEEN_NOW,
        url=bindparam("new_url", type_=CleanText),
        url_key=bindparam("new_url_key"),
        published_at=_NEW_PUBLISHED_AT,
        dated_at=func.coalesce(_NEW_PUBLISHED_AT, articles.c.dated_at),
    )
)
_MARK_SEEN = PreparedStatement(
    update(articles)
    .where(articles.c.source == bindparam("of_source"), articles.c.native_id == bindparam("of_native_id"), _SEEN_BEFORE)
    .values(**_SEEN_NOW)
)
_GET_VERSION = select(versions.c.content_hash, versions.c.verdict).where(
    versions.c.article_id == bindparam("of_article"), versions.c.version == bindparam("of_version")
)
_GET_SIGHTING = select(versions.c.seen_at, versions.c.run_id).where(
    versions.c.article_id == bindparam("of_article"), versions.c.version == bindparam("of_version")
)
_ADD_VERSION = PreparedStatement(insert(versions))
_ADD_MATCHES = insert(matches)


def write_article(connection: Connection, article: Article, text: TextIndex, sighting: Sighting) -> int:
    """Write what is new about an article, in the caller's transaction. Return the number of its version.

    The first statement locks the article's row, so that two writers of one article take turns.
    """
    if article.verdict is None or (article.version is None and article.verdict is not Verdict.UNCHANGED):
        raise ValueError(f"{article.id} cannot be saved without a verdict and a version.")
    key = {"of_article": article.id}
    is_probably_new = article.version == 1 and article.verdict is not Verdict.UNCHANGED
    rows = [] if is_probably_new else connection.execute(_GET_CURRENT, key).all()
    if not rows:
        first = article if article.version else replace(article, version=1)
        dated_at = _get_effective_time(first, sighting)
        if _insert_article(connection, first, text, sighting, dated_at):
            return _insert_version(connection, first, text, sighting, dated_at)
        rows = connection.execute(_GET_CURRENT, key).all()
    current = rows[0]
    touched = {
        "seen_at": sighting.seen_at,
        "of_run": sighting.run_id,
        "new_published_at": article.published_at,
        "new_url": article.url,
        "new_url_key": make_url_key(article.url),
    }
    connection.execute(_TOUCH, {**key, **touched})
    later = _make_next_version(connection, article, text.content_hash, current)
    if later is not None:
        row = _make_state_row(later, text.content_hash)
        if later.verdict is Verdict.REPROCESSED:
            row["verdict"] = current.verdict  # what the site did last
        connection.execute(_ADVANCE, {**key, "new_published_at": later.published_at, **row})
    dated_at = current.dated_at
    if article.published_at not in (None, dated_at):
        dated_at = connection.execute(_GET_TIME, key).scalar_one()
        if dated_at != current.dated_at:
            move_entries(connection, article.id, dated_at)
    if later is None:
        return int(current.current_version)
    return _insert_version(connection, later, text, sighting, dated_at)


def write_reprocessed(connection: Connection, reprocessed: ReprocessedArticle) -> bool:
    """Write an article that was read again as its next version, in the caller's transaction.

    The site did nothing: there is no change event, the version was first seen when the former one was, and what the
    site did last (`articles.verdict`) stays. An address or time that later runs found stays too, unless this reading
    differs from the former one in it. Return False and write nothing if `former` is not the current version any more.
    """
    former, key = reprocessed.former, {"of_article": reprocessed.former.id}
    rows = connection.execute(_GET_CURRENT, key).all()
    if former.version is None or not rows or rows[0].current_version != former.version:
        return False
    article = replace(
        reprocessed.article,
        id=former.id,
        version=former.version + 1,
        verdict=Verdict.REPROCESSED,
        site_verdict=former.edit_verdict,
    )
    sighting = Sighting(*connection.execute(_GET_SIGHTING, {**key, "of_version": former.version}).one())
    row = _make_state_row(article, reprocessed.text.content_hash)
    del row["verdict"]
    if article.url == former.url:
        del row["url"], row["url_key"]
    if article.published_at == former.published_at:
        del row["published_at"]
    else:
        row["dated_at"] = _get_effective_time(article, sighting)
    connection.execute(update(articles).where(articles.c.id == article.id).values(row))
    dated_at = row.get("dated_at", rows[0].dated_at)
    if dated_at != rows[0].dated_at:
        move_entries(connection, article.id, dated_at)
    _insert_version(connection, article, reprocessed.text, sighting, dated_at)
    return True


def write_last_seen(
    connection: Connection, source: str, seen_times: Mapping[str, datetime], run_id: int | None
) -> None:
    """Move `last_seen_at` of the articles with these native ids forward, in the caller's transaction."""
    for native_id in sorted(seen_times):  # in one order everywhere, so that two writers cannot deadlock
        values = {"of_source": source, "of_native_id": native_id, "seen_at": seen_times[native_id], "of_run": run_id}
        _MARK_SEEN.execute(connection, values)


def insert_matches(connection: Connection, article: Article) -> None:
    """Write the matches of a version that has none stored."""
    if article.matches:
        key = {"article_id": article.id, "version": article.version}
        places = [{name: getattr(match, name) for name in MATCH_COLUMNS} for match in article.matches]
        rows = [{**key, "position": position, **place} for position, place in enumerate(places)]
        connection.execute(_ADD_MATCHES, rows)


def _insert_article(
    connection: Connection, article: Article, text: TextIndex, sighting: Sighting, dated_at: datetime
) -> bool:
    """Return whether the article was not stored yet; then its row is now."""
    row = _make_state_row(article, text.content_hash) | {
        "id": article.id,
        "source": article.source,
        "native_id": article.native_id,
        "dated_at": dated_at,
        "first_seen_at": sighting.seen_at,
        "first_run_id": sighting.run_id,
        "last_seen_at": sighting.seen_at,
        "last_run_id": sighting.run_id,
    }
    return bool(_ADD_ARTICLE.execute(connection, row).rowcount == 1)


def _get_effective_time(article: Article, sighting: Sighting) -> datetime:
    """Return the time by which lists are sorted."""
    return article.published_at or article.fetched_at or sighting.seen_at


def _make_next_version(connection: Connection, article: Article, content_hash: str, current: Any) -> Article | None:
    """Return the article as the version to add, or None if its text is stored already.

    Another process may have used the version's number for another text. Then this text becomes the next version.
    """
    if article.verdict is Verdict.UNCHANGED:
        return None
    assert article.version is not None
    if article.version > current.current_version:
        return article
    new_state = (content_hash, article.verdict is Verdict.UNPUBLISHED)
    key = {"of_article": article.id, "of_version": article.version}
    for stored in (*connection.execute(_GET_VERSION, key), current):
        if new_state == (stored.content_hash, stored.verdict == Verdict.UNPUBLISHED):
            return None
    verdict = Verdict.REVISED if article.verdict is Verdict.NEW else article.verdict
    return replace(article, version=current.current_version + 1, verdict=verdict)


def _make_state_row(article: Article, content_hash: str) -> dict[str, Any]:
    """Return the values of an article's row that its current version determines."""
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


def _insert_version(
    connection: Connection, article: Article, text: TextIndex, sighting: Sighting, dated_at: datetime
) -> int:
    assert article.version is not None
    row = {
        "article_id": article.id,
        "version": article.version,
        "verdict": article.verdict,
        "content_hash": text.content_hash,
        "copy_hash": text.copy_hash,
        "seen_at": sighting.seen_at,
        "run_id": sighting.run_id,
        "article": serialize_article(article),
    }
    _ADD_VERSION.execute(connection, row)
    insert_matches(connection, article)
    diff = write_diff(connection, article.id, article.version, article) if article.version > 1 else None
    add_entry(connection, article, dated_at)
    if article.verdict is Verdict.REPROCESSED:
        is_awaited = is_urgent(connection, article.id)  # by the event of an earlier version
        refresh_card(connection, article, sighting.seen_at)
    else:
        has_event = add_event(connection, article, sighting.run_id, sighting.seen_at, sighting.suppressed_because)
        # Nobody waits for the stories of a backfill, and clustering thousands at once would lock out other runs.
        is_awaited = has_event and sighting.suppressed_because != BACKFILL_RUN
        time = CardTime(sighting.seen_at, sighting.suppressed_because is not None)
        write_card(connection, article, time, diff)
    save_pending(connection, article, text.prepared, is_urgent=is_awaited)
    return article.version
