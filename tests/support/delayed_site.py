"""A copy of a site that keeps its requests waiting, so that a run can be met in the middle."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.http_server import SiteRequest


@contextmanager
def delay_answers(site: Any, number: int = 1, *, seconds: float = 60) -> Iterator[None]:
    """The copy leaves its request of this number, and all after it, without an answer until the block ends."""
    real, go_on = site.answer, threading.Event()

    def answer(asked: SiteRequest) -> Any:
        if len(site.requests) >= number:
            go_on.wait(seconds)
        return real(asked)

    site.requests.clear()
    site.answer = answer
    try:
        yield
    finally:
        go_on.set()
        del site.answer
