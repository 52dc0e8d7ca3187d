"""Learn when a source usually publishes, and decide whether a silence is longer than any known one.

Nights, weekends and holidays are quiet. So this module measures time in expected articles: each hour counts as many as
usually appear in such an hour (of this weekday, or of a holiday). The length of a silence is the number of articles
that usually appear in it. A silence longer than the longest of the last 400 days, plus a margin, is not believable.

Hours of the day are learned from all workdays together and from all free days together. A factor per weekday corrects
them. A weekday with too few days of history gets no factor.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise

from crawler.text.counts import format_count

MAX_HISTORY = timedelta(days=400)
"""How far back publication times count."""
MIN_GAPS, MIN_DAYS = 30, 60
"""Gaps between articles, and days of history, below which nothing is learned."""
SILENCE_MARGIN = 1.25
"""A silence is believable up to this many times the longest known one, in expected articles."""
OUTAGE_RATIO = 2.0
"""A longest silence over this many times the second longest was an outage. It is ignored."""
MAX_DURATION_RATIO = 1.5
"""A silence is believable up to this many times the longest known one, as time."""
PRIOR_HOURS = 12.0
"""Hours at the average rate that every hour of the week starts with: an hour never seen gets a rate above 0."""
MIN_DAYS_OF_KIND = 8
"""Days of one weekday (or holidays) below which it counts like the other workdays or free days."""
PRIOR_ARTICLES = 5.0
"""Usual articles that every weekday starts with: a few more articles on Tuesdays are no pattern."""
HOLIDAY = 7
"""The kind of a free day that is no weekend. Weekdays are 0 (Monday) to 6."""
HOUR = timedelta(hours=1)

HourKind = tuple[int, int]
"""Kind of day, and hour of the day."""
IsHoliday = Callable[[date], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishingRate:
    """How often a source publishes.

    `rates` are articles per hour, by kind of day and hour of the day in `zone`. `longest_silence` is the longest known
    silence as time. `max_missed_articles` is the longest one in expected articles, without a former outage.
    """

    rates: Mapping[HourKind, float]
    longest_silence: timedelta
    max_missed_articles: float
    articles: int
    days: int
    zone: tzinfo
    is_holiday: IsHoliday

    def expect_articles(self, start: datetime, end: datetime) -> float:
        """Return how many articles usually appear between two times (aware)."""
        hours = _split_into_hours(start, end, self.zone, self.is_holiday)
        return sum(self.rates[kind] * share for kind, share in hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """The time since the newest article. `expected_articles` usually appear in it."""

    duration: timedelta
    expected_articles: float
    max_expected_articles: float
    longest_before: timedelta

    @property
    def is_believable(self) -> bool:
        """Whether the source may simply have had nothing to publish."""
        is_short_time = self.duration <= self.longest_before * MAX_DURATION_RATIO
        return self.expected_articles <= self.max_expected_articles and is_short_time

    @property
    def description(self) -> str:
        """The silence in words and numbers."""
        return (
            f"{format_duration(self.duration)} without news, in which {self.expected_articles:.1f} articles usually "
            f"appear; the longest silence in a year was {format_duration(self.longest_before)}"
        )


def learn_publishing_rate(
    times: Iterable[datetime], now: datetime, zone: tzinfo, is_holiday: IsHoliday | None = None
) -> PublishingRate | None:
    """Return the rate learned from publication times (aware, any order), or None if the history is too short.

    Without `is_holiday`, the public holidays of Kazakhstan are free days. Weekends always are.
    """
    published = sorted({time.astimezone(zone) for time in times if now - MAX_HISTORY <= time <= now})
    if len(published) <= MIN_GAPS or published[-1] - published[0] < timedelta(days=MIN_DAYS):
        return None
    is_holiday = is_holiday or load_kazakh_holidays()
    rate = PublishingRate(
        rates=_compute_rates(published, zone, is_holiday),
        longest_silence=max(later - earlier for earlier, later in pairwise(published)),
        max_missed_articles=0.0,
        articles=len(published),
        days=(published[-1] - published[0]).days,
        zone=zone,
        is_holiday=is_holiday,
    )
    return _add_longest_silence(rate, published)


def drop_future_times(times: Sequence[datetime], now: datetime) -> list[datetime]:
    """Return the times up to now. One wrong date in the future must not hide that a source has stopped."""
    return [time for time in times if time <= now]


def measure_silence(rate: PublishingRate, newest: datetime, now: datetime) -> Silence:
    """Return the silence since the newest article."""
    return Silence(
        duration=now - newest,
        expected_articles=rate.expect_articles(newest, now),
        max_expected_articles=rate.max_missed_articles * SILENCE_MARGIN,
        longest_before=rate.longest_silence,
    )


def load_kazakh_holidays() -> IsHoliday:
    """Return a function that checks whether a day is a public holiday in Kazakhstan."""
    import holidays  # takes 0.15 s: it imports the calendars of all countries

    country = holidays.country_holidays("KZ")
    return lambda day: day in country


def format_duration(duration: timedelta) -> str:
    """Return `5 hours` or `2 days`."""
    hours = round(duration / HOUR)
    if hours < 48:
        return format_count(hours, "hour")
    return f"{round(duration / timedelta(days=1))} days"


def get_day_kind(day: date, is_holiday: IsHoliday) -> int:
    """Return the weekday, or HOLIDAY for a holiday from Monday to Friday."""
    return HOLIDAY if day.weekday() < 5 and is_holiday(day) else day.weekday()


def _compute_rates(published: Sequence[datetime], zone: tzinfo, is_holiday: IsHoliday) -> dict[HourKind, float]:
    """Return articles per hour: the rate of that hour on all workdays (or free days), times the weekday's factor."""
    articles_of = Counter(_get_hour_kind(time, is_holiday) for time in published[1:])
    hours_of: dict[HourKind, float] = {(day, hour): 0.0 for day in range(HOLIDAY + 1) for hour in range(24)}
    for kind, share in _split_into_hours(published[0], published[-1], zone, is_holiday):
        hours_of[kind] += share
    average = (len(published) - 1) / max(sum(hours_of.values()), 1.0)
    days = range(HOLIDAY + 1)
    rates: dict[HourKind, float] = {}
    usual_articles = dict.fromkeys(days, 0.0)
    for day, hour in hours_of:
        similar_days = [other for other in days if _is_day_off(other) == _is_day_off(day)]
        articles, hours = (sum(counts[other, hour] for other in similar_days) for counts in (articles_of, hours_of))
        rates[day, hour] = (articles + PRIOR_HOURS * average) / (hours + PRIOR_HOURS)
        usual_articles[day] += articles * hours_of[day, hour] / hours if hours else 0.0
    factors = dict.fromkeys(days, 1.0)
    for day in days:
        if sum(hours_of[day, hour] for hour in range(24)) >= MIN_DAYS_OF_KIND * 24:
            articles = sum(articles_of[day, hour] for hour in range(24))
            factors[day] = (articles + PRIOR_ARTICLES) / (usual_articles[day] + PRIOR_ARTICLES)
    return {(day, hour): rate * factors[day] for (day, hour), rate in rates.items()}


