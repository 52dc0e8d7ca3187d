"""Serve made-up articles as QazMonitor does, from a process of its own on a loopback port.

The pages come from `benchmarks.corpus`. Every answer is ready as bytes (headers included, plain and gzip) before the
first request, so the server is never the bottleneck of a benchmark.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import html
import multiprocessing
import os
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

from benchmarks.corpus import Release, make_crowd, make_releases
from crawler.text.dates import load_time_zone

CONNECTIONS = 8
"""Connections at the same time, here and in the measured crawls."""
FEED = "/rss"
SOURCE = "qazmonitor"
RELEASE_INTERVAL = timedelta(minutes=30)
CROWD_INTERVAL = timedelta(minutes=1)
PAGE_FILLER_CHARACTERS = 17_000
"""Script text of a real QazMonitor page."""
RIGHTS = "Only 30% of an article published on The Qazaqstan Monitor website may be used with a mandatory hyperlink."

Corpus = Literal["unrelated", "crowd"]


class ReadyAnswers(asyncio.Protocol):
    """HTTP/1.1 with keep-alive: send the ready bytes of a path. Requests are GETs without a body."""

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


def make_answers(corpus: Corpus, count: int) -> tuple[dict[bytes, bytes], dict[bytes, bytes], int]:
    """Return every answer by path, plain and gzip, and the mean size of an article page in bytes."""
    releases = make_releases(count) if corpus == "unrelated" else make_crowd(count)
    interval = RELEASE_INTERVAL if corpus == "unrelated" else CROWD_INTERVAL
    newest = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=1)
    times = {release.id: newest - number * interval for number, release in enumerate(reversed(releases))}
    pages = {_get_path(release): _make_page(release, times[release.id]) for release in releases}
    plain: dict[bytes, bytes] = {}
    packed: dict[bytes, bytes] = {}
    bodies = {path: ("text/html; charset=utf-8", page) for path, page in pages.items()}
    bodies[FEED] = ("application/rss+xml; charset=utf-8", _make_feed(releases, times))
    for path, (content_type, text) in bodies.items():
        body = text.encode()
        plain[path.encode()] = _make_answer(content_type, body, b"")
        packed[path.encode()] = _make_answer(
            content_type, gzip.compress(body, 6, mtime=0), b"Content-Encoding: gzip\r\n"
        )
    return plain, packed, sum(len(page.encode()) for page in pages.values()) // len(pages)


def _get_path(release: Release) -> str:
    return f"/{release.section}/{release.id}/{release.slug}"


def _make_feed(releases: Sequence[Release], times: Mapping[str, datetime]) -> str:
    items = "".join(
        f"<item><title>{html.escape(release.title)}</title><link>https://qazmonitor.com{_get_path(release)}</link>"
        f"<description><![CDATA[{release.lead}]]></description><category>{release.section}</category>"
        f'<guid isPermaLink="false">{release.id}</guid><pubDate>{times[release.id]:%a, %d %b %Y %H:%M:%S %z}</pubDate>'
        "</item>\n"
        for release in releases
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>QazMonitor</title>'
        f"<link>https://qazmonitor.com</link><description>News</description>\n{items}</channel></rss>\n"
    )


def _make_page(release: Release, published_at: datetime) -> str:
    title, section = html.escape(release.title), release.section.title()
    local = published_at.astimezone(load_time_zone("Asia/Almaty"))
    paragraphs = "\n".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in release.paragraphs)
    icons = "".join(f'<a href="#"><img src="/{n}.svg" alt="Icon {n}"></a>' for n in range(6))
    chance = random.Random(release.id)
    script = "".join(
        f'w["{chance.getrandbits(48):012x}"]=function(e,t){{return e.p+"{chance.getrandbits(160):040x}"+t}};\n'
        for _ in range(PAGE_FILLER_CHARACTERS // 93)
    )
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta property="og:type" content="article"><meta property="og:title" content="{title}"><script>{script}</script></head>
<body><div class="top"><p>Discover Qazaqstan via News and Inspiring Stories</p>
<a href="/"><img src="/logo.svg" alt="QazMonitor Logo"></a><div>{icons}<a href="/rss">RSS</a></div></div>
<main><ol><li><a href="/">Main Page</a></li>
<li><a href="/{release.section}">{section}</a></li><li>{title}</li></ol>
<div class="info"><span>Astana, Kazakhstan • {local:%d %B, %Y | %H:%M}</span><span>2 min read</span></div>
<h1>{title}</h1>
<h2>{html.escape(release.lead)}</h2>
<img src="/grey.svg" alt="QazMonitor Logo">
<div class="img"><img src="/{release.id}.jpg" alt="Press office"><span>Press office</span></div>
<div class="text">{paragraphs}</div>
<p class="rights">{RIGHTS}</p></main></body></html>"""


