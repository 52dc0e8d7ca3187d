"""`cron = "auto"`: learned from when a source publishes, within bounds, and explained."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.publishing_times import simulate_publishing_times

from crawler.config import load_config
from crawler.errors import ConfigError
from crawler.monitoring.publishing_rate import load_kazakh_holidays
from crawler.service.adaptive_cron import LearnedCron, learn_cron
from crawler.service.cron import parse_cron

ALMATY = ZoneInfo("Asia/Almaty")
START = date(2025, 3, 3)
NOW = datetime(2026, 3, 4, 13, 20, tzinfo=ALMATY)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def rhythm(times: list[datetime], now: datetime = NOW, *, shortest: int = 15, longest: int = 120) -> LearnedCron:
    return learn_cron(
        times, now, ALMATY, default_cron="*/30 * * * *", min_interval=shortest * MINUTE, max_interval=longest * MINUTE
    )


def each_workday(*hours: int, days: int = 90, minute: int = 10) -> list[datetime]:
    midnight = NOW.replace(hour=0, minute=minute)
    found = [midnight - day * DAY + timedelta(hours=hour) for day in range(1, days) for hour in hours]
    return [moment for moment in found if moment.weekday() < 5]


def test_workdays_and_their_hours_are_learned() -> None:
    found = rhythm(each_workday(9, 14, 17))
    assert found.cron == "*/15 9-17 * * 1-5 | 0 */2 * * *"
    assert found.reason == (
        "auto: every 15 min 9-18 on workdays, else every 2 h, because 126 of 126 articles of 60 days came then"
    )


def test_one_article_a_workday_needs_fewer_runs() -> None:
    found = rhythm([moment for moment in each_workday(9, 11, 13, 15, 18) if moment.day % 5 == moment.hour % 5])
    assert found.cron.startswith("*/20 9-18 * * 1-5 | ")
    assert "every 20 min 9-19 on workdays" in found.reason


def test_simulated_ministry_has_hours_of_work() -> None:
    times = simulate_publishing_times(7, 3, START, 366, load_kazakh_holidays())
    found = rhythm(times)
    busy, _, rest = found.cron.partition(" | ")
    assert busy.endswith(" * * 1-5")
    begin, end = map(int, busy.split()[1].split("-"))
    assert 7 <= begin <= 11
    assert 15 <= end <= 20
    assert rest == "0 */2 * * *"


def test_an_agency_of_all_hours_has_one_interval() -> None:
    times = [NOW - hour * timedelta(hours=1) - 7 * MINUTE for hour in range(24 * 90)]
    found = rhythm(times, shortest=5)
    assert found.cron == "*/5 * * * *"
    assert "every 5 min at all hours" in found.reason


def test_a_source_that_seldom_publishes_is_asked_as_seldom_as_allowed() -> None:
    found = rhythm([moment for moment in each_workday(10, days=380) if moment.day in (3, 4, 5, 17, 18)], longest=360)
    assert found.cron.endswith("0 */6 * * *")


@pytest.mark.parametrize(
    ("times", "why"),
    [
        ([], "only 0 articles of 0 days are known"),
        (each_workday(9, days=20), "only 13 articles of 18 days are known"),
        (each_workday(9, 12, 15, days=40), "articles of 36 days are known"),
    ],
)
def test_too_little_of_a_past_leaves_the_own_cron(times: list[datetime], why: str) -> None:
    found = rhythm(times)
    assert found.cron == "*/30 * * * *"
    assert "the default cron so far" in found.reason
    assert why in found.reason


def test_days_without_a_time_teach_nothing() -> None:
    found = rhythm(each_workday(0, minute=0, days=120))
    assert found == LearnedCron(
        "*/30 * * * *", "auto: the default cron, because its articles have a day and no time of day"
    )


def test_the_same_is_learned_all_day_long_whatever_comes() -> None:
    times = each_workday(9, 14, 17)
    evening = NOW.replace(hour=23, minute=59)
    assert rhythm(times) == rhythm([*times, *(NOW + n * MINUTE for n in range(50))], evening)
    assert rhythm(times).cron == rhythm(times, NOW.astimezone(UTC)).cron


@pytest.mark.parametrize("shortest", [5, 7, 60, 120, 1440])
@pytest.mark.parametrize("longest", [5, 45, 120, 360, 1440])
@pytest.mark.parametrize("hours", [(9,), (0, 23), (8, 9, 10, 11), tuple(range(24))])
def test_whatever_is_learned_can_be_used_and_keeps_to_the_bounds(
    shortest: int, longest: int, hours: tuple[int, ...]
) -> None:
    if shortest > longest:
        return
    found = rhythm(each_workday(*hours), shortest=shortest, longest=longest)
    trigger = parse_cron(found.cron, "here")
    moment, starts = NOW, []
    for _ in range(60):
        moment = trigger.get_next_fire_time(moment, moment)
        starts.append(moment)
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    largest = max(longest, min(step for step in (5, 10, 15, 60, 120, 1440) if step >= shortest))
    assert min(gaps) >= min(shortest, 60) * MINUTE
    assert max(gaps) <= largest * MINUTE


def test_several_expressions_start_when_one_of_them_does() -> None:
    trigger = parse_cron("*/20 9-10 * * 1-5 | 0 */2 * * *", "here")
    moment, starts = datetime(2026, 3, 6, 7, 0, tzinfo=ALMATY), []
    for _ in range(9):
        moment = trigger.get_next_fire_time(moment, moment)
        starts.append(f"{moment:%a %H:%M}")
    assert starts == [
        "Fri 08:00", "Fri 09:00", "Fri 09:20", "Fri 09:40", "Fri 10:00", "Fri 10:20", "Fri 10:40", "Fri 12:00",
        "Fri 14:00",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="its minute '61'"):
        parse_cron("*/20 * * * * | 61 * * * *", "here")


@pytest.mark.parametrize(("shortest", "longest"), [("3h", "2h"), ("1m", "2h"), ("15m", "2d")])
def test_bounds_that_cannot_be_meant_are_refused(tmp_path: Path, shortest: str, longest: str) -> None:
    path = tmp_path / "crawler.toml"
    path.write_text(f'[sources.mfa]\ncron = "auto"\nauto_shortest = "{shortest}"\nauto_longest = "{longest}"\n')
    with pytest.raises(ConfigError, match="auto_shortest and auto_longest must be from 5m to 1d"):
        load_config(path)
