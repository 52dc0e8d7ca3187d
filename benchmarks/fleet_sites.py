"""Many small sites on many loopback addresses, which measure how politely they are crawled.

Each source is a feed with whole articles at `http://127.0.x.y:PORT/NAME/feed.xml`. Sources of one address are one
politeness group. A site sees a violation when requests of two workers, or for two of its sources, overlap.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from select import select
from typing import Any

from benchmarks.corpus import make_release

FIRST_ARTICLES = 3
DEFINITION = """title = "Fleet {name}"
origins = ["http://{host}:{port}"]
starts = ["http://{host}:{port}/{name}/feed.xml"]
articles = "feed"
addresses = ["/{name}/{{number}}"]
identity = "{{number}}"
cron = "{cron}"
jitter = {jitter}
"""


@dataclass(frozen=True, slots=True)
class FleetSource:
    """One source: `seconds` is what its answers take, `is_failing` makes them errors of a broken server."""

    name: str
    host: str
    cron: str = "* * * * *"
    seconds: float = 0.1
    jitter: int = 0
    is_failing: bool = False


@dataclass
class HostLoad:
    """The requests that one address answers now, and the violations that it saw."""

    active: dict[int, tuple[str, str]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, key: int, source: str, worker: str) -> None:
        """Begin a request. `worker` is what its User-Agent says."""
        with self.lock:
            for other_source, other_worker in self.active.values():
                if (other_source, other_worker) != (source, worker):
                    self.violations.append(f"{source} of {worker} beside {other_source} of {other_worker}")
            self.active[key] = (source, worker)

    def leave(self, key: int) -> None:
        """End a request."""
        with self.lock:
            self.active.pop(key, None)


class FleetSites:
    """The servers of a fleet. Every `interval` seconds each source has one more article, until `freeze`."""

    def __init__(self, sources: Sequence[FleetSource], interval: float | None = None) -> None:
        self.sources = {source.name: source for source in sources}
        self.loads = {source.host: HostLoad() for source in sources}
        self.feed_requests: list[tuple[float, str, str]] = []
        """Time, source and worker of each request for a feed."""
        self.port = 0
        self._interval, self._began_at, self._frozen_at = interval, time.monotonic(), None
        self._began = datetime.now(UTC)

    @contextmanager
    def serve(self) -> Iterator[FleetSites]:
        """Listen on one port of every address."""
        with ExitStack() as stack:
            for host in self.loads:
                server = FleetServer((host, self.port), make_fleet_handler(self, host))
                self.port = server.server_address[1]
                threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
                stack.callback(server.server_close)
                stack.callback(server.shutdown)
            yield self

    def write_definitions(self, folder: Path) -> None:
        """Write `sources/NAME.toml` for every source below a folder."""
        (folder / "sources").mkdir(parents=True, exist_ok=True)
        for each in self.sources.values():
            values = {"name": each.name, "host": each.host, "port": self.port, "cron": each.cron, "jitter": each.jitter}
            (folder / "sources" / f"{each.name}.toml").write_text(DEFINITION.format(**values), encoding="utf-8")

    def freeze(self) -> None:
        """Publish nothing more."""
        self._frozen_at = time.monotonic()

    def count_articles(self) -> int:
        """Return how many articles each source has published."""
        if self._interval is None:
            return FIRST_ARTICLES
        until = self._frozen_at or time.monotonic()
        return FIRST_ARTICLES + int((until - self._began_at) / self._interval)

    def list_article_ids(self, source: str) -> set[str]:
        """Return the native ids of what a source has published."""
        return {str(number) for number in range(1, self.count_articles() + 1)}

    @property
    def violations(self) -> list[str]:
        """What the sites saw of overlapping requests."""
        return [violation for load in self.loads.values() for violation in load.violations]

    def make_feed(self, source: FleetSource) -> bytes:
        """Return the feed of a source, the newest article first."""
        items = []
        for number in range(self.count_articles(), 0, -1):
            published = self._began - timedelta(hours=1) + timedelta(seconds=number)
            items.append(
                f"<item><title>{source.name} reports {number}</title>"
                f"<link>http://{source.host}:{self.port}/{source.name}/{number}</link>"
                f"<pubDate>{format_datetime(published)}</pubDate>"
                f"<description>{make_text(source.name, number)}</description></item>"
            )
        return (
            '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>'
            f"<title>{source.name}</title><link>http://{source.host}/</link>{''.join(items)}</channel></rss>"
        ).encode()


@cache
def make_text(source: str, number: int) -> str:
    """Return the text of an article, about an event of its own."""
    seed = int.from_bytes(blake2b(f"{source} {number}".encode(), digest_size=4).digest())
    return f"{' '.join(make_release(seed).paragraphs)} {source} {seed}"


class FleetServer(ThreadingHTTPServer):
    """Listens on one loopback address."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: workers are killed in the middle of a request."""


def make_fleet_handler(sites: FleetSites, host: str) -> type[BaseHTTPRequestHandler]:
    """Return the handler of one address."""
    load = sites.loads[host]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            source = sites.sources.get(self.path.split("/")[1])
            if source is None:  # robots.txt
                self.send_body(404, b"")
                return
            worker = self.headers.get("User-Agent", "").rpartition("+")[2].rstrip(")")
            sites.feed_requests.append((time.monotonic(), source.name, worker))
            load.enter(id(self), source.name, worker)
            try:
                select([self.connection], [], [], source.seconds)  # ends early when the client has gone
            finally:
                load.leave(id(self))
            self.send_body(500 if source.is_failing else 200, b"" if source.is_failing else sites.make_feed(source))

        def send_body(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Print nothing."""

    return Handler
