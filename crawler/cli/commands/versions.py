"""`crawler versions` and `crawler diff`: the versions of an article, and what changed between two of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.console import print_error, print_json
from crawler.cli.options import MAX_COUNT, ArticleArgument, JsonOption
from crawler.errors import UsageError
from crawler.items import Article, SnapshotRef, format_time

if TYPE_CHECKING:
    from crawler.publish.diff_format import DiffLine
    from crawler.revisions.changes import RevisionDiff
    from crawler.similarity.language_versions import TranslatedRelease

STYLE_OF_MARK = {"same": "", "removed": "red strike", "added": "green"}


def versions(context: typer.Context, article: ArticleArgument, as_json: JsonOption = False) -> None:
    """List the versions of an article, and what each changed."""
    from crawler.cli.releases import find_release, format_release
    from crawler.cli.selection import resolve_article
    from crawler.config import load_config
    from crawler.revisions.changes import diff_articles
    from crawler.store import open_store

    config = load_config(context.obj)
    with open_store(config.database_url) as store:
        found = store.versions.list_by_article(resolve_article(store, article, config))
        release = find_release(store, config, found[-1])
    changes = [None, *(diff_articles(old, new) for old, new in pairwise(found))]
    if not as_json:
        print(f"{found[-1].id}  {found[-1].headline}\n{found[-1].url}")
        if release is not None:
            print(f"languages: {format_release(release)}")
    for version, change in zip(found, changes, strict=True):
        if as_json:
            print_json(version_to_dict(version, change, release))
        else:
            print(format_version(version, config.timezone))
            if change:
                print(f"    {change.severity}: {change.reason}")


def diff(
    context: typer.Context,
    article: ArticleArgument,
    first: Annotated[
        int | None,
        typer.Option("--from", min=1, max=MAX_COUNT, metavar="N", help="Version. Default: the one before --to."),
    ] = None,
    last: Annotated[
        int | None, typer.Option("--to", min=1, max=MAX_COUNT, metavar="N", help="Version. Default: the newest.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what changed between two versions of an article."""
    from crawler.cli.selection import resolve_article
    from crawler.config import load_config
    from crawler.publish.diff_format import list_diff_lines
    from crawler.revisions.alignment import DiffSpan
    from crawler.revisions.changes import diff_articles
    from crawler.store import open_store

    config = load_config(context.obj)
    with open_store(config.database_url) as store:
        found = store.versions.list_by_article(resolve_article(store, article, config))
    if len(found) == 1 and first is None and last is None:
        print_error(f"{found[0].id} has one version: it did not change since it was first seen.")
    new = _get_version(found, last) if last else found[-1]
    before = [each for each in found if (each.version or 0) < (new.version or 0)]
    old = _get_version(found, first) if first else before[-1] if before else new
    changes = diff_articles(old, new)
    if as_json:
        sides = {"from": version_to_dict(old), "to": version_to_dict(new)}
        print_json({"id": new.id, **sides, **changes.to_dict()})
        return
    head = [f"{new.id}  {new.headline}", new.url]
    head += list(dict.fromkeys(format_version(each, config.timezone) for each in (old, new)))
    head += [f"{changes.severity}: {changes.reason}" if changes.changed else "nothing changed", ""]
    print_lines([*([DiffSpan("same", line)] for line in head), *list_diff_lines(changes)])


def version_to_dict(
    version: Article, changes: RevisionDiff | None = None, release: TranslatedRelease | None = None
) -> dict[str, Any]:
    """Return a version without its text, with what it changed and the languages that its release lacks."""
    values = version.to_dict()
    row: dict[str, Any] = {name: values[name] for name in ("version", "verdict", "fetched_at", "snapshot")}
    if changes is not None:
        row |= {"severity": changes.severity, "reason": changes.reason}
    if release is not None:
        row["missing_languages"] = list(release.missing_languages)
    return row


def format_version(version: Article, timezone: str) -> str:
    """Return a version's number, verdict, time and record as one line."""
    from crawler.text.dates import load_time_zone

    when = (
        format_time(version.fetched_at.astimezone(load_time_zone(timezone)))
        if version.fetched_at
        else "at an unknown time"
    )
    return f"version {version.version}  {version.verdict:11}  fetched {when}  {format_snapshot_place(version.snapshot)}"


def format_snapshot_place(ref: SnapshotRef | None) -> str:
    """Return the file and offset at which the page of a version is archived."""
    if ref is None or ref.file is None:
        return "page not kept"
    return f"{ref.file} at byte {ref.offset}" if ref.offset is not None else ref.file


def print_lines(lines: Sequence[DiffLine]) -> None:
    """Print lines with changes: in colours on a terminal, with marks in a pipe."""
    from crawler.publish.diff_format import format_plain

    if not sys.stdout.isatty():
        for line in lines:
            print(format_plain(line))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*((part.text, STYLE_OF_MARK[part.mark]) for part in line)))


def _get_version(versions: Sequence[Article], number: int) -> Article:
    for version in versions:
        if version.version == number:
            return version
    numbers = ", ".join(str(version.version) for version in versions)
    raise UsageError(f"{versions[0].id} has no version {number}; it has {numbers}.")
