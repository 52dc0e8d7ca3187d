"""What was news in a time, by rule and story: the noun Digest, and how it is made from the store or from articles.

The time that counts is when we first saw a version (`versions.seen_at`), not when the page says it was published:
so nothing falls between two digests, and what is found late stands in the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from crawler import spiders
from crawler.config import Config
from crawler.dedupe.changes import RANK, Severity
from crawler.entries.entry import Entry
from crawler.entries.gather import Wanted
from crawler.entries.make import Maker, counts
from crawler.entries.troubles import Trouble, troubles
from crawler.items import Article, Verdict
from crawler.keywords import load_rules
from crawler.rights import Door
from crawler.store import Store

BASELINE = "baseline"
"""What `crawler.pipelines.newness` calls news of a source's first run."""
MOST = 700
"""Characters of the longest excerpt in a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A story in a digest: `entry` stands for it, `changed` are its other articles that were revised in that time.

    `rules` are those of all its articles in that time, in the order of the rule file. `known_since` is when an article
    of the story was first seen before that time, None for a story that is new.
    """

    entry: Entry
    rules: tuple[str, ...]
    changed: tuple[Entry, ...] = ()
    known_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The stories of one rule, the newest first; `rule` and `title` are empty where none found anything."""

    rule: str
    title: str
    stories: tuple[Told, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One source in that time: articles told of, and all that were new or revised, matched or not. `there` of those
    told were on the site when the source was first read."""

    source: str
    source_title: str
    told: int
    seen: int
    there: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What was news from `begin` on and before `end` (aware). `titles` are what its rules are called."""

    begin: datetime
    end: datetime
    language: str
    groups: tuple[Group, ...]
    gone: tuple[Told, ...]
    counts: tuple[Count, ...]
    troubles: tuple[Trouble, ...]
    titles: dict[str, str]

    @property
    def stories(self) -> tuple[Told, ...]:
        """All stories in their order, those taken down last."""
        return (*(told for group in self.groups for told in group.stories), *self.gone)

    @property
    def is_empty(self) -> bool:
        """Whether there is no news; sources may have had trouble all the same."""
        return not self.stories


def digest(
    maker: Maker,
    store: Store,
    config: Config,
    wanted: Wanted,
    begin: datetime,
    end: datetime,
    *,
    language: str = "en",
    revisions: Severity = Severity.SUBSTANTIVE,
    most: int = MOST,
) -> Digest:
    """The digest of a time. `wanted` says which articles (its own times do not count), `revisions` the least severity
    of a revision that is told, `language` which version of a story is preferred, and that of the rules' titles."""
    seen = _by_article(store.articles.seen_between(begin, end))
    news = [each for each in (_News(maker, wanted, versions) for versions in seen) if each.is_told(revisions)]
    return _made(maker, store, config, wanted, (begin, end), news, language, most)


def digest_of(
    maker: Maker,
    store: Store,
    config: Config,
    wanted: Wanted,
    articles: Iterable[Article],
    begin: datetime,
    end: datetime,
    *,
    language: str = "en",
    most: int = MOST,
) -> Digest:
    """The digest of these articles in these versions, all of them told; of several versions of one article the newest
    stands there, with what changed since the one before the oldest."""
    news = [_News(maker, wanted, versions) for versions in _by_article(articles)]
    return _made(maker, store, config, wanted, (begin, end), news, language, most)


class _News:
    """An article with its versions in that time."""

    def __init__(self, maker: Maker, wanted: Wanted, versions: Sequence[Article]) -> None:
        self._maker, self._wanted = maker, wanted
        self.article = versions[-1]
        self.base = (versions[0].version or 1) - 1
        held = [each for each in versions if wanted.holds(each)]
        if self.base == 0 and held and not wanted.holds(self.article):  # new, and what matched taken out again
            self.base = held[-1].version or 1
        former = maker.former(self.article, self.base)
        self.rules = dict.fromkeys(
            match.rule
            for each in (*reversed(versions), *((former,) if former else ()))
            for match in each.matches
            if counts(match, wanted.rules, wanted.strength)
        )
        self.is_wanted = any(wanted.holds(each) for each in versions) or bool(former and wanted.holds(former))
        self.is_gone = self.article.verdict is Verdict.UNPUBLISHED
        self.is_first = former is None or not wanted.holds(former) or self.article.verdict is Verdict.REPUBLISHED

    def is_told(self, revisions: Severity) -> bool:
        """Whether it is asked for, and grave enough if it is a mere revision."""
        if not self.is_wanted or self.is_first or self.is_gone or not self._wanted.holds(self.article):
            return self.is_wanted
        changes = self._maker.changes(self.article, self.base)
        return changes is not None and RANK[changes.severity] >= RANK[revisions]

    def entry(self, door: Door, most: int) -> Entry:
        """Through the door; revised ones with what changed, and so new ones whose facts changed since they came."""
        base = self.base or (1 if self._has_turned() else 0)
        return self._maker.entry(
            self.article,
            door,
            rules=self._wanted.rules,
            strength=self._wanted.strength,
            most=most,
            with_edits=base > 0 and not self.is_gone,
            base=base or None,
        )

    def _has_turned(self) -> bool:
        """Whether an article that is new to the reader says otherwise by now than when it was first read."""
        if not self.is_first or self.is_gone or (self.article.version or 1) == 1:
            return False
        changes = self._maker.changes(self.article, 1)
        return changes is not None and changes.severity is Severity.SUBSTANTIVE


