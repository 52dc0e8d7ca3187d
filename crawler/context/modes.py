"""Where a run reads its responses, where it stores what it finds, and what bounds a window of a backfill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path


class RunMode(StrEnum):
    """Where the responses of a run come from."""

    LIVE = "live"
    BACKFILL = "backfill"
    """The site, one window of its history. What such a run finds is no news, and no measure of the source."""
    SNAPSHOTS = "snapshots"
    """A folder of single pages: addresses that nothing stored are skipped where the page's meta file allows it."""
    ARCHIVE = "archive"
    """A WARC file, a whole crawl: an address that it does not hold is an error."""

    @classmethod
    def from_path(cls, replay: Path | None) -> RunMode:
        """Return the mode of a run that replays this folder or WARC file; None is a live run."""
        if replay is None:
            return cls.LIVE
        return cls.ARCHIVE if replay.is_file() else cls.SNAPSHOTS

    @property
    def is_replay(self) -> bool:
        """Whether the run reads from disk and opens no connection."""
        return self in (RunMode.SNAPSHOTS, RunMode.ARCHIVE)

    @property
    def stored_name(self) -> str:
        """The value of `Run.mode`, which does not distinguish the two kinds of replay."""
        return "replay" if self.is_replay else str(self.value)


class Storage(StrEnum):
    """Where a run stores articles and its own record."""

    CONFIGURED = "configured"
    """The database and the archive of the configuration."""
    TEMPORARY = "temporary"
    """A database in memory, which ends with the run. The archive is written as configured."""
    NONE = "none"
    """Nothing is written (`--dry-run`). A database that exists is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillWindow:
    """What bounds one run of a backfill. After that the run ends with the page of the list that it is reading."""

    started_at: datetime
    """When the command started (aware): lists that ended before that are checked again."""
    delay: float = 0.0
    """Least seconds between two requests to one host."""
    max_seconds: float
    """After so many seconds no further page begins."""
    max_run_seconds: float
    """Longest run, with the page that it is reading then."""
    max_pages: int
    """Most list pages that are read for the first time."""
    max_requests: int | None = None
    """Requests that are left of today's limit."""
