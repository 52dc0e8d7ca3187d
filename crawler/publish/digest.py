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
from crawler.items import Article, Verdict
from crawler.keywords import load_rules
from crawler.publish.builder import EntryBuilder, is_selected
from crawler.publish.entries import Entry
from crawler.publish.outages import Outage, list_outages
from crawler.publish.query import ArticleQuery
from crawler.revisions.changes import SEVERITY_RANKS, Severity
from crawler.rights import Door
from crawler.store import Store

BASELINE = "baseline"
"""What `crawler.pipelines.alert_policy` calls news of a source's first run."""
MAX_DIGEST_EXCERPT = 700
"""Characters of the longest excerpt in a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestStory:
    """A story in a digest: `entry` stands for it, `changed` are its other articles that were revised in that time.

    `rules` are those of all its articles in that time, in the order of the rule file. `known_since` is when an article
    of the story was first seen before that time, None for a story that is new.
    """

    entry: Entry
    rules: tuple[str, ...]
    changed: tuple[Entry, ...] = ()
    known_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestGroup:
    """The stories of one rule, the newest first; `rule` and `title` are empty where none found anything."""

    rule: str
    title: str
    stories: tuple[DigestStory, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCount:
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
    groups: tuple[DigestGroup, ...]
    gone: tuple[DigestStory, ...]
    counts: tuple[SourceCount, ...]
    troubles: tuple[Outage, ...]
    titles: dict[str, str]

    @property
    def stories(self) -> tuple[DigestStory, ...]:
        """All stories in their order, those taken down last."""
        return (*(told for group in self.groups for told in group.stories), *self.gone)

    @property
    def is_empty(self) -> bool:
        """Whether there is no news; sources may have had trouble all the same."""
        return not self.stories


def make_digest(
    builder: EntryBuilder,
    store: Store,
    config: Config,
    query: ArticleQuery,
    begin: datetime,
    end: datetime,
    *,
    language: str = "en",
    min_severity: Severity = Severity.SUBSTANTIVE,
    max_excerpt: int = MAX_DIGEST_EXCERPT,
) -> Digest:
    """The digest of a time. `wanted` says which articles (its own times do not count), `revisions` the least severity
    of a revision that is told, `language` which version of a story is preferred, and that of the rules' titles."""
    seen = _group_by_article(store.articles.versions__list_matched_between(begin, end))
    news = [
        each
        for each in (_ArticleChange(builder, query, versions) for versions in seen)
        if each.is_reported(min_severity)
    ]
    return _assemble_digest(builder, store, config, query, (begin, end), news, language, max_excerpt)


def make_digest_of(
    builder: EntryBuilder,
    store: Store,
    config: Config,
    query: ArticleQuery,
    articles: Iterable[Article],
    begin: datetime,
    end: datetime,
    *,
    language: str = "en",
    max_excerpt: int = MAX_DIGEST_EXCERPT,
) -> Digest:
    """The digest of these articles in these versions, all of them told; of several versions of one article the newest
    stands there, with what changed since the one before the oldest."""
    news = [_ArticleChange(builder, query, versions) for versions in _group_by_article(articles)]
    return _assemble_digest(builder, store, config, query, (begin, end), news, language, max_excerpt)


class _ArticleChange:
    """An article with its versions in that time."""

    def __init__(self, builder: EntryBuilder, query: ArticleQuery, versions: Sequence[Article]) -> None:
        self._builder, self._query = builder, query
        self.article = versions[-1]
        self.base_version = (versions[0].version or 1) - 1
        held = [each for each in versions if query.selects(each)]
        if self.base_version == 0 and held and not query.selects(self.article):  # new, and what matched taken out again
            self.base_version = held[-1].version or 1
        former = builder.get_previous(self.article, self.base_version)
        self.rules = dict.fromkeys(
            match.rule
            for each in (*reversed(versions), *((former,) if former else ()))
            for match in each.matches
            if is_selected(match, query.rules, query.strength)
        )
        self.is_wanted = any(query.selects(each) for each in versions) or bool(former and query.selects(former))
        self.is_gone = self.article.verdict is Verdict.UNPUBLISHED
        self.is_first = former is None or not query.selects(former) or self.article.verdict is Verdict.REPUBLISHED

    def is_reported(self, min_severity: Severity) -> bool:
        """Whether it is asked for, and grave enough if it is a mere revision."""
        if not self.is_wanted or self.is_first or self.is_gone or not self._query.selects(self.article):
            return self.is_wanted
        changes = self._builder.get_changes(self.article, self.base_version)
        return changes is not None and SEVERITY_RANKS[changes.severity] >= SEVERITY_RANKS[min_severity]

    def build_entry(self, door: Door, max_excerpt: int) -> Entry:
        """Through the door; revised ones with what changed, and so new ones whose facts changed since they came."""
        base = self.base_version or (1 if self._has_changed_facts() else 0)
        return self._builder.build(
            self.article,
            door,
            rules=self._query.rules,
            strength=self._query.strength,
            max_excerpt=max_excerpt,
            with_edits=base > 0 and not self.is_gone,
            base_version=base or None,
        )

    def _has_changed_facts(self) -> bool:
        """Whether an article that is new to the reader says otherwise by now than when it was first read."""
        if not self.is_first or self.is_gone or (self.article.version or 1) == 1:
            return False
        changes = self._builder.get_changes(self.article, 1)
        return changes is not None and changes.severity is Severity.SUBSTANTIVE


