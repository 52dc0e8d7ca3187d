"""`crawler health`: is each source well, and can we see it at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawler.cli.plural import plural
from crawler.cli.timings import timings
from crawler.config import Config, load
from crawler.errors import worst
from crawler.health.accepted import Accepted, accepted
from crawler.health.cadence import HISTORY, learn, past, silence
from crawler.items import Run, iso
from crawler.schedule import ScheduleRow, Timing, parse_cron
from crawler.store import Alarm, Store, open_store
from crawler.text.dates import zone

UNWATCHED = 13
"""Exit code of a source of which nothing was heard when something was due, as of a silent one."""
STARTS_MISSED = 2
"""Starts by its cron that a source may miss before it counts as not watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One source now. `verdict` is its last run's health, or `unwatched`; `sentence` says why, `exit_code` what a
    script sees."""

    source: str
    verdict: str
    exit_code: int
    sentence: str
    last: Run | None
    last_healthy: Run | None
    quiet: str | None
    paused: bool
    alarm: Alarm | None = None
    settled: Accepted | None = None
    since: datetime | None = None


def health(config_path: Path | None, wanted: tuple[str, ...], as_json: bool) -> int:
    """Print the state of each source; the exit code that outranks the others."""
    config = load(config_path)
    now = datetime.now(UTC)
    with open_store(config.database_url) as store:
        states = [state(store, name, timing, config, now) for name, timing in timings(config, store, wanted).items()]
    for each in states:
        print(json.dumps(values(each, config), ensure_ascii=False) if as_json else text(each, config))
    return worst(each.exit_code for each in states)


def state(store: Store, source: str, timing: Timing, config: Config, now: datetime) -> State:
    """One source by its last live run that ended, its schedule and its silence."""
    ended = next((run for run in store.runs.recent(source, mode="live") if run.finished_at), None)
    row = store.schedules.get(source)
    verdict, code, sentence = judged(ended, row, timing, config, now)
    return State(
        source=source,
        verdict=verdict,
        exit_code=code,
        sentence=sentence,
        last=ended,
        last_healthy=store.runs.last_healthy(source, mode="live"),
        quiet=_quiet(store, source, config, now),
        paused=bool(row and row.paused),
        alarm=store.alarms.open_of(source),
        settled=accepted(ended.measures) if ended else None,
        since=_since(store, ended, verdict),
    )


def judged(
    ended: Run | None, row: ScheduleRow | None, timing: Timing, config: Config, now: datetime
) -> tuple[str, int, str]:
    """Verdict, exit code and sentence. What was last said of a source counts only while somebody still looks."""
    if ended is None or ended.finished_at is None:
        return "unwatched", UNWATCHED, "It never ran: start `crawler watch`, or run `crawler crawl`."
    if row is not None and row.paused:
        return str(ended.health), ended.exit_code or 0, f"Paused. Last: {ended.reason}"
    slots = parse_cron(timing.cron, "cron", config.timezone)
    due = ended.finished_at
    for _ in range(STARTS_MISSED):
        following = slots.get_next_fire_time(due, due)
        if following is None:
            break
        due = following
    late = due.timestamp() + timing.jitter + config.limits.run_seconds
    if now.timestamp() > late:
        since = ended.finished_at.astimezone(zone(config.timezone))
        return "unwatched", UNWATCHED, f"No run ended since {since:%Y-%m-%d %H:%M}; is `crawler watch` running?"
    return str(ended.health), ended.exit_code or 0, ended.reason or ""


def _since(store: Store, ended: Run | None, verdict: str) -> datetime | None:
    """Since when the verdict is what it is: of an unwatched source, since its last run ended."""
    if ended is None:
        return None
    return ended.finished_at if verdict == "unwatched" else store.runs.since(ended)


def _quiet(store: Store, source: str, config: Config, now: datetime) -> str | None:
    here = zone(config.timezone)
    times = past(store.articles.published_since(source, now - HISTORY), now)
    cadence = learn(times, now, here)
    if cadence is None:
        return None
    found = silence(cadence, times[-1], now)
    return f"{found.sentence}; up to {found.limit:.1f} missing articles are believed"


def short(moment: datetime, config: Config) -> str:
    """A time as people read it, in the owner's zone."""
    return f"{moment.astimezone(zone(config.timezone)):%Y-%m-%d %H:%M}"


def values(state: State, config: Config) -> dict[str, Any]:
    """The state as plain values, times in the owner's zone."""
    here = zone(config.timezone)
    last, well = state.last, state.last_healthy
    return {
        "source": state.source,
        "verdict": state.verdict,
        "exit_code": state.exit_code,
        "sentence": state.sentence,
        "paused": state.paused,
        "since": iso(state.since.astimezone(here)) if state.since else None,
        "last_run": iso(last.started_at.astimezone(here)) if last else None,
        "last_healthy": iso(well.started_at.astimezone(here)) if well else None,
        "unaccounted": last.measures.get("unaccounted", []) if last else [],
        "notes": last.measures.get("notes", []) if last else [],
        "accepted": iso(state.settled.at.astimezone(here)) if state.settled else None,
        "silence": state.quiet,
        "alarm": alarm_values(state.alarm, config) if state.alarm else None,
    }


def alarm_values(alarm: Alarm, config: Config) -> dict[str, Any]:
    """The open alarm: what, since when, in how many runs, and whether the operator has heard of it."""
    here = zone(config.timezone)
    told = iso(alarm.told_at.astimezone(here)) if alarm.told_at else None
    since = iso(alarm.opened_at.astimezone(here))
    return {"kind": alarm.kind, "since": since, "runs": alarm.times, "told": told, "failure": alarm.failure}


def text(state: State, config: Config) -> str:
    """The state as a person reads it."""
    found = values(state, config)
    lines = [f"{state.source}: {state.verdict}. {state.sentence}".rstrip(". ") + "."]
    last, well = (short(run.started_at, config) if run else "never" for run in (state.last, state.last_healthy))
    lines.append(f"    last run {last}, last healthy {well}")
    if alarm := state.alarm:
        told = f"told {short(alarm.told_at, config)}" if alarm.told_at else alarm.failure or "not told yet"
        runs = plural(alarm.times, "run")
        lines.append(f"    alarm: {alarm.kind} since {short(alarm.opened_at, config)}, in {runs}; {told}")
    if state.quiet:
        lines.append(f"    {state.quiet}")
    if state.settled:
        first = "; its first list may fail" if state.settled.first_list else ""
        at = short(state.settled.at, config)
        lines.append(f"    accepted {at}: runs are compared with those after that{first}")
    lines += [f"    note: {note}" for note in found["notes"]]
    lines += [f"    listed, but not to be had: {url}" for url in found["unaccounted"]]
    return "\n".join(lines)
