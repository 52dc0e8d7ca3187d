"""What moved since the source was well: a run's measures against those of earlier runs.

Few articles must not alarm, and a source with one article a day must be watched too: so a run is judged together with
the runs just before it, until they have enough, and compared with healthy runs before those. Medians and the median
distance from them (MAD) carry the comparison: one odd run moves neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import comb, exp, log, sqrt
from statistics import median
from typing import Any

from crawler.health.measures import FIELDS

ENOUGH = 8
"""Articles (or pages) that the judged runs must have together."""
LEAST_RUNS, MOST_RUNS = 5, 20
"""Healthy runs that are compared with."""
LEAST_BEFORE = 20
"""Articles (or pages) that those must have together."""
CHANCE = 1e-4
"""How improbable a share must be, were all as before, to be told."""
LEAST_MOVE = 0.25
"""Share of articles by which a share must move to be told."""
SPREAD = 1.4826
"""What makes of a MAD the standard deviation of a bell curve."""
SIGMAS = 4
SLOW, SLOW_SECONDS = 5, 2.0
"""Waiting is told from five times the usual on, when it is two seconds or more."""
LEAST_ENTRIES = 6
"""Entries that a list must usually have: a shorter one may well halve."""
FLOOD, FLOOD_LEAST = 10, 50
"""Old articles seen for the first time are a list gone wild from ten times the most of a run on, and from fifty."""
NAMES = {"published_at": "time of publication", "images": "images"}

Share = tuple[int, int]
Shares = Callable[[Mapping[str, Any]], Share]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """An earlier run that ended well: `healthy`, or degraded, which is judged along but never compared with."""

    healthy: bool
    measures: Mapping[str, Any] = field(default_factory=dict)


def shifts(now: Mapping[str, Any], past: Sequence[Past]) -> tuple[str, ...]:
    """A sentence for each measure that moved: what, now, before. `past` is newest first."""
    return tuple(_shifts(now, past))


def _shifts(now: Mapping[str, Any], past: Sequence[Past]) -> Iterator[str]:
    for name in FIELDS:
        if found := _fell(now, past, _part("fields", name)):
            yield f"{NAMES.get(name, name)} found in {_told(found, 'articles')}."
    for spoken in sorted({code for run in past for code in run.measures.get("languages", {})} - {"und"}):
        if found := _fell(now, past, _part("languages", spoken)):
            yield f"language {spoken}: {_told(found, 'articles')}."
    if found := _rose(now, past, _copies):
        yield f"copies of known texts: {_told(found, 'new articles')}."
    if found := _rose(now, past, _refused):
        yield f"answers with an error: {_told(found, 'answers')}."
    if moved := _moved(now, past, "texts"):
        yield f"median text {moved[0]:.0f} characters, before {moved[1]:.0f}."
    if moved := _moved(now, past, "sizes"):
        yield f"median page of an article {moved[0]:.0f} bytes, before {moved[1]:.0f}."
    if (moved := _moved(now, past, "waits", SLOW)) and moved[0] > moved[1] and moved[0] >= SLOW_SECONDS:
        yield f"median wait for an answer {moved[0]:.1f} s, before {moved[1]:.1f} s."
    if flood := _flood(now, past):
        yield f"{flood[0]} articles more than a month old came new, before at most {flood[1]} in a run."
    if shrunk := _shrunk(now, past):
        yield f"entries on a list's page {shrunk[0]:.0f}, before {shrunk[1]:.0f}."


def _part(family: str, name: str) -> Shares:
    return lambda run: (run.get(family, {}).get(name, 0), run.get("articles", 0))


def _copies(run: Mapping[str, Any]) -> Share:
    found = run.get("first_seen", {})
    return found.get("copies", 0), found.get("all", 0)


def _refused(run: Mapping[str, Any]) -> Share:
    codes = run.get("codes", {})
    return sum(number for code, number in codes.items() if int(code) >= 400), sum(codes.values())


def _windows(
    now: Mapping[str, Any], past: Sequence[Past], size: Callable[[Mapping[str, Any]], int]
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]] | None:
    """The newest runs that have enough together, and the healthy ones before them; None for too little of either."""
    judged, total = [now], size(now)
    rest = [run for run in past if size(run.measures)]
    while total < ENOUGH and rest:
        run = rest.pop(0)
        judged.append(run.measures)
        total += size(run.measures)
    before = [run.measures for run in rest if run.healthy][:MOST_RUNS]
    enough = total >= ENOUGH and len(before) >= LEAST_RUNS and sum(map(size, before)) >= LEAST_BEFORE
    return (judged, before) if enough else None


def _compared(now: Mapping[str, Any], past: Sequence[Past], shares: Shares) -> tuple[Share, list[Share]] | None:
    windows = _windows(now, past, lambda run: shares(run)[1])
    if windows is None:
        return None
    judged = [shares(run) for run in windows[0]]
    return (sum(part for part, _ in judged), sum(whole for _, whole in judged)), [shares(run) for run in windows[1]]


def _fell(now: Mapping[str, Any], past: Sequence[Past], shares: Shares) -> tuple[Share, float] | None:
    """A share that is lower than chance explains, and what it was before."""
    found = _compared(now, past, shares)
    if found is None:
        return None
    (part, whole), before = found
    usual, all_before, spread = _usual(before)
    likely = max(min(usual, sum(part for part, _ in before) / (all_before + 1)) - 3 * spread, 0.0)
    if usual - part / whole < LEAST_MOVE or _at_most(part, whole, likely) >= CHANCE:
        return None
    return (part, whole), usual


def _rose(now: Mapping[str, Any], past: Sequence[Past], shares: Shares) -> tuple[Share, float] | None:
    """A share that is higher than chance explains: what is left of it fell."""
    found = _fell(now, past, lambda run: (shares(run)[1] - shares(run)[0], shares(run)[1]))
    if found is None:
        return None
    (left, whole), before = found
    return (whole - left, whole), 1 - before


def _usual(before: Sequence[Share]) -> tuple[float, int, float]:
    """The median share of runs, how many articles they have together, and the runs' spread."""
    shares = [part / whole for part, whole in before]
    middle = median(shares)
    return middle, sum(whole for _, whole in before), SPREAD * median(abs(share - middle) for share in shares)


