"""Problems that the monitoring extension reports."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from scrapy.crawler import Crawler
from scrapy.settings import Settings
from scrapy.statscollectors import MemoryStatsCollector
from twisted.python.failure import Failure

from crawler.config import Config
from crawler.context.run_context import RunContext
from crawler.errors import StoreError
from crawler.extensions.monitoring import MonitoringExtension
from crawler.spiders import load_spider


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


@pytest.mark.parametrize("list_pages", [0, 1])
def test_silent_run_is_complete_only_if_a_list_was_read(list_pages: int) -> None:
    settings = Settings({"CRAWLER_SOURCE": "mfa", "CRAWLER_CONFIG": Config(), "CRAWLER_STORAGE": "temporary"})
    settings.setmodule("crawler.settings")
    crawler = Crawler(load_spider("mfa"), settings)
    crawler.stats = MemoryStatsCollector(crawler)
    crawler.spider = load_spider("mfa").from_crawler(crawler)
    extension, context = MonitoringExtension.from_crawler(crawler), RunContext.from_crawler(crawler)
    extension.spider_opened()
    for _ in range(list_pages):
        context.run_stats.add_page(200, 10, 0.1, listing=True)
    extension.spider_closed("finished")
    assert context.run is not None
    assert (context.run.health, context.run.complete) == ("silent", bool(list_pages))
