"""Measure time and memory of `crawler export --all`: `python -m benchmarks.exports [SIZE …]`.

Each store has made-up articles (`benchmarks.large_store`), every twentieth with a match. Each export is a fresh
process, and its peak memory (`VmHWM`) is printed. It should be the same for every size.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.large_store import get_store_file

SIZES = (10_000, 100_000)
CHILD_PROGRAM = """
import sys
from pathlib import Path
from typer.testing import CliRunner
from crawler.cli.app import app
found = CliRunner().invoke(app, sys.argv[1:], catch_exceptions=False)
held = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
print(found.output.strip(), "peak", int(held) // 1024, "MB")
"""


def main(sizes: list[int]) -> None:
    """Print a line for each size and format."""
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            file = get_store_file(size)
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
