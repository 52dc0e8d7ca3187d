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
from crawler.store.connection import Database
from crawler.store.schema import unjudged
from crawler.store.statements import Prepared, insert_or_leave
from crawler.store.telling_schema import news, notices, subscriptions


class Outcome(StrEnum):
    """What a subscription made of news."""

    TOLD = "told"
    DIGEST = "digest"
    CARRIED = "carried"
    NOT = "not"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A version that is new. `quiet` says why nobody is to be told (baseline, backfill, replay), None for real news."""

    id: int
    article_id: str
    version: int
    verdict: Verdict
    run_id: int | None
    noted_at: datetime
    quiet: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a subscription made of one piece of news, and why; `message_id` is the message that tells it, None while
    its digest is not due or when none does."""

    subscription: str
    news_id: int
    article_id: str
    outcome: Outcome
    why: str | None
    message_id: int | None = None
    decided_at: datetime


class Heard(NamedTuple):
    """What a subscription was told of an article, or (`is_carried`) by another one of its story; `message_id` is the
    message that told it, None for one to come."""

    article_id: str
    verdict: Verdict
    decided_at: datetime
    message_id: int | None
    is_carried: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """A subscription's beginning, up to when its digests reach, and how many empty ones came in a row."""

    name: str
    begun_at: datetime
    digest_until: datetime | None
    last_empty: int


_NEWS_NAMES = tuple(field.name for field in fields(News))
_NOTICE_NAMES = tuple(field.name for field in fields(Notice))
_NEWS = select(*(news.c[field.name] for field in fields(News)))
_UNJUDGED = select(unjudged.c.article_id)
_NEWS_BY_ID = Prepared(_NEWS.where(news.c.id == bindparam("number")))
_NOTICES = select(*(notices.c[field.name] for field in fields(Notice)))
_IN_ORDER = (notices.c.news_id, notices.c.id)
_TOLD_BY = Prepared(_NOTICES.where(notices.c.message_id == bindparam("number")).order_by(*_IN_ORDER))
_SUBSCRIBED = select(*(subscriptions.c[field.name] for field in fields(Subscribed)))


def note(connection: Connection, article: Article, run_id: int | None, at: datetime, quiet: str | None) -> None:
    """Put a version that was just written into the outbox, in its transaction, if anyone may ever want to hear of it:
    it matches, or it changed what may have matched."""
    if not article.matches and article.version == 1:
        return
    values = {"article_id": article.id, "version": article.version, "verdict": str(article.verdict)}
    connection.execute(insert(news), {**values, "run_id": run_id, "noted_at": at, "quiet": quiet, "sorted_at": None})


