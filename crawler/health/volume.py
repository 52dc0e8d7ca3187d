"""Volume: how many articles a source publishes, against its own past: a stretch with half as many, a day gone wild.

Whole days are counted, in the source's own zone, and weighed by what such days usually have (weekdays, holidays), so
that the new year is no drop. A stretch is a week, for slow sources four. Silence is another matter (`cadence`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import sqrt
from statistics import median

from crawler.health.cadence import HOLIDAY, Cadence, kind_of

STRETCHES = (7, 28)
"""Days of a stretch, the first that usually has LEAST articles."""
LEAST = 10
LEAST_STRETCHES, MOST_STRETCHES = {7: 12, 28: 6}, 52
"""Stretches before that are compared with."""
DROPPED = 0.5
"""Share of the usual below which a stretch is a drop."""
BELOW = 0.7
"""Share of the lowest stretch of the past below which it must be, too."""
SIGMAS = 3.0
WILD, WILD_LEAST, WILD_DAYS = 10.0, 20, 2
"""How many times the usual day's articles are a spike, the fewest, and for how many days it is told."""
BEYOND = 2.0
"""How many times the fullest day of the past a spike must have."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days together: how many articles came, and how many such days usually have."""

    came: int
    usual: float

    @property
    def share(self) -> float:
        """Of the usual."""
        return self.came / self.usual if self.usual else 1.0


def volume(times: Sequence[datetime], now: datetime, cadence: Cadence, since: datetime | None = None) -> list[str]:
    """A sentence for a drop and for a spike, with the numbers; nothing for a source that publishes as ever.

    `times` are when it published (aware, up to now), `since` is when its past begins, if not with those.
    """
    here = now.astimezone(cadence.zone).date()
    counts = Counter(moment.astimezone(cadence.zone).date() for moment in times)
    begun = max(min(counts, default=here), since.astimezone(cadence.zone).date() if since else date.min)
    usual = _usual_days(cadence)
    days = [here - (number + 1) * DAY for number in range((here - begun).days - 1)]  # whole days, the newest first
    known = {day: usual[kind_of(day, cadence.free)] for day in [here, *days]}
    return [*_drop(counts, known, days), *_spike(counts, known, days, here)]


def _usual_days(cadence: Cadence) -> list[float]:
    return [sum(cadence.rates[kind, hour] for hour in range(24)) for kind in range(HOLIDAY + 1)]


def _stretches(counts: Counter[date], known: dict[date, float], days: Sequence[date], length: int) -> list[Stretch]:
    whole = min(len(days) // length, MOST_STRETCHES + 1)
    parts = [days[number * length : (number + 1) * length] for number in range(whole)]
    return [Stretch(sum(counts[day] for day in part), sum(known[day] for day in part)) for part in parts]


def _drop(counts: Counter[date], known: dict[date, float], days: Sequence[date]) -> Iterator[str]:
    for length in STRETCHES:
        last, *before = _stretches(counts, known, days, length) or [Stretch(0, 0.0)]
        if len(before) < LEAST_STRETCHES[length]:
            return
        middle = median(each.share for each in before)
        usual = middle * last.usual
        if usual < LEAST:
            continue
        lowest = min(each.share for each in before) * last.usual
        # Releases come in bursts: the past says how much more a stretch scatters than chance would.
        scatter = sorted((each.came - middle * each.usual) ** 2 / max(middle * each.usual, 1.0) for each in before)
        kept = scatter[: -max(len(scatter) // 10, 1)]  # a former drop must not make later ones usual
        burst = sqrt(max(sum(kept) / len(kept), 1.0))
        is_rare = usual - last.came > SIGMAS * burst * sqrt(usual)
        if last.came < DROPPED * usual and last.came < BELOW * lowest and is_rare:
            yield _told(last, before, length)
        return


def _told(last: Stretch, before: Sequence[Stretch], length: int) -> str:
    came = [each.came for each in before]
    name = "weeks" if length == 7 else "times four weeks"
    usual = f"{min(came)} to {max(came)}"
    return f"{last.came} articles in the last {length} days; {usual} in each of the {len(came)} {name} before."


def _spike(counts: Counter[date], known: dict[date, float], days: Sequence[date], here: date) -> Iterator[str]:
    before = days[WILD_DAYS - 1 :]
    if len(before) < LEAST_STRETCHES[7] * 7:
        return
    average, fullest = sum(counts[day] for day in before) / len(before), max(counts[day] for day in before)
    for day in (here, *days[: WILD_DAYS - 1]):
        came = counts[day]
        if came >= WILD_LEAST and came >= WILD * max(known[day], average) and came >= BEYOND * fullest:
            yield f"{came} articles on {day:%Y-%m-%d}; at most {fullest} on each of the {len(before)} days before."
            return
