"""Compare the product with bare Scrapy over the same pages: `python -m benchmarks.spine [--quick] [--parts]`.

    --quick        200 pages (60 about one event), 3 rounds
    --parts        also the product without one part at a time
    --against DIR  also the product of another checkout, with its own environment (DIR/.venv)

Runs take turns (A B C A B C …), so that a slow minute of the machine meets all. Ratios compare runs of one round.
Nothing is asserted: the numbers are for reading.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.loopback import CONNECTIONS, measure_capacity, serve_corpus

ROOT = Path(__file__).parents[1]
CROWD_PAGES = 200
QUICK_CROWD_PAGES = 60
"""Pages of the crowded corpus: its links grow with the square of its pages."""
FEWER_PAGES_SHARE = 4
"""The corpus of the rows with fewer pages has a quarter of the pages."""
Measurement = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: `what` is for `benchmarks.measured`, `checkout` the folder to run it in."""

    label: str
    what: str
    is_crowd: bool = False
    has_fewer_pages: bool = False
    checkout: Path = ROOT


BARE = Row("bare Scrapy, title only", "bare")
WHOLE = Row("the whole pipeline", "whole")
FEW_BARE = Row("bare Scrapy, a quarter of the pages", "bare", has_fewer_pages=True)
FEW_WHOLE = Row("the whole, a quarter of the pages", "whole", has_fewer_pages=True)
ROWS = (
    BARE,
    Row("bare with our two settings", "tuned"),
    Row("the pipeline without judging", "whole-judging"),
    WHOLE,
    Row("without the full-text index", "whole-index"),
    Row("run plus all deferred judging", "deferred"),
    Row("the same, all one event", "deferred", is_crowd=True),
    FEW_BARE,
    FEW_WHOLE,
)
PARTS = (
    Row("archive (WARC)", "whole-archive"),
    Row("conditional requests", "whole-conditional"),
    Row("retry", "whole-retry"),
    Row("validate", "whole-validate"),
    Row("keywords", "whole-keywords"),
    Row("judging", "whole-judging"),
    Row("store and judging", "whole-store"),
    Row("dedupe, store and judging", "whole-dedupe+store"),
    Row("progress events", "whole-events"),
    Row("all of these", "whole-archive+conditional+retry+validate+keywords+dedupe+store+judging+events"),
)


