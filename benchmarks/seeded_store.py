"""A store filled in a fraction of the time: `python -m benchmarks.sameness_seed ADDRESS FROM TO`.

Judging a million articles takes hours, and nearly all of it finds that an article stands alone. Here worker processes
fill small stores, the parts, with the product's own code: `articles.save`, then `kindred.put` for what is known to
stand alone, and a whole `settle` for the first batch and for the second of a reprint and its original. The rows of a
part are then copied into the big store sorted by their keys, which fills its trees in passes instead of at random
places. What comes out is row for row what `settle` leaves (`tests/test_benchmarks.py` compares the two), but for
articles that would share names by chance, for which nobody looks.

The store must not be open elsewhere: a SQLite file is written without a journal.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, insert, make_url, select

from benchmarks.similarity_articles import (
    REPRINT_DISTANCE,
    REPRINT_EVERY,
    ZONE,
    is_reprint,
    make_article,
    save_articles,
)
from crawler.items import Article
from crawler.similarity.documents import make_article_document
from crawler.similarity.fingerprint import make_fingerprint
from crawler.store import candidate_index as kindred
from crawler.store import open_store
from crawler.store.clustering import Clusterer
from crawler.store.schema import metadata, signatures, unclustered

BATCH = 500
"""Articles saved and judged together, as `benchmarks.sameness` does it: their numbers follow the order of judging."""
PART_ARTICLES = 25_000
WORKERS = 2
POSTGRES_CHUNK = 10_000
"""Rows sent to PostgreSQL at a time."""
COPIED_TABLES = {
    "articles": (),
    "versions": (),
    "signatures": ("number", "raw_cluster", "cluster"),
    "bands": ("number",),
    "story_keys": ("number",),
    "passages": ("number",),
    "links": ("a", "b"),
    "stories": (),
    "boilerplate": (),
}
"""The tables that are copied, and their columns that hold an article's number."""
STORY_COLUMNS = {("signatures", "story"), ("stories", "id")}


def seed_store(url: str, start: int, stop: int, part: int | None = None) -> None:
    """Add the articles of these numbers to a store, which is made when missing, a part of so many at a time."""
    part = part or min(PART_ARTICLES, max(BATCH, (stop - start) // WORKERS // BATCH * BATCH))
    if any(number % BATCH for number in (start, stop, part)):
        raise SystemExit(f"Only whole batches of {BATCH} articles can be seeded.")
    open_store(url).close()
    address = make_url(url)
    with tempfile.TemporaryDirectory() as folder:
        tasks = [(Path(folder) / f"{at}.db", at, min(at + part, stop)) for at in range(start, stop, part)]
        with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
            for done in pool.imap(make_part, tasks):
                if address.get_backend_name() == "sqlite":
                    copy_into_sqlite(Path(str(address.database)), done)
                else:
                    copy_into_postgres(url, done)
                done.unlink()


def make_part(task: tuple[Path, int, int]) -> Path:
    """A store of its own with these articles, judged."""
    file, start, stop = task
    settling = Clusterer(ZONE)
    with open_store(f"sqlite:///{file}") as store:
        for at in range(start, stop, BATCH):
            articles = [make_article(number) for number in range(at, at + BATCH)]
            save_articles(store, articles)
            if at == 0:  # here the sentence that many share is found out; later ones change nothing about it
                store.clusters.assign_pending(ZONE)
                continue
            with store._database.transaction(exclusive=True) as connection:
                for one, stands_alone in _in_order(articles, at):
                    if stands_alone:
                        document = make_article_document(one, ZONE)
                        assert document.published is not None
                        day = document.published.toordinal()
                        kindred.save_signature(
                            connection, one.id, 1, day, document.release_id, make_fingerprint(document), None
                        )
                    else:
                        settling.assign_article(connection, one.id)
                connection.execute(unclustered.delete())
    return file


def _in_order(articles: list[Article], start: int) -> Iterator[tuple[Article, bool]]:
    """Articles in the order in which `settle` takes them; False with the second of a reprint and its original."""
    numbers = {one.id: number for number, one in enumerate(articles, start)}
    seen: set[int] = set()
    for one in sorted(articles, key=lambda one: one.id):
        number = numbers[one.id]
        partner = number - REPRINT_DISTANCE if is_reprint(number) else number + REPRINT_DISTANCE
        yield one, not ((is_reprint(number) or is_reprint(partner)) and partner in seen)
        seen.add(number)


def copy_into_sqlite(file: Path, part: Path) -> None:
    """Copy the rows of a part into a store, its numbers after those that are there, sorted by key."""
    base = sqlite3.connect(file, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000"):
        base.execute(f"PRAGMA {pragma}")
    base.execute("ATTACH ? AS part", (str(part),))
    numbers = base.execute("SELECT coalesce(max(number), 0) FROM main.signatures").fetchone()[0]
    stories = base.execute("SELECT coalesce(max(id), 0) FROM main.stories").fetchone()[0]
    base.execute("BEGIN")
    for table, numbered in COPIED_TABLES.items():
        described = base.execute(f"PRAGMA main.table_info({table})").fetchall()
        shift = dict.fromkeys(numbered, numbers) | {c: stories for t, c in STORY_COLUMNS if t == table}
        values = [f'"{row[1]}" + {shift[row[1]]}' if row[1] in shift else f'"{row[1]}"' for row in described]
        key = [f'"{row[1]}"' for row in sorted(described, key=lambda row: row[5]) if row[5]]
        base.execute(f"INSERT INTO main.{table} SELECT {', '.join(values)} FROM part.{table} ORDER BY {', '.join(key)}")
    base.execute("COMMIT")
    base.execute("DETACH part")
    base.execute("PRAGMA journal_mode = WAL")
    base.close()


def copy_into_postgres(url: str, part: Path) -> None:
    """The same for PostgreSQL, which gets the rows one by one."""
    with open_store(url) as store, open_store(f"sqlite:///{part}") as small:
        with store._database.transaction(exclusive=True) as connection:
            numbers = connection.scalar(select(func.coalesce(func.max(signatures.c.number), 0)))
            stories = connection.scalar(select(func.coalesce(func.max(metadata.tables["stories"].c.id), 0)))
            for name, numbered in COPIED_TABLES.items():
                table = metadata.tables[name]
                shift = dict.fromkeys(numbered, numbers) | {c: stories for t, c in STORY_COLUMNS if t == name}
                rows = small._database.fetch_all(select(table).order_by(*table.primary_key.columns))
                values = [row._asdict() for row in rows]
                for value in values:
                    value.update({column: value[column] + more for column, more in shift.items() if value[column]})
                for at in range(0, len(values), POSTGRES_CHUNK):
                    connection.execute(insert(table), values[at : at + POSTGRES_CHUNK])
            for table_name, column in (("signatures", "number"), ("stories", "id")):
                last = f"SELECT max({column}) FROM {table_name}"
                connection.exec_driver_sql(f"SELECT setval('{table_name}_{column}_seq', ({last}))")
        store._database._get_connection().exec_driver_sql("VACUUM ANALYZE")


def main(url: str, start: str, stop: str) -> None:
    begun = time.perf_counter()
    seed_store(url, int(start), int(stop))
    print(f"seeded {int(stop) - int(start):,} articles in {time.perf_counter() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    assert REPRINT_EVERY * 5 == BATCH  # a reprint and its original are in one batch
    main(*sys.argv[1:])
