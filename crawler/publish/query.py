"""The stored articles that a rule, a source or a subscription asks for, grouped by story, the latest story first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from crawler.items import Article, Strength
from crawler.publish.builder import is_selected
from crawler.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleQuery:
    """What is asked for; empty means everything that matched, with `everything` the rest too.

    `since` and `until` (aware) are compared with an article's time: publication, else when it was read, else when it
    was first seen; `until` itself is too late.
    """

    rules: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    strength: Strength = Strength.STRONG
    since: datetime | None = None
    until: datetime | None = None
    include_unmatched: bool = False

    def selects(self, article: Article) -> bool:
        """Whether the article is asked for, its time aside."""
        return (
            (not self.sources or article.source in self.sources)
            and (not self.languages or article.language in self.languages)
            and (
                self.include_unmatched
                or any(is_selected(match, self.rules, self.strength) for match in article.matches)
            )
        )

    def covers_time(self, article: Article, store: Store) -> bool:
        """Whether its time is asked for too."""
        if not self.since and not self.until:
            return True
        when = article.published_at or article.fetched_at or store.articles.get_first_seen_time(article.id)
        return when is None or not ((self.since and when < self.since) or (self.until and when >= self.until))


def list_stories(
    store: Store, query: ArticleQuery, *, limit: int | None = None, include_earlier: bool = False
) -> list[tuple[Article, ...]]:
    """The stories asked for, each with the articles that are, the earliest first; at most `limit` stories.

    An article without a story is one of its own. `earlier` adds the articles of these stories from another time, so
    that the first of a story stays the first.
    """
    stories: dict[object, tuple[Article, ...]] = {}
    for article in list_articles(store, query):
        number = store.stories.get_id_by_article(article.id)
        key: object = article.id if number is None else number
        if key in stories:
            continue
        if len(stories) == limit:
            break
        story = store.stories.get(number) if number is not None else None
        members = [member.article for member in story.members] if story else []
        stories[key] = tuple(
            each for each in members if query.selects(each) and (include_earlier or query.covers_time(each, store))
        ) or (article,)
    return list(stories.values())


def list_articles(store: Store, query: ArticleQuery, *, limit: int | None = None) -> Iterable[Article]:
    """The articles asked for in their current version, the newest first."""
    return islice(_select_articles(store, query), limit)


def _select_articles(store: Store, query: ArticleQuery) -> Iterator[Article]:
    source = query.sources[0] if len(query.sources) == 1 else None
    language = query.languages[0] if len(query.languages) == 1 else None
    strong = True if query.strength is Strength.STRONG and not query.include_unmatched else None
    found = store.articles.iter_newest(source=source, language=language, matched=strong, since=query.since)
    return (article for article in found if query.selects(article) and query.covers_time(article, store))
