"""News: what became new, written with the version it is about; and what each subscription made of it.

A row of news is sorted once: then each subscription has a notice (told, in a digest, carried by what was told already,
or not told, with the reason). Sorting is a batch, so two processes never sort the same news.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select, update

from crawler.items import Article, Verdict
from crawler.store.database import Database
from crawler.store.schema import unclustered
from crawler.store.statements import PreparedStatement, make_insert_if_absent
from crawler.store.telling_schema import change_events, notifications, subscriptions


class Decision(StrEnum):
    """What a subscription made of news."""

    ALERT = "told"
    DIGEST = "digest"
    COVERED = "carried"
    SKIP = "not"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEvent:
    """A version that is new. `quiet` says why nobody is to be told (baseline, backfill, replay), None for real news."""

    id: int
    article_id: str
    version: int
    verdict: Verdict
    run_id: int | None
    created_at: datetime
    suppressed_because: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What a subscription made of one piece of news, and why; `message_id` is the message that tells it, None while
    its digest is not due or when none does."""

    subscription: str
    event_id: int
    article_id: str
    decision: Decision
    reason: str | None
    message_id: int | None = None
    decided_at: datetime


class PastNotification(NamedTuple):
    """What a subscription was told of an article, or (`is_carried`) by another one of its story; `message_id` is the
    message that told it, None for one to come."""

    article_id: str
    verdict: Verdict
    decided_at: datetime
    message_id: int | None
    is_covered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionState:
    """A subscription's beginning, up to when its digests reach, and how many empty ones came in a row."""

    name: str
    started_at: datetime
    digest_until: datetime | None
    empty_digests: int


_NEWS_NAMES = tuple(field.name for field in fields(ChangeEvent))
_NOTICE_NAMES = tuple(field.name for field in fields(Notification))
_NEWS = select(*(change_events.c[field.name] for field in fields(ChangeEvent)))
_UNJUDGED = select(unclustered.c.article_id)
_NEWS_BY_ID = PreparedStatement(_NEWS.where(change_events.c.id == bindparam("number")))
_NOTICES = select(*(notifications.c[field.name] for field in fields(Notification)))
_IN_ORDER = (notifications.c.news_id, notifications.c.id)
_TOLD_BY = PreparedStatement(_NOTICES.where(notifications.c.message_id == bindparam("number")).order_by(*_IN_ORDER))
_SUBSCRIBED = select(*(subscriptions.c[field.name] for field in fields(SubscriptionState)))


def add_event(
    connection: Connection, article: Article, run_id: int | None, at: datetime, suppressed_because: str | None
) -> None:
    """Put a version that was just written into the outbox, in its transaction, if anyone may ever want to hear of it:
    it matches, or it changed what may have matched."""
    if not article.matches and article.version == 1:
        return
    values = {"article_id": article.id, "version": article.version, "verdict": str(article.verdict)}
    connection.execute(
        insert(change_events),
        {**values, "run_id": run_id, "noted_at": at, "quiet": suppressed_because, "sorted_at": None},
    )


