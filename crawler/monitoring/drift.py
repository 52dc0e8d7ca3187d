"""Find fields that moved to another place of a page class while every field is still read.

Each run copies the ledger of the run before and adds to it. Per page class and field, the ledger lists the paths where
the field was found (`template` is one more field), each with a number of runs and the first and last time. So a run
need not read the runs of three months, and nothing is stored twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crawler.items import PageStructure

TEMPLATE_FIELD = "template"
MIN_RUNS_OF_USUAL_PATH = 5
"""Runs in which a path must have been found. Only then is leaving it a move."""
REPORT_PERIOD = timedelta(days=14)
"""How long a move is reported. After that the new path is usual."""
MAX_UNSEEN_AGE = timedelta(days=90)
"""How long the ledger keeps a path that is no longer found."""
MAX_PATHS_PER_FIELD = 4
MIN_ONE_OFF_PATHS = 2
"""From this many former paths of a few runs each, the field changes its place all the time. That is no move."""
MIN_TEMPLATE_SIMILARITY = 0.5
"""Share of equal places from which two template hashes are the same template."""

PathLedger = dict[str, dict[str, list[list[Any]]]]
"""Page class → field → known paths, as JSON values."""


@dataclass(frozen=True, slots=True)
class KnownPath:
    """A path of a field: in how many runs it was found, first and last (aware)."""

    path: str
    runs: int
    first_seen_at: datetime
    last_seen_at: datetime

    def to_list(self) -> list[Any]:
        """Return JSON values for the ledger."""
        times = (time.isoformat(timespec="milliseconds") for time in (self.first_seen_at, self.last_seen_at))
        return [self.path, self.runs, *times]


def update_ledger(before: Mapping[str, Any], structures: Iterable[PageStructure], now: datetime) -> PathLedger:
    """Return the ledger with the page structures of a run added."""
    ledger = {page: {field: _parse_paths(paths) for field, paths in fields.items()} for page, fields in before.items()}
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)  # The ledger stores milliseconds.
    for structure in structures:
        fields = ledger.setdefault(structure.page, {})
        for field, path in {**structure.paths, TEMPLATE_FIELD: structure.template}.items():
            fields[field] = _record_path(fields.get(field, []), field, path, now)
    return {
        page: {field: [path.to_list() for path in paths] for field, paths in fields.items()}
        for page, fields in ledger.items()
    }


def compare_templates(one: str, other: str) -> float:
    """Return the share of equal places of two template hashes. Places that are empty in both do not count."""
    places = [(one[start : start + 2], other[start : start + 2]) for start in range(0, len(one), 2)]
    counted = [place for place in places if place != ("..", "..")]
    return sum(first == second for first, second in counted) / len(counted) if counted else 1.0


def describe_drift(ledger: Mapping[str, Any], now: datetime, since: datetime | None = None) -> tuple[str, ...]:
    """Return a sentence for each field that moved lately: where it was, in how many runs, until when, where it is now.

    A move before `since`, when a baseline was accepted, is not reported.
    """
    earliest = max(now - REPORT_PERIOD, since or now - REPORT_PERIOD)
    return tuple(
        sentence
        for page, fields in ledger.items()
        for field, paths in fields.items()
        for sentence in _describe_move(page, field, _parse_paths(paths), earliest)
    )


def _parse_paths(values: Iterable[list[Any]]) -> list[KnownPath]:
    parse = datetime.fromisoformat
    return [KnownPath(path, runs, parse(first), parse(last)) for path, runs, first, last in values]


def _record_path(known: list[KnownPath], field: str, path: str, now: datetime) -> list[KnownPath]:
    """Return the known paths with one more run of this path, the newest first."""
    match = next((entry for entry in known if _is_same_path(field, entry.path, path)), None)
    if match is not None and match.last_seen_at == now:
        return known
    entry = KnownPath(match.path, match.runs + 1, match.first_seen_at, now) if match else KnownPath(path, 1, now, now)
    others = [other for other in known if other is not match and now - other.last_seen_at <= MAX_UNSEEN_AGE]
    return [entry, *others][:MAX_PATHS_PER_FIELD]


def _is_same_path(field: str, one: str, other: str) -> bool:
    return compare_templates(one, other) >= MIN_TEMPLATE_SIMILARITY if field == TEMPLATE_FIELD else one == other


def _describe_move(page: str, field: str, paths: list[KnownPath], earliest: datetime) -> Iterator[str]:
    latest = max(entry.last_seen_at for entry in paths)
    current = [entry for entry in paths if entry.last_seen_at == latest]
    former = [entry for entry in paths if entry.last_seen_at < latest]
    usual = [entry for entry in former if entry.runs >= MIN_RUNS_OF_USUAL_PATH]
    if not usual or len(former) - len(usual) >= MIN_ONE_OFF_PATHS:
        return
    moved_at, old = min(entry.first_seen_at for entry in current), max(usual, key=lambda entry: entry.last_seen_at)
    if moved_at <= max(old.last_seen_at, earliest):
        return
    until = f"{old.last_seen_at:%Y-%m-%d}"
    if field == TEMPLATE_FIELD:
        share = max(compare_templates(entry.path, old.path) for entry in current)
        yield f"{page}: its template, the same on {old.runs} runs until {until}, has {share:.0%} of its parts left."
        return
    old_path, new_path = _remove_shared_start(old.path, current[0].path)
    yield f"{page}: {field} was in {old_path} on {old.runs} runs until {until}, now in {new_path}."


def _remove_shared_start(one: str, other: str) -> tuple[str, str]:
    """Return two paths without their common beginning. Its last step stays, so that a reader finds the place."""
    separator = ">" if ">" in one or ">" in other else "."
    steps, others = one.split(separator), other.split(separator)
    shared = 0
    while shared < min(len(steps), len(others)) - 1 and steps[shared] == others[shared]:
        shared += 1
    start = max(shared - 1, 0)
    joint = " > " if separator == ">" else "."
    return joint.join(steps[start:]), joint.join(others[start:])
