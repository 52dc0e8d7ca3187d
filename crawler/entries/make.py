"""An article with its story, through the door, as an Entry."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from crawler import spiders
from crawler.config import Config
from crawler.dedupe.changes import Changes, between
from crawler.entries.edits import edits
from crawler.entries.entry import Edit, Entry, Found, Other
from crawler.entries.redact import redacted
from crawler.items import Article, Match, Strength, Verdict
from crawler.rights import Door, Shares
from crawler.store import Known, Store, StoredStory


class Maker:
    """Makes entries under one configuration: `redact` are patterns to black out, `language` is for sources' names."""

    def __init__(self, config: Config, store: Store, *, redact: Sequence[str] = (), language: str = "en") -> None:
        self._store, self._redact = store, tuple(redact)
        self._shares = Shares(config)
        self._titles = {name: spiders.title_of(name, language) for name in spiders.names()}

    def door(self) -> Door:
        """A door for one output."""
        return Door(self._shares)

    def entry(
        self,
        article: Article,
        door: Door,
        *,
        rules: Collection[str] = (),
        strength: Strength = Strength.STRONG,
        most: int | None = None,
        opening: bool = True,
        with_edits: bool = False,
        with_others: bool = True,
        base: int | None = None,
    ) -> Entry:
        """The article in its version, with the story as it is now. `rules` (none: all) and the least `strength` say
        which matches count; `most` is the longest excerpt, in characters, of which the share may allow less.

        `with_edits` shows what the version changed against version `base` (None: the one before); the touched sentences
        then stand in the place of the opening. Without `with_others` the story's other articles are not read, nor its
        anchor.
        """
        matches = tuple(match for match in article.matches if counts(match, rules, strength))
        known = self._store.articles.find(article.id)
        shown = redacted(_addressed(article, known), self._redact)
        blackened = {id(old): new for old, new in zip(article.matches, shown.matches, strict=True)}
        own = tuple(blackened[id(match)] for match in matches)
        headline, is_derived = door.headline(shown)
        excerpt = door.excerpt(shown, own, most=most, opening=opening and not with_edits)
        changes, edited = self._edits(article, door, base) if with_edits else (None, ())
        number = self._store.same.story_of(article.id)
        story = self._store.same.story(number) if number is not None and with_others else None
        return Entry(
            id=shown.id,
            source=shown.source,
            source_title=self._title(shown.source),
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
            found=_found(own, door.named(shown, own)),
            story=number,
            anchor=self._anchor(story),
            copy_of=shown.copy_of,
            others=tuple(self._other(each, door) for each in _beside(story, article)),
            edits=edited,
            severity=changes.severity if changes else None,
        )

    def changes(self, article: Article, base: int | None = None) -> Changes | None:
        """What a version changed against version `base` (None: the one before), None for a first one."""
        former = self.former(article, base)
        return between(former, article) if former else None

    def former(self, article: Article, base: int | None = None) -> Article | None:
        """Version `base` of the article, or the one before, None for a first one."""
        number = (article.version or 1) - 1 if base is None else base
        return self._store.articles.get(article.id, number) if number > 0 else None

    def _edits(self, article: Article, door: Door, base: int | None) -> tuple[Changes | None, tuple[Edit, ...]]:
        former = self.former(article, base)
        if former is None:
            return None, ()
        changes = between(former, article)
        if not self._redact:
            return changes, edits(door, former, article, changes)
        old, new = redacted(former, self._redact), redacted(article, self._redact)
        return changes, edits(door, old, new, between(old, new))

    def _anchor(self, story: StoredStory | None) -> str | None:
        members = (self._store.articles.find(member.article.id) for member in (story.members if story else ()))
        first = min(((known.first_seen_at, known.id) for known in members if known), default=None)
        return first[1] if first else None

    def _other(self, each: tuple[Article, bool], door: Door) -> Other:
        article, is_copy = each
        shown = redacted(_addressed(article, self._store.articles.find(article.id)), self._redact)
        return Other(
            id=shown.id,
            source=shown.source,
            source_title=self._title(shown.source),
            url=shown.url,
            language=shown.language,
            headline=door.headline(shown)[0],
            published_at=shown.published_at,
            is_copy=is_copy,
        )

    def _title(self, source: str) -> str:
        return self._titles.get(source, source)


def counts(match: Match, rules: Collection[str], strength: Strength) -> bool:
    """Whether a match is one of these rules' (none: of any) and sure enough."""
    return (not rules or match.rule in rules) and (strength is Strength.WEAK or match.strength is Strength.STRONG)


def _addressed(article: Article, known: Known | None) -> Article:
    """The article with the address it has today: an unchanged text that moved is no new version."""
    return replace(article, url=known.url) if known and known.url != article.url else article


def _beside(story: StoredStory | None, article: Article) -> list[tuple[Article, bool]]:
    """The story's other articles; whether each is the same text as this one."""
    if story is None:
        return []
    own = next((member.cluster for member in story.members if member.article.id == article.id), None)
    return [(each.article, each.cluster == own) for each in story.members if each.article.id != article.id]


def _found(matches: Sequence[Match], named: Collection[Match]) -> tuple[Found, ...]:
    """Each match once; its word as the text has it only where the door let it through."""
    through = {id(match) for match in named}
    found = (
        Found(
            rule=match.rule,
            term=match.term,
            surface=match.surface if id(match) in through else None,
            field=match.field,
            strength=match.strength,
        )
        for match in matches
    )
    return tuple(dict.fromkeys(found))
