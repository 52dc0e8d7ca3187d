"""`crawler export`: write stored articles as a table for spreadsheets and notebooks, within each source's rights."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli.options import LanguageOption, RuleOption, SinceOption, SourceOption, StrengthOption, UntilOption
from crawler.errors import UsageError
from crawler.items import Strength

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crawler.config import Config
    from crawler.publish.entries import Entry
    from crawler.publish.query import ArticleQuery
    from crawler.store import Store

ARTICLES_PER_UPDATE = 100
"""Articles after which a terminal shows how many are done."""
SEPARATORS = {",": ",", ";": ";", "tab": "\t"}


def export(
    context: typer.Context,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="File to write: .jsonl, .csv, .xlsx or .parquet.")
    ],
    rule: RuleOption = None,
    source: SourceOption = None,
    language: LanguageOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    strength: StrengthOption = Strength.STRONG,
    everything: Annotated[bool, typer.Option("--all", help="Include articles without a match.")] = False,
    versions: Annotated[bool, typer.Option("--versions", help="Write a row for each version, newest first.")] = False,
    separator: Annotated[
        str, typer.Option(metavar="CHARACTER", help="Separator of a .csv: a comma, a semicolon, or `tab`.")
    ] = ",",
) -> None:
    """Write stored articles to a table (.csv .xlsx .parquet …).

    Rows have facts, matches and the excerpt that the source's rights allow, newest article first.
    """
    from crawler.cli.selection import make_query
    from crawler.cli.task_progress import show_progress
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.publish.atomic_write import open_atomic
    from crawler.publish.output_registry import raise_if_no_table, write_table
    from crawler.publish.query import ArticleQuery
    from crawler.text.counts import format_count
    from crawler.text.dates import load_time_zone

    raise_if_no_table(output)
    if separator not in SEPARATORS:
        raise UsageError(f"--separator {separator!r} is none of {' '.join(SEPARATORS)}.")
    if everything and rule:
        raise UsageError("--all and --rule cannot be combined: --all includes articles without a match.")
    config = load_config(context.obj)
    query = make_query(
        config,
        rules=rule or (),
        sources=source or (),
        languages=language or (),
        strength=strength,
        since=since,
        until=until,
        everything=everything,
    )
    with open_configured_store(config) as store, open_atomic(output) as file:
        if output.suffix.lower() == ".xlsx":
            _raise_if_too_many_articles(store, query)
        total = store.articles.count()
        expected = total if query == ArticleQuery(include_unmatched=True, strength=strength) else None
        with show_progress() as progress:
            show_count = partial(progress.update, "exporting articles", total=expected)
            rows = _make_rows(config, store, query, show_count, with_versions=versions)
            zone = load_time_zone(config.timezone)
            count = write_table(file, output, rows, zone=zone, separator=SEPARATORS[separator])
    written = format_count(count, "version" if versions else "article")
    typer.echo(f"{output}: {written}, of {format_count(total, 'stored article')}.")


def _raise_if_too_many_articles(store: Store, query: ArticleQuery) -> None:
    """Raise TooManyRows, before any row is made, if a sheet cannot have the articles."""
    from crawler.publish.query import list_articles
    from crawler.publish.spreadsheet import MAX_ROWS, raise_if_too_many_rows

    if store.articles.count() >= MAX_ROWS:
        raise_if_too_many_rows(sum(1 for _ in list_articles(store, query, limit=MAX_ROWS)))


def _make_rows(
    config: Config, store: Store, query: ArticleQuery, show_count: Callable[[int], None], *, with_versions: bool
) -> Iterator[Entry]:
    """Yield the rows, with one article in memory at a time.

    An article is in the file once, so its versions share one excerpt without the other articles being known.
    """
    from crawler.publish.builder import EntryBuilder, EntryRequest
    from crawler.publish.query import list_articles

    builder = EntryBuilder(config, store)
    for number, article in enumerate(list_articles(store, query)):
        if number % ARTICLES_PER_UPDATE == 0:
            show_count(number)
        versions = reversed(store.versions.list_by_article(article.id)) if with_versions else (article,)
        yield from builder.build(
            EntryRequest(
                article=version, rules=query.rules, strength=query.strength, with_severity=True, with_related=False
            )
            for version in versions
        )
