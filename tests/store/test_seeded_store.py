"""A seeded store equals a clustered one; otherwise the similarity benchmark would measure another store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from benchmarks.seeded_store import BATCH, seed_store
from benchmarks.similarity_articles import ZONE, make_article, save_articles
from crawler.store import Store, open_store
from crawler.store.schema import metadata

pytestmark = pytest.mark.slow


def read_rows(store: Store) -> dict[str, list[Any]]:
    """Return every row of every table."""
    read = store.database.fetch_all
    return {table.name: sorted(map(tuple, read(select(table))), key=repr) for table in metadata.tables.values()}


def cluster_articles(store: Store, numbers: range) -> None:
    """Save and cluster articles as a run does."""
    save_articles(store, [make_article(number) for number in numbers])
    store.clusters.assign_pending(ZONE)


LATER = range(2 * BATCH, 2 * BATCH + 20)
"""Articles that are clustered after the others. Their numbers must continue those of the seeded ones."""


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The rows after ordinary clustering."""
    with open_store(f"sqlite:///{tmp_path_factory.mktemp('clustered')}/crawler.db") as store:
        for numbers in (range(BATCH), range(BATCH, 2 * BATCH), LATER):
            cluster_articles(store, numbers)
        return read_rows(store)


def test_seeded_store_equals_a_clustered_one(url: str, expected: dict[str, list[Any]]) -> None:
    seed_store(url, 0, 2 * BATCH, part=BATCH)
    with open_store(url) as store:
        cluster_articles(store, LATER)
        found = read_rows(store)
    assert {table for table in expected if found[table] != expected[table]} == set()
    assert len(expected["boilerplate"]) == 1
    assert len(expected["links"]) == len(expected["stories"]) == 2 * BATCH // 100


def test_only_whole_parts_are_seeded(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="whole batches"):
        seed_store(f"sqlite:///{tmp_path}/seeded.db", 0, BATCH + 1)
