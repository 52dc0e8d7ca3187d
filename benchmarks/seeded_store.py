"""Fill a store in a fraction of the time: `python -m benchmarks.seeded_store ADDRESS FROM TO`.

Clustering a million articles takes hours, and nearly always finds that an article is single. So worker processes fill
small stores, the parts, with the product's own code: `articles.save`, then `candidate_index.save_signature` for an
article that is known to be single, and the whole clustering for the first batch and for the second article of a reprint
and its original. The rows of a part are then copied into the big store in the order of their keys, which fills its
indexes in passes instead of at random places. The result is row for row that of the clustering
(`tests/store/test_seeded_store.py` compares them), except for articles that share names by chance. The full-text
index is made at the end, in the order of its numbers.

Close the store before: a SQLite file is written without a journal.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, create_engine, func, insert, make_url, select

from benchmarks.similarity_articles import (
    REPRINT_DISTANCE,
    REPRINT_EVERY,
    ZONE,
    is_reprint,
    make_article,
    save_articles,
)
from crawler.items import Article
from crawler.similarity.preparation import prepare_article
from crawler.store import candidate_index, open_store
from crawler.store.clustering import Clusterer
from crawler.store.pending_articles import PendingArticle
from crawler.store.schema import metadata, signatures, unclustered

BATCH = 500
"""Articles saved and clustered together, as in `benchmarks.similarity`. Their order determines their numbers."""
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
"""The copied tables, and their columns with an article's number."""
STORY_COLUMNS = {("signatures", "story"), ("stories", "id")}


def seed_store(url: str, start: int, stop: int, part: int | None = None) -> None:
    """Add the articles of these numbers to a store, `part` of them at a time. Create a missing store."""
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
    with open_store(url) as store:
        store.search.reset()
        store.search.index_pending()


def make_part(task: tuple[Path, int, int]) -> Path:
    """Return the file of a new store with these articles, clustered."""
    file, start, stop = task
    clusterer = Clusterer(ZONE)
    engine = create_engine(f"sqlite:///{file}")
    with open_store(f"sqlite:///{file}") as store:
        for at in range(start, stop, BATCH):
            articles = [make_article(number) for number in range(at, at + BATCH)]
            save_articles(store, articles)
            if at == 0:  # The first batch shows which sentence is boilerplate. Later ones do not change that.
                store.clusters.assign_pending(ZONE)
                continue
            with engine.begin() as connection:
                for article, is_single in _order_for_clustering(articles, at):
                    if is_single:
                        _save_single(connection, article)
                    else:
                        clusterer.assign_batch(connection, [_make_pending(article)])
                connection.execute(unclustered.delete())
    engine.dispose()
    return file


def _save_single(connection: Connection, article: Article) -> None:
    pending = _make_pending(article)
    assert pending.fingerprint is not None
    day, release_id = pending.get_day(ZONE), pending.release_id
    candidate_index.save_signature(connection, article.id, 1, day, release_id, pending.fingerprint)


def _make_pending(article: Article) -> PendingArticle:
    document, fingerprint = prepare_article(article, ZONE)
    assert document.published is not None
    assert article.published_at is not None
    return PendingArticle(
        article_id=article.id,
        version=1,
        dated_at=article.published_at,
        is_urgent=False,
        day=document.published.toordinal(),
        release_id=document.release_id,
        fingerprint=fingerprint,
    )


def _order_for_clustering(articles: list[Article], start: int) -> Iterator[tuple[Article, bool]]:
    """Yield articles in the order of clustering, with False for the second of a reprint and its original."""
    numbers = {article.id: number for number, article in enumerate(articles, start)}
    seen: set[int] = set()
    for article in sorted(articles, key=lambda article: article.id):
        number = numbers[article.id]
        partner = number - REPRINT_DISTANCE if is_reprint(number) else number + REPRINT_DISTANCE
        has_partner = is_reprint(number) or is_reprint(partner)
        yield article, not (has_partner and partner in seen)
        seen.add(number)


def copy_into_sqlite(file: Path, part: Path) -> None:
    """Copy the rows of a part into a store, in the order of their keys. Their numbers follow the existing ones."""
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
    """Copy the rows of a part into PostgreSQL. Their numbers follow the existing ones."""
    store, small = create_engine(url), create_engine(f"sqlite:///{part}")
    with store.begin() as connection, small.connect() as source:
        numbers = connection.scalar(select(func.coalesce(func.max(signatures.c.number), 0)))
        stories = connection.scalar(select(func.coalesce(func.max(metadata.tables["stories"].c.id), 0)))
        for name, numbered in COPIED_TABLES.items():
            table = metadata.tables[name]
            shift = dict.fromkeys(numbered, numbers) | {c: stories for t, c in STORY_COLUMNS if t == name}
            rows = source.execute(select(table).order_by(*table.primary_key.columns))
            values = [dict(zip(table.c.keys(), row, strict=True)) for row in rows]
            for value in values:
                value.update({column: value[column] + more for column, more in shift.items() if value[column]})
            for at in range(0, len(values), POSTGRES_CHUNK):
                connection.execute(insert(table), values[at : at + POSTGRES_CHUNK])
        for table_name, column in (("signatures", "number"), ("stories", "id")):
            last = f"SELECT max({column}) FROM {table_name}"
            connection.exec_driver_sql(f"SELECT setval('{table_name}_{column}_seq', ({last}))")
    with store.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    store.dispose()
    small.dispose()


def main(url: str, start: str, stop: str) -> None:
    started = time.perf_counter()
    seed_store(url, int(start), int(stop))
    print(f"seeded {int(stop) - int(start):,} articles in {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    assert REPRINT_EVERY * 5 == BATCH  # A reprint and its original are in one batch.
    main(*sys.argv[1:])
