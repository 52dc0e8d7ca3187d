"""Follow several children: all of a command, or one inside the scheduler's event loop. Record a child that crashed."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from crawler.config import load_config
from crawler.context.modes import Storage
from crawler.errors import CrawlerError
from crawler.items import Health
from crawler.service.child import ChildProcess, start_child
from crawler.service.ipc import RunEvent
from crawler.service.outcome import RunOutcome
from crawler.service.run import RunPlan

logger = logging.getLogger(__name__)


def run_all(
    plans: Sequence[RunPlan], on_event: Callable[[RunEvent], None], *, max_children: int = 2, **options: Any
) -> list[RunOutcome]:
    """Run every plan, at most `max_children` at a time. Return outcomes in the order of the plans.

    `on_event` gets each event with its `source`, in this thread. `options` are those of `start_child`. The first Ctrl-C
    (or SIGTERM) stops the children and skips the other plans. The second kills. No child outlives the call.
    """
    return asyncio.run(_run_plans(plans, on_event, max_children, options))


async def _run_plans(
    plans: Sequence[RunPlan], on_event: Callable[[RunEvent], None], max_children: int, options: dict[str, Any]
) -> list[RunOutcome]:
    slots = asyncio.Semaphore(max_children)
    children: dict[int, ChildProcess] = {}
    is_stopping = False

    def stop() -> None:
        nonlocal is_stopping
        for child in children.values():
            if is_stopping:
                child.kill()
            else:
                child.stop()
        is_stopping = True

    async def run(index: int, plan: RunPlan) -> RunOutcome:
        async with slots:
            if is_stopping:
                reason = f"The run of {plan.source} was skipped: the command was stopped before its turn."
                return RunOutcome(source=plan.source, run=None, exit_code=1, reason=reason, stopped=True)
            try:
                children[index] = start_child(plan, **options)
            except CrawlerError as error:
                return make_failed_start(plan, error)
            return await follow_child(children[index], on_event)

    if threading.current_thread() is threading.main_thread():  # No other thread can receive a signal.
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        return await asyncio.gather(*(run(index, plan) for index, plan in enumerate(plans)))
    finally:
        for child in children.values():
            child.close()


async def follow_child(child: ChildProcess, on_event: Callable[[RunEvent], None]) -> RunOutcome:
    """Return the outcome of a child. Pass on its events, with their `source`.

    A follower that is cancelled or fails kills the child. A thread records a crash or a stop, because it may wait for
    the store.
    """
    try:
        while child.outcome is None:
            await asyncio.to_thread(child.wait_for_events)
            for event in child.poll_events():
                on_event({"source": child.plan.source, **event})
        outcome = child.outcome
        if outcome.was_stopped and outcome.run:
            outcome = replace(outcome, run=replace(outcome.run, health=Health.STOPPED, reason=outcome.reason))
        if outcome.was_stopped or (outcome.run is None and not child.has_reported_failure):
            await asyncio.to_thread(record_unreported_end, child.plan, outcome, child.pid)
        return outcome
    finally:
        child.close()


def make_failed_start(plan: RunPlan, error: CrawlerError) -> RunOutcome:
    """Return the outcome of a run for which no process could be made."""
    return RunOutcome(source=plan.source, run=None, exit_code=error.exit_code, reason=str(error))


def record_unreported_end(plan: RunPlan, outcome: RunOutcome, pid: int) -> None:
    """Record what the run's own process could not: that it crashed (failed), or that it was stopped.

    If the store cannot be written, log a warning: the next run of the source records it as well.
    """
    from crawler.store import open_store  # Here, because a parent of well-behaved runs needs no database.

    if plan.storage is not Storage.CONFIGURED:
        return
    environment = dict(os.environ)
    os.environ.update(plan.variables)
    try:
        with open_store(load_config(plan.config).database_url) as store:
            now, reason = datetime.now(UTC), outcome.reason
            if outcome.was_stopped:
                run_id = outcome.run.id if outcome.run else None
                store.runs.close_stopped(plan.source, now, reason, pid=pid, run_id=run_id)
            else:
                store.runs.close_abandoned(plan.source, now, reason, pid=pid)
    except CrawlerError as error:
        logger.warning("The end of the run of %s could not be recorded: %s", plan.source, error)
    finally:
        for name in plan.variables:
            os.environ.pop(name)
            if name in environment:
                os.environ[name] = environment[name]
