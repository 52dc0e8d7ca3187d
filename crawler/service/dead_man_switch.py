"""The dead man's switch: request `heartbeat_url` after each round that worked.

An outside service expects these requests and raises the alarm when they stop: a dead machine cannot do that itself.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from crawler.config import Config
from crawler.private_files import make_private_file, make_private_folder
from crawler.service.run import RunOutcome

HEARTBEAT_TIMEOUT_SECONDS = 10.0
log = logging.getLogger(__name__)


def send_heartbeat(config: Config, outcomes: Sequence[RunOutcome], *, is_delivered: bool) -> bool:
    """Request `heartbeat_url` if every run worked and everything that was due is delivered. Return whether it was.

    Without a run nothing is requested. A failure is logged and affects nothing else; no log shows the address.
    """
    if config.heartbeat_url is None or not outcomes or not is_delivered or any(each.exit_code for each in outcomes):
        return False
    import requests

    # Like the addresses of channels: a log of the HTTP client would show the secret in it.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    try:
        response = requests.get(config.heartbeat_url.get_secret_value(), timeout=HEARTBEAT_TIMEOUT_SECONDS)
    except requests.RequestException as error:
        log.warning("heartbeat_url could not be requested (%s). The next round tries again.", type(error).__name__)
        return False
    if not response.ok:
        log.warning("heartbeat_url answered %d. The next round tries again.", response.status_code)
        return False
    with suppress(OSError):
        make_private_folder(config.data_folder)
        make_private_file(_get_path(config))
        os.utime(_get_path(config))
    return True


def get_last_heartbeat(config: Config) -> datetime | None:
    """Return when `heartbeat_url` last took a request (UTC), or None: the time of a file in the data folder."""
    path = _get_path(config)
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.is_file() else None


def _get_path(config: Config) -> Path:
    return config.data_folder / "last-heartbeat"
