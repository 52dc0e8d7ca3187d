"""`crawler reprocess`: compare the stored versions with what today's page classes and rules read in the archive."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.commands.store import shorten_list, show_file
from crawler.cli.console import format_table, print_error, print_json
from crawler.cli.options import JsonOption
from crawler.errors import UsageError

if TYPE_CHECKING:
    from crawler.service.reprocess import ReprocessReport, VersionDifference

MAX_EXAMPLE_LENGTH = 60
"""Characters shown of each value in the table."""
CHARACTERS_BEFORE_DIFFERENCE = 20
"""Characters shown before the first place where two long values differ."""
MAX_SENTENCE_LENGTH = 200
MAX_LISTED_MATCHES = 100
"""Matches of each kind that are printed for people."""


def reprocess(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE", help="Names of sources. Default: all sources.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Only pages fetched since: 2026-01-31, 36h, 90d."),
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Only pages fetched before.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Store what differs as reprocessed versions.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read the archive again by today's page classes and rules.

    It prints which fields and matches of the stored versions differ. With --write the current fields and matches are
    updated; no subscriber is notified. Exits with 12 if something differs, with 1 if the archive is damaged.
    """
    from crawler import spiders
    from crawler.cli.selection import raise_if_unknown_source
    from crawler.cli.time_options import parse_since
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.errors import choose_exit_code
    from crawler.service.reprocess import ReprocessListener, Reprocessor, ReprocessScope

    raise_if_unknown_source(sources or ())
    config, now = load_config(context.obj), datetime.now(UTC)
    scope = ReprocessScope(
        since=parse_since(since, config.timezone, now), until=parse_since(until, config.timezone, now, "--until")
    )
    if scope.since and scope.until and scope.since >= scope.until:
        raise UsageError(f"--since {since} is not before --until {until}.")
    # Each page that cannot be read is named once, below.
    logging.getLogger().addHandler(logging.NullHandler())
    reports = []
    with open_configured_store(config) as store:
        reprocessor = Reprocessor(config, store, scope=scope, write=write)
        for name in dict.fromkeys(sources or spiders.list_names()):
            examples = _Examples()
            on_difference = print_difference if as_json else examples.add
            report = reprocessor.reprocess_source(name, ReprocessListener(on_difference, show_file))
            reports.append(report)
            if as_json:
                print_report(report)
            else:
                print("\n".join(format_report(report, examples, write=write)))
            if report.lock:
                print_error(report.lock)
            for line in shorten_list([f"{message} ({count} versions)" for message, count in report.damage.items()]):
                print_error(f"not read: {line}")
    raise typer.Exit(choose_exit_code(report.exit_code for report in reports))


def print_difference(found: VersionDifference) -> None:
    """Print a version that differs as one line of JSON."""
    difference = found.difference
    print_json(
        {
            "type": "version",
            "source": found.stored.source,
            "id": found.stored.id,
            "version": found.stored.version,
            "is_current": found.is_current,
            "fields": {each.field: {"before": each.before, "after": each.after} for each in difference.fields},
            "gained": [asdict(match) for match in difference.gained],
            "lost": [asdict(match) for match in difference.lost],
        }
    )


def print_report(report: ReprocessReport) -> None:
    """Print what could not be compared, and the totals of a source, as lines of JSON."""
    for each in report.unreadable:
        row = {"id": each.article_id, "version": each.version, "reason": each.reason}
        print_json({"type": "unreadable", "source": report.source, **row})
    for message, count in report.damage.items():
        print_json({"type": "damage", "source": report.source, "reason": message, "versions": count})
    names = ("source", "pages", "versions", "differing", "earlier", "written", "gained", "lost", "fields")
    totals: dict[str, Any] = {name: getattr(report, name) for name in names}
    totals |= {name: len(getattr(report, name)) for name in ("unreadable", "without_page")}
    locked = str(report.lock) if report.lock else None
    print_json({"type": "source", **totals, "damaged": report.damage.total(), "locked": locked})


