"""`crawler replay`: compare the extraction of every snapshot with its expectation, or print the scorecard."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.console import format_table, print_error, print_json
from crawler.cli.options import JsonOption, SnapshotsOption, SourceArgument
from crawler.errors import PageChanged, SourceError, UsageError, choose_exit_code
from crawler.items import format_time

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.fixtures import FieldResult
    from crawler.fixtures.scorecard import ClassAge, PageAge, Scorecard

MAX_VALUE_LENGTH = 200
"""Characters shown of a value."""
CHARACTERS_BEFORE_DIFFERENCE = 60
"""Characters shown before the first place where two long values differ."""


def replay(
    context: typer.Context,
    source: SourceArgument = None,
    snapshots: SnapshotsOption = None,
    accept: Annotated[
        str | None, typer.Option(metavar="REASON", help="Write today's result as the new expectation, with a reason.")
    ] = None,
    report: Annotated[bool, typer.Option("--report", help="Print pass rates by field and ages of snapshots.")] = False,
    max_age: Annotated[
        str, typer.Option(metavar="AGE", help="With --report: age at which a page class needs a new snapshot.")
    ] = "365d",
    as_json: JsonOption = False,
) -> None:
    """Compare each snapshot's extraction with its expectation.

    Exits with 12 if a field differs.
    """
    from crawler.config import load_config

    if report and accept is not None:
        raise UsageError("--report and --accept cannot be combined. Run them one after the other.")
    if accept is not None and not accept.strip():
        raise UsageError("--accept needs a reason: why is today's result right?")
    config = load_config(context.obj)
    names = choose_snapshot_sources(source, snapshots)
    if report:
        raise typer.Exit(print_scorecards(config, names, snapshots, max_age, as_json=as_json))
    raise typer.Exit(compare_snapshots(config, names, snapshots, accept, as_json=as_json))


def choose_snapshot_sources(source: str | None, snapshots: Path | None) -> list[str]:
    """Return the named source, or all that the folder has snapshots of."""
    from crawler import spiders
    from crawler.cli.selection import choose_snapshots

    known = spiders.load_spiders()
    names = [source] if source else [name for name in known if (choose_snapshots(snapshots, name) / name).is_dir()]
    if not names:
        raise UsageError(f"{snapshots or 'snapshots'} holds no folder of a source ({', '.join(spiders.list_names())}).")
    return names


def compare_snapshots(
    config: Config, names: Sequence[str], snapshots: Path | None, reason: str | None, *, as_json: bool
) -> int:
    """Print what differs and how many fields were compared. With a reason, write new expectations.

    Return 0 when nothing differs, else 12, or the code of a failure that was not accepted.
    """
    from crawler import spiders
    from crawler.archive.snapshot_folder import load_stored_pages
    from crawler.cli.selection import choose_snapshots
    from crawler.fixtures import accept_stored_page, check_stored_page, find_new_failure

    results: list[FieldResult] = []
    accepted: list[Path] = []
    failures: list[tuple[Path, SourceError]] = []
    for name in names:
        site = spiders.load_spider(name).make_site(config)
        for page in load_stored_pages(choose_snapshots(snapshots, name), name):
            found = list(check_stored_page(page, site))
            results += found
            if reason is None or all(result.passed for result in found):
                continue
            if (failure := find_new_failure(page, site)) is not None:
                failures.append((page.path, failure))
            else:
                accepted.append(accept_stored_page(page, site, reason))
    if as_json:
        for result in results:
            print_json(asdict(result))
    else:
        _print_text(results)
    for path in accepted:
        print(f"Written: {path}. Review it, then run `crawler replay` again.", file=sys.stderr)
    for path, failure in failures:
        print_error(f"{path}: not accepted, because a page that cannot be read is no result. {failure}")
    if failures:
        return choose_exit_code(failure.exit_code for _, failure in failures)
    return 0 if all(result.passed for result in results) else PageChanged.exit_code


def _print_text(results: Sequence[FieldResult]) -> None:
    from crawler.text.counts import format_count

    for result in results:
        if not result.passed:
            print(f"{result.source}/{result.page} {result.field}")
            print("\n".join(format_difference(result.field, result.expected, result.found)))
    for source, group in groupby(results, key=lambda result: result.source):
        of_source = list(group)
        pages, passed = len({result.page for result in of_source}), sum(result.passed for result in of_source)
        fields = format_count(len(of_source), "field")
        print(f"{source}: {format_count(pages, 'page')}, {passed} of {fields} as expected")


def format_difference(field: str, expected: Any, found: Any) -> list[str]:
    """Return the lines that show both values: short ones whole, long ones around the first place that differs."""
    texts = [_to_text(expected), _to_text(found)]
    if field.endswith(".body_ends"):
        texts[1] = texts[1][-max(len(texts[0]), 1) :]
    is_part = field.endswith((".body_has", ".body_lacks"))
    is_comparable = type(expected) is type(found) and not is_part
    if not is_comparable or max(map(len, texts)) <= MAX_VALUE_LENGTH:
        return [f"    expected {_shorten(texts[0])}", f"    found    {_shorten(texts[1])}"]
    at = next((index for index, (one, other) in enumerate(zip(*texts, strict=False)) if one != other), None)
    at = min(map(len, texts)) if at is None else at
    shown = [_cut_around(text, at) for text in texts]
    return [f"    first difference at character {at}", f"    expected {shown[0]}", f"    found    {shown[1]}"]


def _cut_around(text: str, at: int) -> str:
    """Return a text around a place, with an ellipsis where it is cut."""
    begin, end = max(0, at - CHARACTERS_BEFORE_DIFFERENCE), at + MAX_VALUE_LENGTH - CHARACTERS_BEFORE_DIFFERENCE
    part = text[begin:end] if len(text) > at else f"{text[begin:]}(ends here)"
    return f"{'…' if begin else ''}{part}{'…' if end < len(text) else ''}"


def _to_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}… ({len(text)} characters)"


def print_scorecards(
    config: Config, names: Sequence[str], snapshots: Path | None, max_age: str, *, as_json: bool
) -> int:
    """Print each source's scorecard. Return 12 when a field differs, else 0: an old snapshot alone is no failure."""
    from crawler import spiders
    from crawler.archive.snapshot_folder import load_stored_pages
    from crawler.cli.selection import choose_snapshots
    from crawler.cli.time_options import parse_age_option
    from crawler.fixtures.scorecard import make_scorecard

    oldest, now = parse_age_option(max_age, "--max-age"), datetime.now(UTC)
    cards = []
    for name in names:
        pages = load_stored_pages(choose_snapshots(snapshots, name), name)
        cards.append(make_scorecard(pages, spiders.load_spider(name).make_site(config), now, oldest))
    if as_json:
        for card in cards:
            _print_scorecard_json(card)
    else:
        print("\n\n".join("\n".join(format_scorecard(card, max_age)) for card in cards))
    return 0 if all(card.is_passed for card in cards) else PageChanged.exit_code


