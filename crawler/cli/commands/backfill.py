"""`crawler backfill`: walk the history of a source, politely, and show how far it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli.console import print_error, print_json
from crawler.cli.options import MAX_COUNT, JsonOption
from crawler.errors import UsageError

if TYPE_CHECKING:
    from datetime import tzinfo

    from crawler.config import Config
    from crawler.service.backfill_progress import BackfillProgress, TimeSpan
    from crawler.service.run import RunOutcome
    from crawler.service.worker import RunEvent
    from crawler.spiders.base import SourceSpider
    from crawler.store import Store

MAX_SHOWN_GAPS = 10
"""Gaps and silences of each kind that are printed. `--json` prints all."""
INTERRUPTED_EXIT_CODE = 130


def backfill(
    context: typer.Context,
    source: Annotated[str | None, typer.Argument(metavar="SOURCE", help="Name of a source.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="Oldest day to read: 2015-01-01. Without: resume.")
    ] = None,
    delay: Annotated[
        float | None, typer.Option(min=0, max=3600, metavar="SECONDS", help="Least seconds between two requests.")
    ] = None,
    requests_per_day: Annotated[
        int | None, typer.Option(min=1, max=MAX_COUNT, metavar="N", help="Most requests to the source a day.")
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="Print how far it is. Request nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read the history of a source, back to a day.

    It walks the lists that the source knows, the newest articles first, a few pages at a time; scheduled runs go first.
    It can be stopped at any time: the same command without --from resumes it. What it finds is stored and matched, and
    no subscriber is notified. Exits with 14 if something of the history is missing in the end.
    """
    from crawler import spiders
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.keywords import load_rules

    config = load_config(context.obj)
    if status:
        with open_configured_store(config) as store:
            print_status(config, store, source, as_json=as_json)
        return
    if source is None:
        raise UsageError("Name the source whose history to read; `crawler backfill --status` lists those begun.")
    spider_class = spiders.load_spider(source)
    spiders.raise_if_retired(source)
    if not config.contact:
        print_error(
            "no contact is set, so sites cannot reach you; put your address into crawler.toml "
            "(`crawler init` writes one)."
        )
    load_rules(config.rules)  # a broken rules file is refused before any request to a site
    begin = parse_first_day(since, config)
    with open_configured_store(config) as store:
        code = walk_history(context, config, store, spider_class, begin, delay, requests_per_day, as_json=as_json)
    raise typer.Exit(code)


def parse_first_day(text: str | None, config: Config) -> datetime | None:
    """Return the value of `--from`. Raise UsageError for a time in the future."""
    from crawler.cli.time_options import parse_since

    begin = parse_since(text, config.timezone, option="--from")
    if begin is not None and begin >= datetime.now(UTC):
        raise UsageError(f"--from {text} is in the future. Write the oldest day to read, such as 2015-01-01.")
    return begin


def walk_history(
    context: typer.Context,
    config: Config,
    store: Store,
    spider_class: type[SourceSpider],
    begin: datetime | None,
    delay: float | None,
    requests_per_day: int | None,
    *,
    as_json: bool,
) -> int:
    """Walk the history of one source and print it. Return the exit code."""
    import asyncio

    from crawler.service.backfill import BackfillPace, HistoryBackfill, start_backfill
    from crawler.text.dates import load_time_zone

    start_backfill(store, spider_class.name, begin, datetime.now(UTC))
    pace = BackfillPace(
        delay=config.backfill.delay if delay is None else delay,
        requests_per_day=requests_per_day or config.backfill.requests_per_day,
    )
    zone = load_time_zone(config.timezone)
    display = JsonBackfillDisplay() if as_json else BackfillDisplay(zone, pace.requests_per_day)
    runner = HistoryBackfill(config, store, spider_class, pace, display, config_path=context.obj)
    if not as_json:
        print(describe_lists(spider_class, config))
    failure = asyncio.run(runner.serve())
    progress = runner.measure_progress()
    display.print_end(progress, is_stopped=runner.is_stopped)
    if failure is not None:
        print_error(f"{failure} Run `crawler backfill {spider_class.name}` again later: it goes on where it stopped.")
        return failure.exit_code
    if runner.is_stopped:
        return INTERRUPTED_EXIT_CODE
    return 14 if progress.has_gaps else 0


