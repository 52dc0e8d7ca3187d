"""Silence learned: when a source usually publishes, and whether it is quiet for longer than it ever was.

Nights, weekends and holidays are quiet by nature. So time is counted in articles: each hour weighs as many as usually
appear in such an hour (of this weekday, or of a holiday), and a silence is as long as the number of articles that would
usually have appeared in it. Longer than the longest of the past year, by a margin, is not believable.

The hours of the day are learned from all workdays together, and from all free days; each weekday then has its share
more or less. So each is known as well as its past allows, and with too little of one it is a workday like any other.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise

MAX_HISTORY = timedelta(days=400)
"""How far back a cadence looks."""
MIN_GAPS, MIN_DAYS = 30, 60
"""Articles and days below which nothing is learned."""
SILENCE_MARGIN = 1.25
"""How far beyond the longest silence of the past a silence is still believed."""
OUTAGE_RATIO = 2.0
"""A longest silence this many times the second longest was a stop, and no habit."""
MAX_DURATION_RATIO = 1.5
"""How many times the longest silence, as time, is believed whatever was to be expected in it."""
PRIOR_HOURS = 12.0
"""Hours of the average rate that each hour of the week begins with, so that an hour never seen is no certainty."""
MIN_DAYS_OF_KIND = 8
"""Days of one weekday (or holidays) below which it counts as any workday or free day."""
PRIOR_ARTICLES = 5.0
"""Usual articles that each weekday begins with, so that a few articles more on Tuesdays make no habit."""
HOLIDAY = 7
"""The kind of a day, beside the weekdays 0 to 6, that is free though it is no weekend."""
HOUR = timedelta(hours=1)

HourKind = tuple[int, int]
IsHoliday = Callable[[date], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishingRate:
    """How a source publishes. `rates` are articles an hour by kind of day (weekday, or HOLIDAY) and hour of the day in
    `zone`; `longest` is the longest silence of the past as time, `longest_expected` the most articles missed in one, a
    former stop left out."""

    rates: Mapping[HourKind, float]
    longest_silence: timedelta
    max_missed_articles: float
    articles: int
    days: int
    zone: tzinfo
    is_holiday: IsHoliday

    def expect_articles(self, start: datetime, end: datetime) -> float:
        """How many articles usually appear between two moments (aware)."""
        return sum(
            self.rates[kind] * share for kind, share in _split_into_hours(start, end, self.zone, self.is_holiday)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A silence that goes on: `expected` articles would usually have come, up to `limit` are believed to stay away."""

    duration: timedelta
    expected_articles: float
    max_expected_articles: float
    longest_before: timedelta

    @property
    def is_believable(self) -> bool:
        """Whether the source may simply have nothing to say."""
        return (
            self.expected_articles <= self.max_expected_articles
            and self.duration <= self.longest_before * MAX_DURATION_RATIO
        )

    @property
    def description(self) -> str:
        """In words, with the numbers."""
        return (
            f"{format_duration(self.duration)} without news, in which {self.expected_articles:.1f} articles usually appear; "
            f"the longest silence in a year was {format_duration(self.longest_before)}"
        )


def learn_publishing_rate(
    times: Iterable[datetime], now: datetime, zone: tzinfo, is_holiday: IsHoliday | None = None
) -> PublishingRate | None:
    """The cadence of publishing times (aware, any order), None for too little of a history.

    `free` says whether a day is a holiday; weekends are free in any case.
    """
    is_holiday = is_holiday or load_kazakh_holidays()
    found = sorted({moment.astimezone(zone) for moment in times if now - MAX_HISTORY <= moment <= now})
    if len(found) <= MIN_GAPS or found[-1] - found[0] < timedelta(days=MIN_DAYS):
        return None
    rates = _compute_rates(found, zone, is_holiday)
    cadence = PublishingRate(
        rates=rates,
        longest_silence=max(later - earlier for earlier, later in pairwise(found)),
        max_missed_articles=0.0,
        articles=len(found),
        days=(found[-1] - found[0]).days,
        zone=zone,
        is_holiday=is_holiday,
    )
    return _add_longest_silence(cadence, found)


def drop_future_times(times: Sequence[datetime], now: datetime) -> list[datetime]:
    """The times up to now: one wrong date in the future must not hide that a source has stopped."""
    return [moment for moment in times if moment <= now]


