"""`crawler feed`: write what matched as Atom, JSON Feed or RSS, for any feed reader."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crawler.cli.options import MAX_COUNT, LanguageOption, SinceOption, SourceOption, StrengthOption
from crawler.errors import UsageError
from crawler.items import Strength
from crawler.publish.feeds import EntryUnit


class FeedFormat(StrEnum):
    """A format of feeds."""

    ATOM = "atom"
    JSON = "json"
    RSS = "rss"


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
    from crawler.cli.selection import get_rule_titles, make_query
    from crawler.config import load_config
    from crawler.publish.atomic_write import PUBLIC_FILE_MODE, open_atomic, resolve_output_path
    from crawler.publish.feeds.selection import get_feed_language, make_feed_entries, make_feed_head
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
        entries = make_feed_entries(config, store, query, unit, limit)
    base, labels = config.feeds.address, get_rule_titles(config, get_feed_language(query) or "en")
    address = f"{base.rstrip('/')}/{output.name}" if base and output else None
    written = FEED_FORMATS[feed_format](make_feed_head(config, query, unit, labels, address=address), entries)
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
