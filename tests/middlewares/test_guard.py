"""Requests that are refused, in real crawls, and the table of addresses."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import brotli
import pytest
from backports import zstd
from support.raw_http_server import RawHttpServer

from crawler.middlewares.network_addresses import is_public, parse_host_address

ZEROS = b"\0" * 5_000_000

# The name server is the only thing replaced: no test may depend on real names.
NAMES = """
import socket
from crawler.middlewares.resolver import GuardedResolver
answers = {names!r}
def resolve_name(self, name):
    found = answers[name]
    now = found.pop(0) if len(found) > 1 else found[0]
    return [(socket.AF_INET6 if ":" in a else socket.AF_INET, a) for a in now]
GuardedResolver.resolve_name = resolve_name
"""


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "95.56.237.24", "2001:4860:4860::8888", "64:ff9b::808:808", "2001:4860::5efe:8.8.8.8"]
)
def test_addresses_of_the_open_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "::10.0.0.1",
        "::ffff:0:127.0.0.1",
        "::ffff:0:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2001:4860::5efe:10.0.0.1",
        "2001:4860::200:5efe:127.0.0.1",
        "2001:0:7f00:1::",
        "3fff::1",
        "5f00::1",
        "4000::1",
        "192.0.0.8",
        "no address",
    ],
)
def test_addresses_that_are_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("LOCALHOST", "127.0.0.1"),
        ("x.localhost.", "127.0.0.1"),
        ("[::1]", "::1"),
        ("::ffff:7f00:1", "::ffff:7f00:1"),
        ("example.org", None),
        ("1.example.org", None),
        ("қаз.kz", None),
    ],
)
def test_what_a_host_spells_out(host: str, address: str | None) -> None:
    assert parse_host_address(host) == address


INSIDE = [
    "127.0.0.1",
    "localhost",
    "0x7f.1",
    "2130706433",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "user@127.0.0.1",
    "１２７.0.0.1",
]


def test_no_request_reaches_a_private_address(site: Any, crawl: Any) -> None:
    urls = [site.url(f"/{number}", host) for number, host in enumerate(INSIDE)]
    ran = crawl(*urls, CRAWLER_ALLOW_PRIVATE=False, ROBOTSTXT_OBEY=True)
    assert len(ran.pages) == len(INSIDE)
    for page in ran.pages:
        assert "crawler.errors.ForbiddenTarget" in page["kinds"], page
        assert "is not an address of the open internet" in page["message"]
        assert "allow_private = true" in page["message"]
    assert "Traceback" not in ran.log
    assert not site.hits


def test_only_http_and_https_are_read(crawl: Any) -> None:
    urls = ["file:///etc/hostname", "ftp://example.org/x", "data:text/plain,x", "s3://bucket/x"]
    ran = crawl(*urls)
    assert len(ran.pages) == len(urls)
    for page in ran.pages:
        assert "crawler.errors.ForbiddenTarget" in page["kinds"], page
        assert "only http and https are requested" in page["message"]


def test_a_name_that_leads_to_a_private_address_is_refused_when_it_is_looked_up(site: Any, crawl: Any) -> None:
    before = NAMES.format(names={"intern.example": [["127.0.0.1", "::1"]]})
    ran = crawl(site.url("/", "intern.example"), before=before, CRAWLER_ALLOW_PRIVATE=False, ROBOTSTXT_OBEY=True)
    assert "crawler.errors.ForbiddenTarget" in ran.only["kinds"]
    assert "intern.example (127.0.0.1) is not an address of the open internet" in ran.only["message"]
    assert not site.hits


def test_a_name_may_lead_to_a_private_address_where_that_is_allowed(site: Any, crawl: Any) -> None:
    site.pages["/"] = site.answer(b"inside")
    before = NAMES.format(names={"intern.example": [["127.0.0.1"]]})
    assert crawl(site.url("/", "intern.example"), before=before).only["body"] == "inside"


@pytest.mark.slow
def test_only_the_public_addresses_of_a_name_are_tried(site: Any, crawl: Any) -> None:
    """A name with public and private addresses, or with changing ones, is never connected to a private one."""
    before = NAMES.format(names={"both.example": [["127.0.0.1", "127.0.0.2"], ["127.0.0.1"]]}) + (
        "import crawler.middlewares.resolver as r; r.is_public = lambda address: address == '127.0.0.2'\n"
    )
    urls = [site.url("/", "both.example"), site.url("/2", "both.example")]
    ran = crawl(*urls, before=before, CRAWLER_ALLOW_PRIVATE=False)
    assert [one["error"] for one in ran.pages] == ["Unreachable", "Unreachable"]
    assert all("it refuses connections" in one["message"] for one in ran.pages)
    assert not site.hits


def test_a_redirect_is_checked_like_any_request(site: Any, crawl: Any) -> None:
    """A public site redirects to a private address: the name is allowed here, the address is refused."""
    site.pages["/"] = site.answer(b"", 302, Location=f"http://127.0.0.1:{site.port}/secret")
    site.pages["/secret"] = site.answer(b"secret")
    before = NAMES.format(names={"public.example": [["127.0.0.1"]]}) + (
        "import crawler.middlewares.resolver as r; r.is_public = lambda address: True\n"
    )
    ran = crawl(site.url("/", "public.example"), before=before, CRAWLER_ALLOW_PRIVATE=False)
    assert "127.0.0.1 is not an address of the open internet" in ran.only["message"]
    assert site.hits == {"/": 1}


BOMBS = {
    "gzip": gzip.compress(ZEROS, mtime=0),
    "gzip, gzip": gzip.compress(gzip.compress(ZEROS, mtime=0), mtime=0),
    "deflate": zlib.compress(ZEROS),
    "br": brotli.compress(ZEROS),
    "zstd": zstd.compress(ZEROS),
}


def test_a_bomb_is_refused_however_it_is_packed(site: Any, crawl: Any) -> None:
    for number, (encoding, body) in enumerate(BOMBS.items()):
        site.pages[f"/{number}"] = site.answer(body, Content_Encoding=encoding)
    ran = crawl(*(site.url(f"/{number}") for number in range(len(BOMBS))), DOWNLOAD_MAXSIZE=1_000_000)
    assert len(ran.pages) == len(BOMBS)
    for page in ran.pages:
        assert "crawler.errors.ForbiddenTarget" in page["kinds"], page
        assert "the body is larger than 1 MB and was not read. Raise limits.body_mb" in page["message"]


def test_a_body_that_announces_too_much_is_refused(site: Any, crawl: Any) -> None:
    site.pages["/large"] = site.answer(b"x" * 2_000_000)
    ran = crawl(site.url("/large"), DOWNLOAD_MAXSIZE=1_000_000)
    assert "the body is larger than 1 MB" in ran.only["message"]
    assert site.hits["/large"] == 1


def test_a_body_that_grows_too_large_unannounced_is_refused(site: Any, crawl: Any) -> None:
    site.pages["/large"] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + b"x" * 2_000_000
    ran = crawl(site.url("/large"), DOWNLOAD_MAXSIZE=1_000_000)
    assert "the body is larger than 1 MB" in ran.only["message"]


@pytest.mark.slow
def test_a_body_that_never_ends_is_cut_off_in_time(site: Any, crawl: Any) -> None:
    site.pages["/drip"] = site.endless
    ran = crawl(site.url("/drip"), DOWNLOAD_TIMEOUT=1, RETRY_TIMES=1)
    assert "crawler.errors.Unreachable" in ran.only["kinds"]
    assert "it does not answer in time" in ran.only["message"]


def test_a_body_that_is_not_what_it_is_said_to_be_is_named(site: Any, crawl: Any) -> None:
    site.pages["/page"] = site.answer(b"plain text", Content_Encoding="gzip")
    ran = crawl(site.url("/page"))
    assert "crawler.errors.Unreachable" in ran.only["kinds"]
    assert "the body is not valid 'gzip'" in ran.only["message"]


def test_a_body_in_an_encoding_that_does_not_exist_is_read_as_it_is(site: Any, crawl: Any) -> None:
    site.pages["/page"] = RawHttpServer.answer(b"text").replace(b"text/html", b"text/html\r\nContent-Encoding: x\xff")
    ran = crawl(site.url("/page"))
    assert "kinds" not in ran.only
    assert "Traceback" not in ran.log


def test_markup_that_was_never_packed_is_read(site: Any, crawl: Any) -> None:
    for number, encoding in enumerate(("gzip", "br", "deflate", "zstd")):
        site.pages[f"/{number}"] = site.answer(b"<p>A bridge</p>", Content_Encoding=encoding)
    ran = crawl(*(site.url(f"/{number}") for number in range(4)))
    assert not any("kinds" in page for page in ran.pages)


TEXT = "".join(f"A bridge of {number * number} metres. " for number in range(900)).encode()
WHOLE_BODIES = {
    "gzip": gzip.compress(TEXT, mtime=0),
    "deflate": zlib.compress(TEXT),
    "br": brotli.compress(TEXT),
    "zstd": zstd.compress(TEXT),
    "br, gzip": gzip.compress(brotli.compress(TEXT), mtime=0),
}


def test_a_body_that_is_cut_off_is_unreachable_however_it_is_packed(site: Any, crawl: Any) -> None:
    for number, (encoding, body) in enumerate(WHOLE_BODIES.items()):
        site.pages[f"/{number}"] = site.answer(body[: len(body) // 2], Content_Encoding=encoding)
        site.pages[f"/whole{number}"] = site.answer(body, Content_Encoding=encoding)
    numbers = range(len(WHOLE_BODIES))
    cut = crawl(*(site.url(f"/{number}") for number in numbers), RETRY_TIMES=1)
    for page in cut.pages:
        assert "crawler.errors.Unreachable" in page["kinds"], page
        assert "it is cut off" in page["message"]
    assert all(site.hits[f"/{number}"] > 1 for number in numbers)
    whole = crawl(*(site.url(f"/whole{number}") for number in numbers))
    assert not any("kinds" in page for page in whole.pages)
