"""A seeded store is what judging leaves: else the benchmark of sameness would measure something that nobody has."""

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


def rows(store: Store) -> dict[str, list[Any]]:
    """Every row of every table."""
    read = store.database.fetch_all
    return {table.name: sorted(map(tuple, read(select(table))), key=repr) for table in metadata.tables.values()}


def judge(store: Store, numbers: range) -> None:
    """A batch the ordinary way."""
    save_articles(store, [make_article(number) for number in numbers])
    store.clusters.assign_pending(ZONE)


LATER = range(2 * BATCH, 2 * BATCH + 20)
"""Articles judged after the others: their numbers say whether counting goes on where it should."""


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What judging leaves."""
    with open_store(f"sqlite:///{tmp_path_factory.mktemp('judged')}/crawler.db") as store:
        for numbers in (range(BATCH), range(BATCH, 2 * BATCH), LATER):
            judge(store, numbers)
        return rows(store)


def test_a_seeded_store_is_row_for_row_what_judging_leaves(url: str, wanted: dict[str, list[Any]]) -> None:
    seed_store(url, 0, 2 * BATCH, part=BATCH)
    with open_store(url) as store:
        judge(store, LATER)
        found = rows(store)
    assert {table for table in wanted if found[table] != wanted[table]} == set()
    assert len(wanted["boilerplate"]) == 1
    assert len(wanted["links"]) == len(wanted["stories"]) == 2 * BATCH // 100


def test_only_whole_batches_are_seeded(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="whole batches"):
        seed_store(f"sqlite:///{tmp_path}/seeded.db", 0, BATCH + 1)
