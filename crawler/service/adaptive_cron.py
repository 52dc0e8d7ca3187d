"""`cron = "auto"`: often at the hours in which a source publishes, seldom at the others, and why.

The hours are the fewest of the week that held nine tenths of the articles: of workdays or of all days, from one hour
to another. In them a run comes for each thirtieth of the time between two articles, so that what is new is found in a
thirtieth of the time that one waits for it; likewise at the other hours. Both within the owner's bounds.

Learned up to last midnight, so that the watch and every command find the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from crawler.monitoring.publishing_rate import MAX_HISTORY, MIN_DAYS, MIN_GAPS, learn_publishing_rate

ADAPTIVE_CRON = "auto"
LEARNING_DAYS = (60, 120, 240, MAX_HISTORY.days)
"""Days looked back; the first that has enough articles counts, for habits change."""
MIN_SHARE_IN_WINDOW = 0.9
"""Share of the articles that the hours must hold."""
MAX_WINDOW_SHARE = 0.7
"""Share of the week's hours above which there are no hours of its own."""
RUNS_PER_ARTICLE = 30
INTERVAL_MINUTES = (5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440)
"""Minutes between two starts, such as fit into an hour or a day."""
HOURS_PER_WEEK = 7 * 24


@dataclass(frozen=True, slots=True)
class LearnedCron:
    """A cron, and why it is this one."""

    cron: str
    reason: str


@dataclass(frozen=True, slots=True)
class PublishingWindow:
    """Hours of the day from `begin` up to `end`, of workdays (Monday to Friday) or of all days."""

    begin: int
    end: int
    is_workdays_only: bool

    @property
    def hours(self) -> int:
        """Its hours in a week."""
        return (self.end - self.begin) * (5 if self.is_workdays_only else 7)

    def count_articles(self, counts: Counter[tuple[int, int]]) -> int:
        """How many of the articles, counted by weekday and hour, came in it."""
        days, hours = range(5 if self.is_workdays_only else 7), range(self.begin, self.end)
        return sum(number for (day, hour), number in counts.items() if day in days and hour in hours)


def learn_cron(
    times: Iterable[datetime],
    now: datetime,
    zone: ZoneInfo,
    *,
    default_cron: str,
    min_interval: timedelta,
    max_interval: timedelta,
) -> LearnedCron:
    """The rhythm for a source that published at these times (aware, any order); its own cron when little is known."""
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    found = sorted(moment.astimezone(zone) for moment in times if midnight - MAX_HISTORY <= moment < midnight)
    if learn_publishing_rate(found, midnight, zone) is None:
        days = (midnight - found[0]).days if found else 0
        least = f"more than {MIN_GAPS} articles of {MIN_DAYS} days or more are needed"
        return LearnedCron(
            default_cron,
            f"auto: by its own cron so far, for only {len(found)} articles of {days} days are known ({least})",
        )
    if 2 * sum((moment.hour, moment.minute) == (0, 0) for moment in found) > len(found):
        return LearnedCron(default_cron, "auto: by its own cron, for its articles have a day and no time of day")
    recent, days = _select_recent(found, midnight)
    counts = Counter((moment.weekday(), moment.hour) for moment in recent)
    window = _find_window(counts, len(recent))
    inside, weeks = window.count_articles(counts), days / 7
    bounds = (min_interval / timedelta(minutes=1), max_interval / timedelta(minutes=1))
    often = _choose_interval(inside, window.hours * weeks, bounds)
    seldom = _choose_interval(len(recent) - inside, (HOURS_PER_WEEK - window.hours) * weeks, bounds)
    if window.hours > MAX_WINDOW_SHARE * HOURS_PER_WEEK or often >= seldom:
        always = _choose_interval(len(recent), HOURS_PER_WEEK * weeks, bounds)
        why = (
            f"auto: every {_format_interval(always)} at all hours, because {len(recent)} articles of {days} days came "
        )
        return LearnedCron(
            _format_cron(always, PublishingWindow(0, 24, False)),
            why + ("at any hour" if often < seldom else "that seldom"),
        )
    when = f"{window.begin}-{window.end}" + (" on workdays" if window.is_workdays_only else "")
    return LearnedCron(
        f"{_format_cron(often, window)} | {_format_cron(seldom, PublishingWindow(0, 24, False))}",
        f"auto: every {_format_interval(often)} {when}, else every {_format_interval(seldom)}, because {inside} of {len(recent)} articles of "
        f"{days} days came then",
    )


def _select_recent(found: Sequence[datetime], midnight: datetime) -> tuple[list[datetime], int]:
    for days in LEARNING_DAYS:
        recent = [moment for moment in found if moment >= midnight - timedelta(days=days)]
        if len(recent) > MIN_GAPS:
            break
    return recent, min(days, (midnight - found[0]).days + 1)


def _find_window(counts: Counter[tuple[int, int]], articles: int) -> PublishingWindow:
    """The fewest hours of a week that held enough; of several, those that held most."""
    begins_ends = [(begin, end) for begin, end in product(range(24), range(1, 25)) if begin < end]
    windows = [PublishingWindow(begin, end, workdays) for begin, end in begins_ends for workdays in (True, False)]
    enough = [window for window in windows if window.count_articles(counts) >= MIN_SHARE_IN_WINDOW * articles]
    return min(enough, key=lambda window: (window.hours, -window.count_articles(counts)))


def _choose_interval(articles: int, hours: float, bounds: tuple[float, float]) -> int:
    shortest, longest = bounds
    wanted = hours * 60 / max(articles, 1) / RUNS_PER_ARTICLE
    allowed = [step for step in INTERVAL_MINUTES if shortest <= step <= longest] or [
        step for step in INTERVAL_MINUTES if step >= shortest
    ][:1]
    return max([step for step in allowed if step <= wanted], default=allowed[0])


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
