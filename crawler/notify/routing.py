"""News into notices and messages: each subscription asked once about each piece, one story told once.

Sorting a page of news is one transaction in which nobody else writes. So it is done wholly or not at all, and a second
process that sorts at the same time finds nothing left to sort.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from crawler.config import Config, Subscription
from crawler.items import Article, Verdict
from crawler.notify.subscription_filter import AlertKind, FilterResult, filter_event
from crawler.revisions.changes import RevisionDiff, diff_articles
from crawler.store import ChangeEvent, Decision, Notification, Store, SubscriptionState, make_idempotency_key

BATCH_SIZE = 200
"""Pieces of news sorted at once: what arrives together in one run is nearly always among them."""
SAME_CORRECTION_PERIOD = timedelta(days=1)
"""Revisions of a story's other texts within this are the same correction, told once."""
BURST_PERIOD = timedelta(minutes=10)
"""Within this, messages to a subscription count as one burst."""
MAX_CLUSTERING_WAIT = timedelta(minutes=10)
"""So long news waits for its article to be judged: what a run stores while others are told has no story yet."""


class RoutedEvent:
    """One piece of news with what is asked about it, each read once however many subscriptions there are."""

    def __init__(self, store: Store, event: ChangeEvent, article: Article) -> None:
        self.event, self.article = event, article
        self._store = store

    @cached_property
    def previous(self) -> Article | None:
        """The version before."""
        return self._store.articles.get(self.article.id, self.event.version - 1) if self.event.version > 1 else None

    @cached_property
    def changes(self) -> RevisionDiff | None:
        """What lies between."""
        return diff_articles(self.previous, self.article) if self.previous else None

    @cached_property
    def story_article_ids(self) -> frozenset[str]:
        """The articles of its story."""
        return self._store.stories.get_member_ids(self.article.id)


@dataclass(frozen=True, slots=True)
class StoryEvents:
    """News of one story that one subscription is to hear of at once; the first item leads. Of a revision that took the
    match away it hears whatever it was told before."""

    kind: AlertKind
    events: tuple[RoutedEvent, ...]
    is_match_gone: bool = False

    @property
    def lead(self) -> RoutedEvent:
        """The one that is shown; the others are links."""
        return self.events[0]

    @property
    def is_back(self) -> bool:
        """Whether a page that was taken down is there again."""
        return any(item.article.verdict is Verdict.REPUBLISHED for item in self.events)


def route_events(store: Store, config: Config, now: datetime) -> int:
    """Ask every subscription about what is unsorted; how many messages came of it. Nothing is sent here."""
    made, judged = 0, now - MAX_CLUSTERING_WAIT
    while store.events.list_undecided(
        1, clustering_deadline=judged
    ):  # asked without a lock first: a watch looks each half minute
        with store.transaction():
            page = store.events.list_undecided(BATCH_SIZE, clustering_deadline=judged)
            if not page:
                return made
            made += _route_batch(store, config, page, now)
    return made


def _route_batch(store: Store, config: Config, batch: Sequence[ChangeEvent], now: datetime) -> int:
    begun = store.events.subscriptions__get_or_start(tuple(config.subscriptions), now)
    items = [
        RoutedEvent(store, news, article)
        for news in batch
        if not news.suppressed_because and (article := _get_article(store, news))
    ]
    notices: list[Notification] = []
    made = 0
    for name, subscription in config.subscriptions.items():
        mine, number = _SubscriptionRouter(store, config, name, subscription, begun[name], now).route(items)
        notices += mine
        made += number
    store.events.save_decisions([news.id for news in batch], notices, now)
    return made


def _get_article(store: Store, event: ChangeEvent) -> Article | None:
    return store.articles.get(event.article_id, event.version)


