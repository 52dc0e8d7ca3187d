"""Measure how long a replay of the shipped snapshots takes: `python -m benchmarks.replay [--rounds 5]`.

Each run is a whole process. The commands take turns.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.loopback import copy_environment

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "crawl --replay snapshots --dry-run": ["crawl", "--replay", "snapshots", "--dry-run"],
    "crawl --replay snapshots": ["crawl", "--replay", "snapshots"],
    "crawl --replay snapshots --keep": ["crawl", "--replay", "snapshots", "--keep"],
    "replay": ["replay"],
}


def measure_command(arguments: list[str]) -> tuple[float, int]:
    """Return seconds and exit code of one command with a data folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        variables = {**copy_environment(), "CRAWLER_DATA_DIR": folder}
        command = [sys.executable, "-m", "crawler", *arguments]
        started = time.perf_counter()
        ended = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, check=False)
        return time.perf_counter() - started, ended.returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    number = parser.parse_args().rounds
    runs: dict[str, list[tuple[float, int]]] = {name: [] for name in COMMANDS}
    for _ in range(number):
        for name, arguments in COMMANDS.items():
            runs[name].append(measure_command(arguments))
    print(f"{'crawler …':38}{'median s':>9}{'least':>7}{'most':>7}   exit")
    for name, found in runs.items():
        seconds = [each for each, _ in found]
        codes = "/".join(sorted({str(code) for _, code in found}))
        print(f"{name:38}{median(seconds):9.2f}{min(seconds):7.2f}{max(seconds):7.2f}   {codes}")


if __name__ == "__main__":
    main()
