"""A seeded store is what judging leaves: else the benchmark of sameness would measure something that nobody has."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from benchmarks.sameness_articles import ZONE, article, save
from benchmarks.sameness_seed import BATCH, seed
from crawler.store import open_store
from crawler.store.schema import metadata

pytestmark = pytest.mark.slow


def rows(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, and the last numbers given out."""
    connection = sqlite3.connect(file)
    tables = [*sorted(metadata.tables), "sqlite_sequence"]
    found = {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}
    connection.close()
    return found


def test_a_seeded_store_is_row_for_row_what_judging_leaves(tmp_path: Path) -> None:
    seeded, judged = tmp_path / "seeded.db", tmp_path / "judged.db"
    seed(seeded, 0, 2 * BATCH, part=BATCH)
    with open_store(f"sqlite:///{judged}") as store:
        for at in (0, BATCH):
            save(store, [article(number) for number in range(at, at + BATCH)])
            store.same.settle(ZONE)
    found, wanted = rows(seeded), rows(judged)
    assert {table for table in wanted if found[table] != wanted[table]} == set()
    assert len(wanted["boilerplate"]) == 1
    assert len(wanted["links"]) == len(wanted["stories"]) == 2 * BATCH // 100


def test_only_whole_batches_are_seeded(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="whole batches"):
        seed(tmp_path / "seeded.db", 0, BATCH + 1)
