"""Write docs/benchmarks.md: each benchmark's own output with its command, day and machine.

    python -m benchmarks.report              all sections (hours, if the large stores have to be made first)
    python -m benchmarks.report spine        only these; the others stay as they are

A benchmark that fails ends the report, and nothing is written.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "benchmarks.md"
HEAD = """# Measured figures

Written by `python -m benchmarks.report`; [benchmarks](../benchmarks/README.md) says how each is measured. Compare the
rows of one table with each other: they took turns on one machine. Figures of two sections, or days, say little.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """A benchmark of the report: `module` and its `arguments`. `says` tells a reader what to look at."""

    name: str
    module: str
    arguments: tuple[str, ...]
    says: str


SECTIONS = (
    Section(
        "spine",
        "benchmarks.spine",
        ("--pages", "500", "--rounds", "5"),
        "Everything that a run does, beside bare Scrapy over the same pages. 1.00 would be as fast as bare Scrapy.",
    ),
    Section("startup", "benchmarks.startup", (), "What a command costs before it does anything, beside its libraries."),
    Section(
        "keywords",
        "benchmarks.keywords",
        (),
        "The matcher beside its bare automaton (ahocorasick-rs), plain `re` and, where installed, stemmers.",
    ),
    Section("replay", "benchmarks.replay", (), "All snapshots, whole processes."),
    Section("alerts", "benchmarks.alerts", ("--number", "2000"), "Due alerts to a web hook that answers at once."),
    Section("exports", "benchmarks.exports", ("1000", "10000"), "Memory must not grow with the store."),
    Section(
        "similarity",
        "benchmarks.similarity",
        ("--sizes", "10000", "100000", "1000000", "--postgres"),
        "Clustering: the time an article takes must grow much less than the store.",
    ),
    Section(
        "fleet",
        "benchmarks.fleet",
        ("--minutes", "5", "--kill-every", "10"),
        "200 sources on 50 hosts, one worker killed every 10 s: nothing may be lost, doubled or impolite.",
    ),
    Section(
        "growth",
        "benchmarks.growth",
        ("1000", "10000", "100000", "1000000"),
        "Milliseconds of CPU by the size of the store; `export` and `bytes` are for each article. Insert and stories\n"
        "look up keys in larger indexes.",
    ),
    Section(
        "web",
        "benchmarks.web",
        ("--sizes", "100000", "1000000"),
        "`crawler serve` as one process: what an answer costs.",
    ),
    Section(
        "search",
        "benchmarks.search",
        ("--sizes", "10000", "100000", "1000000", "--postgres"),
        "Two hundred queries in three languages. 95 of 100 should take at most 50 ms.",
    ),
)


def describe_machine() -> str:
    """Return processor, cores, memory, Python and load, as one sentence."""
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(encoding="utf-8"))
    gigabytes = round(int(memory[1]) / 2**20) if memory else 0
    return (
        f"{cpu[1].strip() if cpu else platform.processor()}, {os.cpu_count()} cores, {gigabytes} GB, "
        f"Python {platform.python_version()}; load before: {os.getloadavg()[0]:.1f}"
    )


def run_section(section: Section) -> str:
    """Run a benchmark and return its section as Markdown. A failed one ends the program."""
    command = ["python", "-m", section.module, *section.arguments]
    machine, begun = describe_machine(), time.monotonic()
    print(" ".join(command), file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, *command[1:]], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}. Nothing was written.")
    took = f"load after: {os.getloadavg()[0]:.1f}; took {(time.monotonic() - begun) / 60:.1f} minutes"
    return (
        f"## {section.name}\n\n{section.says}\n\n"
        f"`{' '.join(command)}` on {datetime.now(UTC):%Y-%m-%d}: {machine}; {took}.\n\n"
        f"```text\n{done.stdout.strip()}\n```\n"
    )


def read_sections(text: str) -> dict[str, str]:
    """Return the sections of a report by their names."""
    parts = re.split(r"^## (\S+)\n", text, flags=re.M)[1:]
    return {name: f"## {name}\n{body.rstrip()}\n" for name, body in zip(parts[::2], parts[1::2], strict=True)}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [section.name for section in SECTIONS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    chosen = parser.parse_args(arguments).names or known
    if not set(chosen) <= set(known):
        parser.error(f"a section is one of {', '.join(known)}")
    sections = read_sections(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    sections |= {section.name: run_section(section) for section in SECTIONS if section.name in chosen}
    written = [sections[section.name] for section in SECTIONS if section.name in sections]
    FILE.write_text("\n".join((HEAD, *written)), encoding="utf-8")


if __name__ == "__main__":
    main()
