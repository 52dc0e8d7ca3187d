"""Test messages, and when each channel was last tested.

The times are those of empty files in the data folder, `NAME` and `NAME.failed`.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from crawler.config import Config
from crawler.errors import Unreachable
from crawler.private_files import make_private_file, make_private_folder

FAILED_SUFFIX = ".failed"
"""No channel has it in its name."""


def send_test_message(channel: str, address: str, language: str, timezone: str) -> None:
    """Send a test message to an address.

    Raise Unreachable, which does not show the address, if it was not taken, and ConfigError for an unusable address.
    """
    from crawler.notify.rendering import make_test_message
    from crawler.notify.transports import DeliveryError, Transport

    transport = Transport(f"channels.{channel}", address)
    try:
        transport.send(make_test_message(channel, language, timezone, datetime.now(UTC)))
    except DeliveryError as error:
        raise Unreachable(f"{channel}: not sent: {error}.") from error


def record_channel_test(config: Config, channel: str) -> None:
    """Record that a test message was sent on the channel now. A failure before it is forgotten."""
    _touch(_get_path(config, channel))
    _get_path(config, channel, FAILED_SUFFIX).unlink(missing_ok=True)


def record_failed_channel_test(config: Config, channel: str) -> None:
    """Record that a test message could not be sent on the channel now."""
    with suppress(OSError):  # the command reports why the test failed, which matters more
        _touch(_get_path(config, channel, FAILED_SUFFIX))


def get_channel_test(config: Config, channel: str) -> datetime | None:
    """Return when the channel was last tested with success (UTC), or None."""
    return _read_time(_get_path(config, channel))


def get_failed_channel_test(config: Config, channel: str) -> datetime | None:
    """Return when the channel's last test failed (UTC), or None if the last test succeeded or there was none."""
    return _read_time(_get_path(config, channel, FAILED_SUFFIX))


def _read_time(path: Path) -> datetime | None:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.is_file() else None


def _touch(path: Path) -> None:
    make_private_folder(path.parent)
    make_private_file(path)
    path.touch()  # an existing file gets the time too


def _get_path(config: Config, channel: str, suffix: str = "") -> Path:
    return config.data_folder / "channel-tests" / f"{channel}{suffix}"
