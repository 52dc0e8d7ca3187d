"""`crawler check`: read one known live page of each page class, to distinguish a changed site from an old snapshot."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from crawler.cli.console import print_json
from crawler.cli.options import JsonOption, SnapshotsOption, SourceArgument
from crawler.errors import UsageError, choose_exit_code

if TYPE_CHECKING:
    from crawler.fixtures.canary import CanaryFinding


def check(
    context: typer.Context,
    source: SourceArgument = None,
    snapshots: SnapshotsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Test one live page of each page class for site changes.

    An old snapshot is reported, but is no failure. Exits with the code of the worst finding.
    """
    from crawler import spiders
    from crawler.cli.live_check import LiveCheck
    from crawler.cli.selection import choose_snapshots
    from crawler.config import load_config

    config = load_config(context.obj)
    names = [source] if source else [name for name in spiders.load_spiders() if config.get_source(name).enabled]
    if not names:
        raise UsageError("There is nothing to check: no source is enabled in the configuration; enable one or name it.")
    codes = []
    for name in names:
        folder = choose_snapshots(snapshots, name)
        for finding in LiveCheck(context.obj, config, spiders.load_spider(name), folder).check_source():
            codes.append(finding.exit_code)
            if as_json:
                print_json({**asdict(finding), "exit_code": finding.exit_code})
            else:
                print(format_finding(finding), flush=True)
    raise typer.Exit(choose_exit_code(codes))


def format_finding(finding: CanaryFinding) -> str:
    """Return a finding and its suggestions as lines."""
    code = f" (exit {finding.exit_code})" if finding.exit_code else ""
    why = finding.why
    if not finding.url:
        why = why[:1].upper() + why[1:]  # reasons are clauses, to follow an address
    elif not why.startswith(finding.url):
        why = f"{finding.url}: {why}"
    line = f"{finding.source} {finding.page_class}: {finding.word}{code}. {why}"
    return "\n    suggestion: ".join([line, *finding.suggestions])
