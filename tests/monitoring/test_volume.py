"""Volume: a drop and a spike are reported with their numbers, a usual year is not."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache

import pytest
from support.publishing_times import ALMATY, DAY, simulate_publishing_times

from crawler.monitoring.publishing_rate import (
    MAX_HISTORY,
    PublishingRate,
    drop_future_times,
    learn_publishing_rate,
    load_kazakh_holidays,
)
from crawler.monitoring.volume import find_volume_changes

START = date(2024, 3, 4)
HOLIDAYS = load_kazakh_holidays()
TOGETHER = 14 * DAY
"""Reported again within this time, it is the same drop."""


@cache
def free(day: date) -> bool:
    return HOLIDAYS(day)


def learned(times: list[datetime], now: datetime) -> PublishingRate:
    cadence = learn_publishing_rate(drop_future_times(times, now), now, ALMATY, free)
    assert cadence is not None
    return cadence


def told(times: list[datetime], now: datetime, since: datetime | None = None) -> list[str]:
    return find_volume_changes(
        [moment for moment in times if now - MAX_HISTORY <= moment <= now], now, learned(times, now), since
    )


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=ALMATY)


def weekly(counts: Sequence[int]) -> list[datetime]:
    """So many articles in each week, spread over its workdays; the last week ends on a Sunday."""
    return [
        noon(START + (7 * week + number % 5) * DAY) + timedelta(minutes=number)
        for week, count in enumerate(counts)
        for number in range(count)
    ]


WEEKS = [15, 9, 21, 14, 12, 18, 16, 10, 15, 17, 13, 20, 15, 16, 14, 15]
MONDAY = noon(START + 7 * (len(WEEKS) + 1) * DAY)


def test_a_drop_says_its_numbers() -> None:
    assert told(weekly([*WEEKS, 3]), MONDAY) == [
        "3 articles in the last 7 days; 9 to 21 in each of the 15 weeks before."
    ]


@pytest.mark.parametrize("last", [7, 12, 21, 60])
def test_a_week_somewhat_poorer_or_richer_is_nothing(last: int) -> None:
    assert told(weekly([*WEEKS, last]), MONDAY) == []


def test_what_was_accepted_is_no_drop() -> None:
    assert told(weekly([*WEEKS, 3]), MONDAY, since=MONDAY - 8 * DAY) == []


def test_a_short_history_reports_nothing() -> None:
    times = weekly([15] * 10 + [0])
    assert told([*times, MONDAY - 50 * DAY], noon(START + 77 * DAY)) == []


def test_a_spike_is_reported_on_that_day_and_the_next() -> None:
    times, thursday = weekly([*WEEKS, 15]), MONDAY - 4 * DAY
    wild = sorted([*times, *(thursday + timedelta(seconds=number) for number in range(120))])
    evening = thursday + timedelta(hours=6)
    (sentence,) = told(wild, evening)
    assert sentence.startswith(f"123 articles on {thursday:%Y-%m-%d}; at most 5 on each of the ")
    assert told(wild, evening + DAY)[0].startswith(sentence[:40])
    assert told(wild, evening + 2 * DAY) == []


def test_the_new_year_is_no_drop() -> None:
    times = simulate_publishing_times(2, 6.0, date(2024, 7, 1), 400, free)
    for day in range(1, 12):
        assert told(times, noon(date(2025, 1, day))) == []


@pytest.mark.slow
@pytest.mark.parametrize("burst", [0.2, 0.5])
@pytest.mark.parametrize("rate", [1, 4, 15])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.campaign
def test_few_false_alarms_and_every_true_drop(rate: float, burst: float, seed: int) -> None:
    times = simulate_publishing_times(seed, rate, START, 730, free, burst=burst)
    false = Counter((moment.year, (moment.month - 1) // 3) for moment in episodes(times, 70))
    assert max(false.values(), default=0) <= 1
    chance, cut = random.Random(seed), times[0] + 500 * DAY
    third = [t for t in times if t < cut or (t < cut + 60 * DAY and chance.random() < 0.33)]
    (first, *_) = episodes(third, 495)
    assert first - cut < 50 * DAY


def episodes(times: list[datetime], first: int) -> list[datetime]:
    """When something begins to be told, asked once a day; the cadence is learned anew every two months."""
    now, found, last, cadence = times[0] + first * DAY, [], None, None
    learned_at = now
    while now < times[-1]:
        if cadence is None or now - learned_at > 60 * DAY:
            cadence, learned_at = learned(times, now), now
        if find_volume_changes([t for t in times if now - MAX_HISTORY <= t <= now], now, cadence):
            if last is None or now - last > TOGETHER:
                found.append(now)
            last = now
        now += DAY
    return found
