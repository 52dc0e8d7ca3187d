"""The threads in which answers are made: one for all of them, and more for when one takes long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

PATIENCE_SECONDS = 0.02
"""How long an answer waits for the first thread: as long as a few ordinary answers take."""
P = ParamSpec("P")
T = TypeVar("T")


class AnswerThreads:
    """Makes answers one after the other in one thread. What waits in vain for it is made in another thread.

    Answers that several threads make side by side take a quarter to a third more processor time, and together they are
    not ready sooner: each query gives up Python's lock, and the thread waits for the others to get it back.
    """

    def __init__(self, count: int, name: str) -> None:
        """`count`: how many threads there are, two or more."""
        self._first = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._others = ThreadPoolExecutor(count - 1, thread_name_prefix=f"{name}-beside")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what the work returns in a thread."""
        future = self._first.submit(work, *args, **kwargs)
        result = asyncio.wrap_future(future)
        await asyncio.wait((result,), timeout=PATIENCE_SECONDS)
        if future.cancel():
            result = asyncio.wrap_future(self._others.submit(work, *args, **kwargs))
        return await result

    def close(self) -> None:
        """Wait for what has begun, and drop what waits."""
        self._first.shutdown(cancel_futures=True)
        self._others.shutdown(cancel_futures=True)