@dataclass(slots=True)
class _Examples:
    """The first example of each field that differs, and the matches that come and go, each as a line."""

    fields: dict[str, str] = field(default_factory=dict)
    gained: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def add(self, found: VersionDifference) -> None:
        """Keep what of a version is the first of its kind, and its matches."""
        name = f"{found.stored.id} version {found.stored.version}"
        for each in found.difference.fields:
            if each.field not in self.fields:
                self.fields[each.field] = f"{name}: {format_change(each.before, each.after)}"
        for lines, matches in ((self.gained, found.difference.gained), (self.lost, found.difference.lost)):
            for match in matches:
                sentence = shorten(" ".join(match.sentence.split()), MAX_SENTENCE_LENGTH)
                lines.append(f"{name}  {match.rule}, {match.term!r} ({match.strength}): {sentence}")


def format_report(report: ReprocessReport, examples: _Examples, *, write: bool) -> Iterator[str]:
    """Yield a source's totals, the table of fields, the matches, and what could not be compared."""
    from crawler.text.counts import format_count

    read = f"{format_count(report.pages, 'page')} read, {format_count(report.versions, 'version')} compared"
    result = f"{report.differing} differ" if report.differing else "nothing differs"
    if report.lock is not None:
        yield f"{report.source}: not read."
    elif report.compared_nothing:
        yield f"{report.source}: nothing was compared, because the archive has no page of a stored version."
    else:
        yield f"{report.source}: {read}, {result}."
    if report.fields:
        names = [name for name, _ in report.fields.most_common()]
        head, *rows = format_table([("field", "versions"), *((name, str(report.fields[name])) for name in names)])
        yield f"  {head}  example: before → after"
        yield from (f"  {row}  {examples.fields[name]}" for row, name in zip(rows, names, strict=True))
    for sign, verbs, lines in (("+", ("comes", "come"), examples.gained), ("-", ("goes", "go"), examples.lost)):
        if lines:
            yield f"  {format_count(len(lines), f'match {verbs[0]}', f'matches {verbs[1]}')}:"
            yield from (f"  {sign} {line}" for line in lines[:MAX_LISTED_MATCHES])
            if len(lines) > MAX_LISTED_MATCHES:
                yield f"  {sign} and {len(lines) - MAX_LISTED_MATCHES} more; --json prints all"
    if report.earlier:
        yield f"  Earlier versions among them: {report.earlier}. They stay as they were stored."
    if report.unreadable:
        yield f"  {format_count(len(report.unreadable), 'version')} cannot be read on the archived page any more:"
        named = [f"{each.article_id} version {each.version}: {each.reason}" for each in report.unreadable]
        yield from (f"    {line}" for line in shorten_list(named))
    if report.without_page:
        yield f"  {format_count(len(report.without_page), 'version')} without an archived page:"
        yield from (f"    {line}" for line in shorten_list(report.without_page))
    if report.written:
        written = f"{format_count(report.written, 'version')} stored as reprocessed"
        yield f"  {written}. No subscriber is notified, also not of matches that come."
    elif report.differing > report.earlier and not write:
        yield "  Nothing was stored. Use --write to store the differing current versions as reprocessed."


def format_change(before: Any, after: Any) -> str:
    """Return both values as `before → after`: short ones whole, long ones around the first place that differs.

    ¶ is the end of a paragraph.
    """
    from crawler.revisions.reprocessing import format_value

    texts = [format_value(value).replace("\n", "¶") for value in (before, after)]
    if max(map(len, texts)) > MAX_EXAMPLE_LENGTH:
        pairs = enumerate(zip(*texts, strict=False))
        first = next((at for at, (one, other) in pairs if one != other), min(map(len, texts)))
        begin = max(first - CHARACTERS_BEFORE_DIFFERENCE, 0)
        texts = [f"{'…' if begin and text[begin:] else ''}{text[begin:]}" for text in texts]
    shown = [repr(shorten(text, MAX_EXAMPLE_LENGTH)) if text else "nothing" for text in texts]
    return " → ".join(shown)


def shorten(text: str, length: int) -> str:
    """Return a text, or its beginning with an ellipsis."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
