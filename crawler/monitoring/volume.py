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

from crawler.monitoring.publishing_rate import HOLIDAY, PublishingRate, get_day_kind

PERIOD_DAYS = (7, 28)
"""Days of a stretch, the first that usually has LEAST articles."""
MIN_USUAL_ARTICLES = 10
MIN_PERIODS, MAX_PERIODS = {7: 12, 28: 6}, 52
"""Stretches before that are compared with."""
MAX_SHARE_OF_USUAL = 0.5
"""Share of the usual below which a stretch is a drop."""
MAX_SHARE_OF_LOWEST = 0.7
"""Share of the lowest stretch of the past below which it must be, too."""
MIN_DROP_SIGMAS = 3.0
MIN_SPIKE_RATIO, MIN_SPIKE_ARTICLES, SPIKE_REPORT_DAYS = 10.0, 20, 2
"""How many times the usual day's articles are a spike, the fewest, and for how many days it is told."""
MIN_RATIO_TO_FULLEST_DAY = 2.0
"""How many times the fullest day of the past a spike must have."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Days together: how many articles came, and how many such days usually have."""

    articles: int
    usual_articles: float

    @property
    def share(self) -> float:
        """Of the usual."""
        return self.articles / self.usual_articles if self.usual_articles else 1.0


def find_volume_changes(
    times: Sequence[datetime], now: datetime, rate: PublishingRate, since: datetime | None = None
) -> list[str]:
    """A sentence for a drop and for a spike, with the numbers; nothing for a source that publishes as ever.

    `times` are when it published (aware, up to now), `since` is when its past begins, if not with those.
    """
    here = now.astimezone(rate.zone).date()
    counts = Counter(moment.astimezone(rate.zone).date() for moment in times)
    begun = max(min(counts, default=here), since.astimezone(rate.zone).date() if since else date.min)
    usual = _compute_usual_days(rate)
    days = [here - (number + 1) * DAY for number in range((here - begun).days - 1)]  # whole days, the newest first
    known = {day: usual[get_day_kind(day, rate.is_holiday)] for day in [here, *days]}
    return [*_describe_drop(counts, known, days), *_describe_spike(counts, known, days, here)]


def _compute_usual_days(cadence: PublishingRate) -> list[float]:
    return [sum(cadence.rates[kind, hour] for hour in range(24)) for kind in range(HOLIDAY + 1)]


def _split_into_periods(
    counts: Counter[date], known: dict[date, float], days: Sequence[date], length: int
) -> list[Period]:
    whole = min(len(days) // length, MAX_PERIODS + 1)
    parts = [days[number * length : (number + 1) * length] for number in range(whole)]
    return [Period(sum(counts[day] for day in part), sum(known[day] for day in part)) for part in parts]


def _describe_drop(counts: Counter[date], known: dict[date, float], days: Sequence[date]) -> Iterator[str]:
    for length in PERIOD_DAYS:
        last, *before = _split_into_periods(counts, known, days, length) or [Period(0, 0.0)]
        if len(before) < MIN_PERIODS[length]:
            return
        middle = median(each.share for each in before)
        usual = middle * last.usual_articles
        if usual < MIN_USUAL_ARTICLES:
            continue
        lowest = min(each.share for each in before) * last.usual_articles
        # Releases come in bursts: the past says how much more a stretch scatters than chance would.
        scatter = sorted(
            (each.articles - middle * each.usual_articles) ** 2 / max(middle * each.usual_articles, 1.0)
            for each in before
        )
        kept = scatter[: -max(len(scatter) // 10, 1)]  # a former drop must not make later ones usual
        burst = sqrt(max(sum(kept) / len(kept), 1.0))
        is_rare = usual - last.articles > MIN_DROP_SIGMAS * burst * sqrt(usual)
        if last.articles < MAX_SHARE_OF_USUAL * usual and last.articles < MAX_SHARE_OF_LOWEST * lowest and is_rare:
            yield _format_drop(last, before, length)
        return


def _format_drop(last: Period, before: Sequence[Period], length: int) -> str:
    came = [each.articles for each in before]
    name = "weeks" if length == 7 else "times four weeks"
    usual = f"{min(came)} to {max(came)}"
    return f"{last.articles} articles in the last {length} days; {usual} in each of the {len(came)} {name} before."


def _describe_spike(counts: Counter[date], known: dict[date, float], days: Sequence[date], here: date) -> Iterator[str]:
    before = days[SPIKE_REPORT_DAYS - 1 :]
    if len(before) < MIN_PERIODS[7] * 7:
        return
    average, fullest = sum(counts[day] for day in before) / len(before), max(counts[day] for day in before)
    for day in (here, *days[: SPIKE_REPORT_DAYS - 1]):
        came = counts[day]
        if (
            came >= MIN_SPIKE_ARTICLES
            and came >= MIN_SPIKE_RATIO * max(known[day], average)
            and came >= MIN_RATIO_TO_FULLEST_DAY * fullest
        ):
            yield f"{came} articles on {day:%Y-%m-%d}; at most {fullest} on each of the {len(before)} days before."
            return
