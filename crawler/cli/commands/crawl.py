"""`crawler crawl`: every source once, now, each in a process of its own; what came of it, live and at the end."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from crawler.cli import time_options as moment
from crawler.cli.article_file import ArticleFile
from crawler.cli.progress import PlainDisplay, make_display
from crawler.cli.wanted import CrawlOptions
from crawler.config import Config, load_config
from crawler.errors import NoSnapshots, UsageError, choose_exit_code
from crawler.keywords import load_rules
from crawler.service import RunEvent, RunOutcome, run_all
from crawler.service.notifications import begin_subscriptions, notify_about_runs
from crawler.service.run import RunPlan
from crawler.text.counts import format_count


def crawl(config_path: Path | None, wanted: CrawlOptions) -> int:
    """Run the sources; the exit code that outranks the others."""
    config = load_config(config_path)
    if not config.contact and not wanted.replay:
        print(
            "crawler: no contact is set, so sites cannot reach you; put your address into crawler.toml "
            "(`crawler init` writes one).",
            file=sys.stderr,
        )
    names = choose_sources(config, wanted)
    load_rules(config.rules)  # a broken rule file is refused before anything is asked of a site
    if not wanted.dry_run:
        begin_subscriptions(config)
    plans = [make_plan(name, config_path, config, wanted) for name in names]
    return run_and_report(plans, config, wanted)


def run_and_report(plans: Sequence[RunPlan], config: Config, wanted: CrawlOptions) -> int:
    """Run the plans and tell what came of it."""
    names = [plan.source for plan in plans]
    display = make_display(names, as_json=wanted.as_json, verbose=wanted.verbose, timezone=config.timezone)
    with ArticleFile(wanted.output, wanted.everything) as file, display:
        outcomes = run_plans(plans, config, display, file, wanted)
        whole = not (wanted.replay or wanted.dry_run or wanted.url or wanted.limit or wanted.since)
        try:
            raise_if_nothing_began(outcomes)
        except UsageError:
            if whole:
                notify_about_runs(config, outcomes)
            raise
        display.print_summary(outcomes)
        if file.path and not file.count and all(outcome.exit_code for outcome in outcomes):
            file.abandon()
            display.print_result(f"Nothing was read, so {file.path} was not written.")
        elif file.path:
            display.print_result(f"{format_count(file.count, 'article')} written to {file.path}.")
        if wanted.replay and not wanted.dry_run:
            from crawler.store import redact_url

            display.print_result(f"Stored in {redact_url(config.database_url)}; with --dry-run nothing is.")
        if not wanted.dry_run:
            for line in notify_about_runs(config, outcomes, alarms=whole):
                display.print_result(line)
    return choose_exit_code(outcome.exit_code for outcome in outcomes)


def raise_if_nothing_began(outcomes: Sequence[RunOutcome]) -> None:
    """UsageError, once, for what kept every run from beginning: a broken rules file, a store that cannot be opened."""
    reasons = {outcome.reason for outcome in outcomes}
    if all(outcome.run is None and outcome.exit_code == UsageError.exit_code for outcome in outcomes):
        raise UsageError(" ".join(sorted(reasons)))


def run_plans(
    plans: Sequence[RunPlan], config: Config, display: PlainDisplay, file: ArticleFile, wanted: CrawlOptions
) -> list[RunOutcome]:
    """Run every plan in a child, its events going to the display and the file."""

    def on_event(event: RunEvent) -> None:
        display.handle_event(event)
        if event["type"] == "article":
            file.add(event)

    level = logging.INFO if wanted.verbose else logging.ERROR
    return run_all(plans, on_event, limits=config.limits, log_level=level, max_children=3)


def make_plan(name: str, config_path: Path | None, config: Config, wanted: CrawlOptions) -> RunPlan:
    """One source's plan."""
    return RunPlan(
        source=name,
        config=config_path,
        replay=wanted.replay,
        url=wanted.url,
        since=moment.parse_since(wanted.since, config.timezone),
        limit=wanted.limit,
        dry_run=wanted.dry_run,
        keep_unchanged=wanted.everything,
    )


def choose_sources(config: Config, wanted: CrawlOptions) -> list[str]:
    """The sources to run: those named, the one an address belongs to, those stored, or all enabled ones."""
    from crawler import spiders
    from crawler.archive.snapshot_folder import find_source_folder

    known = spiders.list_names()
    config.raise_if_unknown_source(known)
    for name in wanted.sources:
        spiders.load_spider(name)  # UnknownSource names the nearest
    if wanted.url and not wanted.sources:
        return [find_source_of_url(wanted.url, config)]
    names = list(dict.fromkeys(wanted.sources)) or [name for name in known if config.get_source(name).enabled]
    if wanted.replay:
        names = [name for name in names if wanted.sources or has_pages_of(wanted.replay, name)]
    if not names:
        raise UsageError(f"There is nothing to run: {explain_no_source(wanted.replay, known)}")
    if wanted.replay:
        for name in names:
            find_source_folder(wanted.replay, name)
    return names


def explain_no_source(replay: Path | None, known: list[str]) -> str:
    """Why no source is left to run, and what to do."""
    if replay is None:
        return "no source is enabled in the configuration; enable one or name it."
    if not replay.exists():
        return f"{replay} does not exist; give a folder of snapshots or a .warc.gz file."
    if replay.is_file():
        example = f"`crawler crawl {known[0]} --replay {replay}`"
        return f"{replay} is one file: name the source it belongs to, such as {example}."
    return f"{replay} holds no folder of a source ({', '.join(known)}) with stored pages in it."


def has_pages_of(place: Path, name: str) -> bool:
    """Whether a place holds pages of a source; a file belongs to the source whose folder it stands in."""
    from crawler.archive.snapshot_folder import find_source_folder

    try:
        find_source_folder(place, name)
    except NoSnapshots:
        return False
    return not place.is_file() or place.absolute().parent.name == name


def find_source_of_url(url: str, config: Config) -> str:
    """The source an address belongs to; UsageError when it is no source's."""
    from crawler import spiders

    for name in spiders.list_names():
        spider = spiders.load_spider(name)
        base = config.get_source(name).base_url
        if spider.make_site(config).identify(url) or url.startswith((*spider.origins, *([base] if base else []))):
            return name
    raise UsageError(f"{url} belongs to no source; name one, such as `crawler crawl mfa --url {url}`.")
