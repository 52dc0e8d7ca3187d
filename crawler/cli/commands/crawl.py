"""`crawler crawl`: read the sources once, now, each in its own process, and print what was found."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli.console import print_error
from crawler.cli.options import MAX_COUNT, JsonOption, NewStoreOption, SinceOption, SourcesArgument
from crawler.errors import CrawlerError, EmptyStore, NoSnapshots, UsageError, choose_exit_code

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.service.run import RunOutcome, RunPlan
    from crawler.service.worker import RunEvent

MAX_PARALLEL_RUNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlOptions:
    """The arguments and options of `crawler crawl`."""

    sources: tuple[str, ...]
    replay: Path | None
    url: str | None
    since: str | None
    limit: int | None
    keep: bool
    dry_run: bool
    output: Path | None
    everything: bool
    new_store: bool
    as_json: bool
    verbose: bool

    @property
    def is_whole_run(self) -> bool:
        """Whether the run reads the live source as a scheduled run does: only such a run raises or ends alarms."""
        return not (self.replay or self.dry_run or self.url or self.limit or self.since)

    @property
    def is_stored(self) -> bool:
        """Whether the owner's store gets what the run finds: a replay's result is kept only on request."""
        return not self.dry_run and (self.keep or self.replay is None)

    def raise_if_contradictory(self) -> None:
        """Raise UsageError for --keep without --replay, or with --dry-run."""
        if self.keep and self.replay is None:
            raise UsageError("--keep belongs to --replay: a crawl of the site is always stored. Omit it.")
        if self.keep and self.dry_run:
            raise UsageError("--keep stores what is found and --dry-run stores nothing: choose one of them.")


def crawl(
    context: typer.Context,
    sources: SourcesArgument = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Read stored pages: a folder or a .warc.gz file. No network.")
    ] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Read only this URL.")] = None,
    since: SinceOption = None,
    limit: Annotated[
        int | None, typer.Option(min=1, max=MAX_COUNT, metavar="N", help="At most N articles per source.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="With --replay: store what is found.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Store nothing and notify no one.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write matched articles: .jsonl, .json, .csv, .xlsx or .xml."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="With -o: unmatched and unchanged articles too.")] = False,
    new_store: NewStoreOption = False,
    as_json: JsonOption = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Print each page, article and log line.")] = False,
) -> None:
    """Read the sources once, now. Print what is new, what matched and why, and the health of each source."""
    from crawler.config import load_config
    from crawler.keywords import load_rules
    from crawler.service.notifications import begin_subscriptions
    from crawler.spiders.url_mapping import parse_url_argument

    options = CrawlOptions(
        sources=tuple(sources or ()),
        replay=replay,
        url=parse_url_argument(url) if url is not None else None,
        since=since,
        limit=limit,
        keep=keep,
        dry_run=dry_run,
        output=output,
        everything=everything,
        new_store=new_store,
        as_json=as_json,
        verbose=verbose,
    )
    options.raise_if_contradictory()
    config = load_config(context.obj)
    if not config.contact and not replay:
        print_error(
            "no contact is set, so sites cannot reach you; put your address into crawler.toml "
            "(`crawler init` writes one)."
        )
    names = choose_sources(config, options)
    load_rules(config.rules)  # a broken rules file is refused before any request to a site
    if options.is_stored:
        begin_subscriptions(config, new_store=new_store)
    with choose_store_variables(options) as variables:
        plans = [make_plan(name, context.obj, config, options, variables) for name in names]
        code = run_and_report(plans, config, options)
    raise typer.Exit(code)


@contextmanager
def choose_store_variables(options: CrawlOptions) -> Iterator[Mapping[str, str]]:
    """Yield the variables of the runs: those of a throw-away store for a replay that is not kept, else none.

    The store is one file for all sources, so that copies and stories across them are found as in the owner's store.
    """
    if options.is_stored or options.dry_run:
        yield {}
        return
    try:
        folder = TemporaryDirectory(prefix="crawler-replay-")
    except OSError as error:
        raise CrawlerError(f"No folder for the replay's throw-away store can be made: {error}. Set TMPDIR.") from error
    with folder as temporary:
        yield {"CRAWLER_DATA_DIR": temporary, "CRAWLER_DATABASE": f"sqlite:///{Path(temporary) / 'crawler.db'}"}


def run_and_report(plans: Sequence[RunPlan], config: Config, options: CrawlOptions) -> int:
    """Run the plans, print the results and notify. Return the exit code of the worst run."""
    from crawler.cli.article_file import ArticleFile
    from crawler.cli.progress import make_display
    from crawler.service.child import run_all
    from crawler.service.notifications import notify_about_runs
    from crawler.text.counts import format_count

    names = [plan.source for plan in plans]
    display = make_display(
        names,
        as_json=options.as_json,
        verbose=options.verbose,
        timezone=config.timezone,
        is_stored=options.is_stored,
    )
    with ArticleFile(options.output, options.everything, config.timezone) as file, display:

        def on_event(event: RunEvent) -> None:
            display.handle_event(event)
            if event["type"] == "article":
                file.add(event)

        outcomes = run_all(plans, on_event, max_children=MAX_PARALLEL_RUNS)
        try:
            raise_if_nothing_began(outcomes)
        except (EmptyStore, UsageError):
            if options.is_whole_run:
                notify_about_runs(config, outcomes)
            raise
        display.print_summary(outcomes)
        if file.path and not file.count and all(outcome.exit_code for outcome in outcomes):
            file.abandon()
            display.print_result(f"Nothing was read, so {file.path} was not written.")
        elif file.path:
            display.print_result(f"{format_count(file.count, 'article')} written to {file.path}.")
        if options.replay and not options.dry_run:
            from crawler.store import redact_url

            store = redact_url(config.database_url)
            if options.keep:
                display.print_result(f"Stored in {store}.")
            else:
                display.print_note(f"Nothing was stored. To store these articles in {store}, add --keep.")
        if options.is_stored:
            for line in notify_about_runs(config, outcomes, alarms=options.is_whole_run, hold_bursts=False):
                display.print_result(line)
    return choose_exit_code(outcome.exit_code for outcome in outcomes)


def raise_if_nothing_began(outcomes: Sequence[RunOutcome]) -> None:
    """Raise one UsageError or EmptyStore when a broken rules file or a store kept every run from starting."""
    reasons = {outcome.reason for outcome in outcomes}
    for error in (EmptyStore, UsageError):
        if all(outcome.run is None and outcome.exit_code == error.exit_code for outcome in outcomes):
            raise error(" ".join(sorted(reasons)))


def make_plan(
    source: str, config_path: Path | None, config: Config, options: CrawlOptions, variables: Mapping[str, str]
) -> RunPlan:
    """Return the plan of one source's run."""
    from crawler.cli.time_options import parse_since
    from crawler.context.modes import Storage
    from crawler.service.run import RunPlan

    return RunPlan(
        source=source,
        config=config_path,
        replay=options.replay,
        url=options.url,
        since=parse_since(options.since, config.timezone),
        limit=options.limit,
        storage=Storage.NONE if options.dry_run else Storage.CONFIGURED,
        keep_unchanged=options.everything,
        limits=config.limits,
        log_level=logging.INFO if options.verbose else logging.ERROR,
        variables=variables,
        new_store=options.new_store,
    )


