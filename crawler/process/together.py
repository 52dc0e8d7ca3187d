"""Several children at once: in a loop of its own for a command, or in asyncio's for the watch."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection
from types import FrameType

from crawler.config import Limits
from crawler.errors import CrawlerError
from crawler.process import child as one
from crawler.process.child import Child
from crawler.process.ending import Outcome
from crawler.process.inside import Target
from crawler.process.recording import death
from crawler.process.wire import Event
from crawler.run import RunPlan


def run_all(
    plans: Sequence[RunPlan],
    on_event: Callable[[Event], None],
    *,
    at_once: int = 2,
    target: str | Target = one.RUN_SOURCE,
    limits: Limits | None = None,
    grace: float = one.GRACE,
    log_level: int = logging.WARNING,
) -> list[Outcome]:
    """Run every plan, at most `at_once` at a time; outcomes in the plans' order.

    `on_event` gets each event with its `source`, in this thread. The first Ctrl-C (or SIGTERM) stops what runs and
    leaves out what waits, the second kills. No child outlives the call.
    """
    waiting = deque(range(len(plans)))
    running: dict[int, Child] = {}
    outcomes: dict[int, Outcome] = {}
    with _asked_to_stop() as asked:
        try:
            while waiting or running:
                if asked:
                    outcomes |= {index: _left_out(plans[index]) for index in waiting}
                    waiting.clear()
                    _stop(running.values(), by_force=len(asked) > 1)
                while waiting and len(running) < at_once:
                    index = waiting.popleft()
                    try:
                        running[index] = one.start(
                            plans[index], target=target, limits=limits, grace=grace, log_level=log_level
                        )
                    except CrawlerError as error:
                        outcomes[index] = not_started(plans[index], error)
                connection.wait([fd for child in running.values() for fd in child.filenos()], one.TICK)
                for index, child in list(running.items()):
                    for event in child.advance():
                        on_event({"source": child.plan.source, **event})
                    if child.outcome is not None:
                        outcomes[index] = child.outcome
                        if record := _unrecorded(child, child.outcome):
                            record()
                        del running[index]
        finally:
            for child in running.values():
                child.close()
    return [outcomes[index] for index in range(len(plans))]


async def follow(child: Child, on_event: Callable[[Event], None]) -> Outcome:
    """The child's outcome, its events passed on with their `source` meanwhile; only a death is written in a thread.

    A cancelled or failing follower kills the child.
    """
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    watched: set[int] = set()
    try:
        while child.outcome is None:
            wanted = set(child.filenos())
            for fd in wanted - watched:
                loop.add_reader(fd, ready.set)
            for fd in watched - wanted:
                loop.remove_reader(fd)
            watched = wanted
            with suppress(TimeoutError):
                await asyncio.wait_for(ready.wait(), one.TICK)
            ready.clear()
            for event in child.advance():
                on_event({"source": child.plan.source, **event})
        if record := _unrecorded(child, child.outcome):
            await asyncio.to_thread(record)
        return child.outcome
    finally:
        for fd in watched:
            loop.remove_reader(fd)
        child.close()


def _unrecorded(child: Child, outcome: Outcome) -> Callable[[], None] | None:
    """What writes down as failed a run that has begun and died without a word; one that said why never began."""
    return None if child.said_why else death(child.plan, outcome, child.pid)


def not_started(plan: RunPlan, error: CrawlerError) -> Outcome:
    """The outcome of a run for which no process could be made."""
    return Outcome(source=plan.source, run=None, exit_code=error.exit_code, reason=str(error))


def _left_out(plan: RunPlan) -> Outcome:
    reason = f"The run of {plan.source} was left out: the command was stopped before its turn."
    return Outcome(source=plan.source, run=None, exit_code=1, reason=reason, stopped=True)


def _stop(children: Iterable[Child], by_force: bool) -> None:
    for child in children:
        if by_force:
            child.kill()
        else:
            child.stop()


@contextmanager
def _asked_to_stop() -> Iterator[list[int]]:
    """The signals that have asked for an end so far; outside the main thread none can be heard."""
    asked: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
