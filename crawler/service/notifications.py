"""After runs: update the operator's alarms, decide about change events, and send alarms and messages.

What cannot be sent is logged as a warning and tried again later.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.config import Config
from crawler.errors import CrawlerError, EmptyStore, SourceLocked
from crawler.private_files import make_private_file, make_private_folder
from crawler.service.dead_man_switch import send_heartbeat
from crawler.service.run import RunOutcome
from crawler.text.counts import format_count
from crawler.text.dates import load_time_zone

if TYPE_CHECKING:
    from crawler.notify.alarm_dispatcher import AlarmDispatcher
    from crawler.notify.dispatcher import DispatchResult
    from crawler.store import Store

ALARM_REPEAT_INTERVAL = timedelta(hours=6)
"""Time between two alarms about the same source while the store cannot be written."""
log = logging.getLogger(__name__)
_unstored_alarms: dict[str, datetime] = {}
SUPPRESSED_LINES = {
    "baseline": "baseline: {} that match stored, none sent",
    "backfill": "backfill: {} older ones that match stored, none sent",
    "damaged": "damaged: {} that match stored, none sent",
    "replay": "replay: {} that match stored, none sent",
}
MAX_CLUSTERING_SECONDS = 60.0
"""Limit for clustering what a run left unclustered, before alerts and again before digests are made."""


def begin_subscriptions(config: Config, *, new_store: bool = False) -> None:
    """Start new subscriptions before runs, so that they are notified of what these runs find.

    A store of an older version is upgraded here, once, and not by one of the runs: they would not print it. `new_store`
    accepts an empty store beside an archive with records. Raise ConfigError as `check_subscriptions` does.
    """
    check_subscriptions(config)
    from crawler.context.configured_store import open_configured_store
    from crawler.store import store_exists

    if not config.subscriptions and not store_exists(config.database_url):
        return
    with (
        suppress(CrawlerError),
        open_configured_store(config, new_store=new_store) as store,
    ):  # the runs report a store that cannot be opened
        store.subscriptions.get_or_start(tuple(config.subscriptions), datetime.now(UTC))


def check_subscriptions(config: Config) -> None:
    """Raise ConfigError for an unknown rule or source in a subscription, an unusable channel or templates folder."""
    if config.alarms.channels:
        _make_alarm_channels(config)
    if not config.subscriptions and not config.channels:
        return
    from crawler import spiders
    from crawler.errors import ConfigError, suggest_nearest
    from crawler.keywords import load_rules
    from crawler.notify.transports import Transport
    from crawler.publish.templates import Templates

    rules, names = [rule.name for rule in load_rules(config.rules).rules], spiders.list_names()
    for name, subscription in config.subscriptions.items():
        for kind, chosen, known in (("rule", subscription.rules, rules), ("source", subscription.sources, names)):
            for each in set(chosen) - set(known):
                hint = suggest_nearest(each, known) or f"; there are {', '.join(known)}."
                raise ConfigError(f"subscriptions.{name}: there is no {kind} {each!r}{hint}")
    Templates(config.templates)
    for name, address in config.channels.items():
        Transport(f"channels.{name}", address.get_secret_value())


def notify_about_runs(config: Config, outcomes: Sequence[RunOutcome], *, alarms: bool = True) -> list[str]:
    """Update alarms by how the runs ended, then send what is due. Return lines to print.

    If all of it worked, request `heartbeat_url`. Without `alarms`, the runs change no alarm and are no reason for that
    request: they read only a part of their sources. Nor does a run that a person stopped, or that was skipped because
    another run of its source was in progress. If the store cannot be written, an alarm is sent without it.
    """
    from crawler.context.configured_store import open_configured_store

    ended = [outcome for outcome in outcomes if _is_reportable(outcome)] if alarms else []
    try:
        with open_configured_store(config) as store:
            failure: CrawlerError | None = None
            try:
                if alarms:
                    _update_alarms(config, store, ended)
            except CrawlerError as error:  # subscribers are notified even if the alarms fail
                failure = error
            lines, is_sent = _notify_subscribers(config, store, outcomes) if config.subscriptions else ([], True)
            if failure:
                raise failure
            is_delivered = is_sent and not store.deliveries.has_waiting_failure()
            send_heartbeat(config, ended, is_delivered=is_delivered and not store.alarms.has_waiting_failure())
            return lines
    except CrawlerError as error:
        if not isinstance(error, EmptyStore):  # every run of the command reports it
            log.warning("Alarms could not be updated or sent: %s", error)
        _send_unstored_alarms(config, ended, datetime.now(UTC))
    return []


def _is_reportable(outcome: RunOutcome) -> bool:
    return (not outcome.stopped or outcome.at_limit) and outcome.exit_code != SourceLocked.exit_code


def _notify_subscribers(config: Config, store: Store, ended: Sequence[RunOutcome]) -> tuple[list[str], bool]:
    """Send what is due to subscribers. Return lines to print, and whether all of it was sent.

    A failure is logged, so that it affects no alarm.
    """
    try:
        suppressed, sent = _format_suppressed(store, ended), _send_due_messages(config, store)
        return [*suppressed, *format_send_result(sent)], not sent.failed and not sent.dead
    except CrawlerError as error:
        log.warning("Messages to subscribers could not be made or sent: %s", error)
        return [], False


def _update_alarms(config: Config, store: Store, ended: Sequence[RunOutcome]) -> None:
    from crawler.notify.alarms import record_run_result

    now = datetime.now(UTC)
    for outcome in ended:
        record_run_result(
            store,
            source=outcome.source,
            health=str(outcome.run.health) if outcome.run and outcome.run.health else "failed",
            exit_code=outcome.exit_code,
            message=outcome.reason,
            run_id=outcome.run.id if outcome.run else None,
            finished_at=now,
        )
    _make_alarm_channels(config).send_due(store, now, load_time_zone(config.timezone))


def _make_alarm_channels(config: Config) -> AlarmDispatcher:
    from crawler.notify.alarm_dispatcher import AlarmDispatcher

    return AlarmDispatcher(config.alarm_addresses)


def _send_due_messages(config: Config, store: Store) -> DispatchResult:
    """Decide about new change events, make the digests that are due, and send.

    Alerts are sent before the articles are clustered that only digests need.
    """
    from crawler.notify.digests import list_due_digests, make_due_digests
    from crawler.notify.dispatcher import Dispatcher
    from crawler.notify.routing import route_events
    from crawler.service.clustered_store import cluster_pending_articles, cluster_urgent_articles
    from crawler.store.stories import make_deadline

    if store.clusters.count_pending(only_urgent=True):
        cluster_urgent_articles(store, config, MAX_CLUSTERING_SECONDS)
    now = datetime.now(UTC)
    route_events(store, config, now)
    dispatcher = Dispatcher(config, store)
    result = dispatcher.send_due()
    if list_due_digests(store, config, now):
        if store.clusters.count_pending():
            cluster_pending_articles(store, config, make_deadline(MAX_CLUSTERING_SECONDS))
        make_due_digests(store, config, now)
        result += dispatcher.send_due()
    return result


def format_send_result(sent: DispatchResult) -> list[str]:
    """Return lines that count what was sent, what failed, and what was given up."""
    lines = [f"{format_count(sent.sent, 'message')} sent to subscribers"] if sent.sent else []
    if sent.failed:
        count = format_count(sent.failed, "message")
        lines.append(f"{count} not sent, tried again later: {_format_reasons(sent)}")
    if sent.dead:
        count = format_count(sent.dead, "message")
        lines.append(f"{count} given up: {_format_reasons(sent)}; `crawler alerts --failed` lists them")
    return lines


def _format_reasons(sent: DispatchResult) -> str:
    return "; ".join(reason for reason, _ in sent.reasons.most_common(3))


def _format_suppressed(store: Store, ended: Sequence[RunOutcome]) -> list[str]:
    """Return lines that count the matching articles of these runs of which no one is notified, by the reason."""
    lines = []
    for outcome in ended:
        run_id = outcome.run.id if outcome.run else None
        counts = store.events.count_suppressed([run_id]) if run_id is not None else {}
        lines += [f"{outcome.source}: {SUPPRESSED_LINES[why].format(count)}" for why, count in sorted(counts.items())]
    return lines


def _send_unstored_alarms(config: Config, outcomes: Sequence[RunOutcome], now: datetime) -> None:
    """Send alarms while no store can record them, at most one per source and ALARM_REPEAT_INTERVAL."""
    channels = _make_alarm_channels(config)
    for outcome in outcomes:
        marker = config.data_folder / "told-without-store" / outcome.source
        if outcome.exit_code and not _has_recent_alarm(outcome.source, marker, now):
            title = f"{outcome.source}: failed, and the store cannot be written"
            if channels.send_to_all(title, f"{outcome.reason}\nRun `crawler health {outcome.source}` for details."):
                _unstored_alarms[outcome.source] = now
                with suppress(OSError):  # an empty file can often be made where a store cannot
                    make_private_folder(marker.parent)
                    make_private_file(marker)
                    marker.touch()


def _has_recent_alarm(source: str, marker: Path, now: datetime) -> bool:
    """Return whether this process, or by the marker's time another one, sent such an alarm recently."""
    last = _unstored_alarms.get(source)
    with suppress(OSError):
        last = last or datetime.fromtimestamp(marker.stat().st_mtime, UTC)
    return last is not None and abs(now - last) < ALARM_REPEAT_INTERVAL