def _by_article(articles: Iterable[Article]) -> list[list[Article]]:
    """The versions of each article, the oldest first."""
    found: dict[str, list[Article]] = {}
    for article in articles:
        found.setdefault(article.id, []).append(article)
    return [sorted(versions, key=lambda each: each.version or 1) for versions in found.values()]


def _made(
    maker: Maker,
    store: Store,
    config: Config,
    wanted: Wanted,
    time: tuple[datetime, datetime],
    news: list[_News],
    language: str,
    most: int,
) -> Digest:
    begin, end = time
    rules = load_rules(config.rules).titles(language)
    order = list(dict.fromkeys((*wanted.rules, *rules)))
    door = maker.door()
    stories: dict[object, list[_News]] = {}
    for each in news:
        number = store.same.story_of(each.article.id)
        stories.setdefault((each.article.id if number is None else number, each.is_gone), []).append(each)
    groups: dict[str, list[Told]] = {}
    gone: list[Told] = []
    for story in stories.values():
        told = _told(store, story, door, order, language, begin, most)
        (gone if story[0].is_gone else groups.setdefault(next(iter(told.rules), ""), [])).append(told)
    sources = [name for name in wanted.sources or spiders.names() if config.source(name).enabled or wanted.sources]
    return Digest(
        begin=begin,
        end=end,
        language=language,
        groups=tuple(
            Group(rule=rule, title=rules.get(rule, rule), stories=_newest_first(groups[rule]))
            for rule in sorted(groups, key=lambda rule: _place(order, rule))
        ),
        gone=_newest_first(gone),
        counts=_counts(store, sources, time, news, language),
        troubles=troubles(store, sources, begin, end, language),
        titles=rules,
    )


def _told(
    store: Store, story: list[_News], door: Door, order: list[str], language: str, begin: datetime, most: int
) -> Told:
    first = [each for each in story if each.is_first] or story
    leading = min(first, key=lambda each: _rank(each.article, language))
    entry = leading.entry(door, most)
    others = [each for each in story if each is not leading and not each.is_first and each.base > 0]
    known = [store.articles.find(name) for name in (entry.id, *(other.id for other in entry.others))]
    earliest = min((each.first_seen_at for each in known if each), default=begin)
    rules = dict.fromkeys(rule for each in story for rule in each.rules)
    return Told(
        entry=entry,
        rules=tuple(sorted(rules, key=lambda rule: _place(order, rule))),
        changed=() if leading.is_gone else tuple(each.entry(door, most) for each in others),
        known_since=earliest if leading.is_first and earliest < begin else None,
    )


def _rank(article: Article, language: str) -> tuple[bool, bool, bool, float]:
    """Which article stands for its story: in the reader's language, no copy, with a day, the earliest."""
    when = article.published_at or article.fetched_at
    return (
        article.language != language,
        article.verdict is Verdict.COPY,
        article.published_at is None,
        when.timestamp() if when else 0,
    )


def _place(order: list[str], rule: str) -> int:
    return order.index(rule) if rule in order else len(order)


def _newest_first(stories: list[Told]) -> tuple[Told, ...]:
    def when(told: Told) -> float:
        moments = [each.changed_at or each.when for each in (told.entry, *told.changed)]
        return max((moment.timestamp() for moment in moments if moment), default=0)

    return tuple(sorted(stories, key=when, reverse=True))


def _counts(
    store: Store, sources: Sequence[str], time: tuple[datetime, datetime], news: list[_News], language: str
) -> tuple[Count, ...]:
    seen = store.articles.numbers_seen(*time)
    told = [each.article.source for each in news]
    there = [each.article.source for each in news if _was_there(store, each.article)]
    return tuple(
        Count(
            source=source,
            source_title=spiders.title_of(source, language),
            told=told.count(source),
            seen=max(seen.get(source, 0), told.count(source)),
            there=there.count(source),
        )
        for source in dict.fromkeys((*sources, *sorted(set(told))))
    )


def _was_there(store: Store, article: Article) -> bool:
    """Whether this version was on the site when the source, or this language of it, was first read."""
    return any(each.quiet == BASELINE and each.version == article.version for each in store.news.of_article(article.id))
