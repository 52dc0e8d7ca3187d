"""`crawler health`: is each source healthy, and does any watch run it; accept the current state as the baseline."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.console import format_local_time, print_json
from crawler.cli.options import JsonOption, SourcesArgument
from crawler.errors import CrawlerError, UsageError, choose_exit_code
from crawler.items import ArticleFlag, Health, Run, format_time
from crawler.monitoring.run_counts import get_flag_count_name

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.service.job_queue import QueueState
    from crawler.service.source_state import AlarmDelivery, SourceState
    from crawler.store import Alarm, Store

BASELINE_SEARCH_AGE = timedelta(days=400)
ACCEPTABLE_HEALTH = (Health.HEALTHY, Health.DEGRADED)


def health(
    context: typer.Context,
    sources: SourcesArgument = None,
    as_json: JsonOption = False,
    accept: Annotated[bool, typer.Option("--accept", help="Accept the current state as the new baseline.")] = False,
    unaccept: Annotated[bool, typer.Option("--unaccept", help="Remove the accepted baseline.")] = False,
) -> None:
    """Print whether each source is healthy, and since when.

    Exits with the code of the worst source.
    """
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.service.schedules import make_timings
    from crawler.service.source_state import load_state

    names = tuple(sources or ())
    if (accept or unaccept) and len(names) != 1:
        raise UsageError("--accept and --unaccept need exactly one source.")
    config, now = load_config(context.obj), datetime.now(UTC)
    with open_configured_store(config) as store:
        if accept or unaccept:
            change_baseline = remove_baseline if unaccept else accept_baseline
            print(change_baseline(store, names[0], config, now))
            return
        states = [
            load_state(store, name, timing, config, now) for name, timing in make_timings(config, store, names).items()
        ]
    for state in states:
        if as_json:
            print_json(state_to_dict(state, config))
        else:
            print(format_state(state, config))
    if not as_json and config.objects.address and (line := format_waiting_files(config, now)):
        print(line)
    if not as_json and config.engine == "procrastinate":
        from crawler.cli.commands.worker import load_queue_state

        try:
            lines = format_silent_workers(load_queue_state(config), config.timezone)
        except CrawlerError as error:  # the exit code is that of the sources, which are known
            lines = [f"Which workers are silent is not known. {error}"]
        print(*lines, sep="\n", end="\n" if lines else "")
    raise typer.Exit(choose_exit_code(state.assessment.exit_code for state in states))


def format_waiting_files(config: Config, now: datetime) -> str | None:
    """Return which WARC files wait on this machine to be uploaded, or None if none does."""
    from crawler.archive.uploads import find_waiting_files

    assert config.objects.address is not None
    waiting = find_waiting_files(config.archive_dir, config.objects.address, now)
    since = format_local_time(waiting.since, config.timezone) if waiting else ""
    return f"{waiting} to {config.objects.address}, the oldest since {since}." if waiting else None


def format_silent_workers(state: QueueState, timezone: str) -> list[str]:
    """Return a line for each worker of the last hour that was killed, frozen or cut off."""
    return [
        f"Worker {each.id} on {each.host} (process {each.pid}) is silent since "
        f"{format_local_time(each.heartbeat_at, timezone)}. Look at the process or its machine."
        for each in state.workers
        if each.is_silent
    ]


def state_to_dict(state: SourceState, config: Config) -> dict[str, Any]:
    """Return a state as JSON values. Times are in the owner's time zone."""
    last, healthy, baseline = state.last_run, state.last_healthy_run, state.baseline
    return {
        "source": state.source,
        "verdict": state.assessment.health,
        "exit_code": state.assessment.exit_code,
        "sentence": state.assessment.reason,
        "paused": state.is_paused,
        "since": _local_iso(state.since, config),
        "last_run": _local_iso(last.started_at, config) if last else None,
        "last_healthy": _local_iso(healthy.started_at, config) if healthy else None,
        "unaccounted": last.measures.get("unaccounted", []) if last else [],
        "notes": last.measures.get("notes", []) if last else [],
        "flags": get_flag_counts(last) if last else {},
        "accepted": _local_iso(baseline.accepted_at, config) if baseline else None,
        "silence": state.silence,
        "unclustered": state.unclustered,
        "archive_waiting": state.archive_waiting,
        "alarm": alarm_to_dict(state.alarm, state.alarm_delivery, config) if state.alarm else None,
        "delay": delay_to_dict(state, config) if state.delay else None,
    }


def delay_to_dict(state: SourceState, config: Config) -> dict[str, Any]:
    """Return the delay from publication to message in the last 30 days. `late_since`: since when there is an alarm."""
    assert state.delay is not None
    return {
        "median_minutes": round(state.delay.median.total_seconds() / 60, 1),
        "p95_minutes": round(state.delay.p95.total_seconds() / 60, 1),
        "messages": state.delay.message_count,
        "limit_minutes": round(config.alarms.max_delay.total_seconds() / 60, 1),
        "late_since": _local_iso(state.delay_alarm.opened_at, config) if state.delay_alarm else None,
    }


def get_flag_counts(run: Run) -> dict[str, int]:
    """Return how many articles of a run had each flag, unchanged ones included."""
    names = {flag.value: get_flag_count_name(flag) for flag in ArticleFlag}
    return {flag: run.counts[name] for flag, name in names.items() if run.counts.get(name)}