def describe_lists(spider_class: type[SourceSpider], config: Config) -> str:
    """Return a sentence about the lists that lead into the source's history."""
    lists = spider_class.list_history(config)
    paged = [each.name for each in lists if each.has_pages]
    if paged:
        return f"{spider_class.name}: reads its lists page by page: {'; '.join(paged)}."
    names = "; ".join(each.name for each in lists)
    return f"{spider_class.name}: no list of its history is known, so only what these lists name is read: {names}."


def print_status(config: Config, store: Store, source: str | None, *, as_json: bool) -> None:
    """Print the state of one backfill, or of all."""
    from crawler import spiders
    from crawler.service.backfill_progress import measure_progress, to_json
    from crawler.text.dates import load_time_zone

    if source is not None:
        spiders.load_spider(source)  # raises UnknownSource with the nearest name
    found = [each for each in store.backfills.list_all() if source in (None, each.source)]
    zone, now = load_time_zone(config.timezone), datetime.now(UTC)
    if not found and not as_json:
        begun = f"The history of {source} was never walked" if source else "No history was ever walked"
        print(f"{begun}. `crawler backfill {source or 'SOURCE'} --from 2015-01-01` begins.")
    for each in found:
        progress = measure_progress(
            store,
            each,
            spiders.load_spider(each.source),
            config,
            started_at=each.started_at,
            now=now,
            today=now.astimezone(zone).date().isoformat(),
        )
        if as_json:
            print_json(to_json(progress))
        else:
            print("\n".join(format_progress(progress, zone)))


class BackfillDisplay:
    """Prints a line for each window and each wait."""

    def __init__(self, zone: tzinfo, requests_per_day: int | None) -> None:
        self._zone, self._requests_per_day = zone, requests_per_day
        self._last: BackfillProgress | None = None

    def on_progress(self, progress: BackfillProgress, outcome: RunOutcome | None) -> None:
        """Print what a window added, and how far the backfill is."""
        from crawler.text.counts import format_count

        last, self._last = self._last, progress
        if last is None or outcome is None:
            return
        pages = format_count(progress.pages - last.pages, "page")
        articles = format_count(progress.added - last.added, "article")
        days = format_days(progress, self._zone, self._requests_per_day)
        print(f"{self._format_now()}  {pages} read, {articles} stored; {days}", flush=True)

    def on_wait(self, reason: str) -> None:
        """Print why nothing is requested."""
        print(f"{self._format_now()}  waiting: {reason}", flush=True)

    def on_event(self, event: RunEvent) -> None:
        """Print a problem of a window's run."""
        if event["type"] == "problem":
            print(f"{event['source']}: {event['message']}", file=sys.stderr, flush=True)

    def print_end(self, progress: BackfillProgress, *, is_stopped: bool) -> None:
        """Print the state at the end of the command."""
        print("\n".join(format_progress(progress, self._zone)))
        if is_stopped:
            print(f"Stopped. `crawler backfill {progress.backfill.source}` goes on.")

    def _format_now(self) -> str:
        return f"{datetime.now(self._zone):%H:%M:%S}"


class JsonBackfillDisplay:
    """Prints the state before the first window and after each one as a line of JSON."""

    def on_progress(self, progress: BackfillProgress, outcome: RunOutcome | None) -> None:
        """Print the state."""
        from crawler.service.backfill_progress import to_json

        print_json({"type": "progress", **to_json(progress)})

    def on_wait(self, reason: str) -> None:
        """Print the reason of a wait."""
        print_json({"type": "wait", "reason": reason})

    def on_event(self, event: RunEvent) -> None:
        """Print a problem."""
        if event["type"] == "problem":
            print_json(event)

    def print_end(self, progress: BackfillProgress, *, is_stopped: bool) -> None:
        """Print the last state."""
        from crawler.service.backfill_progress import to_json

        print_json({"type": "end", "stopped": is_stopped, **to_json(progress)})


