"""Measure search: `python -m benchmarks.search [--sizes 10000 100000 1000000] [--postgres] [--folder DIR]`.

For each size and store: CPU and time of 200 queries (the newest 20, the count, and the 20 most relevant), hot and, for
SQLite, cold; the same while another process saves articles; the size of the index, and what it costs to save an article
with and without it. Hot means that each query was asked once before. The CPU is that of this process and, for
PostgreSQL, of the server's process that answers it; on a busy machine it is the steadier figure. Stores are made once
and kept in the folder (`benchmarks.large_store`).
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import text

from benchmarks.corpus import make_release
from benchmarks.large_store import FOLDER, get_store_file, run_postgres, save_meanwhile, serve_postgres
from benchmarks.store_articles import make_versions
from crawler.publish.search import ArticleSearch
from crawler.store import Store, article_writer, open_store

QUERIES = 200
COST_ARTICLES = 1000
SIZE_QUERIES = {
    "sqlite": "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'search_%' OR name LIKE 'ix_search_%'",
    "postgresql": "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
    " WHERE relname LIKE 'search_%' AND relkind = 'r'",
}


def make_queries() -> list[str]:
    """Return the queries: always the same words, phrases, ANDs, ORs, exclusions and filters in three languages."""
    chance = random.Random(14)
    topics = ('"Red Cross"', '"Красный Крест"', '"Қызыл Крест"', '"international humanitarian law"', "гуманитарный")
    queries = [*topics, "committee", "комитет", "комитет OR committee", "министерство", "rule:ihl", "is:revised"]
    while len(queries) < QUERIES:
        release = make_release(chance.randrange(10_000))
        words = [word.strip(".,") for word in " ".join(release.paragraphs).split()]
        at = chance.randrange(len(words) - 3)
        one, two = chance.sample(words, 2)
        phrase = " ".join(words[at : at + 2])
        shapes = (
            one,
            f"{one} {two}",
            f'"{phrase}"',
            f"{one} OR {two}",
            f"{one} -{two}",
            f"lang:{release.language} {one}",
        )
        filters = ("source:mfa", "since:2023-01-05", "rule:ihl", "is:superseded", "until:2023-01-08")
        queries.append(chance.choice((*shapes, f"{one} {chance.choice(filters)}")))
    return queries


class CpuClock:
    """The CPU seconds of this process, and of the server's process that answers a PostgreSQL store."""

    def __init__(self, store: Store) -> None:
        is_server = store.database.engine.dialect.name == "postgresql"
        pid = store.database.fetch_all(text("SELECT pg_backend_pid()"))[0][0] if is_server else None
        self._file = Path(f"/proc/{pid}/schedstat") if pid else None

    def read(self) -> float:
        """Return the seconds until now."""
        served = int(self._file.read_text(encoding="ascii").split()[0]) / 1e9 if self._file else 0.0
        return time.process_time() + served


class QueryTimes(NamedTuple):
    """CPU and time of queries, in seconds, sorted."""

    cpu: list[float]
    wall: list[float]

    def format(self) -> str:
        """Return the median, the 95th percentile and the most in milliseconds, of the CPU and then of the time."""
        picked = ((times[len(times) // 2], times[len(times) * 95 // 100], times[-1]) for times in self)
        return "   ".join(" ".join(f"{1000 * each:7.1f}" for each in three) for three in picked)


def time_queries(store: Store, run: Callable[[ArticleSearch], object]) -> QueryTimes:
    """Return what each query takes."""
    clock = CpuClock(store)
    times = []
    for query in make_queries():
        begun = clock.read(), time.perf_counter()
        run(ArticleSearch(store, query, UTC))
        times.append((clock.read() - begun[0], time.perf_counter() - begun[1]))
    cpu, wall = (sorted(each) for each in zip(*times, strict=True))
    return QueryTimes(cpu, wall)


def list_newest(search: ArticleSearch) -> object:
    """Return the newest 20 hits."""
    return list(islice(search.iter_hits(), 20))


def list_relevant(search: ArticleSearch) -> object:
    """Return the 20 most relevant hits."""
    return list(islice(search.iter_hits(by_relevance=True), 20))


MEASURED = {
    "newest 20": list_newest,
    "count": ArticleSearch.count_articles,
    "20 most relevant": list_relevant,
}


def measure_searches(label: str, url: str) -> None:
    """Print the times of all queries in a store, and the size of its index."""
    if url.startswith("sqlite"):  # while it is closed: closing the file would release the locks of this process
        drop_page_cache(Path(url.removeprefix("sqlite:///")))
        with open_store(url) as store:
            print(f"{label} newest 20, cold        {time_queries(store, list_newest).format()}", flush=True)
    with open_store(url) as store:
        for name, run in MEASURED.items():
            time_queries(store, run)
            print(f"{label} {name:16}, hot  {time_queries(store, run).format()}", flush=True)
        with save_meanwhile(url):
            print(f"{label} newest 20, while saving {time_queries(store, list_newest).format()}", flush=True)
        dialect = store.database.engine.dialect.name
        size = store.database.fetch_all(text(SIZE_QUERIES[dialect]))[0][0]
        print(f"{label} index {int(size) / 1e6:,.0f} MB, {store.search.get_state().indexed:,} versions", flush=True)


def drop_page_cache(file: Path) -> None:
    """Let the kernel forget the pages of a file, so that the next reads come from the disk."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure_cost(label: str, url: str) -> None:
    """Print the CPU time of saving an article with and without its index entry, each in its own transaction."""
    articles = [article for number in range(COST_ARTICLES) for article in make_versions(number)]
    add_entry = article_writer.add_entry
    costs = {}
    for name, add in (("without", lambda *_: None), ("with", add_entry)):
        article_writer.add_entry = add
        with open_store(url) as store:
            store.database.fetch_all(text("SELECT 1"))
            begun, wall = time.process_time(), time.perf_counter()
            for number, article in enumerate(articles):
                store.articles.save(article, content_hash=f"{name} {number}", run_id=None, seen_at=article.fetched_at)
            costs[name] = (time.process_time() - begun, time.perf_counter() - wall)
            with store.database.transaction() as connection:
                connection.execute(text("DELETE FROM articles"))
    article_writer.add_entry = add_entry
    cpu, wall = (1000 * (costs["with"][at] - costs["without"][at]) / len(articles) for at in (0, 1))
    print(f"{label} index entry {cpu:.2f} CPU ms in this process, {wall:.2f} ms", flush=True)


def measure_sqlite(size: int, folder: Path) -> None:
    """Print the figures of a copy of a kept SQLite store."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        file = Path(work) / "crawler.db"
        shutil.copyfile(get_store_file(size, folder, is_clustered=True), file)
        measure_searches(f"SQLite     {size:>9,}", f"sqlite:///{file}")


def measure_postgres(size: int, folder: Path) -> None:
    """Print the figures of a PostgreSQL server with the same articles."""
    with serve_postgres(size, folder) as server:
        measure_searches(f"PostgreSQL {size:>9,}", server.url)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    print("milliseconds of CPU, then of time: each the median, the 95th percentile and the most")
    with tempfile.TemporaryDirectory() as folder:
        measure_cost("SQLite", f"sqlite:///{folder}/crawler.db")
        if options.postgres:
            with run_postgres(Path(folder) / "postgres") as server:
                measure_cost("PostgreSQL", server.url)
    for size in options.sizes:
        measure_sqlite(size, options.folder)
        if options.postgres:
            measure_postgres(size, options.folder)


if __name__ == "__main__":
    main()
