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

from crawler.monitoring.run_stats import OPTIONAL_FIELDS

MIN_JUDGED = 8
"""Articles (or pages) that the judged runs must have together."""
MIN_RUNS, MAX_RUNS = 5, 20
"""Healthy runs that are compared with."""
MIN_BEFORE = 20
"""Articles (or pages) that those must have together."""
MAX_PROBABILITY = 1e-4
"""How improbable a share must be, were all as before, to be told."""
MIN_SHARE_CHANGE = 0.25
"""Share of articles by which a share must move to be told."""
SIGMA_PER_MAD = 1.4826
"""What makes of a MAD the standard deviation of a bell curve."""
MIN_SIGMAS = 4
MIN_SLOWDOWN, MIN_SLOW_SECONDS = 5, 2.0
"""Waiting is told from five times the usual on, when it is two seconds or more."""
MIN_USUAL_ENTRIES = 6
"""Entries that a list must usually have: a shorter one may well halve."""
MIN_FLOOD_RATIO, MIN_FLOOD_ARTICLES = 10, 50
"""Old articles seen for the first time are a list gone wild from ten times the most of a run on, and from fifty."""
FIELD_LABELS = {"published_at": "time of publication", "images": "images"}

Share = tuple[int, int]
GetShare = Callable[[Mapping[str, Any]], Share]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRun:
    """An earlier run that ended well: `healthy`, or degraded, which is judged along but never compared with."""

    is_healthy: bool
    measures: Mapping[str, Any] = field(default_factory=dict)


def find_anomalies(now: Mapping[str, Any], earlier_runs: Sequence[EarlierRun]) -> tuple[str, ...]:
    """A sentence for each measure that moved: what, now, before. `past` is newest first."""
    return tuple(_describe_anomalies(now, earlier_runs))


def _describe_anomalies(now: Mapping[str, Any], past: Sequence[EarlierRun]) -> Iterator[str]:
    for name in OPTIONAL_FIELDS:
        if found := _find_drop(now, past, _make_share_getter("fields", name)):
            yield f"{FIELD_LABELS.get(name, name)} found in {_format_share(found, 'articles')}."
    for spoken in sorted({code for run in past for code in run.measures.get("languages", {})} - {"und"}):
        if found := _find_drop(now, past, _make_share_getter("languages", spoken)):
            yield f"language {spoken}: {_format_share(found, 'articles')}."
    if found := _find_rise(now, past, _get_copy_share):
        yield f"copies of known texts: {_format_share(found, 'new articles')}."
    if found := _find_rise(now, past, _get_error_share):
        yield f"answers with an error: {_format_share(found, 'answers')}."
    if moved := _find_moved_median(now, past, "texts"):
        yield f"median text {moved[0]:.0f} characters, before {moved[1]:.0f}."
    if moved := _find_moved_median(now, past, "sizes"):
        yield f"median page of an article {moved[0]:.0f} bytes, before {moved[1]:.0f}."
    if (
        (moved := _find_moved_median(now, past, "waits", MIN_SLOWDOWN))
        and moved[0] > moved[1]
        and moved[0] >= MIN_SLOW_SECONDS
    ):
        yield f"median wait for an answer {moved[0]:.1f} s, before {moved[1]:.1f} s."
    if flood := _find_flood(now, past):
        yield f"{flood[0]} articles more than a month old came new, before at most {flood[1]} in a run."
    if shrunk := _find_shorter_lists(now, past):
        yield f"entries on a list's page {shrunk[0]:.0f}, before {shrunk[1]:.0f}."


def _make_share_getter(family: str, name: str) -> GetShare:
    return lambda run: (run.get(family, {}).get(name, 0), run.get("articles", 0))


def _get_copy_share(run: Mapping[str, Any]) -> Share:
    found = run.get("first_seen", {})
    return found.get("copies", 0), found.get("all", 0)


def _get_error_share(run: Mapping[str, Any]) -> Share:
    codes = run.get("codes", {})
    return sum(number for code, number in codes.items() if int(code) >= 400), sum(codes.values())


def _choose_windows(
    now: Mapping[str, Any], past: Sequence[EarlierRun], size: Callable[[Mapping[str, Any]], int]
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]] | None:
    """The newest runs that have enough together, and the healthy ones before them; None for too little of either."""
    judged, total = [now], size(now)
    rest = [run for run in past if size(run.measures)]
    while total < MIN_JUDGED and rest:
        run = rest.pop(0)
        judged.append(run.measures)
        total += size(run.measures)
    before = [run.measures for run in rest if run.is_healthy][:MAX_RUNS]
    enough = total >= MIN_JUDGED and len(before) >= MIN_RUNS and sum(map(size, before)) >= MIN_BEFORE
    return (judged, before) if enough else None


