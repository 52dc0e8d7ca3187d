"""The stored articles that a rule, a source or a subscription asks for, grouped by story, the latest story first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from crawler.entries.make import counts
from crawler.items import Article, Strength
from crawler.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for; empty means everything. `since` and `until` (aware) are compared with an article's time:
    publication, else when it was read."""

    rules: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    strength: Strength = Strength.STRONG
    since: datetime | None = None
    until: datetime | None = None

    def holds(self, article: Article) -> bool:
        """Whether the article is asked for, its time aside."""
        return (
            (not self.sources or article.source in self.sources)
            and (not self.languages or article.language in self.languages)
            and any(counts(match, self.rules, self.strength) for match in article.matches)
        )


def gather(store: Store, wanted: Wanted, *, limit: int | None = None) -> list[tuple[Article, ...]]:
    """The stories asked for, each with the articles that are, the earliest first; at most `limit` stories.

    An article without a story is one of its own.
    """
    stories: dict[object, list[Article]] = {}
    for article in articles(store, wanted):
        number = store.same.story_of(article.id)
        key: object = article.id if number is None else number
        if key not in stories and limit is not None and len(stories) == limit:
            break
        stories.setdefault(key, []).append(article)
    return [tuple(reversed(story)) for story in stories.values()]


def articles(store: Store, wanted: Wanted, *, limit: int | None = None) -> Iterable[Article]:
    """The articles asked for in their current version, the newest first."""
    return islice(_matching(store, wanted), limit)


def _matching(store: Store, wanted: Wanted) -> Iterator[Article]:
    source = wanted.sources[0] if len(wanted.sources) == 1 else None
    strong = True if wanted.strength is Strength.STRONG else None
    for article in store.articles.select(source=source, matched=strong, since=wanted.since):
        when = article.published_at or article.fetched_at
        if wanted.holds(article) and not (wanted.until and when and when >= wanted.until):
            yield article
