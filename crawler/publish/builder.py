"""Build entries: articles with their stories, and no more text than the rights of their sources allow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from crawler import spiders
from crawler.config import Config
from crawler.errors import ConfigError
from crawler.items import Article, Match, Strength, Verdict
from crawler.publish.edits import EditPlan
from crawler.publish.entries import Entry, EntryMatch, RelatedArticle
from crawler.publish.query import is_selected
from crawler.publish.redaction import redact_article, redact_diff, redact_id
from crawler.revisions.changes import diff_articles
from crawler.revisions.revision_diff import RevisionDiff
from crawler.rights import AllowedText, ExcerptDemand, RightsRegistry, allocate_excerpts
from crawler.store import ArticleState, Store, StoredStory


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRequest:
    """An article version that an output shows.

    Matches of `rules` (empty: of any rule) with at least this `strength` count. `max_excerpt` limits the excerpt, in
    characters; None means that only the rights limit it. `with_edits` shows what changed since `base_version` (None:
    the version before) in place of the opening; `with_severity` only how severe that is. Without `with_related` the
    story's other articles and its anchor are not read. `language` is that of the sources' titles (None: the builder's).
    """

    article: Article
    rules: Collection[str] = ()
    strength: Strength = Strength.STRONG
    max_excerpt: int | None = None
    with_opening: bool = True
    with_edits: bool = False
    with_severity: bool = False
    with_related: bool = True
    base_version: int | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """What an entry is made of, before it is known how much text it may show."""

    request: EntryRequest
    article: Article
    """The article with names blacked out and the address that it has today."""
    shown_id: str
    matches: tuple[Match, ...]
    state: ArticleState | None
    site_version: Article
    """The version with the site's last change of the article."""
    changes: RevisionDiff | None
    edits: EditPlan | None
    story_id: int | None
    story: StoredStory | None
    related: tuple[tuple[Article, str, bool], ...]
    """The story's other articles, each with the id to show; True for the same text."""
    certain_ids: frozenset[str]
    """Which articles of the story are in it on enough evidence."""

    def list_demands(self) -> Iterator[ExcerptDemand]:
        """Yield what the entry wants to show: of its article, then of each related one."""
        yield ExcerptDemand(
            article=self.article,
            matches=self.matches,
            max_length=self.request.max_excerpt,
            with_opening=self.request.with_opening and not self.request.with_edits,
            fragments=self.edits.fragments if self.edits else (),
        )
        for article, *_ in self.related:
            yield ExcerptDemand(article=article, headline_only=True)


class EntryBuilder:
    """Builds entries under one configuration.

    `redact` are patterns of text to black out. `language` is that of the sources' titles. Raises ConfigError for a
    share of text that no permission covers.
    """

    def __init__(self, config: Config, store: Store, *, redact: Sequence[str] = (), language: str = "en") -> None:
        self._store, self._redact, self._language = store, tuple(redact), language
        self._rights = make_rights_registry(config)
        # Looking a title up searches the package of the spiders each time.
        self._get_title = cache(spiders.get_title)

    def build(self, requests: Iterable[EntryRequest]) -> list[Entry]:
        """Return the entries of one output.

        Pass all articles that the output shows: what it shows of an article counts together.
        """
        wanted = list(requests)
        states = self._store.articles.get_many_states(request.article.id for request in wanted)
        drafts = [self._make_draft(request, states.get(request.article.id)) for request in wanted]
        demands = [demand for draft in drafts for demand in draft.list_demands()]
        allowed = iter(allocate_excerpts(demands, self._rights))
        return [self._make_entry(draft, allowed) for draft in drafts]

    def get_changes(self, article: Article, base_version: int | None = None) -> RevisionDiff | None:
        """Return what changed since `base_version` (None: the version before), or None for a first version.

        A version was judged against the one before when it was saved. Against an earlier one it is judged now. Since a
        named version, only what the site changed counts: not what was only read again.
        """
        if base_version is not None:
            article = self._store.versions.get_site_version(article)
            base_version = self._skip_reprocessed(article, base_version)
        number = (article.version or 1) - 1
        if number > 0 and base_version in (None, number):
            return self._store.diffs.get(article.id, number + 1)
        previous = self.get_previous(article, base_version) if base_version != number + 1 else None
        return diff_articles(previous, article) if previous else None

    def get_previous(self, article: Article, base_version: int | None = None) -> Article | None:
        """Return that version of the article (None: the version before), or None for a first version.

        None also where that version came damaged: what differs from it is no change of the site's. And where the
        retention policy removed one of the two texts.
        """
        if base_version is None:
            number = (article.version or 1) - 1
        else:
            number = self._skip_reprocessed(self._store.versions.get_site_version(article), base_version)
        previous = self._store.articles.get(article.id, number) if number > 0 else None
        if previous is None or previous.is_damaged or previous.text_removed_at or article.text_removed_at:
            return None
        return previous

    def _skip_reprocessed(self, article: Article, base_version: int) -> int:
        """Return the last version that has the text of this one, as today's page classes and rules read it."""
        number = base_version
        for each in self._store.versions.list_reprocessed(article.id):
            if each == number + 1 < (article.version or 1):
                number = each
        return number

    def _make_draft(self, request: EntryRequest, state: ArticleState | None) -> _Draft:
        article = request.article
        current = _set_current_url(article, state)
        shown = redact_article(current, self._redact)
        matches = tuple(
            redacted
            for match, redacted in zip(article.matches, shown.matches, strict=True)
            if is_selected(match, request.rules, request.strength)
        )
        changes, edits = self._plan_edits(request)
        story_id = self._store.stories.get_id_by_article(article.id)
        story = self._store.stories.get(story_id) if story_id is not None and request.with_related else None
        return _Draft(
            request=request,
            article=shown,
            shown_id=redact_id(current, self._redact),
            matches=matches,
            state=state,
            site_version=self._store.versions.get_site_version(article),
            changes=changes,
            edits=edits,
            story_id=story_id,
            story=story,
            related=tuple(self._list_related(story, article)),
            certain_ids=self._store.stories.get_certain_member_ids(article.id) if story else frozenset(),
        )

    def _plan_edits(self, request: EntryRequest) -> tuple[RevisionDiff | None, EditPlan | None]:
        """Return the changes as they are, and the edits with names blacked out."""
        article = request.article
        if not request.with_edits:
            return (self.get_changes(article, request.base_version) if request.with_severity else None), None
        previous = self.get_previous(article, request.base_version)
        changes = self.get_changes(article, request.base_version)
        if request.base_version is not None:
            article = self._store.versions.get_site_version(article)
        if previous is None or changes is None:
            return None, None
        if not self._redact:
            return changes, EditPlan(previous, article, changes)
        old, new = redact_article(previous, self._redact), redact_article(article, self._redact)
        return changes, EditPlan(old, new, redact_diff(changes, old, new))

    def _list_related(self, story: StoredStory | None, article: Article) -> Iterator[tuple[Article, str, bool]]:
        """Yield the story's other articles, with names blacked out, their ids, and whether each has the same text."""
        members = story.members if story else ()
        cluster = next((member.cluster for member in members if member.article.id == article.id), None)
        for member in members:
            if member.article.id != article.id:
                current = _set_current_url(member.article, self._store.articles.get_state(member.article.id))
                shown_id = redact_id(current, self._redact)
                yield redact_article(current, self._redact), shown_id, member.cluster == cluster

    def _make_entry(self, draft: _Draft, allowed: Iterator[AllowedText]) -> Entry:
        """Return an entry with the next allowed texts."""
        article, state, text = draft.article, draft.state, next(allowed)
        language = draft.request.language or self._language
        return Entry(
            id=draft.shown_id,
            is_id_hidden=draft.shown_id != article.id,
            source=article.source,
            source_title=self._get_title(article.source, language),
            url=article.url,
            language=article.language,
            headline=text.headline,
            is_derived=text.is_headline_derived,
            lead=text.lead,
            excerpt=text.excerpt,
            credit=self._rights.get_credit(article),
            published_at=article.published_at,
            precision=article.published_precision,
            seen_at=state.first_seen_at if state else article.fetched_at,
            changed_at=draft.site_version.fetched_at if (draft.site_version.version or 1) > 1 else None,
            section=article.section,
            place=article.place,
            author=article.author,
            verdict=article.edit_verdict or Verdict.NEW,
            is_reprocessed=article.verdict is Verdict.REPROCESSED,
            site_version=draft.site_version.version,
            version=article.version or 1,
            rules=tuple(dict.fromkeys(match.rule for match in draft.matches)),
            matches=_make_matches(draft.matches, text.named_matches),
            story=draft.story_id,
            anchor=self._get_anchor(draft.story),
            copy_of=article.copy_of,
            others=tuple(
                self._make_related(
                    other, shown_id, is_copy, next(allowed).headline, language, other.id not in draft.certain_ids
                )
                for other, shown_id, is_copy in draft.related
            ),
            edits=draft.edits.make_edits(text.fragments) if draft.edits else (),
            severity=draft.changes.severity if draft.changes else None,
            flags=article.flags,
            kinds=tuple(sorted(draft.changes.kinds)) if draft.changes else (),
            base_version=_get_base_version(draft.request) if draft.changes else None,
            text_removed_at=article.text_removed_at,
        )

    def _make_related(
        self, article: Article, shown_id: str, is_copy: bool, headline: str, language: str, is_possible: bool
    ) -> RelatedArticle:
        return RelatedArticle(
            id=shown_id,
            source=article.source,
            source_title=self._get_title(article.source, language),
            url=article.url,
            language=article.language,
            headline=headline,
            published_at=article.published_at,
            is_copy=is_copy,
            is_possible=is_possible,
        )

    def _get_anchor(self, story: StoredStory | None) -> str | None:
        """Return the id to show of the story's article that was seen first."""
        members = story.members if story else ()
        states = ((self._store.articles.get_state(member.article.id), member.article) for member in members)
        seen = [(state, article) for state, article in states if state]
        if not seen:
            return None
        state, article = min(seen, key=lambda each: (each[0].first_seen_at, each[0].id))
        return redact_id(_set_current_url(article, state), self._redact)


def _get_base_version(request: EntryRequest) -> int:
    """Return the version that the edits are compared with."""
    return (request.article.version or 1) - 1 if request.base_version is None else request.base_version


def make_rights_registry(config: Config) -> RightsRegistry:
    """Return the rights of every source.

    Raise ConfigError for a larger share than the source's without a permission.
    """
    classes = spiders.load_spiders()
    rights = {name: spider.get_rights(config) for name, spider in classes.items()}
    for name, spider in classes.items():
        share, source_share = rights[name].excerpt_share, spider.rights.excerpt_share
        if share > source_share and not config.get_source(name).permission:
            raise ConfigError(
                f"sources.{name}.excerpt_share = {share} is more than the {source_share:.0%} that the source allows. "
                f"Name the permission for it in sources.{name}.permission."
            )
    return RightsRegistry(rights, {name: spider.origins for name, spider in classes.items()})


def _set_current_url(article: Article, state: ArticleState | None) -> Article:
    """Return the article with the address it has today: an unchanged text at a new address is no new version."""
    return replace(article, url=state.url) if state and state.url != article.url else article


def _make_matches(matches: Sequence[Match], named: Collection[Match]) -> tuple[EntryMatch, ...]:
    """Return each match once, with its word as written in the text only if it is among the `named` ones."""
    allowed = set(named)
    found = (
        EntryMatch(
            rule=match.rule,
            term=match.term,
            surface=match.surface if match in allowed else None,
            field=match.field,
            strength=match.strength,
        )
        for match in matches
    )
    return tuple(dict.fromkeys(found))
