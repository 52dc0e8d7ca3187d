"""Compare a run's measures with those of earlier runs, and describe what is out of the ordinary.

A few articles must not raise an alarm, and a source with one article a day must be monitored too. So a run is judged
together with the runs just before it until they have enough articles. It is compared with healthy runs before those.
The comparison uses medians and the median absolute deviation (MAD), because one odd run moves neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, lgamma, log, log1p, sqrt
from statistics import median
from typing import Any

from crawler.monitoring.run_stats import OPTIONAL_FIELDS

MIN_JUDGED = 8
"""Articles (or pages) that the judged runs must have together."""
MIN_RUNS, MAX_RUNS = 5, 20
"""Healthy runs to compare with."""
MIN_BEFORE = 20
"""Articles (or pages) that those must have together."""
MAX_PROBABILITY = 1e-4
"""A share is reported if it is less probable than this, assuming that nothing changed."""
MIN_SHARE_CHANGE = 0.25
"""A share is reported if it moved by this much."""
SIGMA_PER_MAD = 1.4826
"""The standard deviation of a normal distribution, as a multiple of its MAD."""
MIN_SIGMAS = 4
MIN_SLOWDOWN, MIN_SLOW_SECONDS = 5, 2.0
"""A median wait is reported from this many times the usual one, and from so many seconds."""
MIN_USUAL_ENTRIES = 6
"""Entries that a list must usually have. A shorter one may well halve."""
MIN_FLOOD_RATIO, MIN_FLOOD_ARTICLES = 10, 50
"""Old articles seen for the first time are reported from this many times the highest earlier number, and from 50."""
FIELD_LABELS = {"published_at": "time of publication", "images": "images"}

Measures = Mapping[str, Any]
Share = tuple[int, int]
"""A part, and the whole."""
GetShare = Callable[[Measures], Share]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRun:
    """An earlier run that ended well. One that was not healthy is judged along, and never compared with."""

    is_healthy: bool
    measures: Measures = field(default_factory=dict)


def find_anomalies(now: Measures, earlier_runs: Sequence[EarlierRun]) -> tuple[str, ...]:
    """Return a sentence for each measure that moved: what, now, before. `earlier_runs` are newest first."""
    return tuple(_describe_anomalies(now, earlier_runs))


def _describe_anomalies(now: Measures, earlier: Sequence[EarlierRun]) -> Iterator[str]:
    for name in OPTIONAL_FIELDS:
        if found := _find_drop(now, earlier, _make_share_getter("fields", name)):
            yield f"{FIELD_LABELS.get(name, name)} found in {_format_share(found, 'articles')}."
    for language in sorted({code for run in earlier for code in run.measures.get("languages", {})} - {"und"}):
        if found := _find_drop(now, earlier, _make_share_getter("languages", language)):
            yield f"language {language}: {_format_share(found, 'articles')}."
    if found := _find_rise(now, earlier, _get_copy_share):
        yield f"copies of known texts: {_format_share(found, 'new articles')}."
    if found := _find_rise(now, earlier, _get_error_share):
        yield f"answers with an error: {_format_share(found, 'answers')}."
    if moved := _find_moved_median(now, earlier, "texts"):
        yield f"median text {moved[0]:.0f} characters, before {moved[1]:.0f}."
    if moved := _find_moved_median(now, earlier, "sizes"):
        yield f"median page of an article {moved[0]:.0f} bytes, before {moved[1]:.0f}."
    moved = _find_moved_median(now, earlier, "waits", MIN_SLOWDOWN)
    if moved and moved[0] > moved[1] and moved[0] >= MIN_SLOW_SECONDS:
        yield f"median wait for an answer {moved[0]:.1f} s, before {moved[1]:.1f} s."
    if flood := _find_flood(now, earlier):
        yield f"{flood[0]} articles more than a month old came new, before at most {flood[1]} in a run."
    if entries := _find_shorter_lists(now, earlier):
        yield f"entries on a list's page {entries[0]:.0f}, before {entries[1]:.0f}."


def _make_share_getter(family: str, name: str) -> GetShare:
    return lambda run: (run.get(family, {}).get(name, 0), run.get("articles", 0))


def _get_copy_share(run: Measures) -> Share:
    first_seen = run.get("first_seen", {})
    return first_seen.get("copies", 0), first_seen.get("all", 0)


def _get_error_share(run: Measures) -> Share:
    codes = run.get("codes", {})
    return sum(count for code, count in codes.items() if int(code) >= 400), sum(codes.values())


def _choose_windows(
    now: Measures, earlier: Sequence[EarlierRun], count: Callable[[Measures], int]
) -> tuple[list[Measures], list[Measures]] | None:
    """Return the newest runs with enough articles together, and the healthy runs before them.

    None if either has too few. `count` counts a run's articles or pages.
    """
    judged, total = [now], count(now)
    rest = [run for run in earlier if count(run.measures)]
    while total < MIN_JUDGED and rest:
        run = rest.pop(0)
        judged.append(run.measures)
        total += count(run.measures)
    before = [run.measures for run in rest if run.is_healthy][:MAX_RUNS]
    if total < MIN_JUDGED or len(before) < MIN_RUNS or sum(map(count, before)) < MIN_BEFORE:
        return None
    return judged, before


def _sum_shares(now: Measures, earlier: Sequence[EarlierRun], get_share: GetShare) -> tuple[Share, list[Share]] | None:
    """Return the share of the judged runs together, and the shares of the runs before them."""
    windows = _choose_windows(now, earlier, lambda run: get_share(run)[1])
    if windows is None:
        return None
    judged, before = ([get_share(run) for run in runs] for runs in windows)
    return (sum(part for part, _ in judged), sum(whole for _, whole in judged)), before


def _find_drop(now: Measures, earlier: Sequence[EarlierRun], get_share: GetShare) -> tuple[Share, float] | None:
    """Return a share that is lower than chance explains, and what it was before, or None."""
    shares = _sum_shares(now, earlier, get_share)
    if shares is None:
        return None
    (part, whole), before = shares
    usual, articles_before, spread = _compute_usual_share(before)
    mean = sum(part for part, _ in before) / (articles_before + 1)
    likely = max(min(usual, mean) - 3 * spread, 0.0)
    if usual - part / whole < MIN_SHARE_CHANGE or _compute_probability(part, whole, likely) >= MAX_PROBABILITY:
        return None
    return (part, whole), usual


def _find_rise(now: Measures, earlier: Sequence[EarlierRun], get_share: GetShare) -> tuple[Share, float] | None:
    """Return a share that is higher than chance explains, and what it was before, or None: the rest dropped."""
    found = _find_drop(now, earlier, lambda run: (get_share(run)[1] - get_share(run)[0], get_share(run)[1]))
    if found is None:
        return None
    (rest, whole), before = found
    return (whole - rest, whole), 1 - before


def _compute_usual_share(before: Sequence[Share]) -> tuple[float, int, float]:
    """Return the median share of runs, how many articles they have together, and the spread of the shares."""
    shares = [part / whole for part, whole in before]
    middle = median(shares)
    return middle, sum(whole for _, whole in before), SIGMA_PER_MAD * median(abs(share - middle) for share in shares)


def _compute_probability(part: int, whole: int, likely: float) -> float:
    """Return the probability of at most `part` of `whole`, each with probability `likely`."""
    if likely <= 0:
        return 1.0
    # In logarithms: the number of combinations of more than 1,000 articles is too large for a float.
    log_in, log_out, log_all = log(likely), log1p(-likely), lgamma(whole + 1)
    return sum(
        exp(log_all - lgamma(k + 1) - lgamma(whole - k + 1) + k * log_in + (whole - k) * log_out)
        for k in range(part + 1)
    )


def _find_moved_median(
    now: Measures, earlier: Sequence[EarlierRun], name: str, min_factor: float = 2.0
) -> tuple[float, float] | None:
    """Return a median that moved by the factor and by more than chance explains: now and before. Else None."""
    windows = _choose_windows(now, earlier, lambda run: len(run.get(name, ())))
    if windows is None:
        return None
    values, before = ([log(max(v, 0.001)) for run in runs for v in run.get(name, ())] for runs in windows)
    usual, current = median(before), median(values)
    spread = SIGMA_PER_MAD * median(abs(value - usual) for value in before)
    # A median scatters 1.2533 times as much as a mean. Both sides scatter.
    scatter = 1.2533 * spread * sqrt(1 / len(values) + 1 / len(before))
    if abs(current - usual) <= max(log(min_factor), MIN_SIGMAS * scatter):
        return None
    return exp(current), exp(usual)


def _find_shorter_lists(now: Measures, earlier: Sequence[EarlierRun]) -> tuple[float, float] | None:
    """Return the entries per list page, now and usually, if they are less than half. Else None."""
    if not now.get("lists"):
        return None
    before = [_average_entries(run.measures) for run in earlier if run.is_healthy and run.measures.get("lists")]
    before = before[:MAX_RUNS]
    if len(before) < MIN_RUNS:
        return None
    usual, current = median(before), _average_entries(now)
    spread = SIGMA_PER_MAD * median(abs(value - usual) for value in before)
    is_short = current < usual / 2 and usual - current > MIN_SIGMAS * spread
    return (current, usual) if usual >= MIN_USUAL_ENTRIES and is_short else None


def _find_flood(now: Measures, earlier: Sequence[EarlierRun]) -> tuple[int, int] | None:
    """Return the old articles seen for the first time, now and at most before, if they are a flood. Else None."""
    before = [_count_old_articles(run.measures) for run in earlier if run.is_healthy and run.measures.get("first_seen")]
    before = before[:MAX_RUNS]
    if len(before) < MIN_RUNS or _count_old_articles(now) < max(MIN_FLOOD_ARTICLES, MIN_FLOOD_RATIO * max(before)):
        return None
    return _count_old_articles(now), max(before)


def _count_old_articles(run: Measures) -> int:
    count: int = run.get("first_seen", {}).get("old", 0)
    return count


def _average_entries(run: Measures) -> float:
    lists = run["lists"]
    return float(lists["entries"] / lists["pages"])


def _format_share(found: tuple[Share, float], noun: str) -> str:
    (part, whole), before = found
    return f"{part} of the last {whole} {noun}, before {round(100 * before)} %"
