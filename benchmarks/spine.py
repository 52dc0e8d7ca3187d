"""Bare Scrapy against the whole spine, side by side: `python -m benchmarks.spine [--quick] [--parts]`.

Runs take turns (A B A B …), so that a slow minute of the machine meets both; ratios are of neighbours. Nothing is
asserted: the numbers are for reading.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.loopback import CONNECTIONS, capacity, loopback

ROOT = Path(__file__).parents[1]
Figures = dict[str, float]

LABELS = {
    "bare": "bare Scrapy, title only",
    "export": "… with a feed export",
    "tuned": "… with our two settings",
    "spine": "the whole spine",
}
OFF = {
    "spine-archive": "archive (WARC)",
    "spine-known": "known (conditional requests)",
    "spine-patience": "patience",
    "spine-validate": "validate",
    "spine-keywords": "keywords",
    "spine-store": "store",
    "spine-events": "progress events",
    "spine-archive+known+patience+validate+keywords+dedupe+events": "all of these and dedupe",
}


def measured(what: str, url: str) -> Figures:
    """One run in a fresh process with a data folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.measured", what, url, folder, str(time.monotonic())]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{what} failed:\n{ended.stderr}")
    figures: Figures = json.loads(ended.stdout.splitlines()[-1])
    figures["rate"] = figures["pages"] / figures["seconds"]
    figures["ms"] = 1000 * figures["cpu"] / figures["pages"]
    return figures


def rounds(kinds: Sequence[str], url: str, number: int) -> dict[str, list[Figures]]:
    """Every kind once a round, in turns; one round before them that does not count."""
    for kind in kinds[:2]:
        measured(kind, url)
    found: dict[str, list[Figures]] = {kind: [] for kind in kinds}
    for done in range(number):
        for kind in kinds:
            found[kind].append(measured(kind, url))
        print(f"\rround {done + 1} of {number}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return found


def middle(runs: Sequence[Figures], name: str) -> float:
    return median(run[name] for run in runs)


def ratio(first: Sequence[Figures], second: Sequence[Figures], name: str) -> tuple[float, float, float]:
    """Median, least and largest ratio of neighbouring runs."""
    each = [a[name] / b[name] for a, b in zip(first, second, strict=True)]
    return median(each), min(each), max(each)


def show(found: dict[str, list[Figures]]) -> None:
    """The comparison."""
    columns = f"{'pages/s':>9}{'CPU ms/page':>13}{'CPU s':>8}{'start-up s':>12}{'peak MB':>9}"
    print(f"\n{'':28}{columns}   pages/s against bare (CPU)")
    for kind, runs in found.items():
        at, least, most = ratio(runs, found["bare"], "rate")
        by_cpu, _, _ = ratio(found["bare"], runs, "ms")
        against = f"{at:.2f}, {least:.2f} to {most:.2f} ({by_cpu:.2f})"
        numbers = f"{middle(runs, 'rate'):9.0f}{middle(runs, 'ms'):13.2f}{middle(runs, 'cpu'):8.2f}"
        print(f"{LABELS[kind]:28}{numbers}{middle(runs, 'startup'):12.2f}{middle(runs, 'peak_mb'):9.0f}   {against}")


def show_parts(found: dict[str, list[Figures]]) -> None:
    """What each part costs: the whole spine's CPU less that of a run without it."""
    whole = found["spine"]
    bare = middle(found["bare"], "ms")
    total = middle(whole, "ms")
    print(f"\n{'off':34}{'CPU ms/page':>13}{'saves ms':>10}{'share':>8}")
    print(f"{'nothing':34}{total:13.2f}")
    for kind, label in OFF.items():
        saved = median(a["ms"] - b["ms"] for a, b in zip(whole, found[kind], strict=True))
        print(f"{label:34}{middle(found[kind], 'ms'):13.2f}{saved:10.2f}{saved / total:8.0%}")
    rest = middle(found[list(OFF)[-1]], "ms") - bare
    print(f"{'bare Scrapy':34}{bare:13.2f}   so extraction and what else is left: {rest:.2f} ms, {rest / total:.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="200 pages, 3 rounds")
    parser.add_argument("--parts", action="store_true", help="also the spine with one part off at a time")
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    pages, number = (200, 3) if given.quick else (given.pages, given.rounds)
    with loopback(pages) as (url, size):
        print(f"{pages} article pages of {size / 1000:.1f} kB, gzip on the way, in one feed; {number} rounds.")
        print(f"{CONNECTIONS} connections; no delay, AutoThrottle, robots.txt or log on either side.")
        print(f"The server gives at least {capacity(url):.0f} pages/s.")
        show(rounds(list(LABELS), url, number))
        if given.parts:
            show_parts(rounds(["bare", "spine", *OFF], url, max(3, number // 2)))


if __name__ == "__main__":
    main()
