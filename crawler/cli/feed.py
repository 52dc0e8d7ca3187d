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

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.config import Config
    from crawler.entries import Entry, Wanted
    from crawler.feeds.feed import Feed
    from crawler.items import Article
    from crawler.store import Store


class Format(StrEnum):
    """The kinds of feed."""

    ATOM = "atom"
    JSON = "json"
    RSS = "rss"


class Unit(StrEnum):
    """What an entry is."""

    STORY = "story"
    ARTICLE = "article"


ENDINGS = {
    ".atom": (Format.ATOM,),
    ".json": (Format.JSON,),
    ".rss": (Format.RSS,),
    ".xml": (Format.ATOM, Format.RSS),
}
"""What a file of that ending may hold, the first of them where nothing else is said."""


def feed(
    context: typer.Context,
    rule: Annotated[str | None, typer.Argument(metavar="[RULE]", help="Everything that matched when none.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only this source; may be given again.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only this language; may be given again.")] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="Without it the ending of -o says so, else atom.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write; without it the feed is printed.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many entries.")] = 50,
    since: Annotated[
        str | None, typer.Option(help="A day, a time with offset, or an age: 2026-01-31, 36h, 90d.")
    ] = None,
    unit: Annotated[Unit, typer.Option(help="What an entry is.")] = Unit.STORY,
    strength: Annotated[
        Strength, typer.Option(help="Which matches count: weak adds those that are not sure.")
    ] = Strength.STRONG,
) -> None:
    """Write a feed of what matched, within the rights of each source, for any feed reader."""
    from crawler.cli.asked import asked
    from crawler.config import load
    from crawler.feeds.outputs import FEEDS
    from crawler.feeds.whole import check_place, whole_file
    from crawler.store import open_store

    kind = kind_of(output, form)
    if output is not None:
        check_place(output)
    config = load(context.obj)
    wanted = asked(
        config,
        rules=(rule,) if rule else (),
        sources=source or (),
        languages=language or (),
        strength=strength,
        since=since,
    )
    with open_store(config.database_url) as store:
        entries = list(_entries(config, store, wanted, _first(store, wanted, unit, limit)))
    written = FEEDS[kind](_head(config, wanted, unit, output), entries)
    if output is None:
        sys.stdout.buffer.write(written)
        return
    with whole_file(output) as file:
        file.write(written)
    typer.echo(f"{output}: {len(entries)} entries.")


def kind_of(output: Path | None, form: Format | None) -> Format:
    """The kind of feed that is asked for; UsageError for an ending that is no feed's, or of another kind's."""
    if output is None:
        return form or Format.ATOM
    kinds = ENDINGS.get(output.suffix.lower())
    if kinds is None:
        raise UsageError(f"-o {output}: the ending must be one of {', '.join(ENDINGS)}.")
    if form is not None and form not in kinds:
        raise UsageError(f"-o {output} and --format {form} contradict each other: leave one of them out.")
    return form or kinds[0]


def _entries(config: Config, store: Store, wanted: Wanted, shown: Iterable[Article]) -> Iterator[Entry]:
    """The entries, each with its sources named in its own language."""
    from crawler.entries import Maker
    from crawler.entries.phrases import LANGUAGES

    makers = {language: Maker(config, store, language=language) for language in LANGUAGES}
    door = makers["en"].door()
    for article in shown:
        maker = makers.get(article.language or "en", makers["en"])
        yield maker.entry(article, door, rules=wanted.rules, strength=wanted.strength)


def _first(store: Store, wanted: Wanted, unit: Unit, limit: int) -> Iterable[Article]:
    """The article that each entry shows: a story's first."""
    from crawler.entries.gather import articles, gather

    if unit is Unit.ARTICLE:
        return articles(store, wanted, limit=limit)
    return (story[0] for story in gather(store, wanted, limit=limit, earlier=True))


def _head(config: Config, wanted: Wanted, unit: Unit, output: Path | None) -> Feed:
    """The feed's head: named after what is asked for, by an id that is the same for the same question."""
    from crawler import spiders
    from crawler.cli.asked import titles
    from crawler.feeds.feed import Feed, urn

    language = wanted.languages[0] if len(wanted.languages) == 1 else None
    labels, base = titles(config, language or "en"), config.feeds.address
    sources = wanted.sources or tuple(spiders.names())
    named = (
        *(labels[rule] for rule in wanted.rules),
        *(spiders.title_of(source, language or "en") for source in wanted.sources),
        *wanted.languages,
    )
    asked = (unit, wanted.strength, *(",".join(sorted(n)) for n in (wanted.rules, wanted.sources, wanted.languages)))
    return Feed(
        id=urn("feed", *asked),
        title=": ".join(filter(None, (config.feeds.title, ", ".join(named)))),
        home=base or spiders.load(sources[0]).origins[0],
        address=f"{base.rstrip('/')}/{output.name}" if base and output else None,
        language=language,
        by_story=unit is Unit.STORY,
        labels=labels,
        made_at=datetime.now(UTC),
    )
