"""`crawler crawl`: every source once, now, each in a process of its own; what came of it, live and at the end."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from crawler.cli import moment
from crawler.cli.output import ArticleFile
from crawler.cli.plural import plural
from crawler.cli.progress import Display, display_for
from crawler.cli.telling import prepare, tell
from crawler.cli.wanted import Wanted
from crawler.config import Config, load
from crawler.errors import NothingStored, UsageError, worst
from crawler.keywords import load_rules
from crawler.process import Event, Outcome, run_all
from crawler.run import RunPlan


def crawl(config_path: Path | None, wanted: Wanted) -> int:
    """Run the sources; the exit code that outranks the others."""
    config = load(config_path)
    if not config.contact and not wanted.replay:
        print(
            "crawler: no contact is set, so sites cannot reach you; put your address into crawler.toml "
            "(`crawler init` writes one).",
            file=sys.stderr,
        )
    names = chosen(config, wanted)
    load_rules(config.rules)  # a broken rule file is refused before anything is asked of a site
    if not wanted.dry_run:
        prepare(config)
    plans = [plan(name, config_path, config, wanted) for name in names]
    return run(plans, config, wanted)


def run(plans: Sequence[RunPlan], config: Config, wanted: Wanted) -> int:
    """Run the plans and tell what came of it."""
    names = [plan.source for plan in plans]
    display = display_for(names, as_json=wanted.as_json, verbose=wanted.verbose, timezone=config.timezone)
    with ArticleFile(wanted.output, wanted.everything) as file, display:
        outcomes = followed(plans, config, display, file, wanted)
        whole = not (wanted.replay or wanted.dry_run or wanted.url or wanted.limit or wanted.since)
        try:
            refuse_unusable(outcomes)
        except UsageError:
            if whole:
                tell(config, outcomes)
            raise
        display.end(outcomes)
        if file.path and not file.number and all(outcome.exit_code for outcome in outcomes):
            file.abandon()
            display.say(f"Nothing was read, so {file.path} was not written.")
        elif file.path:
            display.say(f"{plural(file.number, 'article')} written to {file.path}.")
        if wanted.replay and not wanted.dry_run:
            from crawler.store import name_of

            display.say(f"Stored in {name_of(config.database_url)}; with --dry-run nothing is.")
        if not wanted.dry_run:
            for line in tell(config, outcomes, alarms=whole):
                display.say(line)
    return worst(outcome.exit_code for outcome in outcomes)


def refuse_unusable(outcomes: Sequence[Outcome]) -> None:
    """UsageError, once, for what kept every run from beginning: a broken rules file, a store that cannot be opened."""
    reasons = {outcome.reason for outcome in outcomes}
    if all(outcome.run is None and outcome.exit_code == UsageError.exit_code for outcome in outcomes):
        raise UsageError(" ".join(sorted(reasons)))


def followed(
    plans: Sequence[RunPlan], config: Config, display: Display, file: ArticleFile, wanted: Wanted
) -> list[Outcome]:
    """Run every plan in a child, its events going to the display and the file."""

    def on_event(event: Event) -> None:
        display.on(event)
        if event["type"] == "article":
            file.add(event)

    level = logging.INFO if wanted.verbose else logging.ERROR
    return run_all(plans, on_event, limits=config.limits, log_level=level, at_once=3)


def plan(name: str, config_path: Path | None, config: Config, wanted: Wanted) -> RunPlan:
    """One source's plan."""
    return RunPlan(
        source=name,
        config=config_path,
        replay=wanted.replay,
        url=wanted.url,
        since=moment.since(wanted.since, config.timezone),
        limit=wanted.limit,
        dry_run=wanted.dry_run,
        everything=wanted.everything,
    )


def chosen(config: Config, wanted: Wanted) -> list[str]:
    """The sources to run: those named, the one an address belongs to, those stored, or all enabled ones."""
    from crawler import spiders
    from crawler.archive.folder import source_folder

    known = spiders.names()
    config.check_sources(known)
    for name in wanted.sources:
        spiders.load(name)  # UnknownSource names the nearest
    if wanted.url and not wanted.sources:
        return [owner(wanted.url, config)]
    names = list(dict.fromkeys(wanted.sources)) or [name for name in known if config.source(name).enabled]
    if wanted.replay:
        names = [name for name in names if wanted.sources or stored(wanted.replay, name)]
    if not names:
        raise UsageError(f"There is nothing to run: {nothing(wanted.replay, known)}")
    if wanted.replay:
        for name in names:
            source_folder(wanted.replay, name)
    return names


def nothing(replay: Path | None, known: list[str]) -> str:
    """Why no source is left to run, and what to do."""
    if replay is None:
        return "no source is enabled in the configuration; enable one or name it."
    if not replay.exists():
        return f"{replay} does not exist; give a folder of snapshots or a .warc.gz file."
    if replay.is_file():
        example = f"`crawler crawl {known[0]} --replay {replay}`"
        return f"{replay} is one file: name the source it belongs to, such as {example}."
    return f"{replay} holds no folder of a source ({', '.join(known)}) with stored pages in it."


def stored(place: Path, name: str) -> bool:
    """Whether a place holds pages of a source; a file belongs to the source whose folder it stands in."""
    from crawler.archive.folder import source_folder

    try:
        source_folder(place, name)
    except NothingStored:
        return False
    return not place.is_file() or place.absolute().parent.name == name


def owner(url: str, config: Config) -> str:
    """The source an address belongs to; UsageError when it is no source's."""
    from crawler import spiders

    for name in spiders.names():
        spider = spiders.load(name)
        base = config.source(name).base_url
        if spider.site_of(config).identify(url) or url.startswith((*spider.origins, *([base] if base else []))):
            return name
    raise UsageError(f"{url} belongs to no source; name one, such as `crawler crawl mfa --url {url}`.")