class _SubscriptionRouter:
    """One subscription, asked about one page of news."""

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

    def route(self, events: Sequence[RoutedEvent]) -> tuple[list[Notification], int]:
        """The notices, and how many messages were made."""
        notices, candidates = [], []
        for item in events:
            candidate = self._filter_event(item)
            if candidate.kind is None:
                notices.append(self._make_notification(item, Decision.SKIP, candidate.reason))
            else:
                candidates.append((item, candidate.kind, candidate.is_match_gone))
        is_realtime = self._subscription.when.frequency == "realtime"
        fresh: list[StoryEvents] = []
        for group in self._group_by_story(candidates):
            told = self._find_earlier_message(group)
            if told is None:
                fresh.append(group)
            else:  # a digest says that more pages carry it, an alert that is out already says it for good
                why, message = told
                by = message if is_realtime else None
                notices += [self._make_notification(item, Decision.COVERED, why, by) for item in group.events]
        if not is_realtime:
            return [*notices, *self._make_notifications(fresh, Decision.DIGEST)], 0
        return [*notices, *self._make_alerts(fresh)], min(len(fresh), self._subscription.burst + 1)

    def _filter_event(self, event: RoutedEvent) -> FilterResult:
        return filter_event(
            self._subscription,
            article=event.article,
            previous=event.previous,
            created_at=event.event.created_at,
            started_at=self._state.started_at,
            get_changes=lambda: event.changes,
        )

    def _group_by_story(self, candidates: Sequence[tuple[RoutedEvent, AlertKind, bool]]) -> list[StoryEvents]:
        """By story and kind, or each alone, in the order they came; the one to show leads."""
        if self._subscription.unit == "article":
            return [StoryEvents(kind, (item,), is_gone) for item, kind, is_gone in candidates]
        groups: dict[tuple[AlertKind, bool, str], list[RoutedEvent]] = {}
        for item, kind, is_gone in candidates:
            groups.setdefault((kind, is_gone, min(item.story_article_ids)), []).append(item)
        return [
            StoryEvents(kind, tuple(sorted(items, key=self._rank_event)), is_gone)
            for (kind, is_gone, _), items in groups.items()
        ]

    def _rank_event(self, event: RoutedEvent) -> tuple[bool, bool, float, int, int]:
        """Its own text before copies, the subscriber's language first, then the earliest, in its newest version."""
        article = event.article
        published = article.published_at.timestamp() if article.published_at else float("inf")
        is_foreign = article.language != self._subscription.language
        return article.verdict is Verdict.COPY, is_foreign, published, -event.event.version, event.event.id

    def _find_earlier_message(self, group: StoryEvents) -> tuple[str, int | None] | None:
        """Why a group is no news to this subscription (its story was told), and by which message; None for one to
        tell."""
        if self._subscription.unit == "article" or group.is_match_gone:
            return None
        every = self._store.events.notifications__list_past(self._name, group.lead.story_article_ids)
        heard = [each for each in every if not each.is_covered]
        if heard and heard[-1].verdict is Verdict.UNPUBLISHED and group.is_back:
            return None  # who heard that the page is gone hears that it is there again
        if group.kind == "new":
            before = heard
            why = "its story was told"
        else:
            others = {item.article.id for item in group.events}
            verdict = Verdict.REVISED if group.kind == "revised" else Verdict.UNPUBLISHED
            own = [each.decided_at for each in every if each.verdict is verdict and each.article_id in others]
            since = max([self._now - SAME_CORRECTION_PERIOD, *own])  # what it had a part in was another one
            before = [
                each
                for each in heard
                if each.verdict is verdict and each.decided_at > since and each.article_id not in others
            ]
            why = f"another text of its story was told as {group.kind}"
        if not before:
            return None
        first = before[0]
        return f"{why} ({first.article_id}, {first.decided_at:%Y-%m-%d %H:%M} UTC)", first.message_id

    def _make_alerts(self, groups: Sequence[StoryEvents]) -> list[Notification]:
        """A message each, up to the burst; what is beyond comes in one."""
        made = self._store.messages.count_since(self._name, "alert", self._now - BURST_PERIOD)
        room = max(self._subscription.burst - made, 0)
        single, rest = groups[:room], groups[room:]
        if len(rest) == 1:
            single, rest = groups, []
        notices = [notice for group in single for notice in self._make_notifications([group], Decision.ALERT, "alert")]
        return [*notices, *(self._make_notifications(rest, Decision.ALERT, "bundle") if rest else ())]

    def _make_notifications(
        self, groups: Sequence[StoryEvents], outcome: Decision, kind: str | None = None
    ) -> list[Notification]:
        """The notices of groups, told by one message of this kind, or (None) by a digest when it is due."""
        message = self._add_message(groups, kind) if kind else None
        notices = []
        for group in groups:
            notices.append(self._make_notification(group.lead, outcome, None, message))
            shown = f"it is shown with its story ({group.lead.article.id})"
            notices += [self._make_notification(item, Decision.COVERED, shown, message) for item in group.events[1:]]
        return notices

    def _add_message(self, groups: Sequence[StoryEvents], kind: str) -> int:
        quiet, here = self._subscription.quiet, self._now.astimezone(self._zone)
        # By more than its number: in another store the same number is other news.
        news = [group.lead.event for group in groups]
        told = (part for each in news for part in (each.id, each.article_id, each.created_at))
        return self._store.messages.add(
            key=make_idempotency_key(self._name, kind, *told),
            subscription=self._name,
            kind=kind,
            channels=self._subscription.channels,
            created_at=self._now,
            due_at=quiet.get_end_if_quiet(here) if quiet else self._now,
        )

    def _make_notification(
        self, event: RoutedEvent, outcome: Decision, reason: str | None, message_id: int | None = None
    ) -> Notification:
        return Notification(
            subscription=self._name,
            event_id=event.event.id,
            article_id=event.article.id,
            decision=outcome,
            reason=reason,
            message_id=message_id,
            decided_at=self._now,
        )
