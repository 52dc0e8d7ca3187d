"""A copy of a site that delays its answers, so that a test can interrupt a run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.http_server import SiteRequest


@contextmanager
def delay_answers(site: Any, number: int = 1, *, seconds: float = 60) -> Iterator[None]:
    """Let the copy answer its request of this number, and all later ones, only when the block ends."""
    original, can_continue = site.answer, threading.Event()

    def answer(asked: SiteRequest) -> Any:
        if len(site.requests) >= number:
            can_continue.wait(seconds)
        return original(asked)

    site.requests.clear()
    site.answer = answer
    try:
        yield
    finally:
        can_continue.set()
        del site.answer
