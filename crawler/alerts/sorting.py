"""News into notices and messages: each subscription asked once about each piece, one story told once.

Sorting a page of news is one transaction in which nobody else writes. So it is done wholly or not at all, and a second
process that sorts at the same time finds nothing left to sort.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from crawler.alerts.deciding import Candidate, Told, decide
from crawler.config import Config, Subscription
from crawler.dedupe.changes import Changes, between
from crawler.items import Article, Verdict
from crawler.store import News, Notice, Outcome, Store, Subscribed, key_of

PAGE = 200
"""Pieces of news sorted at once: what arrives together in one run is nearly always among them."""
ONE_EDIT = timedelta(days=1)
"""Revisions of a story's other texts within this are the same correction, told once."""
ONE_RUN = timedelta(minutes=10)
"""Within this, messages to a subscription count as one burst."""
UNJUDGED = timedelta(minutes=10)
"""So long news waits for its article to be judged: what a run stores while others are told has no story yet."""


class Item:
    """One piece of news with what is asked about it, each read once however many subscriptions there are."""

    def __init__(self, store: Store, news: News, article: Article) -> None:
        self.news, self.article = news, article
        self._store = store

    @cached_property
    def former(self) -> Article | None:
        """The version before."""
        return self._store.articles.get(self.article.id, self.news.version - 1) if self.news.version > 1 else None

    @cached_property
    def changes(self) -> Changes | None:
        """What lies between."""
        return between(self.former, self.article) if self.former else None

    @cached_property
    def together(self) -> frozenset[str]:
        """The articles of its story."""
        return self._store.same.together(self.article.id)


@dataclass(frozen=True, slots=True)
class Group:
    """News of one story that one subscription is to hear of at once; the first item leads. Of a revision that took the
    match away it hears whatever it was told before."""

    kind: Told
    items: tuple[Item, ...]
    is_gone: bool = False

    @property
    def lead(self) -> Item:
        """The one that is shown; the others are links."""
        return self.items[0]

    @property
    def is_back(self) -> bool:
        """Whether a page that was taken down is there again."""
        return any(item.article.verdict is Verdict.REPUBLISHED for item in self.items)


def sort(store: Store, config: Config, now: datetime) -> int:
    """Ask every subscription about what is unsorted; how many messages came of it. Nothing is sent here."""
    made, judged = 0, now - UNJUDGED
    while store.news.unsorted(1, judged_since=judged):  # asked without a lock first: a watch looks each half minute
        with store.batch():
            page = store.news.unsorted(PAGE, judged_since=judged)
            if not page:
                return made
            made += _sorted(store, config, page, now)
    return made


def _sorted(store: Store, config: Config, page: Sequence[News], now: datetime) -> int:
    begun = store.news.subscribed(tuple(config.subscriptions), now)
    items = [Item(store, news, article) for news in page if not news.quiet and (article := _article(store, news))]
    notices: list[Notice] = []
    made = 0
    for name, subscription in config.subscriptions.items():
        mine, number = _Asked(store, config, name, subscription, begun[name], now).ask(items)
        notices += mine
        made += number
    store.news.sort([news.id for news in page], notices, now)
    return made


def _article(store: Store, news: News) -> Article | None:
    return store.articles.get(news.article_id, news.version)


