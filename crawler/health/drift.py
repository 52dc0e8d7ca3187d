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

from crawler.items import Shape

TEMPLATE = "template"
LEAST_RUNS = 5
"""Runs in which a path must have been found before leaving it is told."""
TOLD = timedelta(days=14)
"""How long after a move it is told; then the new path is what is usual."""
KEPT = timedelta(days=90)
"""How long a path is remembered that is no longer met."""
MOST = 4
"""Paths kept of one field."""
ONE_OFF = 2
"""Paths met in fewer than LEAST_RUNS runs that say: this field stands here and there, and moves nowhere."""
ALIKE = 0.5
"""Share of the places of two templates' hashes that must be alike for one template."""

Ledger = dict[str, dict[str, list[list[Any]]]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of one field: in how many runs, when first and last (aware)."""

    path: str
    runs: int
    first: datetime
    last: datetime

    def plain(self) -> list[Any]:
        """As it is kept."""
        return [
            self.path,
            self.runs,
            *(moment.isoformat(timespec="milliseconds") for moment in (self.first, self.last)),
        ]


def carried(before: Mapping[str, Any], seen: Iterable[Shape], now: datetime) -> Ledger:
    """The ledger with what a run has seen."""
    ledger = {page: {field: _entries(kept) for field, kept in fields.items()} for page, fields in before.items()}
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    for shape in seen:
        fields = ledger.setdefault(shape.page, {})
        for field, path in {**shape.paths, TEMPLATE: shape.template}.items():
            fields[field] = _with(fields.get(field, []), field, path, now)
    return {page: {field: [each.plain() for each in kept] for field, kept in ledger[page].items()} for page in ledger}


def _entries(kept: Iterable[list[Any]]) -> list[Entry]:
    times = datetime.fromisoformat
    return [Entry(path, runs, times(first), times(last)) for path, runs, first, last in kept]


def _with(known: list[Entry], field: str, path: str, now: datetime) -> list[Entry]:
    met = next((each for each in known if _same(field, each.path, path)), None)
    if met is not None and met.last == now:
        return known
    entry = Entry(met.path, met.runs + 1, met.first, now) if met else Entry(path, 1, now, now)
    others = [each for each in known if each is not met and now - each.last <= KEPT]
    return [entry, *others][:MOST]


def _same(field: str, one: str, other: str) -> bool:
    return alike(one, other) >= ALIKE if field == TEMPLATE else one == other


def alike(one: str, other: str) -> float:
    """The share of two templates' places that are the same; places empty in both say nothing."""
    pairs = [(one[at : at + 2], other[at : at + 2]) for at in range(0, len(one), 2)]
    told = [pair for pair in pairs if pair != ("..", "..")]
    return sum(first == second for first, second in told) / len(told) if told else 1.0


def drift(ledger: Mapping[str, Any], now: datetime, since: datetime | None = None) -> tuple[str, ...]:
    """A sentence for each field that moved lately: where it was, in how many runs, until when, where it is now.

    What had moved by `since` is left out: it was accepted then.
    """
    return tuple(
        sentence
        for page, fields in ledger.items()
        for field, kept in fields.items()
        for sentence in _moved(page, field, _entries(kept), max(now - TOLD, since or now - TOLD))
    )


def _moved(page: str, field: str, kept: list[Entry], told: datetime) -> Iterator[str]:
    latest = max(each.last for each in kept)
    here = [each for each in kept if each.last == latest]
    gone = [each for each in kept if each.last < latest]
    known = [each for each in gone if each.runs >= LEAST_RUNS]
    if not known or len(gone) - len(known) >= ONE_OFF:
        return
    since, usual = min(each.first for each in here), max(known, key=lambda each: each.last)
    if since <= max(usual.last, told):
        return
    if field == TEMPLATE:
        share = max(alike(each.path, usual.path) for each in here)
        yield (
            f"{page}: its template, the same on {usual.runs} runs until {usual.last:%Y-%m-%d}, has {share:.0%} of its "
            "parts left."
        )
        return
    was, stands = _apart(usual.path, here[0].path)
    yield f"{page}: {field} was in {was} on {usual.runs} runs until {usual.last:%Y-%m-%d}, now in {stands}."


def _apart(one: str, other: str) -> tuple[str, str]:
    """Two paths without the beginning that they share, but for its last step."""
    mark = ">" if ">" in one or ">" in other else "."
    steps, others = one.split(mark), other.split(mark)
    same = 0
    while same < min(len(steps), len(others)) - 1 and steps[same] == others[same]:
        same += 1
    start = max(same - 1, 0)
    joint = " > " if mark == ">" else "."
    return joint.join(steps[start:]), joint.join(others[start:])
