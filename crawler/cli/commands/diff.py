"""`crawler diff`: what changed between two versions of an article, or between two texts."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.commands.versions import format_version, version_to_dict
from crawler.cli.console import (
    format_text_removal,
    is_file_name,
    list_lines,
    parse_json_line,
    print_error,
    print_json,
    read_text,
)
from crawler.cli.options import MAX_COUNT, JsonOption
from crawler.errors import CrawlerError, UsageError
from crawler.items import Article

if TYPE_CHECKING:
    from crawler.publish.diff_format import DiffLine
    from crawler.revisions.revision_diff import RevisionDiff

STYLE_OF_MARK = {"same": "", "removed": "red strike", "added": "green"}
TEXT_LANGUAGES = ("en", "ru", "kk")


def diff(
    context: typer.Context,
    article: Annotated[
        str | None,
        typer.Argument(metavar="ARTICLE|A", help="Article id, URL, the source's number for it, or a text file."),
    ] = None,
    other: Annotated[str | None, typer.Argument(metavar="[B]", help="Text file to compare the file A with.")] = None,
    first: Annotated[
        int | None,
        typer.Option("--from", min=1, max=MAX_COUNT, metavar="N", help="Version. Default: the one before --to."),
    ] = None,
    last: Annotated[
        int | None, typer.Option("--to", min=1, max=MAX_COUNT, metavar="N", help="Version. Default: the newest.")
    ] = None,
    language: Annotated[
        str | None,
        typer.Option("--language", metavar="LANGUAGE", help="Language of the article texts: en, ru or kk."),
    ] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Judge the edits of a JSON Lines file A, or of standard input.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what changed between two versions or texts.

    --jsonl reads lines {"id", "language"?, "before", "after"} and prints {"id", "severity", "kinds", "reason"}.
    """
    if language is not None and language not in TEXT_LANGUAGES:
        raise UsageError(f"--language {language}: it must be one of {', '.join(TEXT_LANGUAGES)}.")
    if (jsonl or other is not None) and (first is not None or last is not None):
        raise UsageError("--from and --to are versions of an article; texts have none.")
    if jsonl:
        if other is not None:
            raise UsageError("diff --jsonl takes one file of edits, not two.")
        for row in judge_lines(read_text(article or "-"), article or "-", language):
            print_json(row)
    elif article is None:
        raise UsageError("diff needs an article (id, URL or number), two text files, or --jsonl FILE.")
    elif other is not None:
        _show_text_diff(article, other, language, as_json=as_json)
    else:
        _show_version_diff(context, article, first, last, as_json=as_json)


def judge_lines(text: str, file: str, language: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the judgement about each JSON line of a text. Raise UsageError that names a bad line."""
    from crawler.revisions.changes import diff_texts

    for where, line in list_lines(text, file):
        edit = _parse_edit(line, where)
        changes = diff_texts(edit["before"], edit["after"], edit.get("language") or language)
        yield {
            "id": edit["id"],
            "severity": changes.severity,
            "kinds": sorted(changes.kinds),
            "reason": changes.reason,
        }


def _parse_edit(line: str, where: str) -> dict[str, Any]:
    edit = parse_json_line(line, where)
    if not isinstance(edit, dict) or "id" not in edit:
        raise UsageError(f'The {where} needs "id", "before" and "after".')
    if not all(isinstance(edit.get(side), str) for side in ("before", "after")):
        raise UsageError(f'The {where} needs "before" and "after", each a text.')
    if edit.get("language") not in (None, *TEXT_LANGUAGES):
        raise UsageError(f'In the {where}, "language" is not one of {", ".join(TEXT_LANGUAGES)}.')
    return edit


def _show_text_diff(old_file: str, new_file: str, language: str | None, *, as_json: bool) -> None:
    from crawler.publish.diff_format import list_diff_lines
    from crawler.revisions.alignment import DiffSpan
    from crawler.revisions.changes import diff_texts

    for file in (old_file, new_file):
        if file != "-" and not is_file_name(file):
            raise UsageError(f"There is no text file {file}: with two arguments, diff compares two files.")
    changes = diff_texts(read_text(old_file), read_text(new_file), language)
    if as_json:
        print_json({"from": old_file, "to": new_file, **changes.to_dict()})
        return
    head = [f"{old_file} → {new_file}", format_severity(changes), ""]
    _print_lines([*([DiffSpan("same", line)] for line in head), *list_diff_lines(changes)])


def _show_version_diff(
    context: typer.Context, article: str, first: int | None, last: int | None, *, as_json: bool
) -> None:
    from crawler.cli.selection import resolve_article
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.publish.diff_format import list_diff_lines
    from crawler.revisions.alignment import DiffSpan
    from crawler.revisions.changes import diff_articles

    config = load_config(context.obj)
    with open_configured_store(config) as store:
        found = store.versions.list_by_article(resolve_article(store, article, config))
        new = _get_version(found, last) if last else found[-1]
        before = [each for each in found if (each.version or 0) < (new.version or 0)]
        old = _get_version(found, first) if first else before[-1] if before else new
        # Only neighbours are judged when they are saved. Any other pair is judged now.
        stored = store.diffs.get(new.id, new.version or 1) if before and old is before[-1] else None
    for side in (old, new):
        if removal := format_text_removal(side, config.timezone):
            raise CrawlerError(f"Version {side.version} of {side.id} cannot be compared. {removal}")
    if len(found) == 1 and first is None and last is None:
        print_error(f"{new.id} has one version: it did not change since it was first seen.")
    changes = stored or diff_articles(old, new)
    if as_json:
        sides = {"from": version_to_dict(old), "to": version_to_dict(new)}
        print_json({"id": new.id, **sides, **changes.to_dict()})
        return
    head = [f"{new.id}  {new.headline}", new.url]
    head += list(dict.fromkeys(format_version(each, config.timezone) for each in (old, new)))
    head += [format_severity(changes), f"judged by the rules {changes.rules}", ""]
    _print_lines([*([DiffSpan("same", line)] for line in head), *list_diff_lines(changes)])


def format_severity(changes: RevisionDiff) -> str:
    """Return the severity of a diff and its reason as one line."""
    return changes.summary if changes.changed else "nothing changed"


def _print_lines(lines: Sequence[DiffLine]) -> None:
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
