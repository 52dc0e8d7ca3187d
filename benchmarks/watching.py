"""Run `crawler watch` for a thousand runs, ended five times by SIGTERM and five by SIGKILL.

    python -m benchmarks.watching [--runs 1000] [--restarts 10] [--seconds 1]

Measured: the growth of the service's own memory, and the time of a run beside the engine's. Counted: processes that
outlive their service, and starts that were skipped or doubled. The exit code is 1 for these counts only.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.loopback import SOURCE, make_crawl_environment, serve_corpus
from crawler.items import Run
from crawler.store import open_store

ROOT = Path(__file__).parents[1]
PAGE_COUNT = 10
SLOT_ANSWERS = ("started", "left out", "together")
PROCESS_MARK = "BENCHMARKED"
Note = dict[str, Any]


@dataclass
class ServiceLife:
    """One process of the service, from its start to its end."""

    ended_by: str = ""
    notes: list[Note] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    orphans: list[int] = field(default_factory=list)


@dataclass
class WatchedService:
    """A service that crawls a loopback site, its folder and its notes."""

    folder: Path
    url: str
    seconds: float
    lives: list[ServiceLife] = field(default_factory=list)

    def run_life(self, runs: int, end: signal.Signals) -> None:
        """Start the service. End it by a signal after so many runs, in the middle of the next one."""
        life = ServiceLife(end.name)
        self.lives.append(life)
        notes = self.folder / f"notes-{len(self.lives)}"
        notes.touch()
        command = [sys.executable, "-m", "benchmarks.watched_by_slots", str(notes), str(self.seconds)]
        with (self.folder / "out.txt").open("a") as out:
            process = subprocess.Popen(command, cwd=ROOT, env=self.make_environment(), stdout=out, stderr=out)
        try:
            while count_ended(life) < runs and process.poll() is None:
                time.sleep(0.05)
                before, life.notes = count_ended(life), read_notes(notes)
                if count_ended(life) > before:
                    life.memory.append(measure_memory_mb(process.pid))
            while process.poll() is None and not has_running_start(life):
                time.sleep(0.01)
                life.notes = read_notes(notes)
        finally:
            process.send_signal(end)
            process.wait(60)
        life.notes = read_notes(notes)
        until = time.monotonic() + 30
        life.orphans = find_marked_processes(self.mark)
        while life.orphans and time.monotonic() < until:
            time.sleep(0.05)
            life.orphans = find_marked_processes(self.mark)

    @property
    def mark(self) -> str:
        return f"{PROCESS_MARK}={self.folder}"

    def make_environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **make_crawl_environment(self.url, self.folder / "data"),
            "PYTHONPATH": str(ROOT),
            PROCESS_MARK: str(self.folder),
        }

    def list_runs(self) -> list[Run]:
        with open_store(f"sqlite:///{self.folder / 'data' / 'crawler.db'}") as store:
            return list(reversed(store.runs.list_recent(SOURCE, limit=1_000_000)))


def read_notes(notes: Path) -> list[Note]:
    return [json.loads(line) for line in notes.read_text(encoding="utf-8").split("\n")[:-1]]


def count_ended(life: ServiceLife) -> int:
    return sum(note["kind"] == "finished" for note in life.notes)


def has_running_start(life: ServiceLife) -> bool:
    kinds = [note["kind"] for note in life.notes if note["kind"] != "left out"]
    return bool(kinds) and kinds[-1] == "started"


def measure_memory_mb(pid: int) -> float:
    """Return the memory of the process alone, without pages that it shares with its children."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def find_marked_processes(mark: str) -> list[int]:
    """Return the processes, without zombies, whose environment has the mark."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def list_faults(watched: WatchedService) -> list[str]:
    """Return a phrase for each skipped or doubled start, runs at the same time, and processes left behind."""
    found = []
    for number, life in enumerate(watched.lives, start=1):
        began = next(note["at"] for note in life.notes if note["kind"] == "began")
        slots = sorted(note["due"] for note in life.notes if note["kind"] in SLOT_ANSWERS and note["due"] > began)
        for one, other in itertools.pairwise(slots[1:]):  # The first makes up for missed slots, at any time.
            passed = round((other - one) / watched.seconds)
            if passed != 1:
                fault = f"{passed - 1} slots without a start" if passed else "one slot answered twice"
                found.append(f"life {number}: {fault}")
        if not slots or (number > 1 and is_slot(slots[0], watched.seconds)):
            found.append(f"life {number}: missed slots were not made up for")
        if life.orphans:
            found.append(f"life {number}: {len(life.orphans)} processes outlived it")
    runs = watched.list_runs()
    for one, other in itertools.pairwise(runs):
        if one.finished_at is None or other.started_at < one.finished_at:
            if one.reason and one.reason.startswith("killed"):
                continue  # The next run recorded its end.
            found.append(f"runs {one.id} and {other.id} were active at the same time")
    starts = sum(note["kind"] == "started" for life in watched.lives for note in life.notes)
    if not len(runs) <= starts <= len(runs) + len(watched.lives):  # A kill may come before the run's first event.
        found.append(f"{starts} starts became {len(runs)} runs")
    return found


def is_slot(moment: float, seconds: float) -> bool:
    """Return whether a start answers a slot. A start that makes up for missed slots is between two."""
    return abs(moment / seconds - round(moment / seconds)) < 1e-4


def measure_overheads(watched: WatchedService) -> list[float]:
    """Return for each run that began at its slot: seconds from the slot to the recorded end, less the engine's time."""
    runs = {run.started_at.timestamp(): run.finished_at for run in watched.list_runs() if run.exit_code == 0}
    found = []
    for life in watched.lives:
        notes = [note for note in life.notes if note["kind"] in ("started", "finished")]
        for start, end in itertools.pairwise(notes[2:]):
            if (start["kind"], end["kind"]) == ("started", "finished"):
                inside = [began for began in runs if start["at"] <= began <= end["at"]]
                for began in inside:
                    finished = runs[began]
                    assert finished is not None
                    found.append(end["at"] - start["due"] - (finished.timestamp() - began))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--restarts", type=int, default=10, help="half of them by SIGTERM, half by SIGKILL")
    parser.add_argument("--seconds", type=float, default=1.0, help="from one slot to the next")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serve_corpus(PAGE_COUNT) as (url, _):
        watched = WatchedService(Path(folder), url, options.seconds)
        long, short = options.runs // 2, options.runs // 2 // max(options.restarts, 1)
        for number in range(options.restarts):
            watched.run_life(short, signal.SIGKILL if number % 2 else signal.SIGTERM)
        watched.run_life(long, signal.SIGTERM)
        wrong, costs, runs = list_faults(watched), measure_overheads(watched), watched.list_runs()
        memory = watched.lives[-1].memory
        well = [run for run in runs if run.finished_at and run.exit_code == 0]
        engine = [(run.finished_at - run.started_at).total_seconds() for run in well if run.finished_at]
        if wrong:
            print((Path(folder) / "out.txt").read_text()[-5000:], file=sys.stderr)
    kinds = Counter(note["kind"] for life in watched.lives for note in life.notes)
    print(f"{len(runs)} runs in {len(watched.lives)} lives of the service, a slot each {options.seconds:g} s")
    print(f"slots left out because the last run was still active: {kinds['left out']}")
    print(f"slots together with the next one: {kinds['together']}")
    print(
        f"engine: median {median(engine):.3f} s; beside it: median {median(costs):.3f} s, nine tenths below "
        f"{quantiles(costs, n=10)[-1]:.3f} s"
    )
    tenths = [memory[index * (len(memory) - 1) // 10] for index in range(11)]
    print(
        f"memory of the last service by tenths of its {len(memory)} runs: {' '.join(f'{mb:.1f}' for mb in tenths)} MB"
    )
    print("\n".join(wrong) or "no start skipped, none doubled, no process left behind")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
