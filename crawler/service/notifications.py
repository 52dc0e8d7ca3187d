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

from crawler.config import OPERATOR, Config
from crawler.errors import ConfigError, CrawlerError, EmptyStore, SourceLocked
from crawler.private_files import make_private_file, make_private_folder
from crawler.service.dead_man_switch import send_heartbeat
from crawler.service.run import RunOutcome
from crawler.text.counts import format_count

if TYPE_CHECKING:
    from crawler.notify.dispatcher import Dispatcher, DispatchResult
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
    if not config.subscriptions and not config.channels and not config.alarms.channels:
        return
    from crawler import spiders
    from crawler.errors import suggest_nearest
    from crawler.keywords import load_rules
    from crawler.notify.dispatcher import make_transport
    from crawler.publish.templates import Templates

    rules, names = [rule.name for rule in load_rules(config.rules).rules], spiders.list_names()
    for name, subscription in config.subscriptions.items():
        for kind, chosen, known in (("rule", subscription.rules, rules), ("source", subscription.sources, names)):
            for each in set(chosen) - set(known):
                hint = suggest_nearest(each, known) or f"; there are {', '.join(known)}."
                raise ConfigError(f"subscriptions.{name}: there is no {kind} {each!r}{hint}")
    Templates(config.templates)
    for name in (*config.channels, *config.alarm_channels):
        make_transport(config, name)


def notify_about_runs(
    config: Config, outcomes: Sequence[RunOutcome], *, alarms: bool = True, hold_bursts: bool = True
) -> list[str]:
    """Update alarms by how the runs ended, then send what is due. Return lines to print.

    If all of it worked, request `heartbeat_url`. Without `alarms`, the runs change no alarm and are no reason for that
    request: they read only a part of their sources. Nor does a run that a person stopped, or that was skipped because
    another run of its source was in progress. `hold_bursts` as in Dispatcher. If the store cannot be written, an alarm
    is sent without it.
    """
    from crawler.context.configured_store import open_configured_store
    from crawler.notify.dispatcher import Dispatcher

    ended = [outcome for outcome in outcomes if _is_reportable(outcome)] if alarms else []
    try:
        with open_configured_store(config) as store:
            dispatcher = Dispatcher(config, store, hold_bursts=hold_bursts)
            failure: CrawlerError | None = None
            try:
                if alarms:
                    _update_alarms(config, store, ended)
                    _send_alarms(config, store, dispatcher)
            except CrawlerError as error:  # subscribers are notified even if the alarms fail
                failure = error
            lines, is_sent = _notify_subscribers(config, store, dispatcher, outcomes)
            if alarms:
                _update_delay_alarms(config, store, ended)
                _send_alarms(config, store, dispatcher)
            if failure:
                raise failure
            send_heartbeat(config, ended, is_delivered=is_sent and not store.deliveries.has_waiting_failure())
            return lines
    except CrawlerError as error:
        if not isinstance(error, EmptyStore):  # every run of the command reports it
            log.warning("Alarms could not be updated or sent: %s", error)
        _send_unstored_alarms(config, ended, datetime.now(UTC))
    return []


def _is_reportable(outcome: RunOutcome) -> bool:
    return (not outcome.stopped or outcome.at_limit) and outcome.exit_code != SourceLocked.exit_code


def _notify_subscribers(
    config: Config, store: Store, dispatcher: Dispatcher, ended: Sequence[RunOutcome]
) -> tuple[list[str], bool]:
    """Send what is due to subscribers. Return lines to print, and whether all of it was sent.

    A failure is logged, so that it affects no alarm.
    """
    if not config.subscriptions:
        return [], True
    try:
        suppressed, sent = _format_suppressed(store, ended), _send_due_messages(config, store, dispatcher)
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


def _update_delay_alarms(config: Config, store: Store, ended: Sequence[RunOutcome]) -> None:
    """Open or close the alarm about each source's delay, now that what its run found is sent."""
    from crawler.notify.alarms import record_delay
    from crawler.notify.delays import measure_delay

    now = datetime.now(UTC)
    for source in dict.fromkeys(outcome.source for outcome in ended):
        record_delay(store, source, measure_delay(store, source, now), config.alarms.max_delay, now)


def _send_alarms(config: Config, store: Store, dispatcher: Dispatcher) -> None:
    """Send the operator what is due, before anything that takes longer."""
    from crawler.notify.alarms import route_alarms

    route_alarms(store, config, datetime.now(UTC))
    sent = dispatcher.send_due(subscription=OPERATOR)
    if sent.failed:
        log.warning("%s not sent, tried again later: %s", format_count(sent.failed, "alarm"), _format_reasons(sent))
    if sent.dead:
        log.warning("%s given up: %s", format_count(sent.dead, "alarm"), _format_reasons(sent))


def _send_due_messages(config: Config, store: Store, dispatcher: Dispatcher) -> DispatchResult:
    """Decide about new change events, make the digests that are due, and send.

    Alerts are sent before the articles are clustered that only digests need.
    """
    from crawler.notify.digests import list_due_digests, make_due_digests
    from crawler.notify.routing import route_events
    from crawler.publish.templates import Templates
    from crawler.service.clustered_store import cluster_pending_articles
    from crawler.store.stories import make_deadline

    Templates(config.templates)  # Raise ConfigError before anything waits for them.
    if store.clusters.count_pending(only_urgent=True):
        cluster_pending_articles(store, config, make_deadline(MAX_CLUSTERING_SECONDS), only_urgent=True)
    now = datetime.now(UTC)
    route_events(store, config, now)
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
    for outcome in outcomes:
        marker = config.data_folder / "told-without-store" / outcome.source
        if outcome.exit_code and not _has_recent_alarm(outcome.source, marker, now):
            title = f"{outcome.source}: failed, and the store cannot be written"
            text = f"{outcome.reason}\nRun `crawler health {outcome.source}` for details."
            if _send_without_store(config, title, text, now):
                _unstored_alarms[outcome.source] = now
                with suppress(OSError):  # an empty file can often be made where a store cannot
                    make_private_folder(marker.parent)
                    make_private_file(marker)
                    marker.touch()


def _send_without_store(config: Config, title: str, text: str, now: datetime) -> int:
    """Send a message to every channel of the operator. Return how many took it."""
    from crawler.notify.dispatcher import make_transport
    from crawler.notify.rendered_message import make_plain_message
    from crawler.notify.transports import DeliveryError
    from crawler.store import make_idempotency_key

    message = make_plain_message(make_idempotency_key("alarm", title, now), title, text, "en", now)
    count = 0
    for name in config.alarm_channels:
        try:
            if transport := make_transport(config, name):
                transport.send(message)
                count += 1
        except (ConfigError, DeliveryError) as error:
            log.warning("%s: %s.", name, str(error).rstrip("."))
    return count


def _has_recent_alarm(source: str, marker: Path, now: datetime) -> bool:
    """Return whether this process, or by the marker's time another one, sent such an alarm recently."""
    last = _unstored_alarms.get(source)
    with suppress(OSError):
        last = last or datetime.fromtimestamp(marker.stat().st_mtime, UTC)
    return last is not None and abs(now - last) < ALARM_REPEAT_INTERVAL
