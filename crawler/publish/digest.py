"""The digest of a period: what was new, by rule and story. Made from the store, or from given articles.

A version belongs to the period in which we first saw it (`versions.seen_at`), whatever date its page names. So nothing
falls between two digests, and an article that is found late is in the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from crawler import spiders
from crawler.config import Config
from crawler.items import Article, Verdict
from crawler.keywords import load_rules
from crawler.publish.builder import EntryBuilder, EntryRequest
from crawler.publish.entries import Entry
from crawler.publish.outages import Outage, list_outages
from crawler.publish.query import ArticleQuery, is_selected
from crawler.revisions.kinds import SEVERITY_RANKS, Severity
from crawler.store import Store
from crawler.store.events import BASELINE_RUN

MAX_DIGEST_EXCERPT = 700
"""Characters."""
OLD_AGE = timedelta(days=7)
"""An article that was published this long before the period, or longer, is old: it was only found in the period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestStory:
    """A story in a digest: `entry` represents it, `changed` are its other articles that were revised in the period.

    `rules` are those of all its articles in the period, in the order of the rule file. `known_since` is when an article
    of the story was first seen, None if that was not before the period. `own_line` is what a composer says about it.
    `is_put_back`: the article has the text again that it had before `entry.edits`. `put_back_at` says since when, None
    if the time is not known. `sources` has the source of each of its articles in the period, `baseline_sources` of each
    that was on the site when the source was first read.
    """

    entry: Entry
    rules: tuple[str, ...]
    sources: tuple[str, ...]
    baseline_sources: tuple[str, ...] = ()
    changed: tuple[Entry, ...] = ()
    known_since: datetime | None = None
    own_line: str = ""
    is_put_back: bool = False
    put_back_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestGroup:
    """The stories of one rule, the newest first. `rule` and `title` are empty for stories that match no rule."""

    rule: str
    title: str
    stories: tuple[DigestStory, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCount:
    """The articles of one source in the period.

    `told` are in the digest, `seen` were new or revised, matched or not. `there` of those in the digest were on the
    site when the source was first read. Owners' templates use these names.
    """

    source: str
    source_title: str
    told: int
    seen: int
    there: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What was new from `begin` until before `end` (aware times). `titles` are those of the rules, by name.

    `left_out` counts the revisions of the period that are less severe than asked for. `put_back` are articles that were
    changed and have their former text again. A composer may take them in, as `returned`. Owners' templates use these
    names.
    """

    begin: datetime
    end: datetime
    language: str
    groups: tuple[DigestGroup, ...]
    gone: tuple[DigestStory, ...]
    counts: tuple[SourceCount, ...]
    troubles: tuple[Outage, ...]
    titles: dict[str, str]
    left_out: dict[Severity, int] = field(default_factory=dict)
    put_back: tuple[DigestStory, ...] = ()
    returned: tuple[DigestStory, ...] = ()

    @property
    def stories(self) -> tuple[DigestStory, ...]:
        """All stories in their order; those taken down are last."""
        return (*(story for group in self.groups for story in group.stories), *self.returned, *self.gone)

    @property
    def candidates(self) -> tuple[DigestStory, ...]:
        """All stories that a composer may choose from."""
        return (*self.stories, *self.put_back)

    @property
    def is_empty(self) -> bool:
        """Whether the digest has no story. It may still have outages."""
        return not self.stories

    def is_old(self, entry: Entry) -> bool:
        """Return whether an article was first seen in the period, long after its publication."""
        if entry.published_at is None or entry.seen_at is None or entry.seen_at < self.begin:
            return False
        return self.begin - entry.published_at >= OLD_AGE


def make_digest(
    builder: EntryBuilder,
    store: Store,
    config: Config,
    query: ArticleQuery,
    begin: datetime,
    end: datetime,
    *,
    language: str = "en",
    min_severity: Severity = Severity.EDITORIAL,
    max_excerpt: int = MAX_DIGEST_EXCERPT,
) -> Digest:
    """Return the digest of a period. The times of `query` do not count.

    Less severe revisions than `min_severity` are left out and counted. A story is represented by an article in
    `language`, which is also that of the rules' titles.
    """
    seen = _group_by_article(store.versions.list_matched_between(begin, end))
    changes = [_ArticleChange(builder, query, versions, min_severity) for versions in seen]
    reported: list[_ArticleChange] = []
    hidden: list[_ArticleChange] = []
    for change in changes:
        (reported if change.is_reported() else hidden).append(change)
    maker = _DigestMaker(builder, store, config, query, begin, end, language, max_excerpt)
    digest = maker.make_digest(reported, _count_left_out(store, changes, min_severity))
    return replace(digest, put_back=_make_put_back(builder, store, hidden, max_excerpt))


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
    min_severity: Severity = Severity.EDITORIAL,
    max_excerpt: int = MAX_DIGEST_EXCERPT,
) -> Digest:
    """Return the digest of these article versions, all of them included.

    Of several versions of an article, the newest is shown, with what changed since the one before the oldest. Less
    severe revisions of the period than `min_severity` are counted.
    """
    changes = [_ArticleChange(builder, query, versions, min_severity) for versions in _group_by_article(articles)]
    seen = _group_by_article(store.versions.list_matched_between(begin, end))
    others = [_ArticleChange(builder, query, versions, min_severity) for versions in seen]
    maker = _DigestMaker(builder, store, config, query, begin, end, language, max_excerpt)
    return maker.make_digest(changes, _count_left_out(store, others, min_severity))


class _ArticleChange:
    """An article with its versions in the period."""

    def __init__(
        self, builder: EntryBuilder, query: ArticleQuery, versions: Sequence[Article], min_severity: Severity
    ) -> None:
        self._builder, self._query, self._min_severity = builder, query, min_severity
        self.base_version = (versions[0].version or 1) - 1
        site_versions = [version for version in versions if version.verdict is not Verdict.REPROCESSED]
        self.site_version = site_versions[-1]
        self.revised = [version for version in site_versions if version.verdict is Verdict.REVISED]
        # A version that was only read again takes the place of the one before it, which was seen at the same time.
        following = (*versions[1:], None)
        versions = [each for each, after in zip(versions, following, strict=True) if not _is_reprocessed(after)]
        self.article = versions[-1]
        selected = [version for version in versions if query.selects(version)]
        if self.base_version == 0 and selected and not query.selects(self.article):
            # The article is new, and the match was removed in the same period.
            self.base_version = selected[-1].version or 1
        previous = builder.get_previous(self.article, self.base_version)
        self.rules = dict.fromkeys(
            match.rule
            for version in (*reversed(versions), *((previous,) if previous else ()))
            for match in version.matches
            if is_selected(match, query.rules, query.strength)
        )
        was_wanted = previous is not None and query.selects(previous)
        # Where today's rules do not match, the site removed nothing.
        is_unmatched = not query.selects(self.article) and query.selects(self.site_version)
        self.is_wanted = (bool(selected) or was_wanted) and not is_unmatched
        self.is_gone = self.article.edit_verdict is Verdict.UNPUBLISHED
        self.is_first = not was_wanted or self.article.edit_verdict is Verdict.REPUBLISHED

    def is_reported(self) -> bool:
        """Return whether the query asks for the article and, if it is only revised, whether that is severe enough."""
        if not self.is_wanted or self.is_first or self.is_gone or not self._query.selects(self.article):
            return self.is_wanted
        return self._is_severe(self.base_version)

    def find_undone(self, store: Store) -> Article | None:
        """Return the version with the most severe edit of the period, which later ones undid, or None.

        The article is one that is not reported.
        """
        least = SEVERITY_RANKS[self._min_severity]
        diffs = ((each, store.diffs.get(each.id, each.version or 1)) for each in self.revised if self.is_wanted)
        ranked = [(SEVERITY_RANKS[diff.severity], each) for each, diff in diffs if diff]
        severe = [pair for pair in ranked if pair[0] >= least]
        return max(severe, key=lambda pair: pair[0])[1] if severe else None

    def make_request(self, max_excerpt: int) -> EntryRequest:
        """Return what to show: for a revised article what changed, also for a new one that was revised since."""
        base = self.base_version or (1 if self._is_revised_since_found() else 0)
        return EntryRequest(
            article=self.article,
            rules=self._query.rules,
            strength=self._query.strength,
            max_excerpt=max_excerpt,
            with_edits=base > 0 and not self.is_gone,
            base_version=base or None,
        )

    def _is_revised_since_found(self) -> bool:
        """Return whether the article, new to the reader, was revised since it was first read."""
        if not self.is_first or self.is_gone or (self.article.version or 1) == 1:
            return False
        return self._is_severe(1)

    def _is_severe(self, base_version: int) -> bool:
        """Return whether what changed since a version is as severe as asked for."""
        changes = self._builder.get_changes(self.article, base_version)
        return changes is not None and SEVERITY_RANKS[changes.severity] >= SEVERITY_RANKS[self._min_severity]


def _make_put_back(
    builder: EntryBuilder, store: Store, changes: Iterable[_ArticleChange], max_excerpt: int
) -> tuple[DigestStory, ...]:
    """Return the articles that were changed and have their former text again, each with the edit that was undone."""
    undone = [(change, version) for change in changes if (version := change.find_undone(store))]
    requests = [
        request
        for change, version in undone
        for request in (
            EntryRequest(article=change.article, max_excerpt=0, with_opening=False, with_related=False),  # a headline
            replace(change.make_request(max_excerpt), article=version, base_version=None),
        )
    ]
    entries = iter(builder.build(requests))
    return tuple(
        DigestStory(
            entry=replace(edited, headline=entry.headline, is_derived=entry.is_derived),
            rules=tuple(change.rules),
            sources=(change.article.source,),
            is_put_back=True,
            put_back_at=change.site_version.fetched_at,
        )
        for (change, _), entry, edited in zip(undone, entries, entries, strict=True)
    )


def _is_reprocessed(version: Article | None) -> bool:
    return version is not None and version.verdict is Verdict.REPROCESSED


def _count_left_out(store: Store, changes: Iterable[_ArticleChange], min_severity: Severity) -> dict[Severity, int]:
    """Return how many revisions of wanted articles are less severe than asked for, the least severe first."""
    counts: Counter[Severity] = Counter()
    for change in changes:
        revised = change.revised if change.is_wanted else ()
        diffs = (store.diffs.get(each.id, each.version or 1) for each in revised)
        counts.update(max(diff.severity, Severity.COSMETIC, key=SEVERITY_RANKS.__getitem__) for diff in diffs if diff)
    small = [each for each in Severity if SEVERITY_RANKS[each] < SEVERITY_RANKS[min_severity]]
    return {severity: counts[severity] for severity in small if counts[severity]}


def _group_by_article(articles: Iterable[Article]) -> list[list[Article]]:
    """Return the versions of each article, the oldest first."""
    by_id: dict[str, list[Article]] = {}
    for article in articles:
        by_id.setdefault(article.id, []).append(article)
    return [sorted(versions, key=lambda version: version.version or 1) for versions in by_id.values()]


@dataclass(frozen=True, slots=True)
class _StoryChanges:
    """The changes of one story that the digest shows: one represents it, the others were revised as well."""

    changes: list[_ArticleChange]
    lead: _ArticleChange
    revised: list[_ArticleChange]


@dataclass(frozen=True, slots=True)
class _DigestMaker:
    """Makes the digest of one query and period."""

    builder: EntryBuilder
    store: Store
    config: Config
    query: ArticleQuery
    begin: datetime
    end: datetime
    language: str
    max_excerpt: int

    def make_digest(self, changes: list[_ArticleChange], left_out: dict[Severity, int]) -> Digest:
        """Return the digest of these changes. `left_out` are the revisions that it only counts."""
        titles = load_rules(self.config.rules).get_titles(self.language)
        rule_order = list(dict.fromkeys((*self.query.rules, *titles)))
        groups: dict[str, list[DigestStory]] = {}
        gone: list[DigestStory] = []
        stories = self._make_stories(changes, rule_order)
        for story in stories:
            is_gone = story.entry.verdict is Verdict.UNPUBLISHED
            (gone if is_gone else groups.setdefault(next(iter(story.rules), ""), [])).append(story)
        sources = [
            name
            for name in self.query.sources or spiders.list_names()
            if self.query.sources or self.config.get_source(name).enabled
        ]
        return Digest(
            begin=self.begin,
            end=self.end,
            language=self.language,
            groups=tuple(
                DigestGroup(rule=rule, title=titles.get(rule, rule), stories=_sort_newest_first(groups[rule]))
                for rule in sorted(groups, key=lambda rule: _get_rule_position(rule_order, rule))
            ),
            gone=_sort_newest_first(gone),
            counts=self._count_by_source(sources, stories),
            troubles=list_outages(self.store, sources, self.begin, self.end, self.language),
            titles=titles,
            left_out=left_out,
        )

    def _make_stories(self, changes: list[_ArticleChange], rule_order: list[str]) -> list[DigestStory]:
        """Return the stories. All their entries are built at once, because they share the rights of their articles."""
        stories = self._group_by_story(changes)
        shown = [change for story in stories for change in (story.lead, *story.revised)]
        entries = iter(self.builder.build(change.make_request(self.max_excerpt) for change in shown))
        return [
            self._make_story(story, next(entries), [next(entries) for _ in story.revised], rule_order)
            for story in stories
        ]

    def _group_by_story(self, changes: list[_ArticleChange]) -> list[_StoryChanges]:
        """Return the changes by story. Articles that were taken down make a story of their own."""
        groups: dict[object, list[_ArticleChange]] = {}
        for change in changes:
            story_id = self.store.stories.get_id_by_article(change.article.id)
            key = (change.article.id if story_id is None else story_id, change.is_gone)
            groups.setdefault(key, []).append(change)
        stories = []
        for group in groups.values():
            first = [change for change in group if change.is_first] or group
            lead = min(first, key=lambda change: _rank_lead(change.article, self.language))
            others = [change for change in group if change is not lead and not change.is_first]
            revised = [change for change in others if change.base_version > 0 and not lead.is_gone]
            stories.append(_StoryChanges(group, lead, revised))
        return stories

    def _make_story(
        self, story: _StoryChanges, entry: Entry, changed: list[Entry], rule_order: list[str]
    ) -> DigestStory:
        stored = self.store.stories.get(entry.story) if entry.story is not None else None
        ids = [member.article.id for member in stored.members] if stored else [story.lead.article.id]
        states = [self.store.articles.get_state(article_id) for article_id in ids]
        first_seen = min((state.first_seen_at for state in states if state), default=self.begin)
        rules = dict.fromkeys(rule for change in story.changes for rule in change.rules)
        return DigestStory(
            entry=entry,
            rules=tuple(sorted(rules, key=lambda rule: _get_rule_position(rule_order, rule))),
            sources=tuple(change.article.source for change in story.changes),
            baseline_sources=tuple(
                change.article.source for change in story.changes if self._is_baseline(change.site_version)
            ),
            changed=tuple(changed),
            known_since=first_seen if story.lead.is_first and first_seen < self.begin else None,
        )

    def _count_by_source(self, sources: Sequence[str], stories: Sequence[DigestStory]) -> tuple[SourceCount, ...]:
        seen = self.store.versions.count_by_source(self.begin, self.end)
        told = [source for story in stories for source in story.sources]
        there = [source for story in stories for source in story.baseline_sources]
        return tuple(
            SourceCount(
                source=source,
                source_title=spiders.get_title(source, self.language),
                told=told.count(source),
                seen=max(seen.get(source, 0), told.count(source)),
                there=there.count(source),
            )
            for source in dict.fromkeys((*sources, *sorted(set(told))))
        )

    def _is_baseline(self, article: Article) -> bool:
        """Return whether this version was on the site when the source, or this language of it, was first read."""
        return any(
            event.suppressed_because == BASELINE_RUN and event.version == article.version
            for event in self.store.events.list_by_article(article.id)
        )


def _rank_lead(article: Article, language: str) -> tuple[bool, bool, bool, float]:
    """Return a sort key: the reader's language first, then originals before copies, dated ones, the earliest."""
    published_at = article.published_at or article.fetched_at
    return (
        article.language != language,
        article.edit_verdict is Verdict.COPY,
        article.published_at is None,
        published_at.timestamp() if published_at else 0,
    )


def _get_rule_position(rule_order: list[str], rule: str) -> int:
    return rule_order.index(rule) if rule in rule_order else len(rule_order)


def _sort_newest_first(stories: list[DigestStory]) -> tuple[DigestStory, ...]:
    def get_time(story: DigestStory) -> float:
        times = [entry.changed_at or entry.effective_at for entry in (story.entry, *story.changed)]
        return max((time.timestamp() for time in times if time), default=0)

    return tuple(sorted(stories, key=get_time, reverse=True))
