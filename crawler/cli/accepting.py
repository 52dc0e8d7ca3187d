"""`crawler health SOURCE --accept`: as the source is now is how it is; `--unaccept` takes that back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler.config import load_config
from crawler.errors import UsageError
from crawler.items import Health, Run
from crawler.monitoring.baseline import BASELINE_KEY, Baseline, get_baseline
from crawler.store import Store, open_store
from crawler.text.dates import load_time_zone

BASELINE_SEARCH_AGE = timedelta(days=400)
ACCEPTABLE_HEALTH = (Health.HEALTHY, Health.DEGRADED)


def change_baseline(config_path: Path | None, sources: tuple[str, ...], undo: bool) -> int:
    """Mark the source's newest run as what later ones are compared with, or take the mark away; 0."""
    if len(sources) != 1:
        raise UsageError("--accept and --unaccept are for one source: name it.")
    (source,) = sources
    config = load_config(config_path)
    now = datetime.now(UTC)
    with open_store(config.database_url) as store:
        run = _get_baseline_run(store, source, now)
        others = {name: value for name, value in run.measures.items() if name != BASELINE_KEY}
        if undo:
            if get_baseline(run.measures) is None:
                raise UsageError(f"Nothing is accepted of {source}.")
            store.runs.save_measures(replace(run, measures=others))
            print(f"{source}: what was accepted no longer holds; the next run is compared with all of its past.")
            return 0
        assert run.id is not None
        mark = Baseline(accepted_at=now, run_id=run.id, first_list=bool(run.counts.get("lists_replaced")))
        store.runs.save_measures(replace(run, measures={**others, BASELINE_KEY: mark.to_dict()}))
    here = load_time_zone(config.timezone)
    begun = f"{run.started_at.astimezone(here):%Y-%m-%d %H:%M}"
    print(f"{source}: accepted as it was in the run of {begun}: {run.reason}")
    print(f"    Later runs are compared with those after it; `crawler health {source} --unaccept` takes it back.")
    return 0


def _get_baseline_run(store: Store, source: str, now: datetime) -> Run:
    """The newest whole run; UsageError where it did not end well, for then there is nothing that could be usual."""
    measured = store.runs.list_with_measure(source, "codes", since=now - BASELINE_SEARCH_AGE, limit=1)
    last = next((run for run in store.runs.list_recent(source, mode="live") if run.finished_at), None)
    if not measured or last is None:
        raise UsageError(f"{source} has no whole run that ended well: there is nothing to accept.")
    if last.health not in ACCEPTABLE_HEALTH:
        raise UsageError(
            f"{source} was {last.health} in its last run, and nothing is read that could be usual. {last.reason}"
        )
    return measured[0]
