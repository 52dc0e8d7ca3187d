"""The articles that wait for clustering.

Urgent ones are clustered at the end of the run that stored them, because an alert may depend on their story. The others
wait for idle time, or for the first command that needs stories.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Integer, bindparam, delete, func, or_, select, true, update

from crawler.items import Article
from crawler.similarity.fingerprint import (
    MAX_DAYS_APART,
    Fingerprint,
    is_candidate,
    pack_fingerprint,
    unpack_fingerprint,
)
from crawler.store.candidate_index import MIN_SHARED_EVENT_KEYS
from crawler.store.schema import articles, unclustered
from crawler.store.statements import PreparedStatement, make_insert_if_absent, make_upsert

if TYPE_CHECKING:
    from crawler.similarity.preparation import PreparedArticle  # Reading needs none of what it imports.

ARTICLES_PER_BATCH = 50
"""Articles that are clustered in one transaction. Other writers wait meanwhile."""
MAX_SEARCHED_ARTICLES = 20_000
"""Waiting articles among which a run searches those that belong to urgent ones."""

_IS_URGENT = unclustered.c.urgent.is_(true())  # exactly the condition of the partial index
_SAVE = PreparedStatement(make_upsert(unclustered, key=("article_id",)))
_ADD_IF_ABSENT = make_insert_if_absent(unclustered)
_DELETE = delete(unclustered).where(unclustered.c.article_id == bindparam("of_article"))
_MARK_URGENT = update(unclustered).where(unclustered.c.article_id == bindparam("of_article")).values(urgent=True)
_LIST = (
    select(
        unclustered.c.article_id,
        unclustered.c.urgent,
        unclustered.c.version,
        unclustered.c.day,
        unclustered.c.release_id,
        unclustered.c.fingerprint,
        articles.c.current_version,
        articles.c.dated_at,
    )
    .join_from(unclustered, articles, articles.c.id == unclustered.c.article_id)
    .order_by(unclustered.c.article_id)
    .limit(bindparam("size", type_=Integer))
)
_LIST_URGENT = _LIST.where(_IS_URGENT)
_GET_URGENT_DAYS = select(func.min(unclustered.c.day), func.max(unclustered.c.day)).where(_IS_URGENT)
_SEARCH = (
    select(unclustered.c.article_id, unclustered.c.day, unclustered.c.release_id, unclustered.c.fingerprint)
    .where(
        ~_IS_URGENT,
        unclustered.c.fingerprint.is_not(None),
        or_(unclustered.c.day.is_(None), unclustered.c.day.between(bindparam("first"), bindparam("last"))),
    )
    .limit(MAX_SEARCHED_ARTICLES)
)


class PendingArticle(NamedTuple):
    """An article that waits. `day` (`date.toordinal()`) and `fingerprint` are those of `version`, the current one.

    `fingerprint` is None where it has to be made from the text.
    """

    article_id: str
    version: int
    dated_at: datetime
    is_urgent: bool
    day: int | None
    release_id: str | None
    fingerprint: Fingerprint | None

    def get_day(self, zone: tzinfo) -> int:
        """Return the day of publication, or that on which the article was first seen."""
        return self.day or self.dated_at.astimezone(zone).date().toordinal()


def save_pending(
    connection: Connection, article: Article, prepared: PreparedArticle | None, *, is_urgent: bool
) -> None:
    """Let a new text of an article wait, in the transaction that writes it. `prepared` saves reading it again."""
    row: dict[str, Any] = {"article_id": article.id, "urgent": is_urgent, "version": article.version}
    row |= dict.fromkeys(("day", "release_id", "fingerprint"))
    if prepared is not None:
        document = prepared.document
        row["day"] = document.published.toordinal() if document.published else None
        row["release_id"] = document.release_id
        row["fingerprint"] = pack_fingerprint(prepared.fingerprint)
    _SAVE.execute(connection, row)


def is_urgent(connection: Connection, article_id: str) -> bool:
    """Return whether an article waits whose alert depends on its story."""
    query = select(unclustered.c.urgent).where(unclustered.c.article_id == article_id)
    return bool(connection.execute(query).scalar())


def add_again(connection: Connection, article_ids: Iterable[str], urgent_ids: Collection[str]) -> None:
    """Let articles wait again whose text is the same, unless they wait already."""
    empty = dict.fromkeys(("version", "day", "release_id", "fingerprint"))
    rows = [{"article_id": each, "urgent": each in urgent_ids, **empty} for each in article_ids]
    if rows:
        connection.execute(_ADD_IF_ABSENT[connection.dialect.name], rows)


def list_batch(connection: Connection, *, only_urgent: bool) -> list[PendingArticle]:
    """Return the next articles to cluster together, in the order of their ids."""
    rows = connection.execute(_LIST_URGENT if only_urgent else _LIST, {"size": ARTICLES_PER_BATCH})
    return [_make_pending(row) for row in rows]


def _make_pending(row: Any) -> PendingArticle:
    # A newer version without a fingerprint may have replaced the one that has it.
    is_current = row.version == row.current_version and row.fingerprint is not None
    return PendingArticle(
        article_id=row.article_id,
        version=row.current_version,
        dated_at=row.dated_at,
        is_urgent=row.urgent,
        day=row.day if is_current else None,
        release_id=row.release_id if is_current else None,
        fingerprint=unpack_fingerprint(row.fingerprint) if is_current else None,
    )


def delete_pending(connection: Connection, article_ids: Iterable[str]) -> None:
    """Remove articles that are clustered."""
    rows = [{"of_article": each} for each in article_ids]
    if rows:
        connection.execute(_DELETE, rows)


def mark_urgent(connection: Connection, article_ids: Iterable[str]) -> None:
    """Let these articles be clustered with the urgent ones."""
    rows = [{"of_article": each} for each in sorted(article_ids)]
    if rows:
        connection.execute(_MARK_URGENT, rows)


class _WaitingText(NamedTuple):
    article_id: str
    day: int | None
    release_id: str | None
    fingerprint: Fingerprint


class WaitingTexts:
    """The texts that are not urgent, by which it is found which of them belong to urgent ones.

    They are not in the candidate index yet. The tests are those of the index.
    """

    def __init__(self, connection: Connection) -> None:
        first, last = connection.execute(_GET_URGENT_DAYS).one()
        near = {"first": (first or 0) - MAX_DAYS_APART, "last": (last or 0) + MAX_DAYS_APART}
        rows = connection.execute(_SEARCH, near).all()
        texts = ((row, unpack_fingerprint(row.fingerprint)) for row in rows)
        self._texts = [_WaitingText(*row[:3], fingerprint) for row, fingerprint in texts if fingerprint]

    def take_related(self, clustered: Collection[PendingArticle]) -> list[str]:
        """Return the ids of the texts that may be one text or one event with one of these. Each is returned once."""
        others = _ClusteredTexts(clustered)
        related = [text for text in self._texts if others.has_related(text)]
        if related:
            taken = {text.article_id for text in related}
            self._texts = [text for text in self._texts if text.article_id not in taken]
        return [text.article_id for text in related]


class _ClusteredTexts:
    """The keys of some articles, each with the articles that have it."""

    def __init__(self, clustered: Collection[PendingArticle]) -> None:
        self._release_ids = {each.release_id for each in clustered if each.release_id}
        self._by_band: dict[int, list[Fingerprint]] = {}
        self._by_event_key: dict[int, list[tuple[str, int | None]]] = {}
        for article in clustered:
            if article.fingerprint is None:
                continue
            for band in article.fingerprint.bands:
                self._by_band.setdefault(band, []).append(article.fingerprint)
            for key in article.fingerprint.event_keys:
                self._by_event_key.setdefault(key, []).append((article.article_id, article.day))

    def has_related(self, text: _WaitingText) -> bool:
        """Return whether one of the articles would be a candidate of the text."""
        return text.release_id in self._release_ids or self._has_similar(text) or self._has_same_event(text)

    def _has_similar(self, text: _WaitingText) -> bool:
        own = text.fingerprint
        if self._by_band.keys().isdisjoint(own.bands):
            return False
        return any(
            is_candidate(own.signature, other.signature, (own.shingle_count, other.shingle_count))
            for band in own.bands
            for other in self._by_band.get(band, ())
        )

    def _has_same_event(self, text: _WaitingText) -> bool:
        if self._by_event_key.keys().isdisjoint(text.fingerprint.event_keys):
            return False
        shared = Counter(
            article_id
            for key in text.fingerprint.event_keys
            for article_id, day in self._by_event_key.get(key, ())
            if day is None or text.day is None or abs(day - text.day) <= MAX_DAYS_APART
        )
        return max(shared.values(), default=0) >= MIN_SHARED_EVENT_KEYS
