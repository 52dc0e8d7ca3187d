"""Find changes in how many articles a source publishes: a period with less than half, a day with many times more.

This module counts whole days in the source's time zone. It weighs each day by what such a day usually has (weekdays,
holidays), so New Year is no drop. A period is a week, or four weeks for a slow source. Silence is measured elsewhere
(`publishing_rate`).
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
"""Days of a period. The first length with MIN_USUAL_ARTICLES counts."""
MIN_USUAL_ARTICLES = 10
MIN_PERIODS, MAX_PERIODS = {7: 12, 28: 6}, 52
"""Earlier periods that a period is compared with."""
MAX_SHARE_OF_USUAL = 0.5
"""A drop has less than this share of the usual articles."""
MAX_SHARE_OF_LOWEST = 0.7
"""A drop has less than this share of the lowest earlier period."""
MIN_DROP_SIGMAS = 3.0
MIN_SPIKE_RATIO, MIN_SPIKE_ARTICLES, SPIKE_REPORT_DAYS = 10.0, 20, 2
"""A spike has this many times the usual articles of its day, and at least so many. It is reported for so many days."""
MIN_RATIO_TO_FULLEST_DAY = 2.0
"""A spike has this many times the articles of the fullest earlier day."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Consecutive days: how many articles appeared, and how many usually do."""

    articles: int
    usual_articles: float

    @property
    def share(self) -> float:
        """Articles as a share of the usual articles."""
        return self.articles / self.usual_articles if self.usual_articles else 1.0


def find_volume_changes(
    times: Sequence[datetime], now: datetime, rate: PublishingRate, since: datetime | None = None
) -> list[str]:
    """Return a sentence for a drop and one for a spike, or no sentence.

    `times` are publication times (aware, up to now). Days before `since` do not count.
    """
    today = now.astimezone(rate.zone).date()
    counts = Counter(time.astimezone(rate.zone).date() for time in times)
    first_day = max(min(counts, default=today), since.astimezone(rate.zone).date() if since else date.min)
    usual_of_kind = _compute_usual_days(rate)
    days = [today - (number + 1) * DAY for number in range((today - first_day).days - 1)]  # whole days, newest first
    usual = {day: usual_of_kind[get_day_kind(day, rate.is_holiday)] for day in [today, *days]}
    return [*_describe_drop(counts, usual, days), *_describe_spike(counts, usual, days, today)]


def _compute_usual_days(rate: PublishingRate) -> list[float]:
    """Return the usual articles of a day, by kind of day."""
    return [sum(rate.rates[kind, hour] for hour in range(24)) for kind in range(HOLIDAY + 1)]


def _split_into_periods(
    counts: Counter[date], usual: dict[date, float], days: Sequence[date], length: int
) -> list[Period]:
    number = min(len(days) // length, MAX_PERIODS + 1)
    parts = [days[index * length : (index + 1) * length] for index in range(number)]
    return [Period(sum(counts[day] for day in part), sum(usual[day] for day in part)) for part in parts]


def _describe_drop(counts: Counter[date], usual: dict[date, float], days: Sequence[date]) -> Iterator[str]:
    for length in PERIOD_DAYS:
        last, *before = _split_into_periods(counts, usual, days, length) or [Period(0, 0.0)]
        if len(before) < MIN_PERIODS[length]:
            return
        typical_share = median(period.share for period in before)
        expected = typical_share * last.usual_articles
        if expected < MIN_USUAL_ARTICLES:
            continue
        lowest = min(period.share for period in before) * last.usual_articles
        # Releases come in bursts. The earlier periods show how much more they scatter than chance.
        scatter = sorted(
            (period.articles - typical_share * period.usual_articles) ** 2
            / max(typical_share * period.usual_articles, 1.0)
            for period in before
        )
        kept = scatter[: -max(len(scatter) // 10, 1)]  # A former drop must not make later ones look normal.
        burst = sqrt(max(sum(kept) / len(kept), 1.0))
        is_rare = expected - last.articles > MIN_DROP_SIGMAS * burst * sqrt(expected)
        is_low = last.articles < MAX_SHARE_OF_USUAL * expected and last.articles < MAX_SHARE_OF_LOWEST * lowest
        if is_low and is_rare:
            yield _format_drop(last, before, length)
        return


def _format_drop(last: Period, before: Sequence[Period], length: int) -> str:
    articles = [period.articles for period in before]
    name = "weeks" if length == 7 else "times four weeks"
    usual = f"{min(articles)} to {max(articles)}"
    return f"{last.articles} articles in the last {length} days; {usual} in each of the {len(articles)} {name} before."


def _describe_spike(
    counts: Counter[date], usual: dict[date, float], days: Sequence[date], today: date
) -> Iterator[str]:
    before = days[SPIKE_REPORT_DAYS - 1 :]
    if len(before) < MIN_PERIODS[7] * 7:
        return
    average, fullest = sum(counts[day] for day in before) / len(before), max(counts[day] for day in before)
    for day in (today, *days[: SPIKE_REPORT_DAYS - 1]):
        articles = counts[day]
        is_high = articles >= MIN_SPIKE_RATIO * max(usual[day], average)
        if articles >= MIN_SPIKE_ARTICLES and is_high and articles >= MIN_RATIO_TO_FULLEST_DAY * fullest:
            yield f"{articles} articles on {day:%Y-%m-%d}; at most {fullest} on each of the {len(before)} days before."
            return
