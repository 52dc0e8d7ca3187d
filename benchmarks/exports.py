"""Measure time and memory of `crawler export --all`: `python -m benchmarks.exports [SIZE …]`.

Each store has made-up articles, every tenth with a match. Each export is a fresh process, and its peak memory
(`VmHWM`) is printed. It should be the same for every size.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.similarity_articles import make_article, save_articles
from crawler.items import Article, Match
from crawler.store import open_store

SIZES = (10_000, 100_000)
BATCH = 500
CHILD_PROGRAM = """
import sys
from pathlib import Path
from typer.testing import CliRunner
from crawler.cli.app import app
found = CliRunner().invoke(app, sys.argv[1:], catch_exceptions=False)
held = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
print(found.output.strip(), "peak", int(held) // 1024, "MB")
"""


def fill_store(url: str, size: int) -> None:
    """Save so many articles. They are not clustered, because exports do not read clusters."""
    with open_store(url) as store:
        for at in range(0, size, BATCH):
            made = [make_article(number) for number in range(at, min(at + BATCH, size))]
            save_articles(store, [_add_match(one) if number % 10 == 0 else one for number, one in enumerate(made)])


def _add_match(one: Article) -> Article:
    word = one.body.split()[0]
    found = Match(rule="ihl", term=word, surface=word, field="body", start=0, end=len(word), sentence="")
    return replace(one, matches=(found,))


def main(sizes: list[int]) -> None:
    """Print a line for each size and format."""
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            file = Path(folder) / f"{size}.db"
            fill_store(f"sqlite:///{file}", size)
            for ending in ("jsonl", "csv", "parquet"):
                out = Path(folder) / f"out.{ending}"
                begun = time.perf_counter()
                done = subprocess.run(
                    [sys.executable, "-c", CHILD_PROGRAM, "export", "--all", "-o", str(out)],
                    env={**os.environ, "CRAWLER_DATABASE": f"sqlite:///{file}"},
                    capture_output=True,
                    text=True,
                    check=True,
                )
                took = time.perf_counter() - begun
                said = done.stdout.strip().rpartition("peak")[2]
                print(f"{size:>9,}  {ending:8} {took:6.1f} s  {out.stat().st_size / 1e6:7.1f} MB written  peak{said}")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(SIZES))
