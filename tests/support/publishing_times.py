"""Simulated publishing times: workdays and holidays, hours of work, bursts, quiet summers."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

ALMATY = ZoneInfo("Asia/Almaty")
DAY = timedelta(days=1)


def simulate_publishing_times(
    seed: int,
    a_day: float,
    start: date,
    days: int,
    free: Callable[[date], bool],
    *,
    burst: float = 0.2,
    week: Sequence[float] = (1, 1, 1, 1, 1, 1, 1),
) -> list[datetime]:
    """Moments of `days` days: `a_day` on a workday on average, a tenth of that on a free day, nine to seven mostly.

    `week` says how many times as much each weekday has. Each may be followed by others within the hour (`burst`);
    August has half of all.
    """
    rng, found = random.Random(seed), []
    for number in range(days):
        day = start + number * DAY
        rate = a_day * (0.1 if day.weekday() >= 5 or free(day) else 1.0) * (0.5 if day.month == 8 else 1.0)
        rate *= week[day.weekday()]
        for _ in range(_poisson(rng, rate * (1 - burst))):
            hour = rng.gauss(14, 2.5) if rng.random() < 0.95 else rng.uniform(0, 24)
            moment = datetime(day.year, day.month, day.day, tzinfo=ALMATY) + timedelta(hours=min(max(hour, 0), 23.9))
            found.append(moment)
            while rng.random() < burst:
                found.append(moment + timedelta(minutes=rng.uniform(1, 60)))
    return sorted(found)


def _poisson(rng: random.Random, mean: float) -> int:
    """How many events of a process with this mean happen."""
    number, left = 0, rng.expovariate(1.0)
    while left < mean:
        number += 1
        left += rng.expovariate(1.0)
    return number
