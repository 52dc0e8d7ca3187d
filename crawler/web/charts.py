"""Bars without text, as SVG that needs no style and no script: the words stand beside them in HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from crawler.text.periods import CountingPeriod

BAR_STEP = 10
BAR_WIDTH = 8
CHART_HEIGHT = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its place in the picture, its period in words, and what it counts."""

    x: int
    y: float
    height: float
    period: str
    count: int
    is_unfinished: bool


@dataclass(frozen=True, slots=True)
class BarChart:
    """The bars of a picture of `width` x `CHART_HEIGHT`, whose highest bar counts `highest`."""

    bars: tuple[Bar, ...]
    width: int
    highest: int

    @property
    def total(self) -> int:
        """What all bars count together."""
        return sum(bar.count for bar in self.bars)

    @property
    def average(self) -> float:
        """The mean of the bars without the unfinished one."""
        counts = [bar.count for bar in self.bars if not bar.is_unfinished]
        return sum(counts) / len(counts) if counts else 0.0

    @property
    def last_count(self) -> int:
        """The count of the last bar."""
        return self.bars[-1].count if self.bars else 0


def make_bar_chart(periods: Sequence[str], counts: Sequence[int], *, is_last_unfinished: bool = True) -> BarChart:
    """Return a bar for each period. The last one is drawn hollow if its period has not ended."""
    highest = max(counts, default=0)
    bars = []
    for index, (period, count) in enumerate(zip(periods, counts, strict=True)):
        height = round(count * CHART_HEIGHT / highest, 1) if highest else 0.0
        is_open = is_last_unfinished and index == len(periods) - 1
        bars.append(Bar(index * BAR_STEP + 1, CHART_HEIGHT - height, height, period, count, is_open))
    return BarChart(tuple(bars), max(len(bars) * BAR_STEP, BAR_STEP), highest)


def make_weekly_bars(times: Iterable[datetime], begin: datetime, end: datetime, zone: tzinfo) -> BarChart:
    """Return how many of the times (aware) are in each week from `begin` to `end`, in a zone's days.

    The period of a bar is the day on which its week begins.
    """
    week = CountingPeriod.WEEK
    counts: Counter[date] = Counter(week.get_start(time.astimezone(zone).date()) for time in times)
    starts = [week.get_start(begin.astimezone(zone).date())]
    last = (end - timedelta(microseconds=1)).astimezone(zone).date()
    while (following := week.get_next_start(starts[-1])) <= last:
        starts.append(following)
    return make_bar_chart([f"{start:%d.%m.%Y}" for start in starts], [counts[start] for start in starts])