def _at_most(part: int, whole: int, likely: float) -> float:
    """How probable at most `part` of `whole` are, each with probability `likely`."""
    return sum(comb(whole, k) * likely**k * (1 - likely) ** (whole - k) for k in range(part + 1))


def _moved(now: Mapping[str, Any], past: Sequence[Past], name: str, least: float = 2.0) -> tuple[float, float] | None:
    """A median that moved by more than a factor and by more than chance explains: now and before."""
    windows = _windows(now, past, lambda run: len(run.get(name, ())))
    if windows is None:
        return None
    values, before = ([log(max(v, 0.001)) for run in runs for v in run.get(name, ())] for runs in windows)
    usual, stands = median(before), median(values)
    spread = SPREAD * median(abs(value - usual) for value in before)
    # 1.2533: a median scatters by so much more than a mean. Both sides scatter.
    scatter = 1.2533 * spread * sqrt(1 / len(values) + 1 / len(before))
    return (exp(stands), exp(usual)) if abs(stands - usual) > max(log(least), SIGMAS * scatter) else None


def _shrunk(now: Mapping[str, Any], past: Sequence[Past]) -> tuple[float, float] | None:
    """Entries on a list's page, when they are less than half of the usual: now and before."""
    if not now.get("lists"):
        return None
    before = [_entries(run.measures) for run in past if run.healthy and run.measures.get("lists")][:MOST_RUNS]
    if len(before) < LEAST_RUNS:
        return None
    usual, stands = median(before), _entries(now)
    spread = SPREAD * median(abs(value - usual) for value in before)
    is_short = stands < usual / 2 and usual - stands > SIGMAS * spread
    return (stands, usual) if usual >= LEAST_ENTRIES and is_short else None


def _flood(now: Mapping[str, Any], past: Sequence[Past]) -> tuple[int, int] | None:
    """Old articles seen for the first time, when they are ten times as many as ever: now and before."""
    before = [_old(run.measures) for run in past if run.healthy and run.measures.get("first_seen")][:MOST_RUNS]
    if len(before) < LEAST_RUNS or _old(now) < max(FLOOD_LEAST, FLOOD * max(before)):
        return None
    return _old(now), max(before)


def _old(run: Mapping[str, Any]) -> int:
    found: int = run.get("first_seen", {}).get("old", 0)
    return found


def _entries(run: Mapping[str, Any]) -> float:
    lists = run["lists"]
    return float(lists["entries"] / lists["pages"])


def _told(found: tuple[Share, float], things: str) -> str:
    (part, whole), before = found
    return f"{part} of the last {whole} {things}, before {round(100 * before)} %"