class NewsRoom:
    """`store.news`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unsorted(self, limit: int, *, judged_since: datetime | None = None) -> list[News]:
        """News that no one was asked about yet, the oldest first; with `judged_since` without what was noted since then
        of articles of which nobody can say yet in which story they are."""
        query = _NEWS.where(news.c.sorted_at.is_(None))
        if judged_since is not None:
            query = query.where((news.c.noted_at < judged_since) | news.c.article_id.not_in(_UNJUDGED))
        rows = self._database.read(query.order_by(news.c.id).limit(limit))
        return [_news(tuple(row)) for row in rows]

    def of_article(self, article_id: str) -> list[News]:
        """Everything that was ever new about an article, the oldest first."""
        rows = self._database.read(_NEWS.where(news.c.article_id == article_id).order_by(news.c.id))
        return [_news(tuple(row)) for row in rows]

    def get(self, ids: Collection[int]) -> dict[int, News]:
        """News by number."""
        rows = (row for number in ids for row in self._database.look_up(_NEWS_BY_ID, {"number": number}))
        return {row[0]: _news(row) for row in rows}

    def quiet_of(self, run_ids: Collection[int]) -> dict[str, int]:
        """How many pieces of news of these runs nobody was told of, by why."""
        query = select(news.c.quiet, func.count()).where(news.c.run_id.in_(run_ids), news.c.quiet.is_not(None))
        rows: Sequence[Any] = self._database.read(query.group_by(news.c.quiet)) if run_ids else ()
        return {row[0]: row[1] for row in rows}

    def sort(self, ids: Collection[int], found: Iterable[Notice], at: datetime) -> None:
        """Write what the subscriptions made of these pieces of news, which are sorted from now on."""
        rows = [asdict(notice) for notice in found]
        with self._database.writing() as connection:
            if rows:
                connection.execute(insert(notices), rows)
            connection.execute(update(news).where(news.c.id.in_(ids)).values(sorted_at=at))

    def of_message(self, message_id: int) -> list[Notice]:
        """The notices that a message tells, in the order of the news."""
        return [_notice(row) for row in self._database.look_up(_TOLD_BY, {"number": message_id})]

    def notices(self, article_id: str) -> list[Notice]:
        """The notices of an article, in the order of the news."""
        rows = self._database.read(_NOTICES.where(notices.c.article_id == article_id).order_by(*_IN_ORDER))
        return [_notice(tuple(row)) for row in rows]

    def heard(self, subscription: str, article_ids: Collection[str]) -> list[Heard]:
        """What a subscription was told of these articles, or will be in its digest, the earliest first; also what was
        carried by that."""
        named = (notices.c.subscription == subscription, notices.c.article_id.in_(article_ids))
        columns = (*(notices.c[name] for name in ("article_id", "outcome", "decided_at", "message_id")), news.c.verdict)
        query = select(*columns).join_from(notices, news).where(*named).order_by(notices.c.id)
        return [  # by article, not by outcome: of those there are many
            Heard(row.article_id, Verdict(row.verdict), row.decided_at, row.message_id, row.outcome == Outcome.CARRIED)
            for row in self._database.read(query)
            if row.outcome != Outcome.NOT
        ]

    def has_waiting(self, subscription: str) -> bool:
        """Whether anything that is to be told waits for a subscription's digest."""
        wanted = (notices.c.subscription == subscription, notices.c.outcome == Outcome.DIGEST)
        query = select(notices.c.id).where(*wanted, notices.c.message_id.is_(None)).limit(1)
        return bool(self._database.read(query))

    def waiting(self, subscription: str, until: datetime, *, carried_since: datetime | None = None) -> list[Notice]:
        """What waits for a subscription's digest, decided before `until`: to be told, or carried by what was told (none
        from before `carried_since`)."""
        wanted: tuple[Any, ...] = (
            notices.c.subscription == subscription,
            notices.c.outcome.in_((Outcome.DIGEST, Outcome.CARRIED)),
            notices.c.message_id.is_(None),
            notices.c.decided_at < until,
        )
        if carried_since is not None:
            wanted = (*wanted, (notices.c.outcome == Outcome.DIGEST) | (notices.c.decided_at > carried_since))
        return [_notice(tuple(row)) for row in self._database.read(_NOTICES.where(*wanted).order_by(notices.c.id))]

    def attach(self, subscription: str, news_ids: Collection[int], message_id: int) -> None:
        """Say which message tells these pieces of news."""
        chosen = (notices.c.subscription == subscription, notices.c.news_id.in_(news_ids))
        with self._database.writing() as connection:
            connection.execute(update(notices).where(*chosen).values(message_id=message_id))

    def subscribed(self, names: Collection[str], now: datetime) -> dict[str, Subscribed]:
        """The subscriptions of these names; one that is new begins now."""
        rows = self._database.read(_SUBSCRIBED.where(subscriptions.c.name.in_(names))) if names else []
        found = {row.name: Subscribed(**row._mapping) for row in rows}
        begun = now.replace(microsecond=0)  # as pages have their times: what is read from now on is not older
        fresh = [
            Subscribed(name=name, begun_at=begun, digest_until=None, last_empty=0)
            for name in names
            if name not in found
        ]
        if fresh:
            with self._database.writing() as connection:
                insert_or_leave(subscriptions).run_many(connection, [asdict(each) for each in fresh])
        return found | {each.name: each for each in fresh}

    def digested(self, name: str, until: datetime, empty: int) -> None:
        """Note up to when a subscription's digests reach, and how many empty ones came in a row."""
        with self._database.writing() as connection:
            chosen = update(subscriptions).where(subscriptions.c.name == name)
            connection.execute(chosen.values(digest_until=until, last_empty=empty))


def _news(row: Sequence[Any]) -> News:
    values = dict(zip(_NEWS_NAMES, row, strict=True))
    return News(**{**values, "verdict": Verdict(values["verdict"])})


def _notice(row: Sequence[Any]) -> Notice:
    values = dict(zip(_NOTICE_NAMES, row, strict=True))
    return Notice(**{**values, "outcome": Outcome(values["outcome"])})
