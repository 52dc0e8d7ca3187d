"""Lists for programs, by narrow queries: articles, what is new since a place, and the actions of readers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Integer, Row, Text, bindparam, func, select, true, tuple_

from crawler.items import Health, Verdict
from crawler.revisions.kinds import Severity
from crawler.store.article_cards import parse_rules
from crawler.store.column_types import UtcDateTime
from crawler.store.database import Database
from crawler.store.reading_lists import ListPlace
from crawler.store.reading_schema import article_cards
from crawler.store.schema import articles, change_events, matches, runs, signatures
from crawler.store.statements import PreparedQuery

MAX_RECENT_EVENTS = 100
MAX_RECENT_RUNS = 500
"""Runs among which those that ended lately are looked for: a run may end after one that began later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleFilter:
    """What a list of articles selects. None: everything. `matched`: by a certain match. `until` itself is excluded."""

    matched: bool | None = None
    rule: str | None = None
    source: str | None = None
    language: str | None = None
    verdict: Verdict | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedArticle:
    """An article in a list, without its text. `headline` is None for an article that never matched."""

    id: str
    source: str
    language: str | None
    url: str
    version: int
    verdict: Verdict
    published_at: datetime | None
    first_seen_at: datetime
    dated_at: datetime
    is_matched: bool
    copy_of: str | None
    headline: str | None
    rules: tuple[str, ...]
    severity: Severity | None
    story: int | None


class NewVersion(NamedTuple):
    """A version that was stored since a place in the log of change events. `id` is its place."""

    id: int
    article_id: str
    version: int
    verdict: Verdict
    created_at: datetime
    source: str
    language: str | None
    headline: str | None
    rules: tuple[str, ...]
    severity: Severity | None
    story: int | None


class EndedRun(NamedTuple):
    """A live run that ended."""

    id: int
    source: str
    finished_at: datetime
    health: Health
    reason: str | None


_ARTICLE_COLUMNS = (
    articles.c.id,
    articles.c.source,
    articles.c.language,
    articles.c.url,
    articles.c.current_version,
    articles.c.verdict,
    articles.c.published_at,
    articles.c.first_seen_at,
    articles.c.dated_at,
    articles.c.matched,
    articles.c.copy_of,
    article_cards.c.headline,
    article_cards.c.rules,
    article_cards.c.severity,
    signatures.c.story,
)
_SELECT_ARTICLES = (
    select(*_ARTICLE_COLUMNS)
    .select_from(articles)
    .outerjoin(article_cards, article_cards.c.article_id == articles.c.id)
    .outerjoin(signatures, signatures.c.article_id == articles.c.id)
)
_SELECT_EVENTS = (
    select(
        change_events.c.id,
        change_events.c.article_id,
        change_events.c.version,
        change_events.c.verdict,
        change_events.c.created_at.label("created_at"),
        articles.c.source,
        articles.c.language,
        article_cards.c.headline,
        article_cards.c.rules,
        article_cards.c.severity,
        signatures.c.story,
    )
    .join_from(change_events, articles, articles.c.id == change_events.c.article_id)
    .outerjoin(article_cards, article_cards.c.article_id == articles.c.id)
    .outerjoin(signatures, signatures.c.article_id == articles.c.id)
    .order_by(change_events.c.id)
)
_NEWEST_RUN = select(func.coalesce(func.max(runs.c.id), 0)).scalar_subquery()


