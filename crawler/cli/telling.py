"""After a run: its alarm is opened, made worse or closed, and the operator is told what is new of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from crawler.config import Config
from crawler.errors import CrawlerError
from crawler.process import Outcome
from crawler.text.dates import zone

AGAIN = timedelta(hours=6)
"""How long after a trouble was told that could not be kept it is told again."""
log = logging.getLogger(__name__)
_unkept: dict[str, datetime] = {}


def tell(config: Config, outcomes: Sequence[Outcome]) -> None:
    """Take in how runs ended and tell what is untold; what fails here is a warning, and is tried after the next run.

    Where the store cannot be written, trouble is told all the same.

    A run that a person stopped says nothing of its source.
    """
    from crawler.alerts.alarms import note
    from crawler.alerts.channels import Channels
    from crawler.store import open_store

    now = datetime.now(UTC)
    try:
        with open_store(config.database_url) as store:
            for outcome in outcomes:
                if outcome.stopped and not outcome.at_limit:
                    continue
                note(
                    store,
                    source=outcome.source,
                    verdict=str(outcome.run.health) if outcome.run and outcome.run.health else "failed",
                    exit_code=outcome.exit_code,
                    sentence=outcome.reason,
                    run_id=outcome.run.id if outcome.run else None,
                    at=now,
                )
            channels = Channels([address.get_secret_value() for address in config.alarms.channels])
            channels.send(store, now, zone(config.timezone))
    except CrawlerError as error:
        log.warning("What the operator must hear of the sources could not be kept: %s", error)
        _tell_unkept(config, outcomes, now)


def _tell_unkept(config: Config, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Tell trouble without a store to keep it in, at most every six hours for each source."""
    from crawler.alerts.channels import Channels

    channels = Channels([address.get_secret_value() for address in config.alarms.channels])
    for outcome in outcomes:
        due = _unkept.get(outcome.source, now) <= now
        if outcome.exit_code and not outcome.stopped and due:
            title = f"{outcome.source}: failed, and the store cannot be written"
            if channels.tell_all(title, f"{outcome.reason}\n`crawler health {outcome.source}` says more."):
                _unkept[outcome.source] = now + AGAIN