def choose_sources(config: Config, options: CrawlOptions) -> list[str]:
    """Return the sources to run: the named ones, the one of --url, those that are stored, or all enabled ones."""
    from crawler import spiders

    known = spiders.list_names()
    config.raise_if_unknown_source(spiders.list_file_names())
    for name in options.sources:
        if name not in known:  # Spiders import Scrapy, which only the children of this process need.
            spiders.load_spider(name)  # raises UnknownSource with the nearest name
    if options.url and not options.sources:
        from crawler.cli.selection import find_source_of_url

        return [find_source_of_url(options.url, config)]
    names = list(dict.fromkeys(options.sources)) or [name for name in known if config.get_source(name).enabled]
    if options.replay:
        names = [name for name in names if options.sources or has_pages_of(options.replay, name)]
    if not names:
        raise UsageError(f"There is nothing to run: {explain_no_source(options.replay, known)}")
    if options.replay:
        from crawler.archive.snapshot_folder import find_source_folder

        for name in names:
            find_source_folder(options.replay, name)  # raises NoSnapshots
    return names


def explain_no_source(replay: Path | None, known: Sequence[str]) -> str:
    """Return why there is no source to run, and what to do."""
    if replay is None:
        return "no source is enabled in the configuration; enable one or name it."
    if not replay.exists():
        return f"{replay} does not exist; give a folder of snapshots or a .warc.gz file."
    if replay.is_file():
        example = f"`crawler crawl {known[0]} --replay {replay}`"
        return f"{replay} is one file: name the source it belongs to, such as {example}."
    return f"{replay} holds no folder of a source ({', '.join(known)}) with stored pages in it."


def has_pages_of(path: Path, source: str) -> bool:
    """Return whether a path holds pages of a source. A file belongs to the source whose folder it is in."""
    from crawler.archive.snapshot_folder import find_source_folder

    try:
        find_source_folder(path, source)
    except NoSnapshots:
        return False
    return not path.is_file() or path.absolute().parent.name == source
