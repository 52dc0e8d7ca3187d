"""When each channel was last tested: the time of an empty file in the data folder, one for each channel."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from crawler.config import Config


def record_channel_test(config: Config, channel: str) -> None:
    """Record that a test message was sent on the channel now."""
    path = _get_path(config, channel)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def get_channel_test(config: Config, channel: str) -> datetime | None:
    """Return when the channel was last tested with success (UTC), or None."""
    path = _get_path(config, channel)
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.is_file() else None


def _get_path(config: Config, channel: str) -> Path:
    return config.data_folder / "channel-tests" / channel
