"""Make misbehaving runs in child processes, and wait for what they do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from crawler.config import LimitsConfig
from crawler.service.child import ChildProcess
from crawler.service.run import RunOutcome, RunPlan

TIGHT_LIMITS = LimitsConfig.model_validate({"run_seconds": 3, "memory_mb": 400})
React = Callable[[ChildProcess, dict[str, Any]], object]


def make_misbehaving_plan(source: str, target: str | None = None, **options: Any) -> RunPlan:
    """Return the plan of a run of `support.misbehaving_runs`, which is named like its source unless `target` is."""
    values = {"limits": TIGHT_LIMITS, "grace": 0.5, **options}
    return RunPlan(source=source, target=f"support.misbehaving_runs:{target or source}", **values)


def finish_misbehaving_run(
    name: str, react: React = lambda child, event: None, **options: Any
) -> tuple[RunOutcome, list[dict[str, Any]]]:
    """Return the outcome and the events of a run. `react` is called with each event as it comes."""
    return finish_plan(make_misbehaving_plan(name, **options), react)


def finish_plan(plan: RunPlan, react: React = lambda child, event: None) -> tuple[RunOutcome, list[dict[str, Any]]]:
    """Return the outcome and the events of a run. `react` is called with each event as it comes."""
    events: list[dict[str, Any]] = []

    async def follow() -> RunOutcome:
        child = ChildProcess(plan)

        def on_event(event: dict[str, Any]) -> None:
            events.append(event)
            react(child, event)

        return await child.follow(on_event)

    return asyncio.run(follow()), events
