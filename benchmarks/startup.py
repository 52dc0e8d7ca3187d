"""Measure what a command costs before it does anything: `python -m benchmarks.startup [--rounds 7] [--against DIR]`.

Each row is a whole process over a store with 20 articles. Rows take turns, and the figure is the median of the CPU
seconds. The first rows are what the product stands on, for comparison.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.loopback import copy_environment, make_crawl_environment, serve_corpus

ROOT = Path(__file__).parents[1]
ARTICLES = 20
PEERS = {
    "python": ["-c", "pass"],
    "python, import sqlalchemy": ["-c", "import sqlalchemy"],
    "python, import scrapy.crawler": ["-c", "import scrapy.crawler"],
}
COMMANDS = ("--version", "--help", "articles", "health qazmonitor", "config", "crawl qazmonitor")
"""The last one is a run that finds nothing new."""


def measure_cpu(arguments: Sequence[str], environment: Mapping[str, str], folder: str) -> float:
    """Return the CPU seconds of a Python process and its children. A command that fails ends the benchmark."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *arguments], env=dict(environment), cwd=folder, capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def make_rows(url: str, folder: Path, checkouts: Sequence[Path]) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Return the arguments and the environment of each row, by its label. Each checkout gets a store of its own."""
    rows = {label: (arguments, copy_environment()) for label, arguments in PEERS.items()}
    for checkout in checkouts:
        data = folder / str(checkouts.index(checkout))
        environment = {**copy_environment(), **make_crawl_environment(url, data), "PYTHONPATH": str(checkout)}
        measure_cpu(["-m", "crawler", "crawl", "qazmonitor"], environment, str(folder))
        suffix = "" if checkout == ROOT else f" of {checkout.name}"
        for command in COMMANDS:
            rows[f"crawler {command}{suffix}"] = (["-m", "crawler", *command.split()], environment)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--against", type=Path, metavar="DIR")
    options = parser.parse_args(arguments)
    checkouts = [ROOT, *([options.against.resolve()] if options.against else [])]
    with tempfile.TemporaryDirectory() as folder, serve_corpus(ARTICLES) as (url, _):
        rows = make_rows(url, Path(folder), checkouts)
        measured: dict[str, list[float]] = {label: [] for label in rows}
        for _round in range(options.rounds):
            for label, (row, environment) in rows.items():
                measured[label].append(measure_cpu(row, environment, folder))
    print(f"{'':40}{'CPU s':>8}   least, most of {options.rounds}")
    for label, seconds in measured.items():
        print(f"{label:40}{median(seconds):8.3f}   {min(seconds):.3f}, {max(seconds):.3f}")
    print(f"start-up help={median(measured['crawler --help']):.3f} articles={median(measured['crawler articles']):.3f}")


if __name__ == "__main__":
    main()
