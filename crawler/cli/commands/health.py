"""`crawler health`: is each source well, and can we see it at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawler.config import Config, load_config
from crawler.errors import choose_exit_code
from crawler.items import Run, format_time
from crawler.monitoring.baseline import Baseline, get_baseline
from crawler.monitoring.publishing_rate import MAX_HISTORY, drop_future_times, learn_publishing_rate, measure_silence
from crawler.service.schedule_api import ScheduleState, Timing, parse_cron
from crawler.service.schedules import make_timings
from crawler.store import Alarm, Store, open_store
from crawler.text.counts import format_count
from crawler.text.dates import load_time_zone

UNWATCHED_EXIT_CODE = 13
"""Exit code of a source of which nothing was heard when something was due, as of a silent one."""
MAX_MISSED_STARTS = 2
"""Starts by its cron that a source may miss before it counts as not watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """One source now. `verdict` is its last run's health, or `unwatched`; `sentence` says why, `exit_code` what a
    script sees."""

    source: str
    verdict: str
    exit_code: int
    reason: str
    last_run: Run | None
    last_healthy_run: Run | None
    silence: str | None
    is_paused: bool
    alarm: Alarm | None = None
    baseline: Baseline | None = None
    since: datetime | None = None


def health(config_path: Path | None, wanted: tuple[str, ...], as_json: bool) -> int:
    """Print the state of each source; the exit code that outranks the others."""
    config = load_config(config_path)
    now = datetime.now(UTC)
    with open_store(config.database_url) as store:
        states = [
            load_state(store, name, timing, config, now) for name, timing in make_timings(config, store, wanted).items()
        ]
    for each in states:
        print(json.dumps(state_to_dict(each, config), ensure_ascii=False) if as_json else format_state(each, config))
    return choose_exit_code(each.exit_code for each in states)


def load_state(store: Store, source: str, timing: Timing, config: Config, now: datetime) -> SourceState:
    """One source by its last live run that ended, its schedule and its silence."""
    ended = next((run for run in store.runs.list_recent(source, mode="live") if run.finished_at), None)
    row = store.schedules.get(source)
    verdict, code, sentence = assess(ended, row, timing, config, now)
    return SourceState(
        source=source,
        verdict=verdict,
        exit_code=code,
        reason=sentence,
        last_run=ended,
        last_healthy_run=store.runs.get_last_healthy(source, mode="live"),
        silence=_describe_silence(store, source, config, now),
        is_paused=bool(row and row.paused),
        alarm=store.alarms.get_open(source),
        baseline=get_baseline(ended.measures) if ended else None,
        since=_get_start_of_verdict(store, ended, verdict),
    )


def assess(
    ended: Run | None, row: ScheduleState | None, timing: Timing, config: Config, now: datetime
) -> tuple[str, int, str]:
    """Verdict, exit code and sentence. What was last said of a source counts only while somebody still looks."""
    if ended is None or ended.finished_at is None:
        return "unwatched", UNWATCHED_EXIT_CODE, "It never ran: start `crawler watch`, or run `crawler crawl`."
    if row is not None and row.paused:
        return str(ended.health), ended.exit_code or 0, f"Paused. Last: {ended.reason}"
    slots = parse_cron(timing.cron, "cron", config.timezone)
    due = ended.finished_at
    for _ in range(MAX_MISSED_STARTS):
        following = slots.get_next_fire_time(due, due)
        if following is None:
            break
        due = following
    late = due.timestamp() + timing.jitter + config.limits.run_seconds
    if now.timestamp() > late:
        since = ended.finished_at.astimezone(load_time_zone(config.timezone))
        return (
            "unwatched",
            UNWATCHED_EXIT_CODE,
            f"No run ended since {since:%Y-%m-%d %H:%M}; is `crawler watch` running?",
        )
    return str(ended.health), ended.exit_code or 0, ended.reason or ""


def _get_start_of_verdict(store: Store, ended: Run | None, verdict: str) -> datetime | None:
    """Since when the verdict is what it is: of an unwatched source, since its last run ended."""
    if ended is None:
        return None
    return ended.finished_at if verdict == "unwatched" else store.runs.get_streak_start(ended)


def _describe_silence(store: Store, source: str, config: Config, now: datetime) -> str | None:
    here = load_time_zone(config.timezone)
    times = drop_future_times(store.articles.list_publication_times(source, now - MAX_HISTORY), now)
    cadence = learn_publishing_rate(times, now, here)
    if cadence is None:
        return None
    found = measure_silence(cadence, times[-1], now)
    return f"{found.description}; up to {found.max_expected_articles:.1f} missing articles are believed"


def format_time(moment: datetime, config: Config) -> str:
    """A time as people read it, in the owner's zone."""
    return f"{moment.astimezone(load_time_zone(config.timezone)):%Y-%m-%d %H:%M}"


def state_to_dict(state: SourceState, config: Config) -> dict[str, Any]:
    """The state as plain values, times in the owner's zone."""
    here = load_time_zone(config.timezone)
    last, well = state.last_run, state.last_healthy_run
    return {
        "source": state.source,
        "verdict": state.verdict,
        "exit_code": state.exit_code,
        "sentence": state.reason,
        "paused": state.is_paused,
        "since": format_time(state.since.astimezone(here)) if state.since else None,
        "last_run": format_time(last.started_at.astimezone(here)) if last else None,
        "last_healthy": format_time(well.started_at.astimezone(here)) if well else None,
        "unaccounted": last.measures.get("unaccounted", []) if last else [],
        "notes": last.measures.get("notes", []) if last else [],
        "accepted": format_time(state.baseline.accepted_at.astimezone(here)) if state.baseline else None,
        "silence": state.silence,
        "alarm": alarm_to_dict(state.alarm, config) if state.alarm else None,
    }


def alarm_to_dict(alarm: Alarm, config: Config) -> dict[str, Any]:
    """The open alarm: what, since when, in how many runs, and whether the operator has heard of it."""
    here = load_time_zone(config.timezone)
    told = format_time(alarm.notified_at.astimezone(here)) if alarm.notified_at else None
    since = format_time(alarm.opened_at.astimezone(here))
    return {"kind": alarm.kind, "since": since, "runs": alarm.run_count, "told": told, "failure": alarm.failure}


def format_state(state: SourceState, config: Config) -> str:
    """The state as a person reads it."""
    found = state_to_dict(state, config)
    lines = [f"{state.source}: {state.verdict}. {state.reason}".rstrip(". ") + "."]
    last, well = (
        format_time(run.started_at, config) if run else "never" for run in (state.last_run, state.last_healthy_run)
    )
    lines.append(f"    last run {last}, last healthy {well}")
    if alarm := state.alarm:
        told = (
            f"told {format_time(alarm.notified_at, config)}" if alarm.notified_at else alarm.failure or "not told yet"
        )
        runs = format_count(alarm.run_count, "run")
        lines.append(f"    alarm: {alarm.kind} since {format_time(alarm.opened_at, config)}, in {runs}; {told}")
    if state.silence:
        lines.append(f"    {state.silence}")
    if state.baseline:
        first = "; its first list may fail" if state.baseline.first_list else ""
        at = format_time(state.baseline.accepted_at, config)
        lines.append(f"    accepted {at}: runs are compared with those after that{first}")
    lines += [f"    note: {note}" for note in found["notes"]]
    lines += [f"    listed, but not to be had: {url}" for url in found["unaccounted"]]
    return "\n".join(lines)
