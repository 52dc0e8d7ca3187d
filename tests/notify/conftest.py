"""Channels that do not wait between two messages."""

from __future__ import annotations

import pytest
from apprise import NotifyBase


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apprise waits 5.5 s between two messages through one service, because public services ask for that."""
    monkeypatch.setattr(NotifyBase, "request_rate_per_sec", 0)