def alarm_to_dict(alarm: Alarm, delivery: AlarmDelivery, config: Config) -> dict[str, Any]:
    """Return an open alarm as JSON values; `told` is when the operator was notified, or None."""
    return {
        "kind": alarm.kind,
        "since": _local_iso(alarm.opened_at, config),
        "runs": alarm.run_count,
        "told": _local_iso(delivery.sent_at, config),
        "failure": delivery.failure,
    }


def _local_iso(at: datetime | None, config: Config) -> str | None:
    from crawler.text.dates import load_time_zone

    return format_time(at.astimezone(load_time_zone(config.timezone))) if at else None


def format_state(state: SourceState, config: Config) -> str:
    """Return a state as lines."""
    from crawler.notify.delays import format_delay, format_minutes
    from crawler.publish.phrases import describe_flags
    from crawler.text.counts import format_count

    timezone, last = config.timezone, state.last_run
    lines = [f"{state.source}: {state.assessment.health}. {state.assessment.reason}".rstrip(". ") + "."]
    started, healthy = (
        format_local_time(run.started_at, timezone) if run else "never" for run in (last, state.last_healthy_run)
    )
    lines.append(f"    last run: {started}; last healthy run: {healthy}")
    if alarm := state.alarm:
        delivery = state.alarm_delivery
        sent = delivery.failure or "not sent yet"
        if delivery.sent_at:
            sent = f"sent {format_local_time(delivery.sent_at, timezone)}"
        runs = format_count(alarm.run_count, "run")
        lines.append(f"    alarm: {alarm.kind} since {format_local_time(alarm.opened_at, timezone)} ({runs}); {sent}")
    if state.delay:
        is_late = state.delay.p95 > config.alarms.max_delay
        late = f", above the limit of {format_minutes(config.alarms.max_delay)}" if is_late else ""
        lines.append(f"    from publication to message: {format_delay(state.delay)}{late}")
    if state.silence:
        lines.append(f"    {state.silence}")
    if state.unclustered:
        waiting = "waits" if state.unclustered == 1 else "wait"
        lines.append(f"    {format_count(state.unclustered, 'article')} {waiting} to be grouped into stories")
    if state.archive_waiting:
        waited = format_count(state.archive_waiting, "WARC file")
        lines.append(f"    {waited} of earlier runs waited to be uploaded when the last run began")
    if state.baseline:
        first_list = "; its first list may fail" if state.baseline.first_list else ""
        lines.append(f"    baseline accepted {format_local_time(state.baseline.accepted_at, timezone)}{first_list}")
    if last:
        lines += [f"    note: {note}" for note in last.measures.get("notes", [])]
        for flag, count in get_flag_counts(last).items():
            doubts = describe_flags([ArticleFlag(flag)])
            lines += [f"    doubtful: {format_count(count, 'article')}: {doubt}" for doubt in doubts]
        lines += [f"    listed but not read: {url}" for url in last.measures.get("unaccounted", [])]
    return "\n".join(lines)


def accept_baseline(store: Store, source: str, config: Config, now: datetime) -> str:
    """Make the source's newest whole run the baseline of later runs. Return the lines to print."""
    from crawler.monitoring.baseline import BASELINE_KEY, Baseline
    from crawler.monitoring.run_counts import RunCount

    run = _get_baseline_run(store, source, now)
    assert run.id is not None
    baseline = Baseline(accepted_at=now, run_id=run.id, first_list=bool(run.counts.get(RunCount.LISTS_REPLACED)))
    store.runs.save_measures(replace(run, measures={**run.measures, BASELINE_KEY: baseline.to_dict()}))
    started = format_local_time(run.started_at, config.timezone)
    return (
        f"{source}: the run of {started} is the new baseline: {run.reason}\n"
        f"    To undo this, run `crawler health {source} --unaccept`."
    )


def remove_baseline(store: Store, source: str, config: Config, now: datetime) -> str:
    """Remove the accepted baseline from the source's newest whole run. Return the line to print."""
    from crawler.monitoring.baseline import BASELINE_KEY, get_baseline

    run = _get_baseline_run(store, source, now)
    if get_baseline(run.measures) is None:
        raise UsageError(f"{source} has no accepted baseline.")
    store.runs.save_measures(
        replace(run, measures={name: value for name, value in run.measures.items() if name != BASELINE_KEY})
    )
    return f"{source}: the accepted baseline is removed; the next run is compared with all runs before it."


def _get_baseline_run(store: Store, source: str, now: datetime) -> Run:
    """Return the newest whole run. Raise UsageError when the last run is not healthy or degraded."""
    from crawler.service.source_state import get_last_finished_run

    measured = store.runs.list_with_measure(source, "codes", since=now - BASELINE_SEARCH_AGE, limit=1)
    last_run = get_last_finished_run(store, source)
    if not measured or last_run is None:
        raise UsageError(f"{source} has no whole run that ended well: there is nothing to accept.")
    if last_run.health not in ACCEPTABLE_HEALTH:
        raise UsageError(
            f"{source} was {last_run.health} in its last run, and cannot be a baseline until it is read again. "
            f"{last_run.reason}"
        )
    return measured[0]
