"""`crawler add`: look at a site, show what was found, and write it as a source."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.console import print_error, print_json
from crawler.cli.options import JsonOption

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.discovery.platform_addresses import PlatformSource
    from crawler.discovery.proposal import SourceProposal
    from crawler.discovery.samples import SampleArticle
    from crawler.pages.snapshot import Snapshot

MAX_VALUE_LENGTH, MAX_ORIGIN_LENGTH = 60, 50
"""Characters of a value and of its origin that the table shows."""
ZONE_SETTING = """'timezone="Asia/Bishkek"'"""
NOTHING_WRITTEN = "\nNothing was written. `{}` writes the source."


def add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Address of the site, a list, a feed or an article.")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the source. Default: from the host.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write the source without asking.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Add a site as a source, without code.

    Looks for feeds, sitemaps, lists and language versions, reads five articles and prints what it found. With --yes, or
    after a question, it writes sources/NAME.toml and the five pages. Needs the extra `sites`. The address of a ministry
    on gov.kz or of a Telegram channel is enough: no page is read.
    """
    from crawler.config import load_config
    from crawler.discovery.platform_addresses import find_platform_source
    from crawler.discovery.proposal import suggest_name
    from crawler.fixtures.source_files import list_taken_names, raise_if_taken
    from crawler.generic.extractors import raise_if_not_installed
    from crawler.service.site_survey import survey_site
    from crawler.spiders.url_mapping import parse_url_argument

    config = load_config(context.obj)
    address = parse_url_argument(url if "://" in url else f"https://{url}")
    if name is not None:
        raise_if_taken(name)
    command = format_write_command(url, name, context.obj)
    if (platform_source := find_platform_source(address)) is not None:
        _add_platform_source(platform_source, name, context.obj, command, is_wanted=yes, as_json=as_json)
        return
    raise_if_not_installed()
    is_shown = sys.stderr.isatty() and not as_json
    surveyed = survey_site(context.obj, config, address, _print_page if is_shown else _print_nothing)
    proposal = surveyed.proposal
    if proposal is None:
        print_error(surveyed.reason)
        raise typer.Exit(surveyed.outcome.exit_code or 1)
    chosen = name or suggest_name(proposal.home, list_taken_names())
    if as_json:
        print_json({**asdict(proposal), "name": chosen, "timezone": config.timezone, "memory": None})
    else:
        print("\n".join(format_proposal(proposal, chosen, config.timezone)))
    if not (yes or (not as_json and is_confirmed(chosen))):
        if not as_json:
            print(NOTHING_WRITTEN.format(command))
        return
    pages = [surveyed.pages[sample.url] for sample in proposal.samples if sample.url in surveyed.pages]
    _write(chosen, proposal.definition, proposal.memory, pages, context.obj)


def _add_platform_source(
    source: PlatformSource, name: str | None, config_path: Path | None, command: str, *, is_wanted: bool, as_json: bool
) -> None:
    """Show the definition of a platform's source, and write it. Raise UsageError if a source reads it already.

    `command` is what writes it later.
    """
    from crawler.discovery.platform_addresses import write_platform_definition
    from crawler.discovery.proposal import number_name
    from crawler.fixtures.source_files import list_taken_names, raise_if_read_already

    raise_if_read_already(source)
    chosen = name or number_name(source.value.lower(), list_taken_names())
    definition = write_platform_definition(source, datetime.now(UTC))
    if as_json:
        print_json({**asdict(source), "name": chosen, "definition": definition})
    else:
        print(f"{chosen}: {source.title}, platform {source.platform}\n\n{definition}", end="")
    if is_wanted or (not as_json and is_confirmed(chosen)):
        _write(chosen, definition, {}, [], config_path)
    elif not as_json:
        print(NOTHING_WRITTEN.format(command))


def _write(
    name: str, definition: str, memory: Mapping[str, Any], pages: list[Snapshot], config_path: Path | None
) -> None:
    """Write the source and say what to do next."""
    from crawler.config import load_config
    from crawler.fixtures.source_files import write_new_source

    files = write_new_source(name, definition, memory, pages, load_config(config_path))
    samples = f", and {len(pages)} sample pages in {files[-1].parent}" if pages else ""
    print_error(f"written: {files[0]}{samples}.")
    print_error(f"next: `crawler crawl {name} --dry-run`, then `crawler crawl {name}`. `crawler sources edit {name}`")


def format_write_command(url: str, name: str | None, config_path: Path | None) -> str:
    """Return the command that writes the source, with the options that were given, for a shell."""
    config = ("--config", str(config_path)) if config_path else ()
    return shlex.join(("crawler", *config, "add", url, *(("--name", name) if name else ()), "--yes"))


def is_confirmed(name: str) -> bool:
    """Return whether a person at a terminal wants the source."""
    return sys.stdin.isatty() and sys.stdout.isatty() and typer.confirm(f"\nWrite sources/{name}.toml?")


def _print_page(url: str) -> None:
    print_error(f"read {url}")


def _print_nothing(url: str) -> None:
    """Print nothing, because nobody looks at the terminal."""


def format_proposal(proposal: SourceProposal, name: str, timezone: str) -> list[str]:
    """Return what was found as lines: the lists, the fields of the samples, and what a person should check.

    `timezone` is the zone that dates without one will have.
    """
    lines = [f"{name}: {proposal.title}, {proposal.home}", ""]
    rows = [("list", "kind", "articles", "language", "further pages")]
    for each in proposal.lists:
        step = f" by {each.page_step}" if each.page_step != 1 else ""
        rows.append((each.url, each.kind, str(each.links), each.language or "-", f"{each.next_page or '-'}{step}"))
    lines += _align(rows)
    lines += [f"articles at: {', '.join(proposal.addresses)} (told apart by {proposal.identity})", ""]
    for number, sample in enumerate(proposal.samples, start=1):
        lines += [f"{number}. {sample.url}", *(f"   {line}" for line in _align(_make_rows(sample))), ""]
    robots = f"asks for {proposal.crawl_delay:g} s between requests" if proposal.crawl_delay else "allows these pages"
    lines += [
        f"languages: {', '.join(proposal.languages) or 'none detected'}",
        f"time zone: {timezone} for dates without one. Change it: `crawler sources edit {name} --set {ZONE_SETTING}`",
        f"cadence:   {proposal.cadence}",
        f"robots:    robots.txt {robots}; sitemaps: {', '.join(proposal.sitemaps) or 'none'}",
        f"terms:     {proposal.terms or 'none found'}",
        f"rights:    30 % and a link. The site says: {proposal.rights_line or 'nothing was found'}",
    ]
    lines += [f"check:     {note}" for note in (*proposal.notes, *_list_warnings(proposal))]
    return lines


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of texts as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _make_rows(sample: SampleArticle) -> list[tuple[str, str, str]]:
    rows = [("field", "value", "from")]
    for field_name, each in sample.fields.items():
        warning = f"  ! {each.warning}" if each.warning else ""
        origin = _shorten(each.origin or "-", MAX_ORIGIN_LENGTH)
        rows.append((field_name, _shorten(each.value or "-", MAX_VALUE_LENGTH), origin + warning))
    return rows


def _list_warnings(proposal: SourceProposal) -> list[str]:
    """Return the samples in which methods disagree, one line a sample."""
    return [f"{sample.url}: {'; '.join(sample.warnings)}." for sample in proposal.samples if sample.warnings]


def _shorten(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
