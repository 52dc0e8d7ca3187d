"""`crawler health SOURCE --accept`: as the source is now is how it is; `--unaccept` takes that back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler.config import load
from crawler.errors import UsageError
from crawler.health.accepted import KEY, Accepted, accepted
from crawler.items import Health, Run
from crawler.store import Store, open_store
from crawler.text.dates import zone

LONG_AGO = timedelta(days=400)
WELL = (Health.HEALTHY, Health.DEGRADED)


def accept(config_path: Path | None, sources: tuple[str, ...], undo: bool) -> int:
    """Mark the source's newest run as what later ones are compared with, or take the mark away; 0."""
    if len(sources) != 1:
        raise UsageError("--accept and --unaccept are for one source: name it.")
    (source,) = sources
    config = load(config_path)
    now = datetime.now(UTC)
    with open_store(config.database_url) as store:
        run = _newest(store, source, now)
        others = {name: value for name, value in run.measures.items() if name != KEY}
        if undo:
            if accepted(run.measures) is None:
                raise UsageError(f"Nothing is accepted of {source}.")
            store.runs.remeasure(replace(run, measures=others))
            print(f"{source}: what was accepted no longer holds; the next run is compared with all of its past.")
            return 0
        assert run.id is not None
        mark = Accepted(at=now, run=run.id, first_list=bool(run.counts.get("lists_replaced")))
        store.runs.remeasure(replace(run, measures={**others, KEY: mark.plain()}))
    here = zone(config.timezone)
    begun = f"{run.started_at.astimezone(here):%Y-%m-%d %H:%M}"
    print(f"{source}: accepted as it was in the run of {begun}: {run.reason}")
    print(f"    Later runs are compared with those after it; `crawler health {source} --unaccept` takes it back.")
    return 0


def _newest(store: Store, source: str, now: datetime) -> Run:
    """The newest whole run; UsageError where it did not end well, for then there is nothing that could be usual."""
    measured = store.runs.measured(source, "codes", since=now - LONG_AGO, limit=1)
    last = next((run for run in store.runs.recent(source, mode="live") if run.finished_at), None)
    if not measured or last is None:
        raise UsageError(f"{source} has no whole run that ended well: there is nothing to accept.")
    if last.health not in WELL:
        raise UsageError(
            f"{source} was {last.health} in its last run, and nothing is read that could be usual. {last.reason}"
        )
    return measured[0]
