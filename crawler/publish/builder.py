"""An article with its story, through the door, as an Entry."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from crawler import spiders
from crawler.config import Config
from crawler.items import Article, Match, Strength, Verdict
from crawler.publish.edits import make_edits
from crawler.publish.entries import Entry, EntryEdit, EntryMatch, RelatedArticle
from crawler.publish.redaction import redact_article
from crawler.revisions.changes import RevisionDiff, diff_articles
from crawler.rights import Door, RightsRegistry
from crawler.store import ArticleState, Store, StoredStory


class EntryBuilder:
    """Makes entries under one configuration: `redact` are patterns to black out, `language` is for sources' names."""

    def __init__(self, config: Config, store: Store, *, redact: Sequence[str] = (), language: str = "en") -> None:
        self._store, self._redact = store, tuple(redact)
        self._shares = RightsRegistry(config)
        self._titles = {name: spiders.get_title(name, language) for name in spiders.list_names()}

    def make_door(self) -> Door:
        """A door for one output."""
        return Door(self._shares)

    def build(
        self,
        article: Article,
        door: Door,
        *,
        rules: Collection[str] = (),
        strength: Strength = Strength.STRONG,
        max_excerpt: int | None = None,
        with_opening: bool = True,
        with_edits: bool = False,
        with_others: bool = True,
        base_version: int | None = None,
    ) -> Entry:
        """The article in its version, with the story as it is now. `rules` (none: all) and the least `strength` say
        which matches count; `most` is the longest excerpt, in characters, of which the share may allow less.

        `with_edits` shows what the version changed against version `base` (None: the one before); the touched sentences
        then stand in the place of the opening. Without `with_others` the story's other articles are not read, nor its
        anchor.
        """
        matches = tuple(match for match in article.matches if is_selected(match, rules, strength))
        known = self._store.articles.get_state(article.id)
        shown = redact_article(_set_current_url(article, known), self._redact)
        blackened = {id(old): new for old, new in zip(article.matches, shown.matches, strict=True)}
        own = tuple(blackened[id(match)] for match in matches)
        headline, is_derived = door.headline(shown)
        excerpt = door.excerpt(shown, own, most=max_excerpt, opening=with_opening and not with_edits)
        changes, edited = self._make_edits(article, door, base_version) if with_edits else (None, ())
        number = self._store.stories.get_id_by_article(article.id)
        story = self._store.stories.get(number) if number is not None and with_others else None
        return Entry(
            id=shown.id,
            source=shown.source,
            source_title=self._get_source_title(shown.source),
            url=shown.url,
            language=shown.language,
            headline=headline,
            is_derived=is_derived,
            lead=door.lead(shown),
            excerpt=excerpt,
            credit=door.credit(shown),
            published_at=shown.published_at,
            precision=shown.published_precision,
            seen_at=known.first_seen_at if known else shown.fetched_at,
            changed_at=shown.fetched_at if (shown.version or 1) > 1 else None,
            section=shown.section,
            place=shown.place,
            author=shown.author,
            verdict=shown.verdict or Verdict.NEW,
            version=shown.version or 1,
            rules=tuple(dict.fromkeys(match.rule for match in own)),
            matches=_make_matches(own, door.named(shown, own)),
            story=number,
            anchor=self._get_anchor(story),
            copy_of=shown.copy_of,
            others=tuple(self._make_related(each, door) for each in _list_other_members(story, article)),
            edits=edited,
            severity=changes.severity if changes else None,
        )

    def get_changes(self, article: Article, base_version: int | None = None) -> RevisionDiff | None:
        """What a version changed against version `base` (None: the one before), None for a first one."""
        former = self.get_previous(article, base_version)
        return diff_articles(former, article) if former else None

    def get_previous(self, article: Article, base_version: int | None = None) -> Article | None:
        """Version `base` of the article, or the one before, None for a first one."""
        number = (article.version or 1) - 1 if base_version is None else base_version
        return self._store.articles.get(article.id, number) if number > 0 else None

    def _make_edits(
        self, article: Article, door: Door, base_version: int | None
    ) -> tuple[RevisionDiff | None, tuple[EntryEdit, ...]]:
        former = self.get_previous(article, base_version)
        if former is None:
            return None, ()
        changes = diff_articles(former, article)
        if not self._redact:
            return changes, make_edits(door, former, article, changes)
        old, new = redact_article(former, self._redact), redact_article(article, self._redact)
        return changes, make_edits(door, old, new, diff_articles(old, new))

    def _get_anchor(self, story: StoredStory | None) -> str | None:
        members = (self._store.articles.get_state(member.article.id) for member in (story.members if story else ()))
        first = min(((known.first_seen_at, known.id) for known in members if known), default=None)
        return first[1] if first else None

    def _make_related(self, each: tuple[Article, bool], door: Door) -> RelatedArticle:
        article, is_copy = each
        shown = redact_article(_set_current_url(article, self._store.articles.get_state(article.id)), self._redact)
        return RelatedArticle(
            id=shown.id,
            source=shown.source,
            source_title=self._get_source_title(shown.source),
            url=shown.url,
            language=shown.language,
            headline=door.headline(shown)[0],
            published_at=shown.published_at,
            is_copy=is_copy,
        )

    def _get_source_title(self, source: str) -> str:
        return self._titles.get(source, source)


def is_selected(match: Match, rules: Collection[str], strength: Strength) -> bool:
    """Whether a match is one of these rules' (none: of any) and sure enough."""
    return (not rules or match.rule in rules) and (strength is Strength.WEAK or match.strength is Strength.STRONG)


def _set_current_url(article: Article, known: ArticleState | None) -> Article:
    """The article with the address it has today: an unchanged text that moved is no new version."""
    return replace(article, url=known.url) if known and known.url != article.url else article


def _list_other_members(story: StoredStory | None, article: Article) -> list[tuple[Article, bool]]:
    """The story's other articles; whether each is the same text as this one."""
    if story is None:
        return []
    own = next((member.cluster for member in story.members if member.article.id == article.id), None)
    return [(each.article, each.cluster == own) for each in story.members if each.article.id != article.id]


def _make_matches(matches: Sequence[Match], named: Collection[Match]) -> tuple[EntryMatch, ...]:
    """Each match once; its word as the text has it only where the door let it through."""
    through = {id(match) for match in named}
    found = (
        EntryMatch(
            rule=match.rule,
            term=match.term,
            surface=match.surface if id(match) in through else None,
            field=match.field,
            strength=match.strength,
        )
        for match in matches
    )
    return tuple(dict.fromkeys(found))