class _Asked:
    """One subscription, asked about one page of news."""

    def __init__(
        self, store: Store, config: Config, name: str, subscription: Subscription, begun: Subscribed, now: datetime
    ) -> None:
        self._store, self._name, self._subscription, self._begun, self._now = store, name, subscription, begun, now
        self._zone = config.zone_of(subscription)

    def ask(self, items: Sequence[Item]) -> tuple[list[Notice], int]:
        """The notices, and how many messages were made."""
        notices, candidates = [], []
        for item in items:
            candidate = self._decide(item)
            if candidate.kind is None:
                notices.append(self._notice(item, Outcome.NOT, candidate.why))
            else:
                candidates.append((item, candidate.kind, candidate.is_gone))
        is_realtime = self._subscription.when.rhythm == "realtime"
        fresh: list[Group] = []
        for group in self._groups(candidates):
            told = self._told_before(group)
            if told is None:
                fresh.append(group)
            else:  # a digest says that more pages carry it, an alert that is out already says it for good
                why, message = told
                by = message if is_realtime else None
                notices += [self._notice(item, Outcome.CARRIED, why, by) for item in group.items]
        if not is_realtime:
            return [*notices, *self._noticed(fresh, Outcome.DIGEST)], 0
        return [*notices, *self._alerts(fresh)], min(len(fresh), self._subscription.burst + 1)

    def _decide(self, item: Item) -> Candidate:
        return decide(
            self._subscription,
            article=item.article,
            former=item.former,
            noted_at=item.news.noted_at,
            begun_at=self._begun.begun_at,
            changes=lambda: item.changes,
        )

    def _groups(self, candidates: Sequence[tuple[Item, Told, bool]]) -> list[Group]:
        """By story and kind, or each alone, in the order they came; the one to show leads."""
        if self._subscription.unit == "article":
            return [Group(kind, (item,), is_gone) for item, kind, is_gone in candidates]
        groups: dict[tuple[Told, bool, str], list[Item]] = {}
        for item, kind, is_gone in candidates:
            groups.setdefault((kind, is_gone, min(item.together)), []).append(item)
        return [
            Group(kind, tuple(sorted(items, key=self._rank)), is_gone) for (kind, is_gone, _), items in groups.items()
        ]

    def _rank(self, item: Item) -> tuple[bool, bool, float, int, int]:
        """Its own text before copies, the subscriber's language first, then the earliest, in its newest version."""
        article = item.article
        published = article.published_at.timestamp() if article.published_at else float("inf")
        is_foreign = article.language != self._subscription.language
        return article.verdict is Verdict.COPY, is_foreign, published, -item.news.version, item.news.id

    def _told_before(self, group: Group) -> tuple[str, int | None] | None:
        """Why a group is no news to this subscription (its story was told), and by which message; None for one to
        tell."""
        if self._subscription.unit == "article" or group.is_gone:
            return None
        every = self._store.news.heard(self._name, group.lead.together)
        heard = [each for each in every if not each.is_carried]
        if heard and heard[-1].verdict is Verdict.UNPUBLISHED and group.is_back:
            return None  # who heard that the page is gone hears that it is there again
        if group.kind == "new":
            before = heard
            why = "its story was told"
        else:
            others = {item.article.id for item in group.items}
            verdict = Verdict.REVISED if group.kind == "revised" else Verdict.UNPUBLISHED
            own = [each.decided_at for each in every if each.verdict is verdict and each.article_id in others]
            since = max([self._now - ONE_EDIT, *own])  # what it had a part in was another one
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

    def _alerts(self, groups: Sequence[Group]) -> list[Notice]:
        """A message each, up to the burst; what is beyond comes in one."""
        made = self._store.outbox.made_since(self._name, "alert", self._now - ONE_RUN)
        room = max(self._subscription.burst - made, 0)
        single, rest = groups[:room], groups[room:]
        if len(rest) == 1:
            single, rest = groups, []
        notices = [notice for group in single for notice in self._noticed([group], Outcome.TOLD, "alert")]
        return [*notices, *(self._noticed(rest, Outcome.TOLD, "bundle") if rest else ())]

    def _noticed(self, groups: Sequence[Group], outcome: Outcome, kind: str | None = None) -> list[Notice]:
        """The notices of groups, told by one message of this kind, or (None) by a digest when it is due."""
        message = self._message(groups, kind) if kind else None
        notices = []
        for group in groups:
            notices.append(self._notice(group.lead, outcome, None, message))
            shown = f"it is shown with its story ({group.lead.article.id})"
            notices += [self._notice(item, Outcome.CARRIED, shown, message) for item in group.items[1:]]
        return notices

    def _message(self, groups: Sequence[Group], kind: str) -> int:
        quiet, here = self._subscription.quiet, self._now.astimezone(self._zone)
        # By more than its number: in another store the same number is other news.
        news = [group.lead.news for group in groups]
        told = (part for each in news for part in (each.id, each.article_id, each.noted_at))
        return self._store.outbox.put(
            key=key_of(self._name, kind, *told),
            subscription=self._name,
            kind=kind,
            channels=self._subscription.channels,
            at=self._now,
            due=quiet.after(here) if quiet else self._now,
        )

    def _notice(self, item: Item, outcome: Outcome, why: str | None, message: int | None = None) -> Notice:
        return Notice(
            subscription=self._name,
            news_id=item.news.id,
            article_id=item.article.id,
            outcome=outcome,
            why=why,
            message_id=message,
            decided_at=self._now,
        )
