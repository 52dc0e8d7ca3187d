"""A run whose process died could not write its end: its parent does, so that the store never says it still goes on."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from crawler.config import load
from crawler.errors import CrawlerError
from crawler.process.ending import Outcome
from crawler.run import RunPlan

LOG = logging.getLogger(__name__)


def record_death(plan: RunPlan, outcome: Outcome, pid: int) -> None:
    """Write the end of a run that told none, of the process `pid`: failed, with the reason.

    A store that cannot be written is a warning, for the next run of the source closes it as well.
    """
    if outcome.run is not None or plan.dry_run:
        return
    from crawler.store import open_store  # here: a parent of well-behaved runs needs no database

    try:
        with _environment(plan.variables):
            url = load(plan.config).database_url
        with open_store(url) as store:
            store.runs.close_gone(plan.source, datetime.now(UTC), outcome.reason, pid=pid)
    except CrawlerError as error:
        LOG.warning("How the run of %s ended could not be written down: %s", plan.source, error)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """The variables of a plan while its configuration is read."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