def _print_scorecard_json(card: Scorecard) -> None:
    for kind, rows in (("field", card.fields), ("snapshot", card.pages), ("page_class", card.classes)):
        for row in rows:
            values: dict[str, Any] = {"type": kind, **asdict(row)}
            for name in ("fetched_at", "newest"):
                if name in values:
                    values[name] = format_time(values[name])
            print_json(values)


def format_scorecard(card: Scorecard, max_age: str) -> list[str]:
    """Return a source's scorecard as lines: fields, snapshots, page classes."""
    from crawler.text.counts import format_count

    passed, total = sum(field.passed for field in card.fields), sum(field.of for field in card.fields)
    counts = f"{passed} of {format_count(total, 'field')} as expected"
    lines = [f"{card.source}: {format_count(len(card.pages), 'snapshot')}, {counts}"]
    rates = [(rate.field, str(rate.passed), str(rate.of), f"{rate.passed / rate.of:.0%}") for rate in card.fields]
    lines += _format_rows([("field", "passed", "of", "rate"), *rates])
    pages = [
        (page.page, page.page_class or "no page", _format_day(page), _format_age(page.days)) for page in card.pages
    ]
    lines += ["", *_format_rows([("snapshot", "page class", "fetched", "age"), *pages])]
    classes = [(each.page_class, str(each.snapshots), _format_age(each.days)) for each in card.classes]
    lines += ["", *_format_rows([("page class", "good snapshots", "newest"), *classes])]
    if without := [each for each in card.classes if not each.recent]:
        lines.append(f"  No good snapshot younger than {max_age}: {', '.join(map(_format_class, without))}.")
    return lines


def _format_rows(rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"  {row}" for row in format_table(rows)]


def _format_day(page: PageAge) -> str:
    return f"{page.fetched_at:%Y-%m-%d}" if page.fetched_at else "unknown"


def _format_age(days: int | None) -> str:
    return "unknown" if days is None else f"{days} d"


def _format_class(each: ClassAge) -> str:
    from crawler.text.counts import format_count

    if each.days is not None:
        return f"{each.page_class} ({format_count(each.days, 'day')})"
    return f"{each.page_class} ({'no date' if each.snapshots else 'none'})"
