"""Change events, and what each subscription decided about them.

An article version that matches, or that changes a matched text, adds one change event in the same transaction. Later
every subscription decides about the event once and leaves one notification. Events and notifications of a batch are
written together, so two processes never decide about the same event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, false, func, insert, select, true, update

from crawler.items import Article, Precision, Verdict
from crawler.store.database import Database
from crawler.store.outbox import Delivery, make_delivery, select_delivery_columns
from crawler.store.schema import articles, change_events, deliveries, messages, notifications, unclustered, versions
from crawler.store.serialization import parse_article
from crawler.store.statements import select_columns

BASELINE_RUN, BACKFILL_RUN, REPLAY_RUN, DAMAGED_TEXT = "baseline", "backfill", "replay", "damaged"
"""Why an event notifies no subscriber. These values are stored.

baseline: the source, or this language of it, is read for the first time. backfill: a person requested old articles
(`--since`, `crawler backfill`), or a list was read further back than any earlier run did. replay: pages come from a
folder or archive. damaged: the text came cut off or in a wrong encoding; its first sound version is the news.
"""


class Decision(StrEnum):
    """What a subscription does with a change event. The database stores these values."""

    ALERT = "told"
    DIGEST = "digest"
    COVERED = "carried"
    """No message of its own: the subscription's message about another article of the story covers it."""
    SKIP = "not"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEvent:
    """One article version that may interest subscribers.

    `suppressed_because` is the reason of an event that causes no notification, such as BASELINE_RUN, else None.
    """

    id: int
    article_id: str
    version: int
    verdict: Verdict
    run_id: int | None
    created_at: datetime
    suppressed_because: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What one subscription decided about one change event, and why.

    `message_id` is the message about the event. It is None while the subscription's digest is not due, and without a
    message.
    """

    subscription: str
    event_id: int
    article_id: str
    decision: Decision
    reason: str | None
    message_id: int | None = None
    decided_at: datetime


class PastNotification(NamedTuple):
    """What a subscription was notified of before. `message_id` is None if the message is still to be made.

    `is_covered`: the message is about another article of the story.
    """

    article_id: str
    version: int
    verdict: Verdict
    decided_at: datetime
    message_id: int | None
    is_covered: bool


class AlertTimes(NamedTuple):
    """When an article was published and first seen, and the deliveries of a message about it."""

    published_at: datetime | None
    precision: Precision | None
    first_seen_at: datetime
    deliveries: tuple[Delivery, ...]


_ADD_EVENT = insert(change_events)
_SELECT_EVENTS = select(*select_columns(change_events, (field.name for field in fields(ChangeEvent))))
_EVENT_ORDER = change_events.c.id
_GET_EVENT = _SELECT_EVENTS.where(change_events.c.id == bindparam("of_event"))
_SELECT_NOTIFICATIONS = select(*select_columns(notifications, (field.name for field in fields(Notification))))
_NOTIFICATION_ORDER = (notifications.c.event_id, notifications.c.id)
_LIST_BY_MESSAGE = _SELECT_NOTIFICATIONS.where(notifications.c.message_id == bindparam("of_message")).order_by(
    *_NOTIFICATION_ORDER
)


def add_event(
    connection: Connection, article: Article, run_id: int | None, at: datetime, suppressed_because: str | None
) -> bool:
    """Add the event of a version, in the transaction that writes it. Return whether there is one.

    A first version without a match adds none: no rule ever found anything in the article.
    """
    if not article.matches and article.version == 1:
        return False
    row = {
        "article_id": article.id,
        "version": article.version,
        "verdict": str(article.verdict),
        "run_id": run_id,
        "created_at": at,
        "suppressed_because": suppressed_because,
        "decided_at": None,
    }
    connection.execute(_ADD_EVENT, row)
    return True


class ChangeEventRepository:
    """`store.events`. Lists start with the oldest event."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_undecided(self, limit: int, *, clustered_before: datetime | None = None) -> list[ChangeEvent]:
        """Return events that no subscription has decided about yet.

        `clustered_before`: Skip events from then on whose article is to be clustered first, because similar articles
        can still join its story. Older events are always returned, so that slow clustering cannot hold up alerts.
        """
        query = _SELECT_EVENTS.where(change_events.c.decided_at.is_(None))
        if clustered_before is not None:
            is_urgent = unclustered.c.urgent.is_(true())
            is_clustered = change_events.c.article_id.not_in(select(unclustered.c.article_id).where(is_urgent))
            query = query.where((change_events.c.created_at < clustered_before) | is_clustered)
        return self._list(query.limit(limit))

    def list_by_article(self, article_id: str) -> list[ChangeEvent]:
        """Return every event of an article."""
        return self._list(_SELECT_EVENTS.where(change_events.c.article_id == article_id))

    def get_many(self, ids: Collection[int]) -> dict[int, ChangeEvent]:
        """Return events by id. Missing ids are skipped."""
        rows = (row for event_id in ids for row in self._database.fetch_all(_GET_EVENT, {"of_event": event_id}))
        return {row.id: _make_event(row) for row in rows}

    def count_suppressed(self, run_ids: Collection[int]) -> dict[str, int]:
        """Return how many events of these runs are suppressed, by reason."""
        if not run_ids:
            return {}
        is_suppressed = change_events.c.suppressed_because.is_not(None)
        query = select(change_events.c.suppressed_because, func.count()).where(
            change_events.c.run_id.in_(run_ids), is_suppressed
        )
        rows: Sequence[Any] = self._database.fetch_all(query.group_by(change_events.c.suppressed_because))
        return {row[0]: row[1] for row in rows}

    def suppress_undecided(self, because: str) -> None:
        """Suppress every event that no subscription has decided about, so that none is notified of it."""
        undecided = (change_events.c.decided_at.is_(None), change_events.c.suppressed_because.is_(None))
        with self._database.transaction() as connection:
            connection.execute(update(change_events).where(*undecided).values(suppressed_because=because))

    def save_decisions(
        self, event_ids: Collection[int], decisions: Iterable[Notification], decided_at: datetime
    ) -> None:
        """Write what the subscriptions decided about these events, and mark the events as decided."""
        rows = [asdict(notification) for notification in decisions]
        with self._database.transaction() as connection:
            if rows:
                connection.execute(insert(notifications), rows)
            decided = update(change_events).where(change_events.c.id.in_(event_ids))
            connection.execute(decided.values(decided_at=decided_at))

    def _list(self, query: Any) -> list[ChangeEvent]:
        return [_make_event(row) for row in self._database.fetch_all(query.order_by(_EVENT_ORDER))]


