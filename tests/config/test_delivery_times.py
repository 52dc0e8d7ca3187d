"""Delivery schedules and quiet hours: parsing, due times and errors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crawler.config import DeliverySchedule, QuietHours, Subscription
from crawler.config.delivery_times import parse_delivery_schedule, parse_quiet_hours

ALMATY = ZoneInfo("Asia/Almaty")
BERLIN = ZoneInfo("Europe/Berlin")


def make_schedule(text: str) -> DeliverySchedule:
    found = parse_delivery_schedule(text)
    assert isinstance(found, DeliverySchedule)
    return found


def make_quiet_hours(text: str) -> QuietHours:
    found = parse_quiet_hours(text)
    assert isinstance(found, QuietHours)
    return found


@pytest.mark.parametrize(
    ("text", "now", "latest"),
    [
        ("hourly", "2026-03-06 12:34", "2026-03-06 12:00"),
        ("daily 08:30", "2026-03-06 12:34", "2026-03-06 08:30"),
        ("daily 08:30", "2026-03-06 08:30", "2026-03-06 08:30"),
        ("daily 08:30", "2026-03-06 08:29", "2026-03-05 08:30"),
        ("weekly mon 08:30", "2026-03-06 12:34", "2026-03-02 08:30"),
        ("Weekly Monday 8:30", "2026-03-02 08:29", "2026-02-23 08:30"),
    ],
)
def test_last_due_time(text: str, now: str, latest: str) -> None:
    found = make_schedule(text).get_last_due(datetime.fromisoformat(now).replace(tzinfo=ALMATY))
    assert f"{found:%Y-%m-%d %H:%M}" == latest
    assert found.tzinfo is ALMATY


@given(
    st.sampled_from(["hourly", "daily 02:30", "weekly sun 02:30"]),
    st.integers(0, 270 * 24 * 60),
)
def test_last_due_time_where_clocks_change(text: str, minutes: int) -> None:
    now = (datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minutes)).astimezone(BERLIN)
    latest = make_schedule(text).get_last_due(now)
    assert latest <= now
    assert now - latest <= timedelta(days=7, hours=1)
    assert make_schedule(text).get_last_due(latest) == latest


@pytest.mark.parametrize("text", ["realtime", "hourly", "daily 08:30", "weekly mon 08:30"])
def test_schedule_is_formatted_as_parsed(text: str) -> None:
    assert str(make_schedule(text)) == text


@pytest.mark.parametrize(
    ("text", "now", "after"),
    [
        ("22:00-07:00", "2026-03-06 23:10", "2026-03-07 07:00"),
        ("22:00-07:00", "2026-03-06 03:10", "2026-03-06 07:00"),
        ("22:00-07:00", "2026-03-06 07:00", "2026-03-06 07:00"),
        ("22:00-07:00", "2026-03-06 12:00", "2026-03-06 12:00"),
        ("12:00-14:00", "2026-03-06 13:00", "2026-03-06 14:00"),
        ("12:00-14:00", "2026-03-06 23:00", "2026-03-06 23:00"),
    ],
)
def test_end_of_quiet_hours(text: str, now: str, after: str) -> None:
    found = make_quiet_hours(text).get_end_if_quiet(datetime.fromisoformat(now).replace(tzinfo=ALMATY))
    assert f"{found:%Y-%m-%d %H:%M}" == after


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"when": "dayly 08:30"}, "write realtime, hourly, daily 08:30 or weekly mon 08:30"),
        ({"when": "daily 25:00"}, "write realtime, hourly, daily 08:30 or weekly mon 08:30"),
        ({"when": "weekly 08:30"}, "write realtime"),
        ({"quiet": "night"}, "write hours such as 22:00-07:00"),
        ({"quiet": "07:00-07:00"}, "never end"),
        ({"channels": []}, "at least 1 item"),
        ({"timezone": "Asia/Astanah"}, "is no time zone name"),
        ({"redact": ["("]}, "is no regular expression"),
        ({"redact": ["x*"]}, "would black out everything"),
        ({"languages": ["de"]}, "'ru', 'kk', 'en', 'ky', 'uz' or 'tg'"),
    ],
)
def test_wrong_setting_is_explained(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Subscription.model_validate({"channels": ["desk"], **options})
