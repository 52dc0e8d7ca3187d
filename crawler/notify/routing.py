"""Turn change events into notifications and messages: every subscription decides once, and a story is one alert.

A batch of events is one transaction in which no other process writes. So it is routed completely or not at all, and a
second process that routes at the same time finds nothing left.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from crawler.config import Config, Subscription
from crawler.items import Article, Verdict
from crawler.notify.subscription_filter import AlertKind, FilterResult, filter_event
from crawler.revisions.kinds import ChangeKind
from crawler.revisions.revision_diff import RevisionDiff
from crawler.store import (
    ChangeEvent,
    Decision,
    Notification,
    PastNotification,
    Store,
    SubscriptionState,
    make_idempotency_key,
)

_DIGITS = re.compile(r"\d+")
_PLACE_KINDS = frozenset({ChangeKind.TITLE, ChangeKind.LEAD})
BATCH_SIZE = 200
"""Events that are routed together. What one run finds is nearly always among them."""
SAME_CORRECTION_PERIOD = timedelta(days=1)
"""Revisions of a story's other articles within this period are the same correction: one alert."""
MAX_CLUSTERING_WAIT = timedelta(minutes=10)
"""An event waits at most this long for its article's story. A run stores articles before they are grouped."""


class EarlierMessage(NamedTuple):
    """A message that already covers a story, so that its further events cause none."""

    reason: str
    message_id: int | None
    """None if it is a digest that is still to be made."""


class RoutedEvent:
    """A change event with what the subscriptions ask about it. Each fact is read once for all of them."""

    def __init__(self, store: Store, event: ChangeEvent, article: Article) -> None:
        self.event, self.article = event, article
        self._store = store

    @cached_property
    def previous(self) -> Article | None:
        """The version before."""
        return self._store.articles.get(self.article.id, self.event.version - 1) if self.event.version > 1 else None

    @cached_property
    def changes(self) -> RevisionDiff | None:
        """What changed since the version before."""
        return self._store.diffs.get(self.article.id, self.event.version) if self.event.version > 1 else None

    @cached_property
    def story_article_ids(self) -> frozenset[str]:
        """The articles that are certainly of its story: one alert covers them all."""
        return self._store.stories.get_certain_member_ids(self.article.id)

    @property
    def story_key(self) -> str:
        """The least id of its story's articles: two events have the same key if they are of the same story."""
        return min(self.story_article_ids)


@dataclass(frozen=True, slots=True)
class StoryEvents:
    """Events of one story that a subscription is notified of together; the first one leads.

    `is_match_gone`: revisions that removed the match. They are sent whatever was sent of the story before.
    """

    kind: AlertKind
    events: tuple[RoutedEvent, ...]
    is_match_gone: bool = False

    @property
    def lead(self) -> RoutedEvent:
        """The event whose article is shown. The others are links."""
        return self.events[0]

    @property
    def is_back(self) -> bool:
        """Whether a page that was taken down is there again."""
        return any(each.article.verdict is Verdict.REPUBLISHED for each in self.events)


def _split_by_correction(events: Sequence[RoutedEvent]) -> list[list[RoutedEvent]]:
    """Return revisions of one story by correction. Those of one article stay together: they are shown as one change."""
    parts: list[list[RoutedEvent]] = []
    for event in events:
        for part in parts:
            if any(
                each.article.id == event.article.id or is_same_correction(each.changes, event.changes) for each in part
            ):
                part.append(event)
                break
        else:
            parts.append([event])
    return parts


def is_same_correction(one: RevisionDiff | None, other: RevisionDiff | None) -> bool:
    """Return whether two articles of a story may have been corrected alike, in whatever languages.

    Their figures and dates changed in the same way, or neither has any and the changes touch the same kind of thing. An
    unknown change may be any.
    """
    if one is None or other is None:
        return True
    figures, others = _list_changed_numbers(one), _list_changed_numbers(other)
    if figures or others:
        return bool(figures & others)
    return bool((one.kinds & other.kinds) - _PLACE_KINDS)


