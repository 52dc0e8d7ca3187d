"""What a healthy run of a source is. Empty is not healthy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthExpectation:
    """What a source must give.

    `least_links`: fewest entries its lists must show together. `always`: fields no article lacks. `silence`: the
    longest believable time without a new article, None for a source that may be asleep.
    """

    min_links: int
    required_fields: tuple[str, ...] = ("title", "published_at")
    max_silence: timedelta | None = None
