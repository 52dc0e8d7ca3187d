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

from crawler.config import LimitsConfig
from crawler.errors import CrawlerError
from crawler.service import child as one
from crawler.service.child import ChildProcess
from crawler.service.crash_recorder import make_crash_recorder
from crawler.service.ipc import RunEvent
from crawler.service.outcome import RunOutcome
from crawler.service.run import RunPlan
from crawler.service.worker import Target


def run_all(
    plans: Sequence[RunPlan],
    on_event: Callable[[RunEvent], None],
    *,
    max_children: int = 2,
    target: str | Target = one.RUN_SOURCE_TARGET,
    limits: LimitsConfig | None = None,
    grace: float = one.STOP_GRACE_SECONDS,
    log_level: int = logging.WARNING,
) -> list[RunOutcome]:
    """Run every plan, at most `at_once` at a time; outcomes in the plans' order.

    `on_event` gets each event with its `source`, in this thread. The first Ctrl-C (or SIGTERM) stops what runs and
    leaves out what waits, the second kills. No child outlives the call.
    """
    waiting = deque(range(len(plans)))
    running: dict[int, ChildProcess] = {}
    outcomes: dict[int, RunOutcome] = {}
    with _catch_stop_signals() as asked:
        try:
            while waiting or running:
                if asked:
                    outcomes |= {index: _make_skipped_outcome(plans[index]) for index in waiting}
                    waiting.clear()
                    _stop_children(running.values(), by_force=len(asked) > 1)
                while waiting and len(running) < max_children:
                    index = waiting.popleft()
                    try:
                        running[index] = one.start_child(
                            plans[index], target=target, limits=limits, grace=grace, log_level=log_level
                        )
                    except CrawlerError as error:
                        outcomes[index] = make_failed_start(plans[index], error)
                connection.wait(
                    [fd for child in running.values() for fd in child.list_filenos()], one.CHILD_CHECK_SECONDS
                )
                for index, child in list(running.items()):
                    for event in child.poll_events():
                        on_event({"source": child.plan.source, **event})
                    if child.outcome is not None:
                        outcomes[index] = child.outcome
                        if record := _find_crash_recorder(child, child.outcome):
                            record()
                        del running[index]
        finally:
            for child in running.values():
                child.close()
    return [outcomes[index] for index in range(len(plans))]


async def follow_child(child: ChildProcess, on_event: Callable[[RunEvent], None]) -> RunOutcome:
    """The child's outcome, its events passed on with their `source` meanwhile; only a death is written in a thread.

    A cancelled or failing follower kills the child.
    """
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    watched: set[int] = set()
    try:
        while child.outcome is None:
            wanted = set(child.list_filenos())
            for fd in wanted - watched:
                loop.add_reader(fd, ready.set)
            for fd in watched - wanted:
                loop.remove_reader(fd)
            watched = wanted
            with suppress(TimeoutError):
                await asyncio.wait_for(ready.wait(), one.CHILD_CHECK_SECONDS)
            ready.clear()
            for event in child.poll_events():
                on_event({"source": child.plan.source, **event})
        if record := _find_crash_recorder(child, child.outcome):
            await asyncio.to_thread(record)
        return child.outcome
    finally:
        for fd in watched:
            loop.remove_reader(fd)
        child.close()


def _find_crash_recorder(child: ChildProcess, outcome: RunOutcome) -> Callable[[], None] | None:
    """What writes down as failed a run that has begun and died without a word; one that said why never began."""
    return None if child.has_reported_failure else make_crash_recorder(child.plan, outcome, child.pid)


def make_failed_start(plan: RunPlan, error: CrawlerError) -> RunOutcome:
    """The outcome of a run for which no process could be made."""
    return RunOutcome(source=plan.source, run=None, exit_code=error.exit_code, reason=str(error))


def _make_skipped_outcome(plan: RunPlan) -> RunOutcome:
    reason = f"The run of {plan.source} was left out: the command was stopped before its turn."
    return RunOutcome(source=plan.source, run=None, exit_code=1, reason=reason, stopped=True)


def _stop_children(children: Iterable[ChildProcess], by_force: bool) -> None:
    for child in children:
        if by_force:
            child.kill()
        else:
            child.stop()


@contextmanager
def _catch_stop_signals() -> Iterator[list[int]]:
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
