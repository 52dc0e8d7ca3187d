"""After a run, and from time to time: the operator's alarms and the subscribers' messages go out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.cli.plural import plural
from crawler.config import Config
from crawler.errors import CrawlerError, Held
from crawler.process import Outcome
from crawler.text.dates import zone

if TYPE_CHECKING:
    from crawler.alerts.channels import Channels
    from crawler.alerts.sending import Sent
    from crawler.store import Store

AGAIN = timedelta(hours=6)
"""How long after a trouble was told that could not be kept it is told again."""
log = logging.getLogger(__name__)
_unkept: dict[str, datetime] = {}
QUIET = {
    "baseline": "baseline: {} that match stored, none sent",
    "backfill": "backfill: {} older ones that match stored, none sent",
    "replay": "replay: {} that match stored, none sent",
}
JUDGING = 60.0
"""Seconds at most to judge what a run left unjudged before it is told."""


def prepare(config: Config) -> None:
    """Before runs: subscriptions that are new begin, so that they hear of what these runs bring. ConfigError as from
    `check`."""
    check(config)
    if not config.subscriptions:
        return
    from crawler.store import open_store

    with suppress(CrawlerError), open_store(config.database_url) as store:  # what ails a store, the runs will say
        store.news.subscribed(tuple(config.subscriptions), datetime.now(UTC))


def check(config: Config) -> None:
    """ConfigError for a subscription that names a rule or a source that does not exist, for a channel and a folder of
    templates that cannot be used."""
    if config.alarms.channels:
        _channels(config)
    if not config.subscriptions and not config.channels:
        return
    from crawler import spiders
    from crawler.alerts.carrier import Carrier
    from crawler.entries import Templates
    from crawler.errors import ConfigError, nearest
    from crawler.keywords import load_rules

    rules, names = [rule.name for rule in load_rules(config.rules).rules], spiders.names()
    for name, subscription in config.subscriptions.items():
        for what, chosen, known in (("rule", subscription.rules, rules), ("source", subscription.sources, names)):
            for each in set(chosen) - set(known):
                hint = nearest(each, known) or f"; there are {', '.join(known)}."
                raise ConfigError(f"subscriptions.{name}: there is no {what} {each!r}{hint}")
    Templates(config.templates)
    for name, address in config.channels.items():
        Carrier(f"channels.{name}", address.get_secret_value())


def tell(config: Config, outcomes: Sequence[Outcome], *, alarms: bool = True) -> list[str]:
    """Take in how runs ended and tell what is untold; what came of it, a line each for people. Without `alarms` the
    runs say nothing of how their sources are, for they read only a part of them.

    What fails here is a warning, and is tried again later. A run that a person stopped says nothing of its source,
    nor does one that another run had left no room for. Where the store cannot be written, trouble is told all the same.
    """
    from crawler.store import open_store

    ended = [outcome for outcome in outcomes if _is_told(outcome)] if alarms else []
    try:
        with open_store(config.database_url) as store:
            trouble: CrawlerError | None = None
            try:
                if alarms:
                    _alarms(config, store, ended)
            except CrawlerError as error:  # what ails the alarms keeps nothing from the subscribers
                trouble = error
            lines = _messages(config, store, outcomes) if config.subscriptions else []
            if trouble:
                raise trouble
            return lines
    except CrawlerError as error:
        log.warning("Not everyone could be told: %s", error)
        _tell_unkept(config, ended, datetime.now(UTC))
    return []


def _is_told(outcome: Outcome) -> bool:
    return (not outcome.stopped or outcome.at_limit) and outcome.exit_code != Held.exit_code


def _messages(config: Config, store: Store, ended: Sequence[Outcome]) -> list[str]:
    """What came of telling subscribers; what ails a template or a channel has nothing to do with the alarms."""
    try:
        return [*_quiet(store, ended), *_alerts(config, store)]
    except CrawlerError as error:
        log.warning("Not every subscriber could be told: %s", error)
        return []


def _alarms(config: Config, store: Store, ended: Sequence[Outcome]) -> None:
    from crawler.alerts.alarms import note

    now = datetime.now(UTC)
    for outcome in ended:
        note(
            store,
            source=outcome.source,
            verdict=str(outcome.run.health) if outcome.run and outcome.run.health else "failed",
            exit_code=outcome.exit_code,
            sentence=outcome.reason,
            run_id=outcome.run.id if outcome.run else None,
            at=now,
        )
    _channels(config).send(store, now, zone(config.timezone))


def _channels(config: Config) -> Channels:
    from crawler.alerts.channels import Channels

    return Channels(config.alarm_addresses)


def _alerts(config: Config, store: Store) -> list[str]:
    """Sort what is new, make the digests that are due, send what is to be sent."""
    from crawler.alerts.digests import make_due
    from crawler.alerts.sending import Post
    from crawler.alerts.sorting import sort
    from crawler.dedupe.meaning import embedding

    if store.same.waiting():
        reads = embedding() if config.semantic else None
        store.same.settle(zone(config.timezone), seconds=JUDGING, embedding=reads)
    now = datetime.now(UTC)
    sort(store, config, now)
    make_due(store, config, now)
    return said(Post(config, store).send())


def said(sent: Sent) -> list[str]:
    """What came of sending, in lines for people."""
    lines = [f"{plural(sent.sent, 'message')} sent to subscribers"] if sent.sent else []
    if sent.failed:
        lines.append(f"{plural(sent.failed, 'message')} not taken, tried again later: {_why(sent)}")
    if sent.dead:
        lines.append(f"{plural(sent.dead, 'message')} given up: {_why(sent)}; `crawler alerts --failed` lists them")
    return lines


def _why(sent: Sent) -> str:
    return "; ".join(reason for reason, _ in sent.reasons.most_common(3))


def _quiet(store: Store, ended: Sequence[Outcome]) -> list[str]:
    """What these runs stored of which nobody is told, by why."""
    lines = []
    for outcome in ended:
        number = outcome.run.id if outcome.run else None
        quiet = store.news.quiet_of([number]) if number is not None else {}
        lines += [f"{outcome.source}: {QUIET[why].format(count)}" for why, count in sorted(quiet.items())]
    return lines


def _tell_unkept(config: Config, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Tell trouble without a store to keep it in, at most every six hours for each source."""
    channels = _channels(config)
    for outcome in outcomes:
        marker = config.data / "told-without-store" / outcome.source
        if outcome.exit_code and not _is_told_of(outcome.source, marker, now):
            title = f"{outcome.source}: failed, and the store cannot be written"
            if channels.tell_all(title, f"{outcome.reason}\n`crawler health {outcome.source}` says more."):
                _unkept[outcome.source] = now
                with suppress(OSError):  # an empty file is often still to be had where a store is not
                    marker.parent.mkdir(parents=True, exist_ok=True)
                    marker.touch()


def _is_told_of(source: str, marker: Path, now: datetime) -> bool:
    """Whether this process, or by the marker's time another one, told of it a short while ago."""
    last = _unkept.get(source)
    with suppress(OSError):
        last = last or datetime.fromtimestamp(marker.stat().st_mtime, UTC)
    return last is not None and abs(now - last) < AGAIN
