"""How finding what is the same grows with what is stored: time an article, memory, reprints found.

    python benchmarks/sameness.py                          SQLite, 10,000 and 100,000 articles
    python benchmarks/sameness.py --sizes 10000 100000 1000000
    python benchmarks/sameness.py --database postgresql://…  an empty database
    python benchmarks/sameness.py --memory                 rensa and datasketch in RAM beside it, where importable

Synthetic articles of about 120 words, a thousand a day; every hundredth is a reprint of an earlier one of the same day
with a fifth of its sentences gone. Times are medians of the last
ten batches of 500 before each size. Everything goes the way of a crawl: `articles.save`, then `same.settle`.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from crawler.dedupe.judge import document
from crawler.dedupe.shingles import cut
from crawler.dedupe.trace import alike, signature, trace
from crawler.items import Article, Verdict
from crawler.store import open_store

START = datetime(2026, 1, 1, 6, 0, tzinfo=UTC)
A_DAY = 1000
EVERY = 100
SYLLABLES = [a + b for a in "бвгдклмнпрст" for b in "аеиоу"]
STOCK = ["".join(random.Random(n).choices(SYLLABLES, k=3)) for n in range(4000)]
BATCH = 500


def text_of(number: int) -> str:
    """An article's text: ten sentences of made-up words, with two names and two numbers of its own."""
    if number % EVERY == EVERY - 1:
        parts = text_of(number - 7).split(". ")
        return ". ".join(part for at, part in enumerate(parts) if at not in (3, 6))
    rng = random.Random(number)
    sentences = []
    for at in range(10):
        words = [STOCK[int(4000 * rng.random() ** 2)] for _ in range(11)]
        if at < 2:
            words.insert(3, "".join(rng.choices(SYLLABLES, k=4)).capitalize())
            words.append(str(rng.randint(100, 99_999)))
        sentences.append(" ".join(words).capitalize() if at >= 2 else words[0].capitalize() + " " + " ".join(words[1:]))
    return ". ".join(sentences) + "."


def article(number: int) -> Article:
    """An article of the day that its number falls on."""
    at = START + timedelta(days=number // A_DAY, seconds=number % A_DAY * 60)
    return Article(
        id=f"bench:{number}:ru",
        source="bench",
        url=f"https://bench.example/{number}",
        body=text_of(number),
        language="ru",
        published_at=at,
        fetched_at=at,
        verdict=Verdict.NEW,
        version=1,
    )


def megabytes() -> float:
    """The most memory this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(url: str, sizes: list[int]) -> Iterator[str]:
    """Fill a store to each of the sizes; a line for each."""
    zone = ZoneInfo("Asia/Almaty")
    done = 0
    with open_store(url) as store:
        for size in sizes:
            last: list[tuple[float, float]] = []
            while done < size:
                batch = [article(number) for number in range(done, min(done + BATCH, size))]
                begun = time.process_time(), time.perf_counter()
                with store.batch():
                    for one in batch:
                        store.articles.save(one, content_hash=one.id, run_id=None, seen_at=START)
                store.same.settle(zone)
                spent = time.process_time() - begun[0], time.perf_counter() - begun[1]
                last.append((spent[0] / len(batch) * 1000, spent[1] / len(batch) * 1000))
                done += len(batch)
            cpu, wall = (median(times) for times in zip(*last[-10:], strict=True))
            reprints = range(EVERY - 1, size, max(EVERY, size // 2000 // EVERY * EVERY))
            found = sum(f"bench:{n - 7}:ru" in store.same.cluster(f"bench:{n}:ru") for n in reprints)
            yield (
                f"{size:>9,} articles  {cpu:5.2f} ms of CPU, {wall:5.2f} ms in all an article  {megabytes():4.0f} MB  "
                f"reprints found {found}/{len(reprints)}"
            )


def in_memory(size: int) -> Iterator[str]:
    """The same reprints by indexes that live in RAM: a dictionary of rensa's bands, and datasketch."""
    before, begun = megabytes(), time.perf_counter()
    bands: dict[int, list[int]] = {}
    kept: dict[int, bytes] = {}
    found = 0
    for number in range(size):
        new = trace(document(text_of(number)))
        near = {other for band in new.bands for other in bands.get(band, ())}
        found += number % EVERY == EVERY - 1 and number - 7 in near and alike(new.signature, kept[number - 7]) > 0.4
        for band in new.bands:
            bands.setdefault(band, []).append(number)
        kept[number] = new.signature
    spent = (time.perf_counter() - begun) / size * 1000
    yield _line("rensa in RAM", spent, before, found, size)
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError:
        yield "datasketch is not installed"
        return
    before, begun, found = megabytes(), time.perf_counter(), 0
    index = MinHashLSH(num_perm=128, params=(42, 3))
    for number in range(size):
        hashing = MinHash(num_perm=128)
        hashing.update_batch([" ".join(shingle).encode() for shingle in cut(text_of(number)).shingles])
        found += number % EVERY == EVERY - 1 and str(number - 7) in index.query(hashing)
        index.insert(str(number), hashing)
    spent = (time.perf_counter() - begun) / size * 1000
    yield _line("datasketch in RAM", spent, before, found, size)


def _line(name: str, spent: float, before: float, found: int, size: int) -> str:
    grown = megabytes() - before
    return f"{name:<18} {spent:6.2f} ms an article  +{grown:.0f} MB  reprints found {found}/{size // EVERY}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--database", help="a database address; SQLite in a temporary folder when left out")
    parser.add_argument("--memory", type=int, nargs="?", const=100_000, help="also measure indexes in RAM, of so many")
    wanted = parser.parse_args()
    text = cut(text_of(1))
    begun = time.perf_counter()
    for _ in range(200):
        signature(text)
    print(f"a signature: {(time.perf_counter() - begun) * 5:.3f} ms of {len(text.words)} words", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        url = wanted.database or f"sqlite:///{Path(folder) / 'bench.db'}"
        for line in measured(url, sorted(wanted.sizes)):
            print(line, flush=True)
        file = Path(folder) / "bench.db"
        if file.exists():
            size = file.stat().st_size
            print(f"{size / 2**20:.0f} MB of database, {size / max(wanted.sizes):.0f} bytes an article")
    for line in in_memory(wanted.memory) if wanted.memory else ():
        print(line, flush=True)


if __name__ == "__main__":
    main()
