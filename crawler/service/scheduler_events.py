"""What a watch tells of its runs, one value a step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crawler.service import RunOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run began; `at` is aware, in the owner's time zone, as in every step."""

    source: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """A run ended."""

    source: str
    at: datetime
    outcome: RunOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSkipped:
    """A start fell due while a run of the source was going on, here or elsewhere, so there was none."""

    source: str
    at: datetime
    reason: str = "its last run is still going on"


SchedulerEvent = RunStarted | RunFinished | RunSkipped
