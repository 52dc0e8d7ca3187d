"""A copy of QazMonitor on a loopback port, in a process of its own, made to be no bottleneck.

The pages are those of `tests/sites`, made once; every answer lies ready as bytes, headers included, plain and gzip, and
one asyncio protocol hands them out (tests/sites' own server builds every page anew: about 1,000 a second).
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import multiprocessing
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from multiprocessing.connection import Connection
from pathlib import Path

CONNECTIONS = 8
"""Connections at the same time, here and in the crawls measured."""
FEED = "/rss"


class Answers(asyncio.Protocol):
    """HTTP/1.1 with keep-alive: a path in, ready bytes out. Requests are GETs without a body."""

    def __init__(self, plain: dict[bytes, bytes], packed: dict[bytes, bytes]) -> None:
        self.plain, self.packed, self.received = plain, packed, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self.received = (self.received + data).split(b"\r\n\r\n")
        for request in requests:
            path = request.split(b" ", 2)[1]
            ready = self.packed if b"gzip" in request.lower() else self.plain
            self.transport.write(ready.get(path) or b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


def answers(pages: int) -> tuple[dict[bytes, bytes], dict[bytes, bytes], int]:
    """Every answer by path, plain and gzip, and the mean size of an article page in bytes."""
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    from sites.qazmonitor import QazMonitorSite  # type: ignore[import-not-found]
    from sites.wire import Asked, Reply  # type: ignore[import-not-found]

    site = QazMonitorSite(pages, feed_size=pages)
    plain: dict[bytes, bytes] = {}
    packed: dict[bytes, bytes] = {}
    size = 0
    for path in [FEED, *(site.path(article) for article in site.articles)]:
        reply = site.reply(Asked("GET", path, {}, {}, b"", datetime.now(UTC)))
        assert isinstance(reply, Reply)
        assert isinstance(reply.body, str)
        body = reply.body.encode()
        size += len(body) if path != FEED else 0
        plain[path.encode()] = _answer(reply.kind, body, b"")
        packed[path.encode()] = _answer(reply.kind, gzip.compress(body, 6, mtime=0), b"Content-Encoding: gzip\r\n")
    return plain, packed, size // pages


def _answer(kind: str, body: bytes, more: bytes) -> bytes:
    now = format_datetime(datetime.now(UTC), usegmt=True)
    head = f"HTTP/1.1 200 OK\r\nServer: loopback\r\nDate: {now}\r\nContent-Type: {kind}\r\nLast-Modified: {now}\r\n"
    head += f'ETag: "{hashlib.sha256(body).hexdigest()[:20]}"\r\nVary: Accept-Encoding\r\n'
    head += f"Content-Length: {len(body)}\r\n"
    return head.encode() + more + b"\r\n" + body


def _serve(pages: int, tell: Connection) -> None:
    plain, packed, size = answers(pages)

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: Answers(plain, packed), "127.0.0.1", 0)
        tell.send((server.sockets[0].getsockname()[1], size))
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def loopback(pages: int) -> Iterator[tuple[str, int]]:
    """The site while the block lasts: its address and the mean size of a page in bytes."""
    context = multiprocessing.get_context("spawn")
    hear, tell = context.Pipe(duplex=False)
    server = context.Process(target=_serve, args=(pages, tell), daemon=True)
    server.start()
    tell.close()  # else a server that cannot begin would be waited for without end
    try:
        port, size = hear.recv()
        yield f"http://127.0.0.1:{port}", size
    finally:
        server.terminate()
        server.join()


def capacity(url: str, seconds: float = 1.0) -> float:
    """Answers per second to a client that does nothing with them; a lower bound, for the two share the cores."""
    return asyncio.run(_asked_for(url, seconds))


async def _asked_for(url: str, seconds: float) -> float:
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    feed = await _get(reader, writer, FEED)
    paths = [found.decode() for found in re.findall(rb"<link>https?://[^/<]+(/[^<]+)</link>", gzip.decompress(feed))]
    writer.close()
    until = time.monotonic() + seconds

    async def client(number: int) -> int:
        reader, writer = await asyncio.open_connection(host, int(port))
        done = 0
        while time.monotonic() < until:
            await _get(reader, writer, paths[(number + done * CONNECTIONS) % len(paths)])
            done += 1
        writer.close()
        return done

    return sum(await asyncio.gather(*map(client, range(CONNECTIONS)))) / seconds


async def _get(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bytes:
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    found = re.search(rb"Content-Length: (\d+)", head)
    assert found is not None and head.startswith(b"HTTP/1.1 200"), head
    return await reader.readexactly(int(found[1]))