def _make_answer(content_type: str, body: bytes, more: bytes) -> bytes:
    now = format_datetime(datetime.now(UTC), usegmt=True)
    head = f"HTTP/1.1 200 OK\r\nServer: loopback\r\nDate: {now}\r\nContent-Type: {content_type}\r\n"
    head += f"Last-Modified: {now}\r\n"
    head += f'ETag: "{hashlib.sha256(body).hexdigest()[:20]}"\r\nVary: Accept-Encoding\r\n'
    head += f"Content-Length: {len(body)}\r\n"
    return head.encode() + more + b"\r\n" + body


def _serve(corpus: Corpus, count: int, pipe: Connection) -> None:
    plain, packed, size = make_answers(corpus, count)

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: ReadyAnswers(plain, packed), "127.0.0.1", 0)
        pipe.send((server.sockets[0].getsockname()[1], size))
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def serve_corpus(count: int, corpus: Corpus = "unrelated") -> Iterator[tuple[str, int]]:
    """Serve the site until the block ends. Yield its address and the mean size of a page in bytes."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    server = context.Process(target=_serve, args=(corpus, count, sender), daemon=True)
    server.start()
    sender.close()  # Otherwise `recv` waits forever for a server that failed at its start.
    try:
        port, size = receiver.recv()
        yield f"http://127.0.0.1:{port}", size
    finally:
        server.terminate()
        server.join()


def copy_environment() -> dict[str, str]:
    """Return the variables of this process, but Python may compile: an installed program is compiled."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def make_crawl_environment(url: str, folder: Path) -> dict[str, str]:
    """Return the variables with which the product crawls the site at full speed and keeps its data in `folder`."""
    politeness = {"DELAY": "0", "AUTOTHROTTLE": "false", "ROBOTS": "false", "CONCURRENCY": str(CONNECTIONS)}
    return {
        "CRAWLER_CONTACT": "benchmark@example.org",
        "CRAWLER_DATA_DIR": str(folder),
        "CRAWLER_ALLOW_PRIVATE": "true",
        f"CRAWLER_SOURCES__{SOURCE.upper()}__BASE_URL": url,
        **{f"CRAWLER_POLITENESS__{name}": value for name, value in politeness.items()},
    }


def measure_capacity(url: str, seconds: float = 1.0) -> float:
    """Return answers per second to a client that discards them. It is a lower bound: both share the cores."""
    return asyncio.run(_count_answers(url, seconds))


async def _count_answers(url: str, seconds: float) -> float:
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    feed = await _fetch(reader, writer, FEED)
    paths = [found.decode() for found in re.findall(rb"<link>https?://[^/<]+(/[^<]+)</link>", gzip.decompress(feed))]
    writer.close()
    until = time.monotonic() + seconds

    async def client(number: int) -> int:
        reader, writer = await asyncio.open_connection(host, int(port))
        done = 0
        while time.monotonic() < until:
            await _fetch(reader, writer, paths[(number + done * CONNECTIONS) % len(paths)])
            done += 1
        writer.close()
        return done

    return sum(await asyncio.gather(*map(client, range(CONNECTIONS)))) / seconds


async def _fetch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bytes:
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    found = re.search(rb"Content-Length: (\d+)", head)
    assert found is not None and head.startswith(b"HTTP/1.1 200"), head
    return await reader.readexactly(int(found[1]))
