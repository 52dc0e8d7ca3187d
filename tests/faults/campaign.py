"""The fault campaign: one fault of `tests/faults.toml` after the other, against a loopback copy of its source."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alerts.receiver import Receiver
from faults.special import SPECIAL, newest
from live.place import HASTE, Done, Place, expected
from sites.gov import GovSite
from sites.ktkz import KtkzSite
from sites.qazmonitor import QazMonitorSite

from crawler.alerts.alarms import PATIENT
from crawler.cli.telling import tell
from crawler.config import Config
from crawler.config.settings import Alarms
from crawler.items import Run
from crawler.process import Event, run_all
from crawler.run import RunPlan

FILE = Path(__file__).parents[1] / "faults.toml"
KINDS: Mapping[str, Callable[[int], Any]] = {"mfa": GovSite, "qazmonitor": QazMonitorSite, "ktkz": KtkzSite}
SETTINGS = {
    **HASTE,
    "CRAWLER_LIMITS__BODY_MB": "1",
    "CRAWLER_LIMITS__PAGE_SECONDS": "1",
    "CRAWLER_POLITENESS__RETRIES": "2",
}
BEFORE, SINCE = 6, 4
"""Articles published before the first run, and before the faulty one."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One entry of the file; see its head for what the fields mean."""

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
class Came:
    """What a fault came to. `missing` and `surplus` compare the store with the site's own list of articles, after the
    faulty run and after the healed one; `told` are the titles that the operator's channel got; `doubled` are articles
    with a second version that nobody wrote."""

    code: int
    verdict: str
    sentence: str
    said: str
    requests: int
    missing: set[str]
    due: dict[str, set[str]]
    healed_code: int
    healed_said: str
    left_out: set[str]
    surplus: set[str]
    told: list[str]
    doubled: dict[str, int] = field(default_factory=dict)


def faults() -> Iterator[Fault]:
    """Every entry of the file, in order."""
    for entry in tomllib.loads(FILE.read_text(encoding="utf-8"))["fault"]:
        yield Fault(**{**entry, "do": tuple(map(tuple, entry.get("do", ())))})


def met(fault: Fault, folder: Path) -> Came:
    """A healthy run, the fault, a run (two where one says nothing yet), the fault healed, a run."""
    with KINDS[fault.source](BEFORE) as site, closing(Receiver()) as operator:
        channels = {"CRAWLER_ALARMS__CHANNELS": json.dumps([operator.address])}
        place = Place(folder, {fault.source: site}, {**SETTINGS, **channels})
        first = crawl(place, fault.source)
        assert first.code == 0, first.said
        site.add(SINCE)
        should = listed(fault.source, site)
        new = should - set(place.stored(fault.source))
        due = {"all": new, "newest": {name for name in new if newest(site).id in name}, "none": set()}
        news = {f":{article.id}:" for article in site.articles if article.section == "News"}
        due["other sections"] = {name for name in new if not any(part in name for part in news)}
        asked = len(site.requests)
        with in_force(fault, place) as more:
            done = SPECIAL[fault.special].run(place, fault.source) if fault.special else None
            done = done or crawl(place, fault.source, **more)
            asked = len(site.requests) - asked
            if fault.verdict in PATIENT:  # is told at the second run in a row
                crawl(place, fault.source, **more)
        run = last_run(place, fault.source)
        stored = set(place.stored(fault.source))
        healed = crawl(place, fault.source)
        there = place.stored(fault.source)
        return Came(
            code=done.code,
            verdict=str(run.health) if run and run.id != 1 and run.health else "none",
            sentence=(run.reason or "") if run and run.id != 1 else "",
            said=done.said,
            requests=asked,
            told=operator.titles,
            missing=should - stored,
            due=due,
            healed_code=healed.code,
            healed_said=healed.said,
            left_out=should - set(there),
            surplus=set(there) - should,
            doubled={name: article.version or 0 for name, article in there.items() if article.version != 1},
        )


def crawl(place: Place, source: str, **more: str) -> Done:
    """As `crawler crawl SOURCE` does it, alarms included, without starting Python each time."""
    config = place.folder / "crawler.toml"
    config.touch()
    url = {f"CRAWLER_SOURCES__{source.upper()}__BASE_URL": place.sites[source].url}
    variables = {**place.variables, "CRAWLER_DATA_DIR": str(place.data), **url, **more}
    events: list[Event] = []
    (outcome,) = run_all([RunPlan(source=source, config=config, variables=variables)], events.append)
    told = place.variables.get("CRAWLER_ALARMS__CHANNELS")
    tell(Config(data_dir=place.data, alarms=Alarms(channels=json.loads(told) if told else [])), [outcome])
    log = "\n".join(event["message"] for event in events if event["type"] == "log")
    return Done(outcome.exit_code, outcome.reason, log)


def listed(source: str, site: Any) -> set[str]:
    """The ids that the site's own list of articles says a crawl must store; of kt.kz only Russian lists are read."""
    ids = set(expected(source, site))
    return {name for name in ids if name.endswith(":ru")} if source == "ktkz" else ids


def last_run(place: Place, source: str) -> Run | None:
    """The run that began last."""
    with place.store() as store:
        return store.runs.last(source)


@contextmanager
def in_force(fault: Fault, place: Place) -> Iterator[dict[str, str]]:
    """The fault while the block runs; gives the variables that the run is to have."""
    site: Any = place.sites[fault.source]
    with SPECIAL[fault.special].force(place, fault.source) if fault.special else _nothing() as more:
        for where, kind in fault.do:
            path = site.path(newest(site)) if where == "newest" else where
            site.fault(path, kind, times=fault.times, value=fault.value)
        try:
            yield more
        finally:
            site.heal()


@contextmanager
def _nothing() -> Iterator[dict[str, str]]:
    yield {}
