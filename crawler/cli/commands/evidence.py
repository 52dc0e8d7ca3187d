"""`crawler evidence`: write every version of an article with its archive records into a zip."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from crawler.cli.console import print_error
from crawler.cli.options import ArticleArgument
from crawler.errors import UsageError


def evidence(
    context: typer.Context,
    article: ArticleArgument,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Zip file to write.")],
) -> None:
    """Write an article's versions and WARC records to a zip.

    The zip can be checked without this program. Exits with 1 if the archive lacks the record of a version.
    """
    from crawler.cli.selection import resolve_article
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.publish.evidence import collect_evidence, write_evidence
    from crawler.text.counts import format_count

    if output.suffix.lower() != ".zip":
        raise UsageError(f"-o {output}: the ending must be .zip.")
    config = load_config(context.obj)
    with open_configured_store(config) as store:
        versions = store.versions.list_by_article(resolve_article(store, article, config))
        changes = store.diffs.list_by_article(versions[-1].id, versions)
    items = collect_evidence(versions, changes, config)
    write_evidence(output, items, datetime.now(UTC))
    missing = [each for each in items if each.missing]
    records = len({record.key for each in items for record in (*each.records, *each.robots)})
    counts = f"{format_count(len(items), 'version')}, {format_count(records, 'record')}"
    print(f"{output}: {versions[-1].id}, {counts}.")
    for each in missing:
        print_error(f"version {each.article.version} has no record: {each.missing}")
    raise typer.Exit(1 if missing else 0)