class ChangeEventRepository:
    """`store.news`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_undecided(self, limit: int, *, clustering_deadline: datetime | None = None) -> list[ChangeEvent]:
        """News that no one was asked about yet, the oldest first; with `judged_since` without what was noted since then
        of articles of which nobody can say yet in which story they are."""
        query = _NEWS.where(change_events.c.sorted_at.is_(None))
        if clustering_deadline is not None:
            query = query.where(
                (change_events.c.noted_at < clustering_deadline) | change_events.c.article_id.not_in(_UNJUDGED)
            )
        rows = self._database.fetch_all(query.order_by(change_events.c.id).limit(limit))
        return [_news(tuple(row)) for row in rows]

    def list_by_article(self, article_id: str) -> list[ChangeEvent]:
        """Everything that was ever new about an article, the oldest first."""
        rows = self._database.fetch_all(
            _NEWS.where(change_events.c.article_id == article_id).order_by(change_events.c.id)
        )
        return [_news(tuple(row)) for row in rows]

    def get_many(self, ids: Collection[int]) -> dict[int, ChangeEvent]:
        """News by number."""
        rows = (row for number in ids for row in self._database.fetch_prepared(_NEWS_BY_ID, {"number": number}))
        return {row[0]: _news(row) for row in rows}

    def count_suppressed(self, run_ids: Collection[int]) -> dict[str, int]:
        """How many pieces of news of these runs nobody was told of, by why."""
        query = select(change_events.c.quiet, func.count()).where(
            change_events.c.run_id.in_(run_ids), change_events.c.quiet.is_not(None)
        )
        rows: Sequence[Any] = self._database.fetch_all(query.group_by(change_events.c.quiet)) if run_ids else ()
        return {row[0]: row[1] for row in rows}

    def save_decisions(self, ids: Collection[int], found: Iterable[Notification], at: datetime) -> None:
        """Write what the subscriptions made of these pieces of news, which are sorted from now on."""
        rows = [asdict(notice) for notice in found]
        with self._database.transaction() as connection:
            if rows:
                connection.execute(insert(notifications), rows)
            connection.execute(update(change_events).where(change_events.c.id.in_(ids)).values(sorted_at=at))

    def notifications__list_by_message(self, message_id: int) -> list[Notification]:
        """The notices that a message tells, in the order of the news."""
        return [_notice(row) for row in self._database.fetch_prepared(_TOLD_BY, {"number": message_id})]

    def notifications__list_by_article(self, article_id: str) -> list[Notification]:
        """The notices of an article, in the order of the news."""
        rows = self._database.fetch_all(_NOTICES.where(notifications.c.article_id == article_id).order_by(*_IN_ORDER))
        return [_notice(tuple(row)) for row in rows]

    def notifications__list_past(self, subscription: str, article_ids: Collection[str]) -> list[PastNotification]:
        """What a subscription was told of these articles, or will be in its digest, the earliest first; also what was
        carried by that."""
        named = (notifications.c.subscription == subscription, notifications.c.article_id.in_(article_ids))
        columns = (
            *(notifications.c[name] for name in ("article_id", "outcome", "decided_at", "message_id")),
            change_events.c.verdict,
        )
        query = select(*columns).join_from(notifications, change_events).where(*named).order_by(notifications.c.id)
        return [  # by article, not by outcome: of those there are many
            PastNotification(
                row.article_id, Verdict(row.verdict), row.decided_at, row.message_id, row.outcome == Decision.COVERED
            )
            for row in self._database.fetch_all(query)
            if row.outcome != Decision.SKIP
        ]

    def notifications__has_pending(self, subscription: str) -> bool:
        """Whether anything that is to be told waits for a subscription's digest."""
        wanted = (notifications.c.subscription == subscription, notifications.c.outcome == Decision.DIGEST)
        query = select(notifications.c.id).where(*wanted, notifications.c.message_id.is_(None)).limit(1)
        return bool(self._database.fetch_all(query))

    def notifications__list_pending(
        self, subscription: str, until: datetime, *, covered_since: datetime | None = None
    ) -> list[Notification]:
        """What waits for a subscription's digest, decided before `until`: to be told, or carried by what was told (none
        from before `carried_since`)."""
        wanted: tuple[Any, ...] = (
            notifications.c.subscription == subscription,
            notifications.c.outcome.in_((Decision.DIGEST, Decision.COVERED)),
            notifications.c.message_id.is_(None),
            notifications.c.decided_at < until,
        )
        if covered_since is not None:
            wanted = (
                *wanted,
                (notifications.c.outcome == Decision.DIGEST) | (notifications.c.decided_at > covered_since),
            )
        return [
            _notice(tuple(row))
            for row in self._database.fetch_all(_NOTICES.where(*wanted).order_by(notifications.c.id))
        ]

    def notifications__assign_message(self, subscription: str, news_ids: Collection[int], message_id: int) -> None:
        """Say which message tells these pieces of news."""
        chosen = (notifications.c.subscription == subscription, notifications.c.news_id.in_(news_ids))
        with self._database.transaction() as connection:
            connection.execute(update(notifications).where(*chosen).values(message_id=message_id))

    def subscriptions__get_or_start(self, names: Collection[str], now: datetime) -> dict[str, SubscriptionState]:
        """The subscriptions of these names; one that is new begins now."""
        rows = self._database.fetch_all(_SUBSCRIBED.where(subscriptions.c.name.in_(names))) if names else []
        found = {row.name: SubscriptionState(**row._mapping) for row in rows}
        begun = now.replace(microsecond=0)  # as pages have their times: what is read from now on is not older
        fresh = [
            SubscriptionState(name=name, started_at=begun, digest_until=None, empty_digests=0)
            for name in names
            if name not in found
        ]
        if fresh:
            with self._database.transaction() as connection:
                make_insert_if_absent(subscriptions).execute_many(connection, [asdict(each) for each in fresh])
        return found | {each.name: each for each in fresh}

    def subscriptions__record_digest(self, name: str, until: datetime, empty: int) -> None:
        """Note up to when a subscription's digests reach, and how many empty ones came in a row."""
        with self._database.transaction() as connection:
            chosen = update(subscriptions).where(subscriptions.c.name == name)
            connection.execute(chosen.values(digest_until=until, last_empty=empty))


def _news(row: Sequence[Any]) -> ChangeEvent:
    values = dict(zip(_NEWS_NAMES, row, strict=True))
    return ChangeEvent(**{**values, "verdict": Verdict(values["verdict"])})


def _notice(row: Sequence[Any]) -> Notification:
    values = dict(zip(_NOTICE_NAMES, row, strict=True))
    return Notification(**{**values, "outcome": Decision(values["outcome"])})
