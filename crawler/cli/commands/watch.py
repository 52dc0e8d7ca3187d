"""`crawler watch`: run each source on its own schedule until stopped, and print each start and each end."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from crawler.cli.console import print_service_line
from crawler.cli.garbage_collection import tune_gc_for_long_command
from crawler.cli.options import NewStoreOption, SourcesArgument
from crawler.cli.stop_signals import CommandStopped, handle_stop_signals
from crawler.errors import CrawlerError
from crawler.items import Article, Verdict

if TYPE_CHECKING:
    from crawler.service.reloader import ConfigReloader
    from crawler.service.run_engine import SchedulerEvent
    from crawler.service.worker import RunEvent

CLOCK_FORMAT = "%Y-%m-%d %H:%M:%S"
NOTIFIER_STOP_SECONDS = 10.0
"""Seconds that an ending watch waits for a notification in progress."""


def watch(context: typer.Context, sources: SourcesArgument = None, new_store: NewStoreOption = False) -> None:
    """Run each source on its own schedule until stopped.

    Ctrl-C or SIGTERM ends it: runs in progress stop in good order. SIGHUP reads the configuration again.
    """
    # Until the scheduler handles signals, nothing runs that has to end in good order.
    handle_stop_signals(exit_code=0, farewell="stopped\n")
    tune_gc_for_long_command()
    try:
        import asyncio

        from crawler.service.reloader import ConfigReloader

        reloader = ConfigReloader(context.obj, tuple(sources or ()), new_store=new_store)
        with reloader.store:
            asyncio.run(run_watch(reloader))
    except CommandStopped:
        pass
    print_service_line("stopped")


async def run_watch(reloader: ConfigReloader, **options: Any) -> None:
    """Run a watch from its start to its end. `options` are those of `RunScheduler`."""
    from crawler.service.scheduler import RunScheduler

    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of what RunSkipped reports
    console = WatchConsole(reloader)
    if reloader.config.engine == "procrastinate":
        from crawler.service.queue_engine import QueueEngine

        options["engine"] = QueueEngine(reloader, console)
    try:
        await RunScheduler(reloader, console, **options).serve()
    finally:
        console.stop()


class WatchConsole:
    """Prints what a scheduler does, hands ended runs to the notifier, and sends the heartbeat."""

    def __init__(self, reloader: ConfigReloader) -> None:
        from crawler.service.heartbeat import Heartbeat
        from crawler.service.notifier import NotifierThread

        self.timezone = reloader.config.timezone
        self.heartbeat, self.notifier = Heartbeat(reloader.store), NotifierThread(reloader, print_service_line)

    def on_ready(self, sources: Sequence[str], first_starts: Mapping[str, datetime]) -> None:
        """Print how many sources are watched, and which starts first."""
        print_service_line(format_ready(sources, first_starts, self.timezone))

    def on_step(self, event: SchedulerEvent) -> None:
        """Print a start, an end or a skipped start. Notify about an ended run."""
        from crawler.service.run_engine import RunFinished

        print_service_line(format_step(event))
        if isinstance(event, RunFinished):
            self.notifier.submit(event.outcome)

    def on_event(self, event: RunEvent) -> None:
        """Print a matching article that is new or changed to stdout, and a log record to stderr."""
        print_run_event(event)

    def on_check(self, sources: Sequence[str]) -> None:
        """Show other processes that this watch runs its sources, and send what could not be sent before."""
        self.heartbeat.send(sources)
        self.notifier.submit()

    def on_reload(self, at: datetime, sources: Sequence[str]) -> None:
        """Print which sources are watched by the new configuration."""
        watched = ", ".join(sources)
        print_service_line(f"{at:{CLOCK_FORMAT}}  The configuration was read again; watched: {watched}.")

    def stop(self) -> None:
        """End the notifier and the heartbeat."""
        self.notifier.stop(NOTIFIER_STOP_SECONDS)
        with suppress(CrawlerError):
            self.heartbeat.stop()


def print_run_event(event: RunEvent) -> None:
    """Print a matching article that is new or changed to stdout, and a log record to stderr."""
    if event.get("type") == "article":
        article = Article.from_dict(event)
        if article.is_matched and article.verdict is not Verdict.UNCHANGED:
            words = ", ".join(dict.fromkeys(match.surface for match in article.matches))
            print_service_line(f"    {article.verdict}: {article.headline} [{words}] {article.url}")
    elif event.get("type") == "log":
        print_service_line(f"{event['source']}  {event.get('level')}  {event.get('message')}", sys.stderr)


def format_ready(sources: Sequence[str], first_starts: Mapping[str, datetime], timezone: str) -> str:
    """Return the first line: how many sources are watched, and which of them starts first."""
    from crawler.cli.console import format_local_time
    from crawler.text.counts import format_count

    following = "none, every source is paused"
    if first_starts:
        source = min(first_starts, key=lambda name: first_starts[name])
        following = f"{source} at {format_local_time(first_starts[source], timezone)}"
    return f"watching {format_count(len(sources), 'source')}; next: {following}"


def format_step(event: SchedulerEvent) -> str:
    """Return an event of the scheduler as a line: local time, source, what happened."""
    from crawler.service.run_engine import RunFinished, RunQueued, RunReturned, RunSkipped, RunStarted

    head = f"{event.at:{CLOCK_FORMAT}}  {event.source}"
    match event:
        case RunStarted():
            return f"{head}  started"
        case RunQueued():
            return f"{head}  queued"
        case RunFinished(outcome=outcome, worker=worker):
            code = f", exit {outcome.exit_code}" if outcome.exit_code else ""
            where = f", {worker}" if worker else ""
            return f"{head}  {outcome.health}: {outcome.reason} ({outcome.seconds:.1f} s{code}{where})"
        case RunSkipped(reason=reason):
            return f"{head}  skipped: {reason}"
        case RunReturned(reason=reason):
            return f"{head}  {reason}"