def _sum_shares(
    now: Mapping[str, Any], past: Sequence[EarlierRun], shares: GetShare
) -> tuple[Share, list[Share]] | None:
    windows = _choose_windows(now, past, lambda run: shares(run)[1])
    if windows is None:
        return None
    judged = [shares(run) for run in windows[0]]
    return (sum(part for part, _ in judged), sum(whole for _, whole in judged)), [shares(run) for run in windows[1]]


def _find_drop(now: Mapping[str, Any], past: Sequence[EarlierRun], shares: GetShare) -> tuple[Share, float] | None:
    """A share that is lower than chance explains, and what it was before."""
    found = _sum_shares(now, past, shares)
    if found is None:
        return None
    (part, whole), before = found
    usual, all_before, spread = _compute_usual_share(before)
    likely = max(min(usual, sum(part for part, _ in before) / (all_before + 1)) - 3 * spread, 0.0)
    if usual - part / whole < MIN_SHARE_CHANGE or _compute_probability(part, whole, likely) >= MAX_PROBABILITY:
        return None
    return (part, whole), usual


def _find_rise(now: Mapping[str, Any], past: Sequence[EarlierRun], shares: GetShare) -> tuple[Share, float] | None:
    """A share that is higher than chance explains: what is left of it fell."""
    found = _find_drop(now, past, lambda run: (shares(run)[1] - shares(run)[0], shares(run)[1]))
    if found is None:
        return None
    (left, whole), before = found
    return (whole - left, whole), 1 - before


def _compute_usual_share(before: Sequence[Share]) -> tuple[float, int, float]:
    """The median share of runs, how many articles they have together, and the runs' spread."""
    shares = [part / whole for part, whole in before]
    middle = median(shares)
    return middle, sum(whole for _, whole in before), SIGMA_PER_MAD * median(abs(share - middle) for share in shares)


def _compute_probability(part: int, whole: int, likely: float) -> float:
    """How probable at most `part` of `whole` are, each with probability `likely`."""
    return sum(comb(whole, k) * likely**k * (1 - likely) ** (whole - k) for k in range(part + 1))


def _find_moved_median(
    now: Mapping[str, Any], past: Sequence[EarlierRun], name: str, least: float = 2.0
) -> tuple[float, float] | None:
    """A median that moved by more than a factor and by more than chance explains: now and before."""
    windows = _choose_windows(now, past, lambda run: len(run.get(name, ())))
    if windows is None:
        return None
    values, before = ([log(max(v, 0.001)) for run in runs for v in run.get(name, ())] for runs in windows)
    usual, stands = median(before), median(values)
    spread = SIGMA_PER_MAD * median(abs(value - usual) for value in before)
    # 1.2533: a median scatters by so much more than a mean. Both sides scatter.
    scatter = 1.2533 * spread * sqrt(1 / len(values) + 1 / len(before))
    return (exp(stands), exp(usual)) if abs(stands - usual) > max(log(least), MIN_SIGMAS * scatter) else None


def _find_shorter_lists(now: Mapping[str, Any], past: Sequence[EarlierRun]) -> tuple[float, float] | None:
    """Entries on a list's page, when they are less than half of the usual: now and before."""
    if not now.get("lists"):
        return None
    before = [_average_entries(run.measures) for run in past if run.is_healthy and run.measures.get("lists")][:MAX_RUNS]
    if len(before) < MIN_RUNS:
        return None
    usual, stands = median(before), _average_entries(now)
    spread = SIGMA_PER_MAD * median(abs(value - usual) for value in before)
    is_short = stands < usual / 2 and usual - stands > MIN_SIGMAS * spread
    return (stands, usual) if usual >= MIN_USUAL_ENTRIES and is_short else None


def _find_flood(now: Mapping[str, Any], past: Sequence[EarlierRun]) -> tuple[int, int] | None:
    """Old articles seen for the first time, when they are ten times as many as ever: now and before."""
    before = [_count_old_articles(run.measures) for run in past if run.is_healthy and run.measures.get("first_seen")][
        :MAX_RUNS
    ]
    if len(before) < MIN_RUNS or _count_old_articles(now) < max(MIN_FLOOD_ARTICLES, MIN_FLOOD_RATIO * max(before)):
        return None
    return _count_old_articles(now), max(before)


def _count_old_articles(run: Mapping[str, Any]) -> int:
    found: int = run.get("first_seen", {}).get("old", 0)
    return found


def _average_entries(run: Mapping[str, Any]) -> float:
    lists = run["lists"]
    return float(lists["entries"] / lists["pages"])


def _format_share(found: tuple[Share, float], things: str) -> str:
    (part, whole), before = found
    return f"{part} of the last {whole} {things}, before {round(100 * before)} %"