class ArticleListRepository:
    """`store.article_lists`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_newest(self, wanted: ArticleFilter, limit: int, *, behind: ListPlace | None = None) -> list[ListedArticle]:
        """Return the newest articles, or those behind a place: the time is that of `store.articles.iter_newest`."""
        values = {name: value for name, value in asdict(wanted).items() if value is not None}
        matched = values.pop("matched", None)
        if behind is not None:
            values |= {"behind_time": behind.active_at, "behind_id": behind.article_id}
        query = _make_list_query(matched, frozenset(values))
        return [_make_listed_article(row) for row in self._database.fetch_all(query, {**values, "count": limit})]

    def get_last_event_id(self) -> int:
        """Return the place at the end of the log of change events, 0 for an empty one."""
        found: int | None = self._database.fetch_all(select(func.max(change_events.c.id)))[0][0]
        return found or 0

    def get_news_mark(self) -> tuple[object, ...]:
        """Return values that differ as soon as there is a change event or an ended run more."""
        last = self.get_last_event_id()
        recent = select(func.count()).where(change_events.c.id > last - MAX_RECENT_EVENTS)
        ended = select(func.max(runs.c.finished_at), func.count(runs.c.finished_at))
        ended = ended.where(runs.c.id > _NEWEST_RUN - MAX_RECENT_RUNS)
        # The counts: an event may be stored after one with a higher number (PostgreSQL), a run after a later one.
        return last, self._database.fetch_all(recent)[0][0], *self._database.fetch_all(ended)[0]

    def list_new_versions(self, after: int, limit: int) -> list[NewVersion]:
        """Return what was stored behind a place in the log of change events, the oldest first.

        What was on a site before it was first read, and what was only read again, is no news: it is not in the list.
        """
        is_news = change_events.c.suppressed_because.is_(None)
        query = _SELECT_EVENTS.where(change_events.c.id > after, is_news).limit(limit)
        return [
            NewVersion(
                **{
                    **row._mapping,
                    "verdict": Verdict(row.verdict),
                    "rules": parse_rules(row.rules or "[]"),
                    "severity": Severity(row.severity) if row.severity else None,
                }
            )
            for row in self._database.fetch_all(query)
        ]

    def list_ended_runs(self, after: datetime) -> list[EndedRun]:
        """Return the live runs that ended after a time, the first to end first, of the last `MAX_RECENT_RUNS`."""
        query = (
            select(runs.c.id, runs.c.source, runs.c.finished_at, runs.c.health, runs.c.reason)
            .where(runs.c.id > _NEWEST_RUN - MAX_RECENT_RUNS, runs.c.mode == "live")
            .where(runs.c.finished_at > after, runs.c.health.is_not(None))
            .order_by(runs.c.finished_at, runs.c.id)
        )
        return [EndedRun(**{**row._mapping, "health": Health(row.health)}) for row in self._database.fetch_all(query)]


@cache
def _make_list_query(matched: bool | None, names: Collection[str]) -> PreparedQuery:
    """Return a query for articles by the names of its values. To make one takes longer than to execute it.

    `matched` is that of the filter.
    """
    columns = articles.c
    is_matched = columns.matched.is_(true())  # exactly the condition of the partial index
    is_current = (matches.c.article_id == columns.id) & (matches.c.version == columns.current_version)
    place = tuple_(bindparam("behind_time", type_=UtcDateTime), bindparam("behind_id", type_=Text))
    conditions: dict[str, Any] = {
        "source": columns.source == bindparam("source"),
        "language": columns.language == bindparam("language"),
        "verdict": columns.verdict == bindparam("verdict"),
        "since": columns.dated_at >= bindparam("since"),
        "until": columns.dated_at < bindparam("until"),
        "rule": select(matches.c.rule).where(is_current, matches.c.rule == bindparam("rule")).exists(),
        "behind_id": tuple_(columns.dated_at, columns.id) < place,
    }
    query = _SELECT_ARTICLES.where(*(condition for name, condition in conditions.items() if name in names))
    if matched is not None:
        query = query.where(is_matched if matched else ~is_matched)
    newest_first = (columns.dated_at.desc(), columns.id.desc())
    return PreparedQuery(query.order_by(*newest_first).limit(bindparam("count", type_=Integer)))


def _make_listed_article(row: Row[Any]) -> ListedArticle:
    return ListedArticle(
        id=row.id,
        source=row.source,
        language=row.language,
        url=row.url,
        version=row.current_version,
        verdict=Verdict(row.verdict),
        published_at=row.published_at,
        first_seen_at=row.first_seen_at,
        dated_at=row.dated_at,
        is_matched=row.matched,
        copy_of=row.copy_of,
        headline=row.headline,
        rules=parse_rules(row.rules or "[]"),
        severity=Severity(row.severity) if row.severity else None,
        story=row.story,
    )
