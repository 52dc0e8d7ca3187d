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
    everything: bool = False

    def holds(self, article: Article) -> bool:
        """Whether the article is asked for, its time aside."""
        return (
            (not self.sources or article.source in self.sources)
            and (not self.languages or article.language in self.languages)
            and (self.everything or any(counts(match, self.rules, self.strength) for match in article.matches))
        )

    def covers(self, article: Article, store: Store) -> bool:
        """Whether its time is asked for too."""
        if not self.since and not self.until:
            return True
        when = article.published_at or article.fetched_at or store.articles.first_seen(article.id)
        return when is None or not ((self.since and when < self.since) or (self.until and when >= self.until))


def gather(
    store: Store, wanted: Wanted, *, limit: int | None = None, earlier: bool = False
) -> list[tuple[Article, ...]]:
    """The stories asked for, each with the articles that are, the earliest first; at most `limit` stories.

    An article without a story is one of its own. `earlier` adds the articles of these stories from another time, so
    that the first of a story stays the first.
    """
    stories: dict[object, tuple[Article, ...]] = {}
    for article in articles(store, wanted):
        number = store.same.story_of(article.id)
        key: object = article.id if number is None else number
        if key in stories:
            continue
        if len(stories) == limit:
            break
        story = store.same.story(number) if number is not None else None
        members = [member.article for member in story.members] if story else []
        stories[key] = tuple(
            each for each in members if wanted.holds(each) and (earlier or wanted.covers(each, store))
        ) or (article,)
    return list(stories.values())


def articles(store: Store, wanted: Wanted, *, limit: int | None = None) -> Iterable[Article]:
    """The articles asked for in their current version, the newest first."""
    return islice(_matching(store, wanted), limit)


def _matching(store: Store, wanted: Wanted) -> Iterator[Article]:
    source = wanted.sources[0] if len(wanted.sources) == 1 else None
    language = wanted.languages[0] if len(wanted.languages) == 1 else None
    strong = True if wanted.strength is Strength.STRONG and not wanted.everything else None
    found = store.articles.select(source=source, language=language, matched=strong, since=wanted.since)
    return (article for article in found if wanted.holds(article) and wanted.covers(article, store))
