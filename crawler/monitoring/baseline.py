"""The baseline that an owner accepts: from that run on, the source's state is normal.

Later runs are compared only with runs after it. The baseline is in the `measures` of the accepted run, and each later
run copies it. So the newest run alone holds the current baseline, and removing it there undoes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from crawler.monitoring.run_counts import RunCount

BASELINE_KEY = "accepted"
"""The key of the baseline in a run's measures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The accepted run, and when it was accepted (aware). `first_list`: the source's first list may fail."""

    accepted_at: datetime
    run_id: int
    first_list: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values for a run's measures."""
        at = self.accepted_at.isoformat(timespec="seconds")
        return {"at": at, "run": self.run_id, "first_list": self.first_list}


def get_baseline(measures: Mapping[str, Any]) -> Baseline | None:
    """Return the baseline in a run's measures, or None."""
    stored = measures.get(BASELINE_KEY)
    if not stored:
        return None
    at = datetime.fromisoformat(stored["at"])
    return Baseline(accepted_at=at, run_id=stored["run"], first_list=stored["first_list"])


def update_baseline(baseline: Baseline | None, counts: Mapping[str, int]) -> Baseline | None:
    """Return the baseline after one more run. Once the first list works again, it may no longer fail."""
    if baseline is None:
        return None
    return replace(baseline, first_list=baseline.first_list and bool(counts.get(RunCount.LISTS_REPLACED)))
