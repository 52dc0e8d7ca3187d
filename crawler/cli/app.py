"""The command line: every command with its options. What a command does stands in a module of its own name."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from crawler.cli.commands.alerts import app as alerts
from crawler.cli.commands.compare import compare
from crawler.cli.commands.digest import digest
from crawler.cli.commands.export import export
from crawler.cli.commands.feed import feed
from crawler.cli.commands.match import match
from crawler.cli.commands.rules import app as rules
from crawler.cli.commands.schedule import app as schedule
from crawler.cli.commands.stories import stories, story
from crawler.cli.commands.subscribe import subscribe
from crawler.errors import UsageError

app = typer.Typer(
    name="crawler",
    help="Watches Kazakhstan's foreign ministry, QazMonitor and kt.kz for the Red Cross and humanitarian law.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 healthy, 1 unexpected, 2 usage or configuration, 10 unreachable, 11 blocked, "
    "12 page changed, 13 silent or empty, 14 degraded, 15 left out: another run of the source goes on.",
)
Sources = Annotated[
    list[str] | None, typer.Argument(metavar="[SOURCE]...", help="All enabled sources when none is named.")
]
Source = Annotated[str | None, typer.Argument(metavar="[SOURCE]", help="All sources when none is named.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines for machines.")]
Since = Annotated[str | None, typer.Option(help="A day, a time with offset, or an age: 2026-01-31, 36h, 90d.")]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"crawler {version('crawler')}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(help="Configuration file; else ./crawler.toml, else the user's, else built-in values."),
    ] = None,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Options that every command has."""
    context.obj = config


@app.command()
def crawl(
    context: typer.Context,
    sources: Sources = None,
    replay: Annotated[Path | None, typer.Option(help="Read stored pages instead: a folder or a .warc.gz file.")] = None,
    url: Annotated[str | None, typer.Option(help="Read this one address.")] = None,
    since: Since = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many articles per source.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Store nothing.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write matched articles: .jsonl, .json, .csv or .xml.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="With -o: unmatched and unchanged articles too.")] = False,
    as_json: AsJson = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show what each page gave.")] = False,
) -> None:
    """Read the sources once, now; print what was new, what matched and why, and how each source is."""
    from crawler.cli.commands.crawl import crawl
    from crawler.cli.wanted import CrawlOptions

    wanted = CrawlOptions(
        sources=tuple(sources or ()),
        replay=replay,
        url=url,
        since=since,
        limit=limit,
        dry_run=dry_run,
        output=output,
        everything=everything,
        as_json=as_json,
        verbose=verbose,
    )
    raise typer.Exit(crawl(context.obj, wanted))


@app.command()
def extract(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A stored page: .html, .txt, .json, .xml or .warc.gz.")],
    source: Annotated[str, typer.Option(help="Whose page it is.")],
    url: Annotated[str | None, typer.Option(help="The page's address, where no meta file says it.")] = None,
) -> None:
    """Print the articles in one stored page as JSON lines. No network, no store."""
    from crawler.cli.commands.extract import extract

    raise typer.Exit(extract(context.obj, file, source, url))


@app.command()
def replay(
    context: typer.Context,
    source: Source = None,
    snapshots: Annotated[Path, typer.Option(help="The folder of snapshots.")] = Path("snapshots"),
    accept: Annotated[
        str | None, typer.Option(metavar="REASON", help="Write today's result as the new expectation, and say why.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="The scorecard: pass rates by field, age of each snapshot.")
    ] = False,
    max_age: Annotated[
        str, typer.Option(help="With --report: how old a page class's newest snapshot may be, such as 90d.")
    ] = "365d",
    as_json: AsJson = False,
) -> None:
    """Compare today's extraction of every snapshot with what it must yield, field by field."""
    from crawler.cli.commands.replay import replay
    from crawler.cli.report import print_scorecards as show

    if report:
        if accept is not None:
            raise UsageError("--report only tells; give --accept in a run of its own.")
        raise typer.Exit(show(context.obj, source, snapshots, max_age, as_json))
    raise typer.Exit(replay(context.obj, source, snapshots, accept, as_json))


@app.command()
def check(
    context: typer.Context,
    source: Source = None,
    snapshots: Annotated[Path, typer.Option(help="The folder of snapshots.")] = Path("snapshots"),
    as_json: AsJson = False,
) -> None:
    """Read one known live page per page class; say whether the site changed or only the fixture is old."""
    from crawler.cli.commands.check import check

    raise typer.Exit(check(context.obj, source, snapshots, as_json))


@app.command()
def snapshot(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="The page to keep.")],
    source: Annotated[str | None, typer.Option(help="Whose page it is, where its address does not say.")] = None,
    snapshots: Annotated[Path, typer.Option(help="The folder of snapshots.")] = Path("snapshots"),
) -> None:
    """Fetch one page politely and lay it into snapshots/<source>/ with a first expectation to review."""
    from crawler.cli.commands.snapshot import snapshot

    raise typer.Exit(snapshot(context.obj, url, source, snapshots))


