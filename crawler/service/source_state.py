"""The state of each source now: its last run, its schedule, its open alarms, its delay and its silence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from crawler.config import Config
from crawler.errors import NoArticles
from crawler.items import Health, Run
from crawler.monitoring.baseline import Baseline, get_baseline
from crawler.monitoring.publishing_rate import MAX_HISTORY, drop_future_times, learn_publishing_rate, measure_silence
from crawler.monitoring.run_counts import RunCount
from crawler.notify.delays import DelayStats, measure_delay
from crawler.service.cron import parse_cron
from crawler.service.schedule_state import Timing
from crawler.store import Alarm, DeliveryState, Store
from crawler.store.alarms import DELAY_TOPIC
from crawler.text.dates import load_time_zone

UNWATCHED = "unwatched"
"""Health of a source that never ran, or whose scheduled runs are overdue."""
UNWATCHED_EXIT_CODE = NoArticles.exit_code
MAX_MISSED_STARTS = 2
"""Scheduled starts that a source may miss before it counts as unwatched."""


class Assessment(NamedTuple):
    """The health of a source: that of its last run, or `unwatched`."""

    health: str
    exit_code: int
    reason: str


class AlarmDelivery(NamedTuple):
    """When an alarm was last sent (UTC), and why it is not sent now; None if it was not, or nothing failed."""

    sent_at: datetime | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """The state of one source now. `since` is when its health began, None if the source never ran."""

    source: str
    assessment: Assessment
    last_run: Run | None
    last_healthy_run: Run | None
    silence: str | None
    is_paused: bool
    alarm: Alarm | None
    alarm_delivery: AlarmDelivery
    delay: DelayStats | None
    delay_alarm: Alarm | None
    baseline: Baseline | None
    since: datetime | None
    unclustered: int
    """Articles that are in no story yet, because that is found in idle time or when a command needs stories."""

    @property
    def archive_waiting(self) -> int:
        """WARC files of earlier runs that waited to be uploaded when the last run began, on its machine."""
        return self.last_run.counts.get(RunCount.ARCHIVE_WAITING, 0) if self.last_run else 0


def load_state(
    store: Store, source: str, timing: Timing, config: Config, now: datetime, *, mode: str = "live"
) -> SourceState:
    """Return a source's state: its last finished run of a mode, its schedule and its silence."""
    last_run = get_last_finished_run(store, source, mode=mode)
    schedule = store.schedules.get(source)
    is_paused = bool(schedule and schedule.paused)
    assessment = assess(last_run, timing, config, now, is_paused=is_paused)
    alarm = store.alarms.get_open(source)
    return SourceState(
        source=source,
        assessment=assessment,
        last_run=last_run,
        last_healthy_run=store.runs.get_last_healthy(source, mode=mode),
        silence=_describe_silence(store, source, config, now),
        is_paused=is_paused,
        alarm=alarm,
        alarm_delivery=load_alarm_delivery(store, alarm),
        delay=measure_delay(store, source, now),
        delay_alarm=store.alarms.get_open(source, DELAY_TOPIC),
        baseline=get_baseline(last_run.measures) if last_run else None,
        since=_get_start_of_health(store, last_run, assessment.health),
        unclustered=store.clusters.count_pending(source=source),
    )


def load_alarm_delivery(store: Store, alarm: Alarm | None) -> AlarmDelivery:
    """Return what became of the messages about an alarm."""
    if alarm is None or alarm.id is None:
        return AlarmDelivery()
    deliveries = store.deliveries.list_by_messages(store.alarms.list_message_ids(alarm.id))
    sent = [each.sent_at for each in deliveries if each.sent_at]
    failures = [each.failure for each in deliveries if each.failure and each.state is not DeliveryState.REPLACED]
    return AlarmDelivery(max(sent, default=None), failures[-1] if failures else None)


def get_last_finished_run(store: Store, source: str, *, mode: str = "live") -> Run | None:
    """Return the newest run of a mode that has ended and was not stopped by a person or the end of a watch, or None."""
    ended = (run for run in store.runs.list_recent(source, mode=mode) if run.finished_at)
    return next((run for run in ended if run.health is not Health.STOPPED), None)


def assess(last_run: Run | None, timing: Timing, config: Config, now: datetime, *, is_paused: bool) -> Assessment:
    """Return the health of a source: its last run's health, unless scheduled runs are overdue."""
    if last_run is None or last_run.finished_at is None:
        reason = "It never ran: start `crawler watch`, or run `crawler crawl`."
        return Assessment(UNWATCHED, UNWATCHED_EXIT_CODE, reason)
    if is_paused:
        return Assessment(str(last_run.health), last_run.exit_code or 0, f"Paused. Last: {last_run.reason}")
    if last_run.mode == "live" and is_overdue(last_run.finished_at, timing, config, now):
        since = f"{last_run.finished_at.astimezone(load_time_zone(config.timezone)):%Y-%m-%d %H:%M}"
        reason = f"No run ended since {since}; is `crawler watch` running?"
        return Assessment(UNWATCHED, UNWATCHED_EXIT_CODE, reason)
    return Assessment(str(last_run.health), last_run.exit_code or 0, last_run.reason or "")


def is_overdue(finished_at: datetime, timing: Timing, config: Config, now: datetime) -> bool:
    """Return whether more than MAX_MISSED_STARTS scheduled starts passed, with time for jitter and a full run."""
    trigger = parse_cron(timing.cron, "cron", config.timezone)
    due = finished_at
    for _ in range(MAX_MISSED_STARTS):
        due = trigger.get_next_fire_time(due, due) or due
    return now.timestamp() > due.timestamp() + timing.jitter + config.limits.run_seconds


def _get_start_of_health(store: Store, last_run: Run | None, health: str) -> datetime | None:
    """Return since when the health holds. A source is unwatched since its last run ended."""
    if last_run is None:
        return None
    return last_run.finished_at if health == UNWATCHED else store.runs.get_streak_start(last_run)


def _describe_silence(store: Store, source: str, config: Config, now: datetime) -> str | None:
    """Return how unusual the time since the newest article is, or None if too few articles are known."""
    times = drop_future_times(store.articles.list_publication_times(source, now - MAX_HISTORY), now)
    rate = learn_publishing_rate(times, now, load_time_zone(config.timezone))
    if rate is None:
        return None
    found = measure_silence(rate, times[-1], now)
    return f"{found.description}; up to {found.max_expected_articles:.1f} missing articles are believed"
