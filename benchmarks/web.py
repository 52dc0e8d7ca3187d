"""Measure the newsroom as a process of its own: `python -m benchmarks.web [--sizes 10000 100000] [--seconds 5]`.

Each row asks a running `crawler serve` over a large store for pages, through four connections that never wait. CPU is
that of the server's process for one request, which other work on the machine changes least. Then it is asked 20 times a
second. "again": the same address, which the server may remember for a second. "new": each time another address.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from statistics import quantiles
from urllib.parse import quote, urlsplit

from sqlalchemy import delete

from benchmarks.large_store import FOLDER, get_store_file, save_meanwhile
from crawler.store import open_store
from crawler.store.schema import unclustered

CONNECTIONS = 4
STEADY_RATE = 20
"""Requests a second of the row that measures the time of an answer."""
ROWS_WHILE_SAVING = ("Today, again", "Today, new", "API articles, new", "Article", "API search")
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
MakeAddress = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class ServedProcess:
    """A running server: its process id, host and port, and the seconds until it answered."""

    pid: int
    netloc: str
    start_seconds: float

    def measure_cpu(self) -> float:
        """Return the CPU seconds of the process so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def measure_mb(self) -> int:
        """Return the memory of the process in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) // 1024


@contextmanager
def serve_store(url: str, folder: str) -> Iterator[ServedProcess]:
    """Yield a running `crawler serve` over a store."""
    environment = {**os.environ, "CRAWLER_DATABASE": url, "CRAWLER_DATA_DIR": folder}
    begin = time.monotonic()
    command = [sys.executable, "-m", "crawler", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[0]
        try:
            yield ServedProcess(process.pid, urlsplit(address).netloc, time.monotonic() - begin)
        finally:
            process.terminate()


class PageClient:
    """One connection that keeps its cookies, as a browser does."""

    def __init__(self, netloc: str) -> None:
        self._connection = http.client.HTTPConnection(netloc, timeout=60)
        self._cookies = SimpleCookie()
        self.fetch("/")

    def fetch(self, path: str) -> None:
        """Read an answer. A status other than 200 ends the benchmark."""
        pairs = "; ".join(f"{name}={morsel.value}" for name, morsel in self._cookies.items())
        self._connection.request("GET", path, headers={"cookie": pairs} if pairs else {})
        answer = self._connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}")
        for cookie in answer.headers.get_all("set-cookie", ()):
            self._cookies.load(cookie)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def measure_rate(server: ServedProcess, make_address: MakeAddress, seconds: float) -> tuple[float, float]:
    """Return the requests a second, and the CPU milliseconds of one."""
    numbers, counts = itertools.count(1), [0] * CONNECTIONS

    def ask(index: int) -> None:
        with closing(PageClient(server.netloc)) as client:
            ready.wait()
            while time.monotonic() < until:
                client.fetch(make_address(next(numbers)))
                counts[index] += 1

    ready = threading.Barrier(CONNECTIONS + 1)
    threads = [threading.Thread(target=ask, args=(index,)) for index in range(CONNECTIONS)]
    until = time.monotonic() + 3600
    for thread in threads:
        thread.start()
    ready.wait()
    begin, cpu = time.monotonic(), server.measure_cpu()
    until = begin + seconds
    for thread in threads:
        thread.join()
    spent = server.measure_cpu() - cpu
    return sum(counts) / (time.monotonic() - begin), 1000 * spent / max(1, sum(counts))


def measure_times(server: ServedProcess, make_address: MakeAddress, seconds: float) -> tuple[float, float]:
    """Return the median and the 99th percentile, in milliseconds, at a steady rate. A late answer delays no request."""
    times: list[float] = []

    def ask(number: int, due: float) -> None:
        client = clients[number % len(clients)]
        with locks[number % len(clients)]:
            client.fetch(make_address(number))
        times.append(1000 * (time.monotonic() - due))

    clients = [PageClient(server.netloc) for _ in range(STEADY_RATE)]
    locks = [threading.Lock() for _ in clients]
    begin, threads = time.monotonic(), []
    for number in range(round(seconds * STEADY_RATE)):
        due = begin + number / STEADY_RATE
        time.sleep(max(0.0, due - time.monotonic()))
        threads.append(threading.Thread(target=ask, args=(number, due)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()
    cuts = quantiles(times, n=100)
    return cuts[49], cuts[98]


def make_rows(url: str) -> dict[str, MakeAddress]:
    """Return what each row asks for, by its label."""
    with open_store(url) as store:
        articles = list(store.articles.iter_newest(matched=True, limit=200))
    words = sorted({word for article in articles for word in (article.title or "").split() if len(word) > 5})
    return {
        "Today, again": lambda number: "/",
        "Today, new": lambda number: f"/?x={number}",
        "API articles, again": lambda number: "/api/v1/articles",
        "API articles, new": lambda number: f"/api/v1/articles?since=1999-01-01T00:00:00.{number:06}Z",
        "API stories, new": lambda number: f"/api/v1/stories?cursor={_make_story_cursor(number)}",
        "API article": lambda number: f"/api/v1/articles/{articles[number % len(articles)].id}",
        "Article": lambda number: f"/articles/{articles[number % len(articles)].id}?versions_before={1000 + number}",
        "API search": lambda number: f"/api/v1/search?limit=20&q={quote(words[number % len(words)])}",
    }


def _make_story_cursor(number: int) -> str:
    from datetime import UTC, datetime

    from crawler.web.api.parameters import format_cursor

    return format_cursor(datetime(2030, 1, 1, microsecond=number, tzinfo=UTC), "x")


def drop_waiting(url: str) -> None:
    """Leave no article to be grouped into a story: the server would do that beside its answers."""
    with open_store(url) as store, store.database.transaction() as connection:
        connection.execute(delete(unclustered))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the large stores are")
    options = parser.parse_args(arguments)
    for size in options.sizes:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            file = Path(folder) / "crawler.db"
            shutil.copyfile(get_store_file(size, options.folder, is_clustered=True), file)
            with file.open("rb") as copied:
                os.fsync(copied.fileno())  # Else the disk is busy with the copy while the first pages are asked for.
            measure_newsroom(size, f"sqlite:///{file}", options.seconds)


def measure_newsroom(size: int, url: str, seconds: float) -> None:
    """Print what answers of a server over this store cost. Articles are added to it."""
    drop_waiting(url)
    rows = make_rows(url)
    with tempfile.TemporaryDirectory() as folder, serve_store(url, folder) as server:
        print(
            f"{size:,} articles: answers after {server.start_seconds:.1f} s, {server.measure_mb()} MB, "
            f"{server.measure_cpu():.1f} s of CPU"
        )
        print(f"{'':32}{'CPU ms':>8}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}  at {STEADY_RATE} requests/s")
        for label, make_address in rows.items():
            print_row(label, server, make_address, seconds)
        with save_meanwhile(url):
            for label in ROWS_WHILE_SAVING:
                print_row(f"{label}, while saving", server, rows[label], seconds)
        print(f"{'':32}{server.measure_mb()} MB at the end")
    print(f"web/{size} start={server.start_seconds:.2f}")


def print_row(label: str, server: ServedProcess, make_address: MakeAddress, seconds: float) -> None:
    """Measure the requests of a row, and print it."""
    rate, cpu = measure_rate(server, make_address, seconds)
    middle, late = measure_times(server, make_address, seconds)
    print(f"{label:32}{cpu:8.2f}{rate:12.0f}{middle:9.1f}{late:9.1f}", flush=True)


if __name__ == "__main__":
    main()
