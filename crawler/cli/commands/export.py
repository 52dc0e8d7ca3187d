"""`crawler export`: stored articles as a table for spreadsheets and notebooks, within the rights of each source."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from crawler.errors import UsageError
from crawler.items import Strength
from crawler.text.counts import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.config import Config
    from crawler.publish import ArticleQuery, Entry
    from crawler.store import Store

FORMATS = (".jsonl", ".csv", ".parquet")
SEPARATORS = {",": ",", ";": ";", "tab": "\t"}


def export(
    context: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write: .jsonl, .csv or .parquet.")],
    rule: Annotated[list[str] | None, typer.Option(help="Only what this rule found; may be given again.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only this source; may be given again.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only this language; may be given again.")] = None,
    since: Annotated[
        str | None, typer.Option(help="A day, a time with offset, or an age: 2026-01-31, 36h, 90d.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only before this day, time or age.")] = None,
    strength: Annotated[
        Strength, typer.Option(help="Which matches count: weak adds those that are not sure.")
    ] = Strength.STRONG,
    everything: Annotated[bool, typer.Option("--all", help="Articles without a match too.")] = False,
    versions: Annotated[bool, typer.Option("--versions", help="A row for each version, the newest first.")] = False,
    separator: Annotated[str, typer.Option(help="Between the cells of a .csv: , or ; or tab.")] = ",",
) -> None:
    """Write stored articles as a table, the newest first: facts, matches and an excerpt within the source's rights."""
    from crawler.cli.selection import make_query
    from crawler.config import load_config
    from crawler.publish.atomic_write import open_atomic
    from crawler.publish.exports import raise_if_no_parquet
    from crawler.store import open_store

    ending = output.suffix.lower()
    if ending not in FORMATS:
        raise UsageError(f"-o {output}: the ending must be one of {', '.join(FORMATS)}.")
    if separator not in SEPARATORS:
        raise UsageError(f"--separator {separator!r} is none of {' '.join(SEPARATORS)}.")
    if everything and rule:
        raise UsageError("--all asks for articles without a match too: leave --rule out.")
    if ending == ".parquet":
        raise_if_no_parquet()
    config = load_config(context.obj)
    wanted = make_query(
        config,
        rules=rule or (),
        sources=source or (),
        languages=language or (),
        strength=strength,
        since=since,
        until=until,
        everything=everything,
    )
    with open_store(config.database_url) as store, open_atomic(output) as file:
        number = _write_table(file, ending, SEPARATORS[separator], _make_rows(config, store, wanted, versions))
        total = store.articles.count()
    typer.echo(
        f"{output}: {format_count(number, 'version' if versions else 'article')}, of {format_count(total, 'stored article')}."
    )


def _write_table(file: IO[bytes], ending: str, separator: str, entries: Iterable[Entry]) -> int:
    from crawler.publish.exports import write_csv
    from crawler.publish.outputs import EXPORT_FORMATS

    if ending == ".csv":
        return write_csv(file, entries, separator)
    return EXPORT_FORMATS[ending.removeprefix(".")](file, entries)


def _make_rows(config: Config, store: Store, wanted: ArticleQuery, versions: bool) -> Iterator[Entry]:
    """The rows, one in memory at a time.

    An article is in the file once, with all its versions behind one door: so a door an article is as good as a door a
    file, which would remember every article.
    """
    from crawler.publish import EntryBuilder
    from crawler.publish.query import list_articles

    maker = EntryBuilder(config, store)
    for article in list_articles(store, wanted):
        door = maker.make_door()
        for version in reversed(store.articles.versions__list_by_article(article.id)) if versions else (article,):
            yield maker.build(version, door, rules=wanted.rules, strength=wanted.strength, with_others=False)
