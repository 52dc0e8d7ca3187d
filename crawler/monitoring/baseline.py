"""What an owner accepted: from a run on, as it is then is how the source is.

Runs before it are no longer compared with. The mark stands in that run's `measures` and every later run carries it on,
so that the newest run alone says what holds; taking it away there undoes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

BASELINE_KEY = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """`at` is when (aware), `run` the run whose state was accepted; `first_list` says that the source's first list
    may fail, as it did then."""

    accepted_at: datetime
    run_id: int
    first_list: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As it is kept."""
        return {"at": self.accepted_at.isoformat(timespec="seconds"), "run": self.run_id, "first_list": self.first_list}


def get_baseline(measures: Mapping[str, Any]) -> Baseline | None:
    """What a run's measures say was accepted."""
    kept = measures.get(BASELINE_KEY)
    if not kept:
        return None
    return Baseline(accepted_at=datetime.fromisoformat(kept["at"]), run_id=kept["run"], first_list=kept["first_list"])


def update_baseline(former: Baseline | None, counts: Mapping[str, int]) -> Baseline | None:
    """What still holds after one more run: a first list that is back is expected again."""
    return replace(former, first_list=former.first_list and bool(counts.get("lists_replaced"))) if former else None
