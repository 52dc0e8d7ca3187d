"""`cron = "auto"`: run often in the hours in which a source publishes, and seldom in the others.

The hours are the fewest of the week with nine tenths of the articles: of workdays or of all days, from one hour to
another. In these hours there are RUNS_PER_ARTICLE runs per article, so a new article is found within a small part of
the usual wait for the next one. The other hours follow the same rule. The owner's bounds limit both intervals.

Articles count up to last midnight, so that a watch and every command learn the same cron.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import product

from crawler.monitoring.publishing_rate import MAX_HISTORY, MIN_DAYS, MIN_GAPS, learn_publishing_rate

ADAPTIVE_CRON = "auto"
LEARNING_DAYS = (60, 120, 240, MAX_HISTORY.days)
"""Days to learn from. The shortest period with enough articles counts, because habits change."""
MIN_SHARE_IN_WINDOW = 0.9
"""Share of the articles that the hours must have."""
MAX_WINDOW_SHARE = 0.7
"""If the hours are a larger share of the week, there is one interval for all hours."""
RUNS_PER_ARTICLE = 30
INTERVAL_MINUTES = (5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440)
"""Minutes between two starts that divide an hour or a day."""
HOURS_PER_WEEK = 7 * 24


@dataclass(frozen=True, slots=True)
class LearnedCron:
    """A cron, and the reason for it."""

    cron: str
    reason: str


@dataclass(frozen=True, slots=True)
class PublishingWindow:
    """The hours of the day from `begin` up to `end`, on workdays (Monday to Friday) or on all days."""

    begin: int
    end: int
    is_workdays_only: bool

    @property
    def hours(self) -> int:
        """The number of hours in a week."""
        return (self.end - self.begin) * (5 if self.is_workdays_only else 7)

    def count_articles(self, counts: Counter[tuple[int, int]]) -> int:
        """Return how many articles, counted by weekday and hour, appeared in the window."""
        days, hours = range(5 if self.is_workdays_only else 7), range(self.begin, self.end)
        return sum(count for (day, hour), count in counts.items() if day in days and hour in hours)


ALL_HOURS = PublishingWindow(0, 24, is_workdays_only=False)


def learn_cron(
    times: Iterable[datetime],
    now: datetime,
    zone: tzinfo,
    *,
    default_cron: str,
    min_interval: timedelta,
    max_interval: timedelta,
) -> LearnedCron:
    """Return the cron for a source that published at these times (aware, any order).

    It is the default cron if the times are too few, or dates without a time of day.
    """
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    published = sorted(time.astimezone(zone) for time in times if midnight - MAX_HISTORY <= time < midnight)
    if learn_publishing_rate(published, midnight, zone) is None:
        days = (midnight - published[0]).days if published else 0
        reason = (
            f"auto: the default cron so far, because only {len(published)} articles of {days} days are known "
            f"(more than {MIN_GAPS} articles of {MIN_DAYS} days or more are needed)"
        )
        return LearnedCron(default_cron, reason)
    if 2 * sum((time.hour, time.minute) == (0, 0) for time in published) > len(published):
        return LearnedCron(default_cron, "auto: the default cron, because its articles have a day and no time of day")
    recent, days = _select_recent(published, midnight)
    counts = Counter((time.weekday(), time.hour) for time in recent)
    window = _find_window(counts, len(recent))
    inside, weeks = window.count_articles(counts), days / 7
    bounds = (min_interval / timedelta(minutes=1), max_interval / timedelta(minutes=1))
    busy = _choose_interval(inside, window.hours * weeks, bounds)
    quiet = _choose_interval(len(recent) - inside, (HOURS_PER_WEEK - window.hours) * weeks, bounds)
    if window.hours > MAX_WINDOW_SHARE * HOURS_PER_WEEK or busy >= quiet:
        interval = _choose_interval(len(recent), HOURS_PER_WEEK * weeks, bounds)
        reason = (
            f"auto: every {_format_interval(interval)} at all hours, because {len(recent)} articles of {days} days "
            f"came {'at any hour' if busy < quiet else 'that seldom'}"
        )
        return LearnedCron(_format_cron(interval, ALL_HOURS), reason)
    hours = f"{window.begin}-{window.end}" + (" on workdays" if window.is_workdays_only else "")
    reason = (
        f"auto: every {_format_interval(busy)} {hours}, else every {_format_interval(quiet)}, because {inside} of "
        f"{len(recent)} articles of {days} days came then"
    )
    return LearnedCron(f"{_format_cron(busy, window)} | {_format_cron(quiet, ALL_HOURS)}", reason)


def _select_recent(published: Sequence[datetime], midnight: datetime) -> tuple[list[datetime], int]:
    """Return the times of the shortest period with enough articles, and its days."""
    for days in LEARNING_DAYS:
        recent = [time for time in published if time >= midnight - timedelta(days=days)]
        if len(recent) > MIN_GAPS:
            break
    return recent, min(days, (midnight - published[0]).days + 1)


def _find_window(counts: Counter[tuple[int, int]], articles: int) -> PublishingWindow:
    """Return the window with the fewest hours that has enough articles. Of several, the one with most articles."""
    windows = [
        PublishingWindow(begin, end, is_workdays_only)
        for begin, end, is_workdays_only in product(range(24), range(1, 25), (True, False))
        if begin < end
    ]
    enough = [window for window in windows if window.count_articles(counts) >= MIN_SHARE_IN_WINDOW * articles]
    return min(enough, key=lambda window: (window.hours, -window.count_articles(counts)))


def _choose_interval(articles: int, hours: float, bounds: tuple[float, float]) -> int:
    """Return the longest allowed interval that gives RUNS_PER_ARTICLE runs per article, else the shortest allowed."""
    shortest, longest = bounds
    wanted = hours * 60 / max(articles, 1) / RUNS_PER_ARTICLE
    long_enough = [minutes for minutes in INTERVAL_MINUTES if minutes >= shortest]
    allowed = [minutes for minutes in long_enough if minutes <= longest] or long_enough[:1]
    return max([minutes for minutes in allowed if minutes <= wanted], default=allowed[0])


def _format_cron(minutes: int, window: PublishingWindow) -> str:
    days = "1-5" if window.is_workdays_only else "*"
    is_whole_day = (window.begin, window.end) == (0, 24)
    if minutes < 60:
        span = f"{window.begin}-{window.end - 1}" if window.end - window.begin > 1 else str(window.begin)
        return f"*/{minutes} {'*' if is_whole_day else span} * * {days}"
    step = minutes // 60
    hours = [hour for hour in range(window.begin, window.end) if hour % step == 0] or [window.begin]
    if is_whole_day and step < 24:
        return f"0 {'*' if step == 1 else f'*/{step}'} * * {days}"
    return f"0 {','.join(map(str, hours))} * * {days}"


def _format_interval(minutes: int) -> str:
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h"
