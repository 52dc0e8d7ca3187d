"""A robots.txt of any length is obeyed: its first 500 KiB are read, and what cannot be read allows nothing."""

from __future__ import annotations

import gzip
import random
import socket
from contextlib import suppress
from typing import Any

import pytest
from support.raw_http_server import RawHttpServer

FORBIDDEN = b"User-agent: *\nDisallow: /\n"
MEGABYTES = b"# a comment\n" * 1_700_000
"""More than a page may have."""
SETTINGS = {
    "DOWNLOADER_MIDDLEWARES": {
        "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
        "crawler.middlewares.robots.StrictRobotsTxtMiddleware": 100,
        "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
        "crawler.middlewares.retry.BackoffRetryMiddleware": 550,
        "crawler.middlewares.guard.GuardMiddleware": 560,
        "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
        "crawler.middlewares.decompress.DecompressMiddleware": 590,
    },
    "ROBOTSTXT_OBEY": True,
    "CRAWLER_STORAGE": "none",
    "DOWNLOAD_MAXSIZE": 16_000_000,
    "RETRY_TIMES": 0,
}


def send_without_end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + FORBIDDEN)
        while True:
            connection.sendall(MEGABYTES[:60_000])


ANSWERS = {
    "announced": RawHttpServer.answer(FORBIDDEN + MEGABYTES, Content_Type="text/plain"),
    "without end": send_without_end,
    "redirected": RawHttpServer.answer(b"", 302, Location="/rules.txt"),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_the_beginning_of_a_long_file_is_obeyed(site: Any, crawl: Any, kind: str) -> None:
    site.pages |= {"/robots.txt": ANSWERS[kind], "/rules.txt": send_without_end, "/page": site.answer()}
    ran = crawl(site.url("/page"), **SETTINGS)
    assert ran.only["error"] == "RobotsForbidden", ran.only
    assert site.hits["/page"] == 0


def test_a_bomb_allows_nothing(site: Any, crawl: Any) -> None:
    packed = gzip.compress(FORBIDDEN + MEGABYTES)
    site.pages |= {"/robots.txt": site.answer(packed, Content_Encoding="gzip"), "/page": site.answer()}
    ran = crawl(site.url("/page"), **SETTINGS)
    assert ran.only["error"] == "Unreachable", ran.only
    assert "is not allowed now: robots.txt cannot be read" in ran.only["message"]
    assert site.hits["/page"] == 0


def test_long_file_is_requested_without_compression(site: Any, crawl: Any) -> None:
    """The beginning of a compressed file cannot be read."""
    packed = gzip.compress(FORBIDDEN + b"# " + random.Random(1).randbytes(600_000).hex().encode())

    def send(connection: socket.socket) -> None:
        is_packed = b"gzip" in site.heard[-1]
        connection.sendall(site.answer(packed, Content_Encoding="gzip") if is_packed else ANSWERS["announced"])

    site.pages |= {"/robots.txt": send, "/page": site.answer()}
    assert crawl(site.url("/page"), **SETTINGS).only["error"] == "RobotsForbidden"


def test_what_comes_after_the_first_500_kib_is_not_read(site: Any, crawl: Any) -> None:
    long = MEGABYTES[: 500 * 1024] + b"\n" + FORBIDDEN
    site.pages |= {"/robots.txt": site.answer(long, Content_Type="text/plain"), "/page": site.answer()}
    assert crawl(site.url("/page"), **SETTINGS).only["status"] == 200


SHORT_LIMIT = "from crawler.middlewares import robots; robots.MAX_CRAWL_DELAY_SECONDS = 0.7"


def read_two_pages(site: Any, crawl: Any, crawl_delay: str) -> None:
    rules = f"User-agent: *\nCrawl-delay: {crawl_delay}\n".encode()
    site.pages |= {
        "/robots.txt": site.answer(rules, Content_Type="text/plain"),
        "/a": site.answer(),
        "/b": site.answer(),
    }
    throttle = {"AUTOTHROTTLE_ENABLED": True, "AUTOTHROTTLE_START_DELAY": 0}
    ran = crawl(site.url("/a"), site.url("/b"), before=SHORT_LIMIT, **SETTINGS, **throttle)
    assert [page["body"] for page in ran.pages] == ["<p>ok</p>"] * 2


@pytest.mark.parametrize("crawl_delay", ["0.7", "9000"])
def test_crawl_delay_is_obeyed_within_reason(site: Any, crawl: Any, crawl_delay: str) -> None:
    read_two_pages(site, crawl, crawl_delay)
    assert site.times[-1] - site.times[0] > 1.0  # two waits of 0.7 s


@pytest.mark.parametrize("crawl_delay", ["0", "-5", "nan", "soon"])
def test_crawl_delay_that_is_none_is_ignored(site: Any, crawl: Any, crawl_delay: str) -> None:
    read_two_pages(site, crawl, crawl_delay)