def _group_by_article(articles: Iterable[Article]) -> list[list[Article]]:
    """The versions of each article, the oldest first."""
    found: dict[str, list[Article]] = {}
    for article in articles:
        found.setdefault(article.id, []).append(article)
    return [sorted(versions, key=lambda each: each.version or 1) for versions in found.values()]


def _assemble_digest(
    builder: EntryBuilder,
    store: Store,
    config: Config,
    query: ArticleQuery,
    period: tuple[datetime, datetime],
    changes: list[_ArticleChange],
    language: str,
    max_excerpt: int,
) -> Digest:
    begin, end = period
    rules = load_rules(config.rules).get_titles(language)
    order = list(dict.fromkeys((*query.rules, *rules)))
    door = builder.make_door()
    stories: dict[object, list[_ArticleChange]] = {}
    for each in changes:
        number = store.stories.get_id_by_article(each.article.id)
        stories.setdefault((each.article.id if number is None else number, each.is_gone), []).append(each)
    groups: dict[str, list[DigestStory]] = {}
    gone: list[DigestStory] = []
    for story in stories.values():
        told = _make_story(store, story, door, order, language, begin, max_excerpt)
        (gone if story[0].is_gone else groups.setdefault(next(iter(told.rules), ""), [])).append(told)
    sources = [
        name for name in query.sources or spiders.list_names() if config.get_source(name).enabled or query.sources
    ]
    return Digest(
        begin=begin,
        end=end,
        language=language,
        groups=tuple(
            DigestGroup(rule=rule, title=rules.get(rule, rule), stories=_sort_newest_first(groups[rule]))
            for rule in sorted(groups, key=lambda rule: _get_rule_position(order, rule))
        ),
        gone=_sort_newest_first(gone),
        counts=_count_by_source(store, sources, period, changes, language),
        troubles=list_outages(store, sources, begin, end, language),
        titles=rules,
    )


def _make_story(
    store: Store,
    story: list[_ArticleChange],
    door: Door,
    order: list[str],
    language: str,
    begin: datetime,
    max_excerpt: int,
) -> DigestStory:
    first = [each for each in story if each.is_first] or story
    leading = min(first, key=lambda each: _rank_lead(each.article, language))
    entry = leading.build_entry(door, max_excerpt)
    others = [each for each in story if each is not leading and not each.is_first and each.base_version > 0]
    known = [store.articles.get_state(name) for name in (entry.id, *(other.id for other in entry.others))]
    earliest = min((each.first_seen_at for each in known if each), default=begin)
    rules = dict.fromkeys(rule for each in story for rule in each.rules)
    return DigestStory(
        entry=entry,
        rules=tuple(sorted(rules, key=lambda rule: _get_rule_position(order, rule))),
        changed=() if leading.is_gone else tuple(each.build_entry(door, max_excerpt) for each in others),
        known_since=earliest if leading.is_first and earliest < begin else None,
    )


def _rank_lead(article: Article, language: str) -> tuple[bool, bool, bool, float]:
    """Which article stands for its story: in the reader's language, no copy, with a day, the earliest."""
    when = article.published_at or article.fetched_at
    return (
        article.language != language,
        article.verdict is Verdict.COPY,
        article.published_at is None,
        when.timestamp() if when else 0,
    )


def _get_rule_position(order: list[str], rule: str) -> int:
    return order.index(rule) if rule in order else len(order)


def _sort_newest_first(stories: list[DigestStory]) -> tuple[DigestStory, ...]:
    def when(told: DigestStory) -> float:
        moments = [each.changed_at or each.effective_at for each in (told.entry, *told.changed)]
        return max((moment.timestamp() for moment in moments if moment), default=0)

    return tuple(sorted(stories, key=when, reverse=True))


def _count_by_source(
    store: Store,
    sources: Sequence[str],
    period: tuple[datetime, datetime],
    changes: list[_ArticleChange],
    language: str,
) -> tuple[SourceCount, ...]:
    seen = store.articles.versions__count_by_source(*period)
    told = [each.article.source for each in changes]
    there = [each.article.source for each in changes if _is_baseline(store, each.article)]
    return tuple(
        SourceCount(
            source=source,
            source_title=spiders.get_title(source, language),
            told=told.count(source),
            seen=max(seen.get(source, 0), told.count(source)),
            there=there.count(source),
        )
        for source in dict.fromkeys((*sources, *sorted(set(told))))
    )


def _is_baseline(store: Store, article: Article) -> bool:
    """Whether this version was on the site when the source, or this language of it, was first read."""
    return any(
        each.suppressed_because == BASELINE and each.version == article.version
        for each in store.events.list_by_article(article.id)
    )
