"""Where a run reads its responses, and where it stores what it finds."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path


class RunMode(StrEnum):
    """Where the responses of a run come from."""

    LIVE = "live"
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
        return self is not RunMode.LIVE

    @property
    def stored_name(self) -> str:
        """The value of `Run.mode`, which does not distinguish the two kinds of replay."""
        return "replay" if self.is_replay else "live"


class Storage(StrEnum):
    """Where a run stores articles and its own record."""

    CONFIGURED = "configured"
    """The database and the archive of the configuration."""
    TEMPORARY = "temporary"
    """A database in memory, which ends with the run. The archive is written as configured."""
    NONE = "none"
    """Nothing is written (`--dry-run`). A database that exists is read."""
