"""`crawler feed`: what matched as Atom, JSON Feed or RSS, for any feed reader."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.errors import UsageError
from crawler.items import Strength
from crawler.text.counts import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.config import Config
    from crawler.items import Article
    from crawler.publish import ArticleQuery, Entry
    from crawler.publish.feeds.feed import FeedHead
    from crawler.store import Store


class FeedFormat(StrEnum):
    """The kinds of feed."""

    ATOM = "atom"
    JSON = "json"
    RSS = "rss"


class EntryUnit(StrEnum):
    """What an entry is."""

    STORY = "story"
    ARTICLE = "article"


FORMATS_OF_SUFFIX = {
    ".atom": (FeedFormat.ATOM,),
    ".json": (FeedFormat.JSON,),
    ".rss": (FeedFormat.RSS,),
    ".xml": (FeedFormat.ATOM, FeedFormat.RSS),
}
"""What a file of that ending may hold, the first of them where nothing else is said."""


def feed(
    context: typer.Context,
    rule: Annotated[str | None, typer.Argument(metavar="[RULE]", help="Everything that matched when none.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only this source; may be given again.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only this language; may be given again.")] = None,
    form: Annotated[
        FeedFormat | None, typer.Option("--format", help="Without it the ending of -o says so, else atom.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write; without it the feed is printed.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many entries.")] = 50,
    since: Annotated[
        str | None, typer.Option(help="A day, a time with offset, or an age: 2026-01-31, 36h, 90d.")
    ] = None,
    unit: Annotated[EntryUnit, typer.Option(help="What an entry is.")] = EntryUnit.STORY,
    strength: Annotated[
        Strength, typer.Option(help="Which matches count: weak adds those that are not sure.")
    ] = Strength.STRONG,
) -> None:
    """Write a feed of what matched, within the rights of each source, for any feed reader."""
    from crawler.cli.selection import make_query
    from crawler.config import load_config
    from crawler.publish.atomic_write import open_atomic, resolve_output_path
    from crawler.publish.outputs import FEED_FORMATS
    from crawler.store import open_store

    kind = choose_format(output, form)
    if output is not None:
        resolve_output_path(output)
    config = load_config(context.obj)
    wanted = make_query(
        config,
        rules=(rule,) if rule else (),
        sources=source or (),
        languages=language or (),
        strength=strength,
        since=since,
    )
    with open_store(config.database_url) as store:
        entries = list(_make_entries(config, store, wanted, _list_articles(store, wanted, unit, limit)))
    written = FEED_FORMATS[kind](_make_feed(config, wanted, unit, output), entries)
    if output is None:
        sys.stdout.buffer.write(written)
        return
    with open_atomic(output) as file:
        file.write(written)
    typer.echo(f"{output}: {format_count(len(entries), 'entry', 'entries')}.")


def choose_format(output: Path | None, form: FeedFormat | None) -> FeedFormat:
    """The kind of feed that is asked for; UsageError for an ending that is no feed's, or of another kind's."""
    if output is None:
        return form or FeedFormat.ATOM
    kinds = FORMATS_OF_SUFFIX.get(output.suffix.lower())
    if kinds is None:
        raise UsageError(f"-o {output}: the ending must be one of {', '.join(FORMATS_OF_SUFFIX)}.")
    if form is not None and form not in kinds:
        raise UsageError(f"-o {output} and --format {form} contradict each other: leave one of them out.")
    return form or kinds[0]


def _make_entries(config: Config, store: Store, wanted: ArticleQuery, shown: Iterable[Article]) -> Iterator[Entry]:
    """The entries, each with its sources named in its own language."""
    from crawler.publish import EntryBuilder
    from crawler.publish.translations import OUTPUT_LANGUAGES

    makers = {language: EntryBuilder(config, store, language=language) for language in OUTPUT_LANGUAGES}
    door = makers["en"].make_door()
    for article in shown:
        maker = makers.get(article.language or "en", makers["en"])
        yield maker.build(article, door, rules=wanted.rules, strength=wanted.strength)


def _list_articles(store: Store, wanted: ArticleQuery, unit: EntryUnit, limit: int) -> Iterable[Article]:
    """The article that each entry shows: a story's first."""
    from crawler.publish.query import list_articles, list_stories

    if unit is EntryUnit.ARTICLE:
        return list_articles(store, wanted, limit=limit)
    return (story[0] for story in list_stories(store, wanted, limit=limit, include_earlier=True))


def _make_feed(config: Config, wanted: ArticleQuery, unit: EntryUnit, output: Path | None) -> FeedHead:
    """The feed's head: named after what is asked for, by an id that is the same for the same question."""
    from crawler import spiders
    from crawler.cli.selection import get_rule_titles
    from crawler.publish.feeds.feed import FeedHead, make_urn

    language = wanted.languages[0] if len(wanted.languages) == 1 else None
    labels, base = get_rule_titles(config, language or "en"), config.feeds.address
    sources = wanted.sources or tuple(spiders.list_names())
    named = (
        *(labels[rule] for rule in wanted.rules),
        *(spiders.get_title(source, language or "en") for source in wanted.sources),
        *wanted.languages,
    )
    asked = (unit, wanted.strength, *(",".join(sorted(n)) for n in (wanted.rules, wanted.sources, wanted.languages)))
    return FeedHead(
        id=make_urn("feed", *asked),
        title=": ".join(filter(None, (config.feeds.title, ", ".join(named)))),
        home=base or spiders.load_spider(sources[0]).origins[0],
        address=f"{base.rstrip('/')}/{output.name}" if base and output else None,
        language=language,
        by_story=unit is EntryUnit.STORY,
        labels=labels,
        made_at=datetime.now(UTC),
    )
