"""Problems that the monitoring extension reports."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.python.failure import Failure

from crawler.context.run_context import RunContext
from crawler.extensions.monitoring import MonitoringExtension


def test_exception_in_start_is_reported_with_its_reason() -> None:
    """Scrapy passes no response: `start` makes the first requests."""
    context = RunContext(source="mfa")
    spider: Any = SimpleNamespace(to_public_url=str)
    MonitoringExtension(SimpleNamespace(), context, spider).spider_error(Failure(ValueError("no page 0")), None)  # type: ignore[arg-type]
    (problem,) = context.problems
    assert "ValueError: no page 0" in problem.message
    assert problem.exit_code == 1
