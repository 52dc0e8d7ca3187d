"""A store with one day's news."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.day_of_news import fill_store
from support.empty_stores import open_test_store

from crawler.store import Store


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The store of `day_of_news`. Do not write to it."""
    with open_test_store(f"sqlite:///{tmp_path_factory.mktemp('day') / 'crawler.db'}") as store:
        fill_store(store)
        yield store