@app.command()
def sources(context: typer.Context, as_json: AsJson = False) -> None:
    """List what is watched, how, with what rights, and when it last ran and was last healthy."""
    from crawler.cli.commands.sources import sources

    raise typer.Exit(sources(context.obj, as_json))


@app.command()
def health(
    context: typer.Context,
    sources: Sources = None,
    as_json: AsJson = False,
    accept: Annotated[bool, typer.Option("--accept", help="As the source is now is how it is from now on.")] = False,
    unaccept: Annotated[bool, typer.Option("--unaccept", help="Take back what was accepted.")] = False,
) -> None:
    """Say of each source whether it is well, since when, and whether anybody looked; the exit code is that of a run."""
    from crawler.cli.accepting import change_baseline as settle
    from crawler.cli.commands.health import health

    if accept or unaccept:
        raise typer.Exit(settle(context.obj, tuple(sources or ()), undo=unaccept))
    raise typer.Exit(health(context.obj, tuple(sources or ()), as_json))


@app.command()
def drift(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="Whose pages.")],
    as_json: AsJson = False,
) -> None:
    """Show where each field stands on a source's pages, what moved, and where a field that is lost may stand now."""
    from crawler.cli.commands.drift import drift

    raise typer.Exit(drift(context.obj, source, as_json))


@app.command()
def articles(
    context: typer.Context,
    matched: Annotated[bool, typer.Option("--matched", help="Only articles with a strong match.")] = False,
    since: Since = None,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what the store holds, newest first."""
    from crawler.cli.commands.articles import articles

    raise typer.Exit(articles(context.obj, matched, since, source, limit, as_json))


Named = Annotated[str, typer.Argument(metavar="ARTICLE", help="Its id, its address, or its source's number for it.")]


@app.command()
def versions(context: typer.Context, article: Named, as_json: AsJson = False) -> None:
    """List every version of an article: when it was fetched, where its page is kept, and what it changed."""
    from crawler.cli.commands.diff import versions

    raise typer.Exit(versions(context.obj, article, as_json))


@app.command()
def diff(
    context: typer.Context,
    article: Named,
    first: Annotated[int | None, typer.Option("--from", min=1, help="Version; else the one before --to.")] = None,
    last: Annotated[int | None, typer.Option("--to", min=1, help="Version; else the newest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed between two versions of an article, sentence by sentence, and how much it weighs."""
    from crawler.cli.commands.diff import diff

    raise typer.Exit(diff(context.obj, article, first, last, as_json))


@app.command()
def evidence(
    context: typer.Context,
    article: Named,
    output: Annotated[Path, typer.Option("-o", "--output", help="The zip to write.")],
) -> None:
    """Write every version of an article with its WARC records into a zip that can be checked without this program."""
    from crawler.cli.commands.evidence import evidence

    raise typer.Exit(evidence(context.obj, article, output))


@app.command()
def watch(context: typer.Context, sources: Sources = None) -> None:
    """Run each source on its own schedule until stopped (Ctrl-C, SIGTERM)."""
    from crawler.cli.commands.watch import watch

    raise typer.Exit(watch(context.obj, tuple(sources or ())))


app.command()(match)
app.command()(compare)
app.command()(stories)
app.command()(story)
app.command()(subscribe)
app.add_typer(alerts, name="alerts")
app.command()(feed)
app.command()(export)
app.command()(digest)
app.add_typer(rules, name="rules")
app.add_typer(schedule, name="schedule")


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to write them.")] = Path(),
) -> None:
    """Write a commented crawler.toml and rules.toml to edit; nothing is overwritten."""
    from crawler.cli.commands.init import init

    raise typer.Exit(init(folder))
