"""Start misbehaving runs in child processes, and wait for what they do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from crawler.config import LimitsConfig
from crawler.service.child import ChildProcess, start_child
from crawler.service.outcome import RunOutcome
from crawler.service.run import RunPlan

TIGHT_LIMITS = LimitsConfig.model_validate({"run_seconds": 3, "memory_mb": 400})


def start_misbehaving_run(name: str, grace: float = 0.5, **variables: str) -> ChildProcess:
    plan = RunPlan(source=name, variables=variables)
    return start_child(plan, target=f"support.misbehaving_runs:{name}", limits=TIGHT_LIMITS, grace=grace)


def finish_misbehaving_run(name: str) -> tuple[RunOutcome, list[dict[str, Any]]]:
    child = start_misbehaving_run(name)
    events = list(iterate_events(child))
    assert child.outcome is not None
    return child.outcome, events


def iterate_events(child: ChildProcess) -> Iterator[dict[str, Any]]:
    """Yield every event as it comes, until the child has ended."""
    while child.outcome is None:
        child.wait_for_events()
        yield from child.poll_events()


def wait_for_outcome(child: ChildProcess) -> RunOutcome:
    """Return the outcome, once there. Events are dropped."""
    for _ in iterate_events(child):
        pass
    assert child.outcome is not None
    return child.outcome


def is_process_gone(pid: int) -> bool:
    """Whether no such process runs any more; waits a while for it."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")
