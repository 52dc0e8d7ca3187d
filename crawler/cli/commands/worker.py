"""`crawler worker`: run sources that a watch has queued, on any machine. `crawler workers`: who runs what."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.commands.watch import format_step, print_run_event
from crawler.cli.console import format_local_time, format_table, print_json, print_service_line
from crawler.cli.garbage_collection import tune_gc_for_long_command
from crawler.cli.options import JsonOption
from crawler.cli.stop_signals import CommandStopped, handle_stop_signals
from crawler.errors import ConfigError
from crawler.items import format_time

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.service.job_queue import QueueState, WorkerRun, WorkerState
    from crawler.service.run_engine import SchedulerEvent
    from crawler.service.worker import RunEvent

DEFAULT_CONCURRENCY = 2
DEFAULT_DRAIN_SECONDS = 20.0


def worker(
    context: typer.Context,
    concurrency: Annotated[
        int, typer.Option("--concurrency", metavar="N", min=1, max=64, help="Runs at the same time.")
    ] = DEFAULT_CONCURRENCY,
    drain: Annotated[
        float, typer.Option("--drain", metavar="SECONDS", min=0, max=3600, help="Time for runs to end after SIGTERM.")
    ] = DEFAULT_DRAIN_SECONDS,
) -> None:
    """Run sources that a watch has queued, until stopped.

    For `engine = "procrastinate"`, on any number of machines with one database. After Ctrl-C or SIGTERM, runs that do
    not end in time are stopped and given back to other workers.
    """
    handle_stop_signals(exit_code=0, farewell="stopped\n")
    tune_gc_for_long_command()
    try:
        import asyncio

        config = load_queue_config(context.obj)
        from crawler.service.job_queue import open_job_queue
        from crawler.service.queue_worker import QueueWorker
        from crawler.store import open_store

        with open_store(config.database_url) as store:
            queue = open_job_queue(config)
            try:
                made = QueueWorker(
                    context.obj, store, queue, WorkerConsole(), concurrency=concurrency, drain_seconds=drain
                )
                asyncio.run(made.serve())
            finally:
                queue.close()
    except CommandStopped:
        pass
    print_service_line("stopped")


def workers(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the workers, and what each one runs.

    A worker that is killed, frozen or cut off is listed as silent for an hour.
    """
    config = load_queue_config(context.obj)
    state = load_queue_state(config)
    if as_json:
        for each in state.workers:
            print_json(worker_to_dict(each, state, config))
    else:
        print("\n".join(format_workers(state, config.timezone)))


def load_queue_state(config: Config) -> QueueState:
    """Return who runs what now."""
    from crawler.service.job_queue import open_job_queue

    queue = open_job_queue(config)
    try:
        return queue.get_state()
    finally:
        queue.close()


def load_queue_config(path: Path | None) -> Config:
    """Return the configuration. Raise ConfigError if the watch itself runs the sources."""
    from crawler.config import load_config

    config = load_config(path)
    if config.engine != "procrastinate":
        where = str(config.path) if config.path else "crawler.toml"
        raise ConfigError(
            f'There are no workers: by `engine = "{config.engine}"` the watch itself runs the sources. For workers, '
            f'set `engine = "procrastinate"` and `database` to a PostgreSQL database in {where} (docs/workers.md).'
        )
    return config


class WorkerConsole:
    """Prints what a worker does, as a watch does."""

    def on_ready(self, worker_id: int, concurrency: int) -> None:
        """Print the worker's number, which `crawler workers` and the lines of the watch show."""
        from crawler.text.counts import format_count

        print_service_line(f"worker {worker_id} takes {format_count(concurrency, 'run')} at a time")

    def on_step(self, event: SchedulerEvent) -> None:
        """Print a start or an end."""
        print_service_line(format_step(event))

    def on_event(self, event: RunEvent) -> None:
        """Print a matching article that is new or changed to stdout, and a log record to stderr."""
        print_run_event(event)

    def on_draining(self, running: int, seconds: float) -> None:
        """Print that the worker waits."""
        from crawler.text.counts import format_count

        runs = format_count(running, "run")
        print_service_line(f"ending: waiting up to {seconds:g} s for {runs}; a second signal stops them now")


def worker_to_dict(worker: WorkerState, state: QueueState, config: Config) -> dict[str, Any]:
    """Return a worker as JSON values. Times are in the owner's time zone."""
    from crawler.text.dates import load_time_zone

    zone = load_time_zone(config.timezone)

    def format_iso(at: datetime) -> str | None:
        return format_time(at.astimezone(zone))

    return {
        "worker": worker.id,
        "host": worker.host,
        "pid": worker.pid,
        "concurrency": worker.concurrency,
        "since": format_iso(worker.started_at),
        "heartbeat": format_iso(worker.heartbeat_at),
        "is_silent": worker.is_silent,
        "runs": [
            {"source": run.source, "politeness_group": run.politeness_group, "since": format_iso(run.started_at)}
            for run in worker.runs
        ],
        "waiting": state.waiting,
    }


def format_workers(state: QueueState, timezone: str) -> list[str]:
    """Return a table with a line for each run and for each idle worker, and what waits."""
    from crawler.text.counts import format_count

    waiting = f"{format_count(state.waiting, 'run')} {'waits' if state.waiting == 1 else 'wait'} for a worker"
    alive = [worker for worker in state.workers if not worker.is_silent]
    total = f"No worker is there; start `crawler worker`. {waiting}."
    if alive:
        running = format_count(sum(len(worker.runs) for worker in alive), "run")
        total = f"{format_count(len(alive), 'worker')}, {running} in progress, {waiting}."
    if silent := len(state.workers) - len(alive):
        total += f" Silent, and without runs: {format_count(silent, 'worker')}; look at the process or its machine."
    if not state.workers:
        return [total]
    rows = [("worker", "host", "process", "since", "heartbeat", "runs", "for")]
    for worker in state.workers:
        silence = (state.at - worker.heartbeat_at).total_seconds()
        head = (
            str(worker.id),
            worker.host,
            str(worker.pid),
            format_local_time(worker.started_at, timezone),
            f"{silence:.0f} s ago" + (", silent" if worker.is_silent else ""),
        )
        runs: tuple[WorkerRun | None, ...] = worker.runs or (None,)
        for run in runs:
            what = (run.source, f"{(state.at - run.started_at).total_seconds():.0f} s") if run else ("nothing", "")
            rows.append((*head, *what))
            head = ("", "", "", "", "")
    return [*(line.rstrip() for line in format_table(rows)), total]
