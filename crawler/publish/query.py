"""Which stored articles an output wants, grouped by story."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from crawler.items import Article, Match, Strength
from crawler.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleQuery:
    """What an output wants. Empty means every article with a match; `include_unmatched` adds the others.

    `since` and `until` (aware) are compared with the time of publication, else of reading, else of first sight. `until`
    itself is excluded.
    """

    rules: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    strength: Strength = Strength.STRONG
    since: datetime | None = None
    until: datetime | None = None
    include_unmatched: bool = False

    def selects(self, article: Article) -> bool:
        """Return whether the query wants the article, whatever its time."""
        return (
            (not self.sources or article.source in self.sources)
            and (not self.languages or article.language in self.languages)
            and (
                self.include_unmatched
                or any(is_selected(match, self.rules, self.strength) for match in article.matches)
            )
        )

    def covers_time(self, article: Article, store: Store) -> bool:
        """Return whether the query wants articles of this time."""
        if not self.since and not self.until:
            return True
        time = article.published_at or article.fetched_at or store.articles.get_first_seen_time(article.id)
        return time is None or not ((self.since and time < self.since) or (self.until and time >= self.until))


def is_selected(match: Match, rules: Collection[str], strength: Strength) -> bool:
    """Return whether a match belongs to one of these rules (none: any rule) and is strong enough."""
    return (not rules or match.rule in rules) and (strength is Strength.WEAK or match.strength is Strength.STRONG)


def list_stories(
    store: Store, query: ArticleQuery, *, limit: int | None = None, include_earlier: bool = False
) -> list[tuple[Article, ...]]:
    """Return the articles that the query wants, by story: the latest story first, its earliest article first.

    An article without a story is one of its own. `include_earlier` adds articles of these stories from other times, so
    that a story's first article stays the first.
    """
    stories: dict[object, tuple[Article, ...]] = {}
    for article in list_articles(store, query):
        story_id = store.stories.get_id_by_article(article.id)
        key: object = article.id if story_id is None else story_id
        if key in stories:
            continue
        if len(stories) == limit:
            break
        story = store.stories.get(story_id) if story_id is not None else None
        members = [member.article for member in story.members] if story else []
        stories[key] = tuple(
            member
            for member in members
            if query.selects(member) and (include_earlier or query.covers_time(member, store))
        ) or (article,)
    return list(stories.values())


def list_articles(store: Store, query: ArticleQuery, *, limit: int | None = None) -> Iterable[Article]:
    """Yield the articles that the query wants in their current version, the newest first."""
    return islice(_select_articles(store, query), limit)


def _select_articles(store: Store, query: ArticleQuery) -> Iterator[Article]:
    source = query.sources[0] if len(query.sources) == 1 else None
    language = query.languages[0] if len(query.languages) == 1 else None
    has_match = True if query.strength is Strength.STRONG and not query.include_unmatched else None
    newest = store.articles.iter_newest(source=source, language=language, matched=has_match, since=query.since)
    return (article for article in newest if query.selects(article) and query.covers_time(article, store))
