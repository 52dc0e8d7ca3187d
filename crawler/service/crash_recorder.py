"""A run whose process died could not write its end: its parent does, so that the store never says it still goes on."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

from crawler.config import load_config
from crawler.context.modes import Storage
from crawler.errors import CrawlerError
from crawler.service.outcome import RunOutcome
from crawler.service.run import RunPlan

LOG = logging.getLogger(__name__)


def make_crash_recorder(plan: RunPlan, outcome: RunOutcome, pid: int) -> Callable[[], None] | None:
    """What writes the end of a run that told none, of the process `pid`: failed, with the reason. None where there is
    nothing to write.

    It may wait for the store, so an event loop calls it in a thread; what needs this process's environment is done
    before. A store that cannot be written is a warning, for the next run of the source closes it as well.
    """
    if outcome.run is not None or plan.storage is not Storage.CONFIGURED:
        return None
    try:
        with _set_environment(plan.variables):
            url = load_config(plan.config).database_url
    except CrawlerError as error:
        return partial(_log_failure, plan.source, error)
    return partial(_record_crash, url, plan.source, outcome.reason, pid)


def _record_crash(url: str, source: str, reason: str, pid: int) -> None:
    from crawler.store import open_store  # here: a parent of well-behaved runs needs no database

    try:
        with open_store(url) as store:
            store.runs.close_abandoned(source, datetime.now(UTC), reason, pid=pid)
    except CrawlerError as error:
        _log_failure(source, error)


def _log_failure(source: str, error: CrawlerError) -> None:
    LOG.warning("How the run of %s ended could not be written down: %s", source, error)


@contextmanager
def _set_environment(variables: Mapping[str, str]) -> Iterator[None]:
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
