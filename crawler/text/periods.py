"""Weeks and months by which things are counted. Imports nothing else, because the options of commands need it."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum


class CountingPeriod(StrEnum):
    """The length of time that is counted together."""

    WEEK = "week"
    MONTH = "month"

    def get_start(self, day: date) -> date:
        """Return the first day of the week (Monday) or month of a day."""
        return day - timedelta(days=day.weekday()) if self is CountingPeriod.WEEK else day.replace(day=1)

    def get_next_start(self, start: date) -> date:
        """Return the first day of the next one."""
        return self.get_start(start + timedelta(days=7 if self is CountingPeriod.WEEK else 31))

    def format_start(self, start: date) -> str:
        """Return a week as `2026-W10`, a month as `2026-03`."""
        return f"{start:%G-W%V}" if self is CountingPeriod.WEEK else f"{start:%Y-%m}"
