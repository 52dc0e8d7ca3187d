"""Which stored articles a feed has, as entries, and the feed's head."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from crawler import spiders
from crawler.config import Config
from crawler.items import Article
from crawler.publish.builder import EntryBuilder, EntryRequest
from crawler.publish.entries import Entry
from crawler.publish.feeds import EntryUnit
from crawler.publish.feeds.feed import FeedHead, make_urn
from crawler.publish.phrases import OUTPUT_LANGUAGES
from crawler.publish.query import ArticleQuery, list_articles, list_stories
from crawler.store import Store


def make_feed_entries(config: Config, store: Store, query: ArticleQuery, unit: EntryUnit, limit: int) -> list[Entry]:
    """Return the entries of a feed. Each names its sources in its article's language."""
    return EntryBuilder(config, store).build(
        EntryRequest(
            article=article,
            rules=query.rules,
            strength=query.strength,
            language=article.language if article.language in OUTPUT_LANGUAGES else "en",
        )
        for article in _list_articles(store, query, unit, limit)
    )


def make_feed_head(
    config: Config, query: ArticleQuery, unit: EntryUnit, labels: Mapping[str, str], *, address: str | None
) -> FeedHead:
    """Return a title that names the query, and an id that is the same for the same query.

    `labels` are titles of the rules by name, in the language of `get_feed_language`.
    """
    language = get_feed_language(query)
    sources = query.sources or tuple(spiders.load_spiders())
    names = (
        *(labels[rule] for rule in query.rules),
        *(spiders.get_title(source, language or "en") for source in query.sources),
        *query.languages,
    )
    filters = (",".join(sorted(each)) for each in (query.rules, query.sources, query.languages))
    return FeedHead(
        id=make_urn("feed", unit, query.strength, *filters),
        title=": ".join(filter(None, (config.feeds.title, ", ".join(names)))),
        home=config.feeds.address or spiders.load_spider(sources[0]).origins[0],
        address=address,
        language=language,
        by_story=unit is EntryUnit.STORY,
        labels=labels,
        made_at=datetime.now(UTC),
    )


def get_feed_language(query: ArticleQuery) -> str | None:
    """Return the one language of a feed, or None."""
    return query.languages[0] if len(query.languages) == 1 else None


def _list_articles(store: Store, query: ArticleQuery, unit: EntryUnit, limit: int) -> Iterable[Article]:
    """Return the article of each entry: for a story, its first."""
    if unit is EntryUnit.ARTICLE:
        return list_articles(store, query, limit=limit)
    return (story[0] for story in list_stories(store, query, limit=limit, include_earlier=True))
