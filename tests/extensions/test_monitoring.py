"""Problems that the monitoring extension reports."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.python.failure import Failure

from crawler.context.run_context import RunContext
from crawler.errors import StoreError
from crawler.extensions.monitoring import MonitoringExtension


def test_exception_in_start_is_reported_with_its_reason() -> None:
    """Scrapy passes no response: `start` makes the first requests."""
    context = RunContext(source="mfa")
    spider: Any = SimpleNamespace(to_public_url=str)
    MonitoringExtension(SimpleNamespace(), context, spider).spider_error(Failure(ValueError("no page 0")), None)  # type: ignore[arg-type]
    (problem,) = context.problems
    assert "ValueError: no page 0" in problem.message
    assert problem.exit_code == 1


def test_lost_store_is_no_fault_of_the_crawler() -> None:
    context = RunContext(source="mfa")
    extension = MonitoringExtension(SimpleNamespace(), context, SimpleNamespace(to_public_url=str))  # type: ignore[arg-type]
    for item in ("one", "two"):
        extension.item_error(item, Failure(StoreError("The store is gone.")))
    assert [(problem.message, problem.exit_code) for problem in context.problems] == [("The store is gone.", 17)]
    assert context.has_given_up