class NotificationRepository:
    """`store.notifications`. Lists start with the oldest event. `store.events.save_decisions` writes them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_by_message(self, message_id: int) -> list[Notification]:
        """Return the notifications that a message is about."""
        rows = self._database.fetch_all(_LIST_BY_MESSAGE, {"of_message": message_id})
        return [_make_notification(row) for row in rows]

    def list_by_article(self, article_id: str) -> list[Notification]:
        """Return every notification about an article."""
        query = _SELECT_NOTIFICATIONS.where(notifications.c.article_id == article_id)
        rows = self._database.fetch_all(query.order_by(*_NOTIFICATION_ORDER))
        return [_make_notification(row) for row in rows]

    def list_past(self, subscription: str, article_ids: Collection[str]) -> list[PastNotification]:
        """Return what a subscription was notified of, or will be in its digest, about these articles."""
        columns = select_columns(notifications, ("article_id", "decision", "decided_at", "message_id"))
        query = (
            select(*columns, change_events.c.verdict, change_events.c.version)
            .join_from(notifications, change_events)
            .where(notifications.c.subscription == subscription, notifications.c.article_id.in_(article_ids))
            .order_by(notifications.c.id)
        )
        # Skip here, not in SQL: the index on `decision` covers far more rows than the one on the articles.
        return [
            PastNotification(
                article_id=row.article_id,
                version=row.version,
                verdict=Verdict(row.verdict),
                decided_at=row.decided_at,
                message_id=row.message_id,
                is_covered=row.decision == Decision.COVERED,
            )
            for row in self._database.fetch_all(query)
            if row.decision != Decision.SKIP
        ]

    def list_alert_times(self, source: str, since: datetime) -> list[AlertTimes]:
        """Return the times of new articles of a source that real-time messages made since then are about.

        Messages that quiet hours or a pause held back are skipped.
        """
        query = (
            select(
                notifications.c.id.label("notification_id"),
                articles.c.first_seen_at.label("first_seen_at"),
                versions.c.article.label("article"),
                *select_delivery_columns(),
            )
            .join_from(messages, notifications, notifications.c.message_id == messages.c.id)
            .join(change_events, change_events.c.id == notifications.c.event_id)
            .join(articles, articles.c.id == notifications.c.article_id)
            .join(
                versions,
                (versions.c.article_id == articles.c.id) & (versions.c.version == change_events.c.version),
            )
            .join(deliveries, deliveries.c.message_id == messages.c.id)
            .where(
                messages.c.created_at >= since,
                messages.c.deferred.is_(false()),
                notifications.c.decision == Decision.ALERT,
                change_events.c.verdict.in_((Verdict.NEW, Verdict.COPY)),
                articles.c.source == source,
            )
            .order_by(notifications.c.id)
        )
        found = groupby(self._database.fetch_all(query), key=lambda row: row.notification_id)
        return [_make_alert_times(list(rows)) for _, rows in found]

    def has_pending(self, subscription: str) -> bool:
        """Return whether an event is waiting for the subscription's digest."""
        query = select(notifications.c.id).where(
            notifications.c.subscription == subscription,
            notifications.c.decision == Decision.DIGEST,
            notifications.c.message_id.is_(None),
        )
        return bool(self._database.fetch_all(query.limit(1)))

    def list_pending(
        self, subscription: str, until: datetime, *, covered_since: datetime | None = None
    ) -> list[Notification]:
        """Return what is waiting for the subscription's digest and was decided before `until`.

        Covered notifications are included; with `covered_since` only those decided after that.
        """
        query = _SELECT_NOTIFICATIONS.where(
            notifications.c.subscription == subscription,
            notifications.c.decision.in_((Decision.DIGEST, Decision.COVERED)),
            notifications.c.message_id.is_(None),
            notifications.c.decided_at < until,
        )
        if covered_since is not None:
            is_recent = notifications.c.decided_at > covered_since
            query = query.where((notifications.c.decision == Decision.DIGEST) | is_recent)
        return [_make_notification(row) for row in self._database.fetch_all(query.order_by(notifications.c.id))]

    def assign_message(self, subscription: str, event_ids: Collection[int], message_id: int) -> None:
        """Write which message is about these events."""
        chosen = (notifications.c.subscription == subscription, notifications.c.event_id.in_(event_ids))
        with self._database.transaction() as connection:
            connection.execute(update(notifications).where(*chosen).values(message_id=message_id))

    def move_to_message(self, from_message_id: int, to_message_id: int) -> None:
        """Write that another message is about what this one was to be about."""
        chosen = update(notifications).where(notifications.c.message_id == from_message_id)
        with self._database.transaction() as connection:
            connection.execute(chosen.values(message_id=to_message_id))


def _make_alert_times(rows: Sequence[Row[Any]]) -> AlertTimes:
    article = parse_article(rows[0].article)
    made = tuple(make_delivery(row) for row in rows)
    return AlertTimes(article.published_at, article.published_precision, rows[0].first_seen_at, made)


def _make_event(row: Row[Any]) -> ChangeEvent:
    return ChangeEvent(**{**row._mapping, "verdict": Verdict(row.verdict)})


def _make_notification(row: Row[Any]) -> Notification:
    return Notification(**{**row._mapping, "decision": Decision(row.decision)})
