"""After a run, and from time to time: the operator's alarms and the subscribers' messages go out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.config import Config
from crawler.errors import CrawlerError, SourceLocked
from crawler.service import RunOutcome
from crawler.text.counts import format_count
from crawler.text.dates import load_time_zone

if TYPE_CHECKING:
    from crawler.notify.alarm_dispatcher import AlarmDispatcher
    from crawler.notify.dispatcher import DispatchResult
    from crawler.store import Store

ALARM_REPEAT_INTERVAL = timedelta(hours=6)
"""How long after a trouble was told that could not be kept it is told again."""
log = logging.getLogger(__name__)
_unstored_alarms: dict[str, datetime] = {}
SUPPRESSED_LINES = {
    "baseline": "baseline: {} that match stored, none sent",
    "backfill": "backfill: {} older ones that match stored, none sent",
    "replay": "replay: {} that match stored, none sent",
}
MAX_CLUSTERING_SECONDS = 60.0
"""Seconds at most to judge what a run left unjudged before it is told."""


def begin_subscriptions(config: Config) -> None:
    """Before runs: subscriptions that are new begin, so that they hear of what these runs bring. ConfigError as from
    `check`."""
    check_subscriptions(config)
    if not config.subscriptions:
        return
    from crawler.store import open_store

    with suppress(CrawlerError), open_store(config.database_url) as store:  # what ails a store, the runs will say
        store.events.subscriptions__get_or_start(tuple(config.subscriptions), datetime.now(UTC))


def check_subscriptions(config: Config) -> None:
    """ConfigError for a subscription that names a rule or a source that does not exist, for a channel and a folder of
    templates that cannot be used."""
    if config.alarms.channels:
        _make_alarm_channels(config)
    if not config.subscriptions and not config.channels:
        return
    from crawler import spiders
    from crawler.errors import ConfigError, suggest_nearest
    from crawler.keywords import load_rules
    from crawler.notify.transports import Transport
    from crawler.publish import Templates

    rules, names = [rule.name for rule in load_rules(config.rules).rules], spiders.list_names()
    for name, subscription in config.subscriptions.items():
        for what, chosen, known in (("rule", subscription.rules, rules), ("source", subscription.sources, names)):
            for each in set(chosen) - set(known):
                hint = suggest_nearest(each, known) or f"; there are {', '.join(known)}."
                raise ConfigError(f"subscriptions.{name}: there is no {what} {each!r}{hint}")
    Templates(config.templates)
    for name, address in config.channels.items():
        Transport(f"channels.{name}", address.get_secret_value())


def notify_about_runs(config: Config, outcomes: Sequence[RunOutcome], *, alarms: bool = True) -> list[str]:
    """Take in how runs ended and tell what is untold; what came of it, a line each for people. Without `alarms` the
    runs say nothing of how their sources are, for they read only a part of them.

    What fails here is a warning, and is tried again later. A run that a person stopped says nothing of its source,
    nor does one that another run had left no room for. Where the store cannot be written, trouble is told all the same.
    """
    from crawler.store import open_store

    ended = [outcome for outcome in outcomes if _is_reportable(outcome)] if alarms else []
    try:
        with open_store(config.database_url) as store:
            trouble: CrawlerError | None = None
            try:
                if alarms:
                    _update_alarms(config, store, ended)
            except CrawlerError as error:  # what ails the alarms keeps nothing from the subscribers
                trouble = error
            lines = _notify_subscribers(config, store, outcomes) if config.subscriptions else []
            if trouble:
                raise trouble
            return lines
    except CrawlerError as error:
        log.warning("Not everyone could be told: %s", error)
        _send_unstored_alarms(config, ended, datetime.now(UTC))
    return []


def _is_reportable(outcome: RunOutcome) -> bool:
    return (not outcome.stopped or outcome.at_limit) and outcome.exit_code != SourceLocked.exit_code


def _notify_subscribers(config: Config, store: Store, ended: Sequence[RunOutcome]) -> list[str]:
    """What came of telling subscribers; what ails a template or a channel has nothing to do with the alarms."""
    try:
        return [*_format_suppressed(store, ended), *_send_due_messages(config, store)]
    except CrawlerError as error:
        log.warning("Not every subscriber could be told: %s", error)
        return []


def _update_alarms(config: Config, store: Store, ended: Sequence[RunOutcome]) -> None:
    from crawler.notify.alarms import record_run_result

    now = datetime.now(UTC)
    for outcome in ended:
        record_run_result(
            store,
            source=outcome.source,
            verdict=str(outcome.run.health) if outcome.run and outcome.run.health else "failed",
            exit_code=outcome.exit_code,
            message=outcome.reason,
            run_id=outcome.run.id if outcome.run else None,
            finished_at=now,
        )
    _make_alarm_channels(config).send_due(store, now, load_time_zone(config.timezone))


def _make_alarm_channels(config: Config) -> AlarmDispatcher:
    from crawler.notify.alarm_dispatcher import AlarmDispatcher

    return AlarmDispatcher(config.alarm_addresses)


def _send_due_messages(config: Config, store: Store) -> list[str]:
    """Sort what is new, make the digests that are due, send what is to be sent."""
    from crawler.notify.digests import make_due_digests
    from crawler.notify.dispatcher import Dispatcher
    from crawler.notify.routing import route_events
    from crawler.similarity.semantic import load_embedding

    if store.stories.clusters__count_pending():
        reads = load_embedding() if config.semantic else None
        store.stories.clusters__assign_pending(
            load_time_zone(config.timezone), max_seconds=MAX_CLUSTERING_SECONDS, embedding=reads
        )
    now = datetime.now(UTC)
    route_events(store, config, now)
    make_due_digests(store, config, now)
    return format_send_result(Dispatcher(config, store).send_due())


def format_send_result(sent: DispatchResult) -> list[str]:
    """What came of sending, in lines for people."""
    lines = [f"{format_count(sent.sent, 'message')} sent to subscribers"] if sent.sent else []
    if sent.failed:
        lines.append(f"{format_count(sent.failed, 'message')} not taken, tried again later: {_format_reasons(sent)}")
    if sent.dead:
        lines.append(
            f"{format_count(sent.dead, 'message')} given up: {_format_reasons(sent)}; `crawler alerts --failed` lists them"
        )
    return lines


def _format_reasons(sent: DispatchResult) -> str:
    return "; ".join(reason for reason, _ in sent.reasons.most_common(3))


def _format_suppressed(store: Store, ended: Sequence[RunOutcome]) -> list[str]:
    """What these runs stored of which nobody is told, by why."""
    lines = []
    for outcome in ended:
        number = outcome.run.id if outcome.run else None
        quiet = store.events.count_suppressed([number]) if number is not None else {}
        lines += [f"{outcome.source}: {SUPPRESSED_LINES[why].format(count)}" for why, count in sorted(quiet.items())]
    return lines


def _send_unstored_alarms(config: Config, outcomes: Sequence[RunOutcome], now: datetime) -> None:
    """Tell trouble without a store to keep it in, at most every six hours for each source."""
    channels = _make_alarm_channels(config)
    for outcome in outcomes:
        marker = config.data_folder / "told-without-store" / outcome.source
        if outcome.exit_code and not _has_recent_alarm(outcome.source, marker, now):
            title = f"{outcome.source}: failed, and the store cannot be written"
            if channels.send_to_all(title, f"{outcome.reason}\n`crawler health {outcome.source}` says more."):
                _unstored_alarms[outcome.source] = now
                with suppress(OSError):  # an empty file is often still to be had where a store is not
                    marker.parent.mkdir(parents=True, exist_ok=True)
                    marker.touch()


def _has_recent_alarm(source: str, marker: Path, now: datetime) -> bool:
    """Whether this process, or by the marker's time another one, told of it a short while ago."""
    last = _unstored_alarms.get(source)
    with suppress(OSError):
        last = last or datetime.fromtimestamp(marker.stat().st_mtime, UTC)
    return last is not None and abs(now - last) < ALARM_REPEAT_INTERVAL