def measure_silence(rate: PublishingRate, newest: datetime, now: datetime) -> Silence:
    """The silence since the newest article."""
    return Silence(
        duration=now - newest,
        expected_articles=rate.expect_articles(newest, now),
        max_expected_articles=rate.max_missed_articles * SILENCE_MARGIN,
        longest_before=rate.longest_silence,
    )


def load_kazakh_holidays() -> IsHoliday:
    """Whether a day is a public holiday in Kazakhstan, as the `holidays` library knows it."""
    import holidays  # late: it is only needed here

    known = holidays.country_holidays("KZ")
    return lambda day: day in known


def format_duration(time: timedelta) -> str:
    """`5 hours`, `2 days`."""
    hours = round(time / HOUR)
    if hours < 48:
        return f"{hours} hour{'s' if hours != 1 else ''}"
    return f"{round(time / timedelta(days=1))} days"


def _compute_rates(found: Sequence[datetime], zone: tzinfo, free: IsHoliday) -> dict[HourKind, float]:
    """Articles an hour: what such an hour of all workdays (or free days) has, times what this weekday has of them."""
    seen = Counter(_get_hour_kind(moment, free) for moment in found[1:])
    passed: dict[HourKind, float] = {(day, hour): 0.0 for day in range(HOLIDAY + 1) for hour in range(24)}
    for kind, share in _split_into_hours(found[0], found[-1], zone, free):
        passed[kind] += share
    average = (len(found) - 1) / max(sum(passed.values()), 1.0)
    days = range(HOLIDAY + 1)
    rates: dict[HourKind, float] = {}
    usual = dict.fromkeys(days, 0.0)
    for day, hour in passed:
        alike = [other for other in days if _is_day_off(other) == _is_day_off(day)]
        articles, hours = (sum(of[other, hour] for other in alike) for of in (seen, passed))
        rates[day, hour] = (articles + PRIOR_HOURS * average) / (hours + PRIOR_HOURS)
        usual[day] += articles * passed[day, hour] / hours if hours else 0.0
    shares = dict.fromkeys(days, 1.0)
    for day in days:
        if sum(passed[day, hour] for hour in range(24)) >= MIN_DAYS_OF_KIND * 24:
            shares[day] = (sum(seen[day, hour] for hour in range(24)) + PRIOR_ARTICLES) / (usual[day] + PRIOR_ARTICLES)
    return {(day, hour): rate * shares[day] for (day, hour), rate in rates.items()}


def _add_longest_silence(cadence: PublishingRate, found: Sequence[datetime]) -> PublishingRate:
    """The same with the longest silence in articles, by one pass over all hours."""
    edges, total, totals = [], 0.0, [0.0]
    moment = found[0]
    for kind, share in _split_into_hours(found[0], found[-1], cadence.zone, cadence.is_holiday):
        edges.append(moment)
        moment += share * HOUR
        total += cadence.rates[kind] * share
        totals.append(total)
    edges.append(found[-1])

    def until(when: datetime) -> float:
        at = min(bisect_right(edges, when) - 1, len(totals) - 2)
        whole = edges[at + 1] - edges[at]
        share = (when - edges[at]) / whole if whole else 0.0
        return totals[at] + (totals[at + 1] - totals[at]) * share

    *_, second, longest = sorted(until(later) - until(earlier) for earlier, later in pairwise(found))
    return replace(cadence, longest_expected=second if longest > second * OUTAGE_RATIO else longest)


def _split_into_hours(
    start: datetime, end: datetime, zone: tzinfo, free: IsHoliday
) -> Iterator[tuple[HourKind, float]]:
    """The hours between two moments by kind, each with its share that lies between them."""
    moment = start
    while moment < end:
        local = moment.astimezone(zone)
        passed = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        later = min(moment + (HOUR - passed), end)
        yield _get_hour_kind(local, free), (later - moment) / HOUR
        moment = later


def get_day_kind(day: date, free: IsHoliday) -> int:
    """The kind of a day: its weekday, or HOLIDAY."""
    return HOLIDAY if day.weekday() < 5 and free(day) else day.weekday()


def _get_hour_kind(local: datetime, free: IsHoliday) -> HourKind:
    return get_day_kind(local.date(), free), local.hour


def _is_day_off(day: int) -> bool:
    return day >= 5
