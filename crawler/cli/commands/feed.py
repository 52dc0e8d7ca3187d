"""`crawler feed`: write what matched as Atom, JSON Feed or RSS, for any feed reader."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli.options import MAX_COUNT, LanguageOption, SinceOption, SourceOption, StrengthOption
from crawler.errors import UsageError
from crawler.items import Strength

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.config import Config
    from crawler.items import Article
    from crawler.publish.entries import Entry
    from crawler.publish.feeds.feed import FeedHead
    from crawler.publish.query import ArticleQuery
    from crawler.store import Store


class FeedFormat(StrEnum):
    """A format of feeds."""

    ATOM = "atom"
    JSON = "json"
    RSS = "rss"


class EntryUnit(StrEnum):
    """What one entry of a feed is."""

    STORY = "story"
    ARTICLE = "article"


FORMATS_OF_SUFFIX = {
    ".atom": (FeedFormat.ATOM,),
    ".json": (FeedFormat.JSON,),
    ".rss": (FeedFormat.RSS,),
    ".xml": (FeedFormat.ATOM, FeedFormat.RSS),
}
"""Formats that a file with this suffix may have; the first is the default."""


def feed(
    context: typer.Context,
    rule: Annotated[str | None, typer.Argument(metavar="RULE", help="Name of a rule. Default: all rules.")] = None,
    source: SourceOption = None,
    language: LanguageOption = None,
    form: Annotated[
        FeedFormat | None, typer.Option("--format", help="Format. Default: from the ending of -o, else atom.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="File to write. Default: print the feed.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_COUNT, metavar="N", help="At most N entries.")] = 50,
    since: SinceOption = None,
    unit: Annotated[EntryUnit, typer.Option(help="What one entry is.")] = EntryUnit.STORY,
    strength: StrengthOption = Strength.STRONG,
) -> None:
    """Write a feed of what matched (Atom, JSON Feed, RSS).

    Texts are within the rights of each source.
    """
    from crawler.cli.selection import make_query
    from crawler.config import load_config
    from crawler.publish.atomic_write import PUBLIC_FILE_MODE, open_atomic, resolve_output_path
    from crawler.publish.output_registry import FEED_FORMATS
    from crawler.service.clustered_store import open_clustered_store
    from crawler.text.counts import format_count

    feed_format = choose_format(output, form)
    if output is not None:
        resolve_output_path(output)
    config = load_config(context.obj)
    query = make_query(
        config,
        rules=(rule,) if rule else (),
        sources=source or (),
        languages=language or (),
        strength=strength,
        since=since,
    )
    with open_clustered_store(config) as store:
        entries = _make_entries(config, store, query, _list_articles(store, query, unit, limit))
    written = FEED_FORMATS[feed_format](_make_feed(config, query, unit, output), entries)
    if output is None:
        sys.stdout.buffer.write(written)
        return
    with open_atomic(output, new_file_mode=PUBLIC_FILE_MODE) as file:
        file.write(written)
    typer.echo(f"{output}: {format_count(len(entries), 'entry', 'entries')}.")


def choose_format(output: Path | None, form: FeedFormat | None) -> FeedFormat:
    """Return the format. Raise UsageError for a suffix that no feed has, or that contradicts --format."""
    if output is None:
        return form or FeedFormat.ATOM
    formats = FORMATS_OF_SUFFIX.get(output.suffix.lower())
    if formats is None:
        raise UsageError(f"-o {output}: the ending must be one of {', '.join(FORMATS_OF_SUFFIX)}.")
    if form is not None and form not in formats:
        raise UsageError(f"-o {output} and --format {form} contradict each other. Give only one of them.")
    return form or formats[0]


def _make_entries(config: Config, store: Store, query: ArticleQuery, articles: Iterable[Article]) -> list[Entry]:
    """Return an entry for each article. It names its sources in the article's language."""
    from crawler.publish.builder import EntryBuilder, EntryRequest
    from crawler.publish.phrases import OUTPUT_LANGUAGES

    return EntryBuilder(config, store).build(
        EntryRequest(
            article=article,
            rules=query.rules,
            strength=query.strength,
            language=article.language if article.language in OUTPUT_LANGUAGES else "en",
        )
        for article in articles
    )


def _list_articles(store: Store, query: ArticleQuery, unit: EntryUnit, limit: int) -> Iterable[Article]:
    """Return the article of each entry: for a story, its first."""
    from crawler.publish.query import list_articles, list_stories

    if unit is EntryUnit.ARTICLE:
        return list_articles(store, query, limit=limit)
    return (story[0] for story in list_stories(store, query, limit=limit, include_earlier=True))


def _make_feed(config: Config, query: ArticleQuery, unit: EntryUnit, output: Path | None) -> FeedHead:
    """Return the feed's head: a title that names the query, and an id that is the same for the same query."""
    from crawler import spiders
    from crawler.cli.selection import get_rule_titles
    from crawler.publish.feeds.feed import FeedHead, make_urn

    language = query.languages[0] if len(query.languages) == 1 else None
    labels, base = get_rule_titles(config, language or "en"), config.feeds.address
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
        home=base or spiders.load_spider(sources[0]).origins[0],
        address=f"{base.rstrip('/')}/{output.name}" if base and output else None,
        language=language,
        by_story=unit is EntryUnit.STORY,
        labels=labels,
        made_at=datetime.now(UTC),
    )
