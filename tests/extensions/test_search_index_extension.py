"""A run adds the versions that wait to the full-text index, while its spider waits for pages and after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from support.empty_stores import open_test_store
from support.factories import make_article
from twisted.internet.task import Clock

from crawler.config import Config
from crawler.context.modes import Storage
from crawler.context.run_context import RunContext
from crawler.extensions.search_index import SECONDS_BETWEEN_BATCHES, SearchIndexExtension
from crawler.store import search
from crawler.store.search import IndexState

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


@pytest.fixture
def context(config: Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunContext]:
    """A run over a store with seven versions, none of which is indexed."""
    monkeypatch.setattr(search, "VERSIONS_PER_BATCH", 2)
    with open_test_store(config.database_url) as store:
        for number in range(7):
            store.articles.save(make_article(str(number)), content_hash="h", run_id=None, seen_at=NOON)
        store.search.reset()
        context = RunContext(source="mfa", config=config)
        context.store = store  # without a Scrapy crawler, which would open it
        yield context


def start(context: RunContext) -> tuple[SearchIndexExtension, Clock]:
    extension, clock = SearchIndexExtension(context), Clock()
    extension.loop.clock = clock
    extension.spider_opened()
    return extension, clock


def test_batches_are_indexed_beside_the_crawl_and_the_rest_after_it(context: RunContext) -> None:
    extension, clock = start(context)
    assert context.store.search.get_state() == IndexState(0, 7)
    clock.pump([SECONDS_BETWEEN_BATCHES] * 2)
    assert context.store.search.get_state() == IndexState(4, 3)
    extension.spider_closed("finished")
    assert context.store.search.get_state() == IndexState(7, 0)
    assert clock.getDelayedCalls() == []


def test_next_run_indexes_what_a_signal_interrupted(context: RunContext) -> None:
    extension, clock = start(context)
    extension.spider_closed("shutdown")
    assert clock.getDelayedCalls() == []
    assert context.store.search.get_state() == IndexState(0, 7)
    start(context)[0].spider_closed("finished")
    assert context.store.search.get_state() == IndexState(7, 0)


def test_next_run_goes_on_after_a_kill(context: RunContext) -> None:
    _, clock = start(context)
    clock.advance(SECONDS_BETWEEN_BATCHES)
    extension, _ = start(context)  # the first one never hears that its spider closed
    extension.spider_closed("finished")
    assert context.store.search.get_state() == IndexState(7, 0)


def test_complete_index_costs_nothing(context: RunContext) -> None:
    context.store.search.index_pending()
    extension, clock = start(context)
    assert clock.getDelayedCalls() == []
    extension.spider_closed("finished")


def test_run_that_stores_nothing_indexes_nothing(context: RunContext) -> None:
    context.storage = Storage.NONE
    _, clock = start(context)
    assert clock.getDelayedCalls() == []