def _list_changed_numbers(changes: RevisionDiff) -> set[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return the digits that changed, before and after."""
    pairs = (
        (tuple(_DIGITS.findall(claim.old)), tuple(_DIGITS.findall(claim.new)))
        for sentence in changes.changed
        for claim in sentence.claims
        if claim.kind in (ChangeKind.FIGURES, ChangeKind.DATES)
    )
    return {pair for pair in pairs if any(pair)}


def route_events(store: Store, config: Config, now: datetime) -> int:
    """Let every subscription decide about the new events. Return how many messages were added. Sends nothing."""
    message_count, clustered_before = 0, now - MAX_CLUSTERING_WAIT
    # Look without a lock first, because a watch looks every half minute.
    while store.events.list_undecided(1, clustered_before=clustered_before):
        with store.transaction():
            batch = store.events.list_undecided(BATCH_SIZE, clustered_before=clustered_before)
            if not batch:
                return message_count
            message_count += _route_batch(store, config, batch, now)
    return message_count


def _route_batch(store: Store, config: Config, batch: Sequence[ChangeEvent], now: datetime) -> int:
    states = store.subscriptions.get_or_start(tuple(config.subscriptions), now)
    events = [
        RoutedEvent(store, event, article)
        for event in batch
        if not event.suppressed_because and (article := store.articles.get(event.article_id, event.version))
    ]
    notifications: list[Notification] = []
    message_count = 0
    for name, subscription in config.subscriptions.items():
        router = _SubscriptionRouter(store, config, name, subscription, states[name], now)
        own, count = router.route(events)
        notifications += own
        message_count += count
    store.events.save_decisions([event.id for event in batch], notifications, now)
    return message_count


class _SubscriptionRouter:
    """Decides for one subscription about one batch of events."""

    def __init__(
        self,
        store: Store,
        config: Config,
        name: str,
        subscription: Subscription,
        state: SubscriptionState,
        now: datetime,
    ) -> None:
        self._store, self._name, self._subscription, self._state, self._now = store, name, subscription, state, now
        self._zone = config.get_timezone(subscription)
        self._is_paused = config.get_pause_end(subscription, now) is not None

    def route(self, events: Sequence[RoutedEvent]) -> tuple[list[Notification], int]:
        """Return the notifications, and how many messages were added."""
        notifications, wanted = [], []
        for event in events:
            result = self._filter_event(event)
            if result.kind is None:
                notifications.append(self._make_notification(event, Decision.SKIP, result.reason))
            else:
                wanted.append((event, result.kind, result.is_match_gone))
        # During a pause events wait as for a digest: the first one after the pause contains them.
        is_realtime = self._subscription.when.frequency == "realtime" and not self._is_paused
        new: list[StoryEvents] = []
        for group in self._group_by_story(wanted):
            earlier = self._find_earlier_message(group)
            if earlier is None:
                new.append(group)
                continue
            # A covered event in a digest subscription keeps no message, so the next digest can still count its page.
            message_id = earlier.message_id if is_realtime else None
            notifications += [
                self._make_notification(event, Decision.COVERED, earlier.reason, message_id) for event in group.events
            ]
        decision = Decision.ALERT if is_realtime else Decision.DIGEST
        notifications += [each for group in new for each in self._make_notifications(group, decision)]
        return notifications, len(new) if is_realtime else 0

    def _filter_event(self, event: RoutedEvent) -> FilterResult:
        return filter_event(
            self._subscription,
            article=event.article,
            previous=event.previous,
            created_at=event.event.created_at,
            started_at=self._state.started_at,
            get_changes=lambda: event.changes,
        )

    def _group_by_story(self, wanted: Sequence[tuple[RoutedEvent, AlertKind, bool]]) -> list[StoryEvents]:
        """Return the events by story and kind, or each alone, in their order. The one to show comes first.

        Revisions of a story are together only if they may be one correction.
        """
        if self._subscription.unit == "article":
            return [StoryEvents(kind, (event,), is_match_gone) for event, kind, is_match_gone in wanted]
        groups: dict[tuple[AlertKind, bool, str], list[RoutedEvent]] = {}
        for event, kind, is_match_gone in wanted:
            groups.setdefault((kind, is_match_gone, event.story_key), []).append(event)
        return [
            StoryEvents(kind, tuple(sorted(part, key=self._rank_event)), is_match_gone)
            for (kind, is_match_gone, _), events in groups.items()
            for part in (_split_by_correction(events) if kind == "revised" else [events])
        ]

    def _rank_event(self, event: RoutedEvent) -> tuple[bool, bool, float, int, int]:
        """Return a sort key: originals before copies, the subscriber's language, the earliest, the newest version."""
        article = event.article
        published = article.published_at.timestamp() if article.published_at else float("inf")
        is_foreign = article.language != self._subscription.language
        return article.verdict is Verdict.COPY, is_foreign, published, -event.event.version, event.event.id

    def _find_earlier_message(self, group: StoryEvents) -> EarlierMessage | None:
        """Return the message that covers a group, or None if the subscription has to be notified."""
        if self._subscription.unit == "article" or group.is_match_gone:
            return None
        past = self._store.notifications.list_past(self._name, group.lead.story_article_ids)
        notified = [each for each in past if not each.is_covered]
        if notified and notified[-1].verdict is Verdict.UNPUBLISHED and group.is_back:
            return None  # Those who know that the page is gone have to know that it is back.
        if group.kind == "new":
            covering, reason = notified, "an earlier message has its story"
        else:
            covering = self._list_same_corrections(group, past)
            reason = f"another article of its story was sent as {group.kind}"
        if not covering:
            return None
        first = covering[0]
        where = f"{first.article_id}, {first.decided_at:%Y-%m-%d %H:%M} UTC"
        return EarlierMessage(f"{reason} ({where})", first.message_id)

    def _list_same_corrections(self, group: StoryEvents, past: Sequence[PastNotification]) -> list[PastNotification]:
        """Return notifications of the same change in the story's other articles, since the group's own last one."""
        own_ids = {event.article.id for event in group.events}
        verdict = Verdict.REVISED if group.kind == "revised" else Verdict.UNPUBLISHED
        same = [each for each in past if each.verdict is verdict]
        # A correction that one of these articles took part in was another one.
        own_times = [each.decided_at for each in same if each.article_id in own_ids]
        since = max([self._now - SAME_CORRECTION_PERIOD, *own_times])
        near = [
            each for each in same if not each.is_covered and each.decided_at > since and each.article_id not in own_ids
        ]
        if group.kind != "revised":
            return near
        own = [event.changes for event in group.events]
        diffs = [(each, self._store.diffs.get(each.article_id, each.version)) for each in near]
        return [each for each, diff in diffs if all(is_same_correction(diff, changes) for changes in own)]

    def _make_notifications(self, group: StoryEvents, decision: Decision) -> list[Notification]:
        """Return the notifications of a group. Add a message for an alert; a later digest has the others."""
        message_id = self._add_alert(group.lead.event) if decision is Decision.ALERT else None
        reason = f"it is shown with its story ({group.lead.article.id})"
        return [
            self._make_notification(group.lead, decision, None, message_id),
            *(self._make_notification(event, Decision.COVERED, reason, message_id) for event in group.events[1:]),
        ]

    def _add_alert(self, event: ChangeEvent) -> int:
        quiet, local_now = self._subscription.quiet, self._now.astimezone(self._zone)
        due_at = quiet.get_end_if_quiet(local_now) if quiet else self._now
        return self._store.messages.add(
            # The id alone would not do: in another store it belongs to another event.
            key=make_idempotency_key(self._name, "alert", event.id, event.article_id, event.created_at),
            subscription=self._name,
            kind="alert",
            channels=self._subscription.channels,
            created_at=self._now,
            due_at=due_at,
            deferred=due_at > self._now,
        )

    def _make_notification(
        self, event: RoutedEvent, decision: Decision, reason: str | None, message_id: int | None = None
    ) -> Notification:
        return Notification(
            subscription=self._name,
            event_id=event.event.id,
            article_id=event.article.id,
            decision=decision,
            reason=reason,
            message_id=message_id,
            decided_at=self._now,
        )
