"""Lists for readers, by narrow queries: stories by their newest article, counts, days, versions, runs and messages.

A story is listed once, at its newest article that the filter selects. So a page is read from the index on
`active_at`, however many articles there are, and an address that names the last row continues the list.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Integer, Row, Select, Text, bindparam, false, func, select, true, tuple_

from crawler.items import Health, Verdict
from crawler.revisions.kinds import Severity
from crawler.store.article_cards import CARD_COLUMNS, ArticleCard, parse_card
from crawler.store.column_types import UtcDateTime
from crawler.store.database import Database
from crawler.store.reading_schema import article_cards, article_marks, seen_marks
from crawler.store.schema import (
    articles,
    matches,
    notifications,
    revision_diffs,
    runs,
    signatures,
    versions,
)
from crawler.store.statements import PreparedQuery, PreparedStatement, select_columns

MAX_COUNTED_STORIES = 1000
"""A count ends here: more is "1,000+"."""
MAX_LISTED_EARLIER = timedelta(days=1)
"""Time by which news may be listed before it was seen: a page that names only the day was published at its midnight."""
MAX_RECENT_AGE = timedelta(days=1)
"""Revisions of an article within this time are counted together."""
MAX_STORY_ARTICLES = 200
"""Articles of one story that a list reads."""


class StoryStatus(StrEnum):
    """Which stories a reader wants to see. The values are in addresses."""

    NEW = "new"
    REVISED = "revised"
    UNPUBLISHED = "unpublished"
    UNSEEN = "unseen"
    IMPORTANT = "important"
    ASSIGNED = "assigned"
    """Stories that are assigned to the reader."""
    FALSE_ALARM = "false_alarm"
    """Stories that a reader marked so. No other list has them."""
    WEAK = "weak"
    """Stories in which the rules found only weak matches. No other list has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryFilter:
    """What a list of stories selects. None: everything. An article must have all of it.

    Unseen and assigned are meant for `reader`.

    `since` (aware): only articles whose listed version was first seen then or later, and that were news then.
    """

    rule: str | None = None
    source: str | None = None
    language: str | None = None
    status: StoryStatus | None = None
    since: datetime | None = None
    reader: str = "local"


class ListPlace(NamedTuple):
    """A place in a list of stories: behind this article. `active_at` is aware."""

    active_at: datetime
    article_id: str


