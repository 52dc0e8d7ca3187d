"""The fault campaign: each fault of `tests/faults.toml`, against a loopback copy of its source."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.alarm_webhook import AlarmWebhook
from support.gov_site import GovSite
from support.ktkz_site import KtkzSite
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import NO_DELAYS, CommandResult, Sandbox, get_expected_articles
from support.special_faults import SPECIAL, get_newest

from crawler.config import Config
from crawler.config.model import AlarmsConfig
from crawler.items import Run
from crawler.notify.alarms import CONFIRMED_BY_SECOND_RUN
from crawler.service.child import run_all
from crawler.service.notifications import notify_about_runs
from crawler.service.run import RunPlan
from crawler.service.worker import RunEvent

FILE = Path(__file__).parents[1] / "faults.toml"
KINDS: Mapping[str, Callable[[int], Any]] = {"mfa": GovSite, "qazmonitor": QazMonitorSite, "ktkz": KtkzSite}
SETTINGS = {
    **NO_DELAYS,
    "CRAWLER_LIMITS__BODY_MB": "1",
    "CRAWLER_LIMITS__PAGE_SECONDS": "1",
    "CRAWLER_POLITENESS__RETRIES": "2",
}
BEFORE, SINCE = 6, 4
"""Articles published before the first run, and before the faulty one."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One entry of the file, which explains the fields at its top."""

    name: str
    source: str
    verdict: str
    exit: int
    missing: str
    alarm: bool
    do: tuple[tuple[str, str], ...] = ()
    special: str | None = None
    times: int | None = None
    value: object = None
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class FaultResult:
    """The result of a fault.

    `missing` and `surplus` compare the store with the site's own list of articles, after the faulty run and after the
    healed one. `alarm_titles` reached the operator's channel. `revised_ids` are articles with a second version that the
    site never had.
    """

    code: int
    verdict: str
    sentence: str
    all_output: str
    requests: int
    missing: set[str]
    expected_missing: dict[str, set[str]]
    healed_code: int
    healed_said: str
    still_missing: set[str]
    surplus: set[str]
    alarm_titles: list[str]
    revised_ids: dict[str, int] = field(default_factory=dict)


def list_faults() -> Iterator[Fault]:
    """Yield every entry of the file, in order."""
    for entry in tomllib.loads(FILE.read_text(encoding="utf-8"))["fault"]:
        yield Fault(**{**entry, "do": tuple(map(tuple, entry.get("do", ())))})


def run_fault(fault: Fault, folder: Path) -> FaultResult:
    """Make a healthy run, apply the fault, make a run (or two, where one raises no alarm yet), heal it, make a run."""
    with KINDS[fault.source](BEFORE) as site, closing(AlarmWebhook()) as operator:
        channels = {"CRAWLER_ALARMS__CHANNELS": json.dumps([operator.address])}
        place = Sandbox(folder, {fault.source: site}, {**SETTINGS, **channels})
        first = crawl(place, fault.source)
        assert first.code == 0, first.all_output
        site.add_articles(SINCE)
        should = list_expected_ids(fault.source, site)
        new = should - set(place.get_articles(fault.source))
        due = {"all": new, "newest": {name for name in new if get_newest(site).id in name}, "none": set()}
        news = {f":{article.id}:" for article in site.articles if article.section == "News"}
        due["other sections"] = {name for name in new if not any(part in name for part in news)}
        asked = len(site.requests)
        with apply_fault(fault, place) as more:
            done = SPECIAL[fault.special].run(place, fault.source) if fault.special else None
            done = done or crawl(place, fault.source, **more)
            asked = len(site.requests) - asked
            if fault.verdict in CONFIRMED_BY_SECOND_RUN:  # the alarm needs a second run in a row
                crawl(place, fault.source, **more)
        run = get_last_run(place, fault.source)
        stored = set(place.get_articles(fault.source))
        healed = crawl(place, fault.source)
        there = place.get_articles(fault.source)
        return FaultResult(
            code=done.code,
            verdict=str(run.health) if run and run.id != 1 and run.health else "none",
            sentence=(run.reason or "") if run and run.id != 1 else "",
            all_output=done.all_output,
            requests=asked,
            alarm_titles=operator.titles,
            missing=should - stored,
            expected_missing=due,
            healed_code=healed.code,
            healed_said=healed.all_output,
            still_missing=should - set(there),
            surplus=set(there) - should,
            revised_ids={name: article.version or 0 for name, article in there.items() if article.version != 1},
        )


def crawl(place: Sandbox, source: str, **more: str) -> CommandResult:
    """Crawl as `crawler crawl SOURCE` does, alarms included, without starting Python each time."""
    config = place.folder / "crawler.toml"
    config.touch()
    url = {f"CRAWLER_SOURCES__{source.upper()}__BASE_URL": place.sites[source].url}
    variables = {**place.variables, "CRAWLER_DATA_DIR": str(place.data_dir), **url, **more}
    events: list[RunEvent] = []
    (outcome,) = run_all([RunPlan(source=source, config=config, variables=variables)], events.append)
    told = place.variables.get("CRAWLER_ALARMS__CHANNELS")
    notify_about_runs(
        Config(data_dir=place.data_dir, alarms=AlarmsConfig(channels=json.loads(told) if told else [])), [outcome]
    )
    log = "\n".join(event["message"] for event in events if event["type"] == "log")
    return CommandResult(outcome.exit_code, outcome.reason, log)


def list_expected_ids(source: str, site: Any) -> set[str]:
    """Return the ids that a crawl must store by the site's own list. Of kt.kz only the Russian lists are read."""
    ids = set(get_expected_articles(source, site))
    return {name for name in ids if name.endswith(":ru")} if source == "ktkz" else ids


def get_last_run(place: Sandbox, source: str) -> Run | None:
    """Return the run that started last."""
    with place.open_store() as store:
        return store.runs.get_last(source)


@contextmanager
def apply_fault(fault: Fault, place: Sandbox) -> Iterator[dict[str, str]]:
    """The fault while the block runs; gives the variables that the run is to have."""
    site: Any = place.sites[fault.source]
    with SPECIAL[fault.special].force(place, fault.source) if fault.special else _nothing() as more:
        for where, kind in fault.do:
            path = site.path(get_newest(site)) if where == "newest" else where
            site.add_fault(path, kind, times=fault.times, value=fault.value)
        try:
            yield more
        finally:
            site.heal()


@contextmanager
def _nothing() -> Iterator[dict[str, str]]:
    yield {}
