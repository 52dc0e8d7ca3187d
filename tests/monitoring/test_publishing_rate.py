"""Learned silence: few false alarms in two years, and a true stop is noticed in time."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.publishing_times import ALMATY, DAY, simulate_publishing_times

from crawler.monitoring.publishing_rate import (
    HOLIDAY,
    PublishingRate,
    drop_future_times,
    format_duration,
    learn_publishing_rate,
    load_kazakh_holidays,
    measure_silence,
)

START = date(2024, 3, 4)
TWO_YEARS = 730
FREE = load_kazakh_holidays()
RATES = (0.3, 1.0, 4.0, 15.0)
HOUR = timedelta(hours=1)


def learned(times: list[datetime], now: datetime) -> PublishingRate:
    found = learn_publishing_rate(times, now, ALMATY, FREE)
    assert found is not None
    return found


def alarms(times: list[datetime], step: timedelta = 6 * HOUR) -> Counter[tuple[int, int]]:
    """Silences that are not believed, by quarter, each counted once, asked every few hours after half a year."""
    now, end, last = times[0] + 180 * DAY, times[-1], None
    found: Counter[tuple[int, int]] = Counter()
    cadence, at = learn_publishing_rate(drop_future_times(times, now), now, ALMATY, FREE), now
    while now < end:
        if now - at > 30 * DAY:
            cadence, at = learn_publishing_rate(drop_future_times(times, now), now, ALMATY, FREE), now
        newest = times[bisect_right(times, now) - 1]
        if cadence and newest != last and not measure_silence(cadence, newest, now).is_believable:
            found[now.year, (now.month - 1) // 3] += 1
            last = newest
        now += step
    return found


@pytest.mark.slow
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.campaign
def test_at_most_one_false_alarm_a_quarter(rate: float, seed: int) -> None:
    times = simulate_publishing_times(seed, rate, START, TWO_YEARS, FREE)
    assert max(alarms(times).values(), default=0) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.campaign
def test_a_true_stop_is_noticed_in_time(rate: float, seed: int) -> None:
    times = simulate_publishing_times(seed, rate, START, 500, FREE)
    for left_out in range(0, 60, 8):  # a stop on each day of the week
        earlier = drop_future_times(times, times[-1] - left_out * DAY)
        cadence = learned(earlier, earlier[-1])
        assert noticed_after(cadence, earlier[-1]) <= 1.5 * cadence.longest_silence + HOUR


def test_a_former_outage_delays_no_alarm() -> None:
    times = simulate_publishing_times(1, 4.0, date(2025, 1, 6), 380, FREE)
    stopped = [t for t in times if not date(2025, 9, 1) <= t.date() <= date(2025, 9, 21)]
    whole, broken = learned(times, times[-1]), learned(stopped, times[-1])
    assert broken.longest_silence > 20 * DAY
    assert noticed_after(broken, times[-1]) <= noticed_after(whole, times[-1]) + DAY


def test_a_date_in_the_future_hides_no_silence() -> None:
    now = NOONS[-1] + DAY
    assert drop_future_times([*NOONS, now + 90 * DAY], now) == NOONS


def noticed_after(cadence: PublishingRate, newest: datetime) -> timedelta:
    now = newest
    while measure_silence(cadence, newest, now).is_believable:
        now += HOUR
    return now - newest


def test_a_long_weekend_is_no_silence() -> None:
    times = simulate_publishing_times(1, 6.0, date(2025, 3, 3), 380, FREE)
    friday = datetime(2026, 3, 13, 18, 0, tzinfo=ALMATY)
    past = [t for t in times if t < friday] + [friday]
    cadence = learned(past, friday)
    assert measure_silence(cadence, friday, datetime(2026, 3, 16, 9, 0, tzinfo=ALMATY)).is_believable
    assert not measure_silence(cadence, friday, datetime(2026, 3, 19, 19, 0, tzinfo=ALMATY)).is_believable


def test_the_new_year_is_quiet_by_nature() -> None:
    days = simulate_publishing_times(2, 6.0, date(2025, 1, 6), 355, FREE)
    cadence = learned(days, days[-1])
    holiday = datetime(2026, 1, 1, 10, 0, tzinfo=ALMATY)
    workday = datetime(2026, 1, 13, 10, 0, tzinfo=ALMATY)
    assert (
        cadence.expect_articles(holiday, holiday + 8 * HOUR) < cadence.expect_articles(workday, workday + 8 * HOUR) / 3
    )


THURSDAYS = (0.1, 0.1, 0.3, 4.4, 0.1, 1, 1)
"""How many times as much each weekday has, of a source that publishes on Thursdays mostly."""


def test_each_weekday_is_known() -> None:
    times = simulate_publishing_times(3, 4.0, START, 400, FREE, week=THURSDAYS)
    cadence = learned(times, times[-1])
    monday, thursday = (datetime(2025, 3, day, tzinfo=ALMATY) for day in (3, 6))
    expected = [cadence.expect_articles(day, day + DAY) for day in (monday, thursday)]
    assert expected[0] < 1 < 10 < expected[1]


def test_a_missing_thursday_is_noticed_before_the_next() -> None:
    times = simulate_publishing_times(3, 4.0, START, 500, FREE, week=THURSDAYS)
    friday = max(moment for moment in times if moment.weekday() == 4)
    cadence = learned(drop_future_times(times, friday), friday)
    assert noticed_after(cadence, friday) < 8 * DAY


def test_a_weekday_hardly_seen_counts_as_any_workday() -> None:
    """Sixty days have no eight holidays: those are free days like others."""
    times = simulate_publishing_times(4, 6.0, date(2025, 6, 2), 80, FREE)
    rates = learned(times, times[-1]).rates
    saturday, sunday, holiday = (sum(rates[day, hour] for hour in range(24)) for day in (5, 6, HOLIDAY))
    assert 0.9 * min(saturday, sunday) <= holiday <= 1.1 * max(saturday, sunday)


@pytest.mark.slow
@pytest.mark.parametrize("week", [THURSDAYS, (5 / 3, 0, 5 / 3, 0, 5 / 3, 1, 1), (1, 1, 1, 1, 1, 8, 0.1)])
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.campaign
def test_weekdays_of_their_own_bring_no_false_alarms(week: tuple[float, ...], rate: float) -> None:
    for seed in range(2):
        assert (
            max(alarms(simulate_publishing_times(seed, rate, START, TWO_YEARS, FREE, week=week)).values(), default=0)
            <= 1
        )


def test_too_little_teaches_nothing() -> None:
    now = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
    few = [now - n * DAY for n in range(30)]
    crowded = [now - n * HOUR for n in range(500)]
    assert learn_publishing_rate(few, now, ALMATY, FREE) is None
    assert learn_publishing_rate(crowded, now, ALMATY, FREE) is None
    assert learn_publishing_rate([], now, ALMATY, FREE) is None


def test_the_sentence_has_the_numbers() -> None:
    times = [datetime(2025, 1, 6, 12, 0, tzinfo=UTC) + n * DAY for n in range(100)]
    found = measure_silence(learned(times, times[-1]), times[-1], times[-1] + 3 * DAY)
    assert found.description.startswith("3 days without news, in which ")
    assert found.description.endswith("the longest silence in a year was 24 hours")


NOONS = [datetime(2025, 1, 6, 12, 0, tzinfo=UTC) + n * DAY for n in range(100)]
EVERY_NOON = learned(NOONS, NOONS[-1])


@given(st.integers(0, 400), st.integers(0, 400))
def test_expectations_add_up(first: int, second: int) -> None:
    cadence, start = EVERY_NOON, datetime(2025, 1, 6, 12, 0, tzinfo=UTC)
    middle, end = start + first * HOUR, start + (first + second) * HOUR
    whole = cadence.expect_articles(start, end)
    assert whole == pytest.approx(cadence.expect_articles(start, middle) + cadence.expect_articles(middle, end))


@pytest.mark.parametrize(
    ("time", "words"), [(HOUR, "1 hour"), (47 * HOUR, "47 hours"), (48 * HOUR, "2 days"), (10 * DAY, "10 days")]
)
def test_spans_in_words(time: timedelta, words: str) -> None:
    assert format_duration(time) == words
