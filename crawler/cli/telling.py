"""After a run: its alarm is opened, made worse or closed, and the operator is told what is new of it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from crawler.config import Config
from crawler.errors import CrawlerError, Held
from crawler.process import Outcome
from crawler.text.dates import zone

log = logging.getLogger(__name__)


def tell(config: Config, outcomes: Iterable[Outcome]) -> None:
    """Take in how runs ended and tell what is untold; what fails here is a warning, and is tried after the next run.

    A run that a person stopped says nothing of its source, nor does one that another run had left no room for.
    """
    from crawler.alerts.alarms import note
    from crawler.alerts.channels import Channels
    from crawler.store import open_store

    now = datetime.now(UTC)
    try:
        with open_store(config.database_url) as store:
            for outcome in outcomes:
                if (outcome.stopped and not outcome.at_limit) or outcome.exit_code == Held.exit_code:
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
        log.warning("The operator could not be told how the sources are: %s", error)