class StoryArticle(NamedTuple):
    """An article of a listed story. Articles of one `cluster` are one text. Without a card, the last two are None."""

    article_id: str
    source: str
    language: str | None
    cluster: int
    headline: str | None
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedStory:
    """A story in a list. `card` is its newest selected article. `id` is None for an article that is in no story."""

    id: int | None
    card: ArticleCard
    articles: tuple[StoryArticle, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSummary:
    """A version without its text. `severity` is that of what it changed, None for a first version."""

    version: int
    verdict: Verdict
    seen_at: datetime
    severity: Severity | None


class ArticleOrigin(NamedTuple):
    """Where and when a listed article was read first. Times are aware; `published_at` is None if the page has none."""

    url: str
    published_at: datetime | None
    first_seen_at: datetime


class RestoredText(NamedTuple):
    """The newest earlier version that has an article's text, and the version that changed that text, with their times.

    Times are aware, those of reading. `is_undone`: the newest version undoes that change and no other.
    """

    version: int
    seen_at: datetime
    changed_version: int
    changed_at: datetime
    is_undone: bool


class RecentChanges(NamedTuple):
    """How often an article was revised within a day of its newest revision, and the earlier text that it has again."""

    revision_count: int
    restored: RestoredText | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run without its measures. `problem_count` is the number of its failures."""

    id: int
    source: str
    mode: str
    started_at: datetime
    finished_at: datetime | None
    health: Health | None
    reason: str | None
    exit_code: int | None
    counts: dict[str, int]
    problem_count: int


_VERDICTS = {
    StoryStatus.NEW: (Verdict.NEW, Verdict.COPY),
    StoryStatus.REVISED: (Verdict.REVISED, Verdict.REPUBLISHED),
    StoryStatus.UNPUBLISHED: (Verdict.UNPUBLISHED,),
}
_MARKS = {
    StoryStatus.IMPORTANT: article_marks.c.is_important.is_(true()),
    StoryStatus.FALSE_ALARM: article_marks.c.is_false_alarm.is_(true()),
    StoryStatus.ASSIGNED: article_marks.c.assigned_to == bindparam("of_reader"),
}
_RUN_COLUMNS = ("id", "source", "mode", "started_at", "finished_at", "health", "reason", "exit_code")
# Made once: an alias makes all its columns anew, and a page has twenty queries of this kind.
_OWN, _OTHER = article_cards.alias(), article_cards.alias()
_LINK, _OTHER_LINK = signatures.alias(), signatures.alias()
_STORY_COLUMNS = (*(_OWN.c[name].label(name) for name in CARD_COLUMNS), _LINK.c.story.label("story"))
_ANY_TIME = datetime.min.replace(tzinfo=UTC)
_COUNT = bindparam("count", type_=Integer)
_LIST_STORY_ARTICLES = PreparedQuery(
    select(
        signatures.c.story,
        signatures.c.article_id,
        articles.c.source,
        articles.c.language,
        signatures.c.cluster,
        article_cards.c.headline,
        article_cards.c.version,
    )
    .join_from(signatures, articles, articles.c.id == signatures.c.article_id)
    .outerjoin(article_cards, article_cards.c.article_id == signatures.c.article_id)
    .where(signatures.c.story.in_(bindparam("of_stories", expanding=True)))
    .order_by(articles.c.dated_at, articles.c.id)
    .limit(_COUNT)
)
_GET_ORIGINS = PreparedQuery(
    select(articles.c.id, articles.c.url, articles.c.published_at, articles.c.first_seen_at).where(
        articles.c.id.in_(bindparam("of_articles", expanding=True))
    )
)
_SELECT_READ = select(func.count()).where(
    articles.c.dated_at >= bindparam("begin"), articles.c.dated_at < bindparam("end")
)
_COUNT_MATCHED = PreparedStatement(
    _SELECT_READ.select_from(
        articles.join(article_cards, article_cards.c.article_id == articles.c.id).outerjoin(
            article_marks, article_marks.c.article_id == articles.c.id
        )
    ).where(article_cards.c.is_strong.is_(true()), func.coalesce(article_marks.c.is_false_alarm, false()).is_(false()))
)
_COUNT_READ = PreparedStatement(_SELECT_READ)
_GET_FIRST_RUN_TIME = PreparedQuery(select(runs.c.started_at).where(runs.c.mode == "live").order_by(runs.c.id).limit(1))
_GET_LAST_RUN_TIME = PreparedQuery(
    select(runs.c.finished_at).where(runs.c.finished_at.is_not(None)).order_by(runs.c.id.desc()).limit(1)
)
_SELECT_VERSIONS = (
    select(versions.c.version, versions.c.verdict, versions.c.seen_at, revision_diffs.c.severity)
    .select_from(versions)
    .outerjoin(
        revision_diffs,
        (revision_diffs.c.article_id == versions.c.article_id) & (revision_diffs.c.version == versions.c.version),
    )
    .where(versions.c.article_id == bindparam("of_article"))
    .order_by(versions.c.version.desc())
    .limit(_COUNT)
)
_LIST_VERSIONS = PreparedQuery(_SELECT_VERSIONS)
_LIST_VERSIONS_BEFORE = PreparedQuery(_SELECT_VERSIONS.where(versions.c.version < bindparam("before")))
_LIST_READ_VERSIONS = PreparedQuery(
    select(versions.c.article_id, versions.c.version, versions.c.seen_at, versions.c.content_hash)
    .where(
        versions.c.article_id.in_(bindparam("of_articles", expanding=True)),
        versions.c.verdict != str(Verdict.REPROCESSED),
    )
    .order_by(versions.c.article_id, versions.c.version)
)
_LIST_GOOD_RUNS = PreparedQuery(
    select(runs.c.source, runs.c.started_at).where(
        runs.c.mode == "live",
        runs.c.health.in_((Health.HEALTHY.value, Health.DEGRADED.value)),
        runs.c.started_at >= bindparam("begin"),
        runs.c.started_at < bindparam("end"),
    )
)


class ReadingListRepository:
    """`store.reading_lists`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_stories(self, wanted: StoryFilter, limit: int, *, behind: ListPlace | None = None) -> list[ListedStory]:
        """Return the newest stories, or those behind a place of the list."""
        values = _make_values(wanted) | {"count": limit}
        if behind is not None:
            values |= {"behind_time": behind.active_at, "behind_id": behind.article_id}
        rows = self._database.fetch_all(_make_list_query(_make_shape(wanted), is_behind=behind is not None), values)
        members = self.get_story_articles({row.story for row in rows if row.story is not None})
        return [_make_listed_story(row, members) for row in rows]

    def count_stories(self, wanted: StoryFilter) -> int:
        """Return how many stories a list has, at most one more than `MAX_COUNTED_STORIES`."""
        found: int = self._database.fetch_all(_make_count_query(_make_shape(wanted)), _make_values(wanted))[0][0]
        return found

    def count_false_alarms(self) -> dict[str, int]:
        """Return how many articles that a reader marked as false alarms each rule finds, by its name."""
        query = (
            select(matches.c.rule, func.count(matches.c.article_id.distinct()))
            .join_from(article_marks, articles, articles.c.id == article_marks.c.article_id)
            .join(
                matches,
                (matches.c.article_id == articles.c.id) & (matches.c.version == articles.c.current_version),
            )
            .where(article_marks.c.is_false_alarm.is_(true()))
            .group_by(matches.c.rule)
        )
        rows: Sequence[Any] = self._database.fetch_all(query)
        return {row[0]: row[1] for row in rows}

    def get_story_articles(self, story_ids: Collection[int]) -> dict[int, tuple[StoryArticle, ...]]:
        """Return the articles of stories by the story's number, the oldest first."""
        if not story_ids:
            return {}
        values = {"of_stories": list(story_ids), "count": MAX_STORY_ARTICLES * len(story_ids)}
        found: dict[int, list[StoryArticle]] = defaultdict(list)
        for row in self._database.fetch_all(_LIST_STORY_ARTICLES, values):
            found[row.story].append(StoryArticle._make(row[1:]))
        return {story: tuple(members) for story, members in found.items()}

    def count_read(self, begin: datetime, end: datetime) -> int:
        """Return how many articles were published (or, without a date, first seen) from `begin` to before `end`."""
        found: int = self._database.fetch_all(_COUNT_READ, {"begin": begin, "end": end})[0][0]
        return found

    def count_matched(self, begin: datetime, end: datetime) -> int:
        """Return how many of the articles that `count_read` counts the list of stories has, on whatever day."""
        found: int = self._database.fetch_all(_COUNT_MATCHED, {"begin": begin, "end": end})[0][0]
        return found

    def get_origins(self, article_ids: Collection[str]) -> dict[str, ArticleOrigin]:
        """Return where and when articles were read first, by id."""
        values = {"of_articles": list(article_ids)}
        rows: Sequence[Any] = self._database.fetch_all(_GET_ORIGINS, values) if article_ids else ()
        return {row[0]: ArticleOrigin._make(row[1:]) for row in rows}

    def list_good_runs(self, begin: datetime, end: datetime) -> list[tuple[str, datetime]]:
        """Return source and start of the live runs that began in a period and could read their source."""
        rows: Sequence[Any] = self._database.fetch_all(_LIST_GOOD_RUNS, {"begin": begin, "end": end})
        return [(row.source, row.started_at) for row in rows]

    def get_first_run_time(self) -> datetime | None:
        """Return when the first live run began, or None."""
        rows: Sequence[Any] = self._database.fetch_all(_GET_FIRST_RUN_TIME)
        return rows[0][0] if rows else None

    def get_last_run_time(self) -> datetime | None:
        """Return when the newest run that has ended did so, or None."""
        rows: Sequence[Any] = self._database.fetch_all(_GET_LAST_RUN_TIME)
        return rows[0][0] if rows else None

    def list_versions(self, article_id: str, limit: int, *, before: int | None = None) -> list[VersionSummary]:
        """Return an article's versions, the newest first. `before`: only those with a lower number."""
        values = {"of_article": article_id, "count": limit, "before": before}
        query = _LIST_VERSIONS if before is None else _LIST_VERSIONS_BEFORE
        return [
            VersionSummary(
                version=row.version,
                verdict=Verdict(row.verdict),
                seen_at=row.seen_at,
                severity=Severity(row.severity) if row.severity else None,
            )
            for row in self._database.fetch_all(query, values)
        ]

    def get_recent_changes(self, article_ids: Collection[str]) -> dict[str, RecentChanges]:
        """Return the recent changes of revised articles. Versions that were only read again do not count."""
        if not article_ids:
            return {}
        rows = self._database.fetch_all(_LIST_READ_VERSIONS, {"of_articles": list(article_ids)})
        found = {}
        for article_id, grouped in groupby(rows, key=lambda row: str(row.article_id)):
            *earlier, newest = grouped
            recent = [each for each in earlier if newest.seen_at - each.seen_at <= MAX_RECENT_AGE and each.version > 1]
            found[article_id] = RecentChanges(len(recent) + 1 if earlier else 0, _find_restored(earlier, newest))
        return found

    def list_runs(self, limit: int, *, source: str | None = None, before: int | None = None) -> list[RunSummary]:
        """Return the newest runs, of all sources or of one. `before`: only those with a lower number."""
        query = select(*select_columns(runs, (*_RUN_COLUMNS, "counts", "problems")))
        if source is not None:
            query = query.where(runs.c.source == source)
        if before is not None:
            query = query.where(runs.c.id < before)
        return [
            _make_run_summary(row) for row in self._database.fetch_all(query.order_by(runs.c.id.desc()).limit(limit))
        ]

    def get_message_headlines(self, message_ids: Collection[int]) -> dict[int, list[tuple[str, str | None]]]:
        """Return id and headline (None without a card) of the articles that each message is about."""
        query = (
            select(notifications.c.message_id, notifications.c.article_id, article_cards.c.headline)
            .outerjoin_from(notifications, article_cards, article_cards.c.article_id == notifications.c.article_id)
            .where(notifications.c.message_id.in_(message_ids))
            .order_by(notifications.c.event_id)
        )
        found: dict[int, dict[str, str | None]] = defaultdict(dict)
        for row in self._database.fetch_all(query) if message_ids else ():
            found[row.message_id].setdefault(row.article_id, row.headline)
        return {message: list(about.items()) for message, about in found.items()}


def _find_restored(earlier: Sequence[Any], newest: Any) -> RestoredText | None:
    """Return the newest of the earlier versions that has the newest one's text, if others are between them."""
    same = [index for index, each in enumerate(earlier) if each.content_hash == newest.content_hash]
    changed = earlier[same[-1] + 1 :] if same else ()
    if not changed:
        return None
    former = earlier[same[-1]]
    return RestoredText(
        former.version, former.seen_at, changed[0].version, changed[0].seen_at, is_undone=len(changed) == 1
    )


def _make_shape(wanted: StoryFilter) -> StoryFilter:
    """Return a filter that is the same for all values: to make a query takes longer than to execute it."""
    names = ("rule", "source", "language")
    changed: dict[str, Any] = {name: None if getattr(wanted, name) is None else name for name in names}
    return replace(wanted, **changed, since=wanted.since and _ANY_TIME, reader="")


def _make_values(wanted: StoryFilter) -> dict[str, Any]:
    """Return the values for a query of a filter's shape."""
    values = {f"of_{name}": getattr(wanted, name) for name in ("source", "language", "reader")}
    values["of_rule"] = json.dumps(wanted.rule, ensure_ascii=False)
    if wanted.since is not None:
        values |= {"seen_since": wanted.since, "listed_since": wanted.since - MAX_LISTED_EARLIER}
    return values


@lru_cache(maxsize=256)
def _make_list_query(shape: StoryFilter, *, is_behind: bool) -> PreparedQuery:
    """Return a query for the newest stories, or for those behind a place."""
    query = _select_newest_of_story(shape, *_STORY_COLUMNS)
    if is_behind:
        place = tuple_(bindparam("behind_time", type_=UtcDateTime), bindparam("behind_id", type_=Text))
        query = query.where(tuple_(_OWN.c.active_at, _OWN.c.article_id) < place)
    return PreparedQuery(query.order_by(_OWN.c.active_at.desc(), _OWN.c.article_id.desc()).limit(_COUNT))


@lru_cache(maxsize=256)
def _make_count_query(shape: StoryFilter) -> PreparedQuery:
    """Return a query for the number of stories."""
    query = _select_newest_of_story(shape, _OWN.c.article_id).limit(MAX_COUNTED_STORIES + 1)
    return PreparedQuery(select(func.count()).select_from(query.subquery()))


def _select_newest_of_story(wanted: StoryFilter, *columns: Any) -> Select[Any]:
    """Return a query for the selected articles that are the newest selected ones of their stories."""
    own, link, other, other_link = _OWN, _LINK, _OTHER, _OTHER_LINK
    is_newer = tuple_(other.c.active_at, other.c.article_id) > tuple_(own.c.active_at, own.c.article_id)
    newer = (
        select(other.c.article_id)
        .join_from(other, other_link, other_link.c.article_id == other.c.article_id)
        .where(other_link.c.story == link.c.story, is_newer, *_make_conditions(other, wanted))
        .exists()
    )
    joined = own.outerjoin(link, link.c.article_id == own.c.article_id)
    return select(*columns).select_from(joined).where(*_make_conditions(own, wanted), ~newer)


def _make_conditions(cards: Any, wanted: StoryFilter) -> list[Any]:
    """Return the conditions of a filter's shape. The values are those of `_make_values`."""
    is_strong = cards.c.is_strong.is_(true())
    conditions: list[Any] = [~is_strong if wanted.status is StoryStatus.WEAK else is_strong]
    if wanted.source is not None:
        conditions.append(cards.c.source == bindparam("of_source"))
    if wanted.language is not None:
        conditions.append(cards.c.language == bindparam("of_language"))
    if wanted.status in _VERDICTS:
        conditions.append(cards.c.verdict.in_(_VERDICTS[wanted.status]))
    is_false = select(article_marks.c.article_id).where(
        article_marks.c.article_id == cards.c.article_id, article_marks.c.is_false_alarm.is_(true())
    )
    if wanted.status is not StoryStatus.FALSE_ALARM:
        conditions.append(~is_false.exists())
    if wanted.status in _MARKS:
        # Not EXISTS: few articles have a mark, and SQLite would look for the mark of each card.
        marked = select(article_marks.c.article_id).where(_MARKS[wanted.status])
        conditions.append(cards.c.article_id.in_(marked))
    if wanted.status is StoryStatus.UNSEEN:
        is_seen = select(seen_marks.c.article_id).where(
            seen_marks.c.article_id == cards.c.article_id,
            seen_marks.c.reader == bindparam("of_reader"),
            seen_marks.c.version >= cards.c.version,
        )
        conditions.append(~is_seen.exists())
    if wanted.since is not None:
        is_recent = select(versions.c.version).where(
            versions.c.article_id == cards.c.article_id,
            versions.c.version == cards.c.version,
            versions.c.seen_at >= bindparam("seen_since"),
        )
        # An index finds the few cards of that time: news is listed within a day of when it was seen.
        conditions += [cards.c.active_at >= bindparam("listed_since"), is_recent.exists()]
    if wanted.rule is not None:
        # The card has the rules of the current version, as JSON, and lists of another rule pass it over by that.
        conditions.append(func.replace(cards.c.rules, bindparam("of_rule"), "") != cards.c.rules)
    return conditions


def _make_listed_story(row: Row[Any], members: dict[int, tuple[StoryArticle, ...]]) -> ListedStory:
    card = parse_card(row)
    alone = StoryArticle(card.article_id, card.source, card.language, 0, card.headline, card.version)
    return ListedStory(id=row.story, card=card, articles=members.get(row.story, (alone,)))


def _make_run_summary(row: Row[Any]) -> RunSummary:
    values = {name: row._mapping[name] for name in _RUN_COLUMNS}
    return RunSummary(
        **values | {"health": Health(row.health) if row.health else None},
        counts=json.loads(row.counts),
        problem_count=len(json.loads(row.problems)),
    )