def _add_longest_silence(rate: PublishingRate, published: Sequence[datetime]) -> PublishingRate:
    """Return the rate with `max_missed_articles`.

    One pass over all hours makes a running total of expected articles. Adding up the hours of each gap would cost more.
    """
    edges, total, totals = [], 0.0, [0.0]
    edge = published[0]
    for kind, share in _split_into_hours(published[0], published[-1], rate.zone, rate.is_holiday):
        edges.append(edge)
        edge += share * HOUR
        total += rate.rates[kind] * share
        totals.append(total)
    edges.append(published[-1])

    def expect_until(time: datetime) -> float:
        index = min(bisect_right(edges, time) - 1, len(totals) - 2)
        length = edges[index + 1] - edges[index]
        share = (time - edges[index]) / length if length else 0.0
        return totals[index] + (totals[index + 1] - totals[index]) * share

    missed = sorted(expect_until(later) - expect_until(earlier) for earlier, later in pairwise(published))
    second, longest = missed[-2:]
    return replace(rate, max_missed_articles=second if longest > second * OUTAGE_RATIO else longest)


def _split_into_hours(
    start: datetime, end: datetime, zone: tzinfo, is_holiday: IsHoliday
) -> Iterator[tuple[HourKind, float]]:
    """Yield each hour between two times: its kind, and which share of it is between them."""
    time = start
    while time < end:
        local = time.astimezone(zone)
        passed = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        later = min(time + (HOUR - passed), end)
        yield _get_hour_kind(local, is_holiday), (later - time) / HOUR
        time = later


def _get_hour_kind(local: datetime, is_holiday: IsHoliday) -> HourKind:
    return get_day_kind(local.date(), is_holiday), local.hour


def _is_day_off(day_kind: int) -> bool:
    return day_kind >= 5
