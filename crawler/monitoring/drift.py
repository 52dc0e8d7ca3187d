"""Drift: where the fields of a page class stood, and what of it moved while every field is still read.

A run carries on a ledger from the run before: for each page class and each field the paths it was found at (`template`
is one more field), each with the number of runs and the times of the first and the last. So no run has to read the runs
of three months, and nothing is kept twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crawler.items import PageStructure

TEMPLATE_FIELD = "template"
MIN_RUNS_OF_USUAL_PATH = 5
"""Runs in which a path must have been found before leaving it is told."""
REPORT_PERIOD = timedelta(days=14)
"""How long after a move it is told; then the new path is what is usual."""
MAX_UNSEEN_AGE = timedelta(days=90)
"""How long a path is remembered that is no longer met."""
MAX_PATHS_PER_FIELD = 4
"""Paths kept of one field."""
MIN_ONE_OFF_PATHS = 2
"""Paths met in fewer than LEAST_RUNS runs that say: this field stands here and there, and moves nowhere."""
MIN_TEMPLATE_SIMILARITY = 0.5
"""Share of the places of two templates' hashes that must be alike for one template."""

PathLedger = dict[str, dict[str, list[list[Any]]]]


@dataclass(frozen=True, slots=True)
class KnownPath:
    """One path of one field: in how many runs, when first and last (aware)."""

    path: str
    runs: int
    first_seen_at: datetime
    last_seen_at: datetime

    def to_list(self) -> list[Any]:
        """As it is kept."""
        return [
            self.path,
            self.runs,
            *(moment.isoformat(timespec="milliseconds") for moment in (self.first_seen_at, self.last_seen_at)),
        ]


def update_ledger(before: Mapping[str, Any], seen: Iterable[PageStructure], now: datetime) -> PathLedger:
    """The ledger with what a run has seen."""
    ledger = {page: {field: _parse_paths(kept) for field, kept in fields.items()} for page, fields in before.items()}
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    for shape in seen:
        fields = ledger.setdefault(shape.page, {})
        for field, path in {**shape.paths, TEMPLATE_FIELD: shape.template}.items():
            fields[field] = _record_path(fields.get(field, []), field, path, now)
    return {page: {field: [each.to_list() for each in kept] for field, kept in ledger[page].items()} for page in ledger}


def _parse_paths(kept: Iterable[list[Any]]) -> list[KnownPath]:
    times = datetime.fromisoformat
    return [KnownPath(path, runs, times(first), times(last)) for path, runs, first, last in kept]


def _record_path(known: list[KnownPath], field: str, path: str, now: datetime) -> list[KnownPath]:
    met = next((each for each in known if _is_same_path(field, each.path, path)), None)
    if met is not None and met.last_seen_at == now:
        return known
    entry = KnownPath(met.path, met.runs + 1, met.first_seen_at, now) if met else KnownPath(path, 1, now, now)
    others = [each for each in known if each is not met and now - each.last_seen_at <= MAX_UNSEEN_AGE]
    return [entry, *others][:MAX_PATHS_PER_FIELD]


def _is_same_path(field: str, one: str, other: str) -> bool:
    return compare_templates(one, other) >= MIN_TEMPLATE_SIMILARITY if field == TEMPLATE_FIELD else one == other


def compare_templates(one: str, other: str) -> float:
    """The share of two templates' places that are the same; places empty in both say nothing."""
    pairs = [(one[at : at + 2], other[at : at + 2]) for at in range(0, len(one), 2)]
    told = [pair for pair in pairs if pair != ("..", "..")]
    return sum(first == second for first, second in told) / len(told) if told else 1.0


def describe_drift(ledger: Mapping[str, Any], now: datetime, since: datetime | None = None) -> tuple[str, ...]:
    """A sentence for each field that moved lately: where it was, in how many runs, until when, where it is now.

    What had moved by `since` is left out: it was accepted then.
    """
    return tuple(
        sentence
        for page, fields in ledger.items()
        for field, kept in fields.items()
        for sentence in _describe_move(
            page, field, _parse_paths(kept), max(now - REPORT_PERIOD, since or now - REPORT_PERIOD)
        )
    )


def _describe_move(page: str, field: str, kept: list[KnownPath], told: datetime) -> Iterator[str]:
    latest = max(each.last_seen_at for each in kept)
    here = [each for each in kept if each.last_seen_at == latest]
    gone = [each for each in kept if each.last_seen_at < latest]
    known = [each for each in gone if each.runs >= MIN_RUNS_OF_USUAL_PATH]
    if not known or len(gone) - len(known) >= MIN_ONE_OFF_PATHS:
        return
    since, usual = min(each.first_seen_at for each in here), max(known, key=lambda each: each.last_seen_at)
    if since <= max(usual.last_seen_at, told):
        return
    if field == TEMPLATE_FIELD:
        share = max(compare_templates(each.path, usual.path) for each in here)
        yield (
            f"{page}: its template, the same on {usual.runs} runs until {usual.last_seen_at:%Y-%m-%d}, has {share:.0%} of its "
            "parts left."
        )
        return
    was, stands = _remove_shared_start(usual.path, here[0].path)
    yield f"{page}: {field} was in {was} on {usual.runs} runs until {usual.last_seen_at:%Y-%m-%d}, now in {stands}."


def _remove_shared_start(one: str, other: str) -> tuple[str, str]:
    """Two paths without the beginning that they share, but for its last step."""
    mark = ">" if ">" in one or ">" in other else "."
    steps, others = one.split(mark), other.split(mark)
    same = 0
    while same < min(len(steps), len(others)) - 1 and steps[same] == others[same]:
        same += 1
    start = max(same - 1, 0)
    joint = " > " if mark == ">" else "."
    return joint.join(steps[start:]), joint.join(others[start:])