def measure(row: Row, url: str) -> Measurement:
    """Return the measurement of one run in a fresh process with a data folder of its own."""
    local = row.checkout / ".venv" / "bin" / "python"
    python = str(local) if row.checkout != ROOT and local.exists() else sys.executable
    with tempfile.TemporaryDirectory() as folder:
        command = [python, "-m", "benchmarks.measured", row.what, url, folder, str(time.monotonic())]
        environment = {**os.environ, "PYTHONPATH": str(row.checkout)}
        ended = subprocess.run(command, cwd=row.checkout, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{row.label} failed:\n{ended.stderr}")
    measurement: Measurement = json.loads(ended.stdout.splitlines()[-1])
    measurement["rate"] = measurement["pages"] / measurement["seconds"]
    measurement["ms"] = 1000 * measurement["cpu"] / measurement["pages"]
    return measurement


@dataclass(frozen=True, slots=True)
class SiteAddresses:
    """Where the corpora of a benchmark are served."""

    whole: str
    fewer_pages: str
    crowd: str

    def get_address(self, row: Row) -> str:
        """Return the address of the corpus that a row crawls."""
        return self.crowd if row.is_crowd else self.fewer_pages if row.has_fewer_pages else self.whole


def measure_rounds(rows: Sequence[Row], sites: SiteAddresses, rounds: int) -> dict[Row, list[Measurement]]:
    """Measure every row once a round, in turns. Two runs before the first round do not count."""
    for row in rows[:2]:
        measure(row, sites.whole)
    runs: dict[Row, list[Measurement]] = {row: [] for row in rows}
    for done in range(rounds):
        for row in rows:
            runs[row].append(measure(row, sites.get_address(row)))
        print(f"\rround {done + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return runs


def get_median(runs: Sequence[Measurement], name: str) -> float:
    return float(median(run[name] for run in runs))


def get_ratios(first: Sequence[Measurement], second: Sequence[Measurement], name: str) -> list[float]:
    """Return the ratio of each round, sorted."""
    return sorted(a[name] / b[name] for a, b in zip(first, second, strict=True))


def print_table(runs: Mapping[Row, list[Measurement]]) -> None:
    """Print a line a row. Both ratios are 1 for bare Scrapy and smaller for a slower row."""
    columns = f"{'pages/s':>9}{'CPU ms/page':>13}{'CPU s':>8}{'start-up s':>12}{'peak MB':>9}"
    print(f"\n{'':34}{columns}   bare/row by CPU; by time (least, most)")
    for row, measured in runs.items():
        by_cpu = get_ratios(runs[BARE], measured, "ms")
        by_time = get_ratios(measured, runs[BARE], "rate")
        against = f"{median(by_cpu):.2f}; {median(by_time):.2f} ({by_time[0]:.2f}, {by_time[-1]:.2f})"
        numbers = f"{get_median(measured, 'rate'):9.0f}{get_median(measured, 'ms'):13.2f}"
        numbers += f"{get_median(measured, 'cpu'):8.2f}"
        print(
            f"{row.label:34}{numbers}{get_median(measured, 'startup'):12.2f}{get_median(measured, 'peak_mb'):9.0f}"
            f"   {against}"
        )
    for row, measured in runs.items():
        if "counts" in measured[0]:
            print(f"{row.label}: {format_outcome(measured[0])}")


def print_marginal_cost(runs: Mapping[Row, list[Measurement]]) -> None:
    """Print what each further page costs, without what a run costs once: from the rows with fewer pages."""
    bare, whole = (
        [1000 * (a["cpu"] - b["cpu"]) / (a["pages"] - b["pages"]) for a, b in zip(runs[row], runs[few], strict=True)]
        for row, few in ((BARE, FEW_BARE), (WHOLE, FEW_WHOLE))
    )
    ratio = median(a / b for a, b in zip(bare, whole, strict=True))
    once = median(run["cpu"] - cost * run["pages"] / 1000 for run, cost in zip(runs[WHOLE], whole, strict=True))
    print(
        f"each further page: {median(bare):.2f} ms of CPU in bare Scrapy, {median(whole):.2f} ms in the whole pipeline,"
        f" bare/whole {ratio:.2f}; the whole pipeline once a run {once:.2f} s"
    )


def format_outcome(measured: Measurement) -> str:
    """Return what a run of the product found, so that a reader sees whether the corpus is what it should be."""
    counts = {name: number for name, number in sorted(measured["counts"].items()) if number}
    listed = ", ".join(f"{number} {name}" for name, number in counts.items())
    judged = [f"{measured[name]} {name}" for name in ("deferred", "links", "stories") if name in measured]
    return f"{listed}; {', '.join(judged) or 'not judged'}"


def print_parts(runs: Mapping[Row, list[Measurement]]) -> None:
    """Print the cost of each part: the CPU of the whole pipeline less that of a run without the part."""
    bare, total = get_median(runs[BARE], "ms"), get_median(runs[WHOLE], "ms")
    print(f"\n{'off':34}{'CPU ms/page':>13}{'saves ms':>10}{'share':>8}")
    print(f"{'nothing':34}{total:13.2f}")
    for row in PARTS:
        saved = median(a["ms"] - b["ms"] for a, b in zip(runs[WHOLE], runs[row], strict=True))
        print(f"{row.label:34}{get_median(runs[row], 'ms'):13.2f}{saved:10.2f}{saved / total:8.0%}")
    rest = get_median(runs[PARTS[-1]], "ms") - bare
    print(f"{BARE.label:34}{bare:13.2f}   so extraction and the rest cost {rest:.2f} ms, {rest / total:.0%}")


def make_rows(checkout: Path | None) -> list[Row]:
    """Return the rows of the first table; those of another checkout follow each of this one's."""
    rows = []
    for row in ROWS:
        rows.append(row)
        if checkout and row.what.startswith(("whole", "deferred")):
            label = f"… of {checkout.name}"
            rows.append(replace(row, label=label, checkout=checkout.resolve()))
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--parts", action="store_true")
    parser.add_argument("--against", type=Path, metavar="DIR")
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    pages, rounds = (200, 3) if options.quick else (options.pages, options.rounds)
    crowd = min(pages, QUICK_CROWD_PAGES if options.quick else CROWD_PAGES)
    fewer = max(1, pages // FEWER_PAGES_SHARE)
    with (
        serve_corpus(pages) as (url, size),
        serve_corpus(fewer) as (fewer_url, _),
        serve_corpus(crowd, "crowd") as (crowd_url, _),
    ):
        sites = SiteAddresses(url, fewer_url, crowd_url)
        print(f"{pages} article pages of {size / 1000:.1f} kB, gzip on the way, in one feed; {rounds} rounds.")
        print(f"{CONNECTIONS} connections. No delay, AutoThrottle, robots.txt or log on either side.")
        print(f"The server answers at least {measure_capacity(url):.0f} requests/s.", flush=True)
        runs = measure_rounds(make_rows(options.against), sites, rounds)
        print_table(runs)
        print_marginal_cost(runs)
        if options.parts:
            print_parts(measure_rounds([BARE, WHOLE, *PARTS], sites, max(1, rounds // 2)))
    by_cpu = median(get_ratios(runs[BARE], runs[WHOLE], "ms"))
    by_time = median(get_ratios(runs[WHOLE], runs[BARE], "rate"))
    print(f"spine/bare cpu={by_cpu:.2f} wall={by_time:.2f}")


if __name__ == "__main__":
    main()
