"""The command line: builds the app from the commands. What a command does is in `commands/<command>.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crawler.cli.commands import alerts, archive, rules, schedule, sources, store, user
from crawler.cli.commands.add import add
from crawler.cli.commands.articles import articles
from crawler.cli.commands.backfill import backfill
from crawler.cli.commands.check import check
from crawler.cli.commands.compare import compare
from crawler.cli.commands.config import config
from crawler.cli.commands.crawl import crawl
from crawler.cli.commands.diff import diff
from crawler.cli.commands.digest import digest
from crawler.cli.commands.drift import drift
from crawler.cli.commands.evidence import evidence
from crawler.cli.commands.export import export
from crawler.cli.commands.extract import extract
from crawler.cli.commands.feed import feed
from crawler.cli.commands.health import health
from crawler.cli.commands.init import init
from crawler.cli.commands.match import match
from crawler.cli.commands.replay import replay
from crawler.cli.commands.reprocess import reprocess
from crawler.cli.commands.search import search
from crawler.cli.commands.serve import serve
from crawler.cli.commands.show import show
from crawler.cli.commands.snapshot import snapshot
from crawler.cli.commands.stories import stories, story
from crawler.cli.commands.subscribe import subscribe
from crawler.cli.commands.trends import trends
from crawler.cli.commands.versions import versions
from crawler.cli.commands.watch import watch
from crawler.cli.commands.worker import worker, workers
from crawler.cli.help import MAINTAIN, READ, SHARE, WATCH, CommandApp

app = CommandApp(
    name="crawler",
    help="Watch Kazakhstan's foreign ministry, QazMonitor and kt.kz for the Red Cross and humanitarian law.",
    no_args_is_help=True,
    epilog="Exit codes: 0 healthy, 1 unexpected, 2 usage or configuration, 10 unreachable, 11 blocked, "
    "12 page changed, 13 silent or empty, 14 degraded, 15 skipped: another run of the source is active, "
    "16 store empty, 17 store lost, 18 unusable template, 19 port in use, "
    "20 store inconsistent, 21 object storage unusable.",
)


def print_version(wanted: bool) -> None:
    """Print the version and exit, if it is wanted."""
    if wanted:
        from importlib.metadata import version

        print(f"crawler {version('crawler')}")
        raise typer.Exit


@app.callback()
def set_config_file(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Configuration file. Default: ./crawler.toml, else the user's."),
    ] = None,
    _: Annotated[
        bool, typer.Option("-V", "--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Keep the configuration file for the command."""
    context.obj = config


app.add(WATCH, crawl, watch, worker, workers, backfill)
app.add_typer(schedule.app, name="schedule", rich_help_panel=WATCH)
app.add(WATCH, health)
app.add_typer(sources.app, name="sources", rich_help_panel=WATCH)
# A word with a minus is excluded from the search, and no option.
app.command(group=READ, context_settings={"ignore_unknown_options": True})(search)
app.add(READ, serve, show, articles, versions, diff, stories, story, compare, match, trends)
app.add(SHARE, feed, export, digest, evidence, subscribe)
app.add_typer(alerts.app, name="alerts", rich_help_panel=SHARE)
app.add(MAINTAIN, init, config, add)
app.add_typer(user.app, name="user", rich_help_panel=MAINTAIN)
app.add_typer(store.app, name="store", rich_help_panel=MAINTAIN)
app.add_typer(archive.app, name="archive", rich_help_panel=MAINTAIN)
app.add_typer(rules.app, name="rules", rich_help_panel=MAINTAIN)
app.add(MAINTAIN, reprocess, replay, check, snapshot, extract, drift)