def format_progress(progress: BackfillProgress, zone: tzinfo) -> Iterator[str]:
    """Yield how far a backfill is, then what is missing and why."""
    from crawler.text.counts import format_count

    name = progress.backfill.source
    state = "finished" if progress.is_finished else "not finished"
    yield f"{name}: {state}, {format_days(progress, zone)}"
    pages, articles = format_count(progress.pages, "list page"), format_count(progress.added, "article")
    yield f"  {pages} read, {articles} stored, {format_count(progress.requests_today, 'request')} today"
    for each in progress.lists:
        if each.ended_because and each.is_walked:
            reached = f"{each.reached_at.astimezone(zone):%Y-%m-%d}" if each.reached_at else "no dated article"
            yield f"  list {each.name} ends at {reached}: {each.ended_because}"
        elif each.unread:
            yield f"  list {each.name}: {format_count(each.unread, 'address', 'addresses')} left"
    if progress.missing:
        yield f"  missing: {format_period(progress.missing, zone)}, which no list of the source reaches"
    silences = [f"{format_period(each, zone)}, no article is listed" for each in progress.silences]
    yield from _shorten(silences, "suspicious", "silences")
    lists = [f"page {gap.page} of {gap.list_name}: {gap.message}" for gap in progress.gaps if gap.is_list]
    yield from _shorten(lists, "missing", "list pages")
    articles_missing = [
        gap.message if gap.url in gap.message else f"{gap.url}: {gap.message}"
        for gap in progress.gaps
        if not gap.is_list
    ]
    yield from _shorten(articles_missing, "missing", "articles")
    if progress.is_finished and not progress.has_gaps:
        yield "  nothing is missing"


def _shorten(lines: list[str], label: str, name: str) -> Iterator[str]:
    yield from (f"  {label}: {line}" for line in lines[:MAX_SHOWN_GAPS])
    if len(lines) > MAX_SHOWN_GAPS:
        yield f"  {label}: {len(lines) - MAX_SHOWN_GAPS} more {name}; --status --json prints all"


def format_days(progress: BackfillProgress, zone: tzinfo, requests_per_day: int | None = None) -> str:
    """Return the days done, and the time that the rest takes, with a limit of requests also in days."""
    from crawler.text.counts import format_count

    begin = f"{progress.done_since.astimezone(zone):%Y-%m-%d}"
    done = f"{progress.days_done:,} of {progress.days_wanted:,} days done (back to {begin})"
    if progress.is_finished:
        return done
    if progress.seconds_left is None:
        return f"{done}, time left not known yet"
    rest = f"about {format_rest(progress.seconds_left)} of reading left"
    if requests_per_day and progress.requests_left and (days := int(progress.requests_left / requests_per_day)):
        rest += f", {format_count(days, 'day')} or more at {requests_per_day} requests a day"
    return f"{done}, {rest}"


def format_rest(seconds: float) -> str:
    """Return a duration in one unit: `40 s`, `25 min`, `7 h`, `3 days`."""
    if seconds < 90:
        return f"{round(seconds)} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h" if seconds < 48 * 3600 else f"{round(seconds / 86400)} days"


def format_period(period: TimeSpan, zone: tzinfo) -> str:
    """Return the first and the last day, and how many there are."""
    days = max(round((period.end - period.begin) / timedelta(days=1)), 1)
    begin, end = period.begin.astimezone(zone), period.end.astimezone(zone)
    return f"{begin:%Y-%m-%d} to {end:%Y-%m-%d} ({days} days)"
