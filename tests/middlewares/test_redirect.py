"""Redirects: to a web address they are followed, to anything else they are reported with their target."""

from __future__ import annotations

from typing import Any

import pytest
from support.raw_http_server import RawHttpServer

from crawler import spiders
from crawler.config import Config
from crawler.errors import PageChanged
from crawler.pages.base import read_snapshot
from crawler.pages.snapshot import Snapshot

NO_WEB_ADDRESSES = [
    *("http://[", "http://[x]/a", "//[", "http://a:99999/", "http://a:b/", "javascript:alert(1)", "file:///etc/passwd"),
    *("data:text/html,x", "http://\xff\xfe/", "http://\u2100.kz/", "http://\0/", "http://a\x1b[2J b/"),
]
MIDDLEWARES = {
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
    "crawler.middlewares.guard.GuardMiddleware": 560,
    "crawler.middlewares.redirect.BoundedRedirectMiddleware": 600,
}


def test_only_a_redirect_to_a_web_address_is_followed(site: Any, crawl: Any) -> None:
    targets = [*NO_WEB_ADDRESSES, "/page", f"//user:geheim@127.0.0.1:{site.port}/page", "/%1B[2J\x1b[2J"]
    site.pages["/page"] = site.answer()
    for number, target in enumerate(targets):
        head = f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        site.pages[f"/{number}"] = head.encode("utf-8" if "\u2100" in target else "latin-1")
    ran = crawl(*(site.url(f"/{number}") for number in range(len(targets))), DOWNLOADER_MIDDLEWARES=MIDDLEWARES)
    stayed = [page.get("status") for page in ran.pages[: len(NO_WEB_ADDRESSES)]]
    assert stayed == [302] * len(NO_WEB_ADDRESSES), ran.pages
    followed = [(page["status"], page["url"]) for page in ran.pages[len(NO_WEB_ADDRESSES) :]]
    assert followed == [
        (200, site.url("/page")),
        (200, site.url("/page")),
        (404, site.url("/%1B%5B2J%1B%5B2J")),
    ]


def redirect_to(target: str) -> bytes:
    return RawHttpServer.answer(b"", 302, Location=target)


@pytest.mark.parametrize("pages", [{"/a": "/a"}, {"/a": "/b", "/b": "/a"}])
def test_redirect_into_its_own_chain_ends_with_an_error(site: Any, crawl: Any, pages: dict[str, str]) -> None:
    site.pages |= {path: redirect_to(target) for path, target in pages.items()}
    request = {"url": site.url("/a"), "dont_filter": False}
    ran = crawl(request, DOWNLOADER_MIDDLEWARES=MIDDLEWARES, REDIRECT_MAX_TIMES=5)
    assert ran.only["error"] == "TooManyRedirects"
    assert sum(site.hits.values()) == 6


def test_each_address_that_leads_to_the_same_page_is_answered(site: Any, crawl: Any) -> None:
    site.pages |= {"/one": redirect_to("/gone"), "/two": redirect_to("/gone")}
    requests = [{"url": site.url(path), "dont_filter": False} for path in ("/one", "/two", "/gone")]
    ran = crawl(*requests, DOWNLOADER_MIDDLEWARES=MIDDLEWARES)
    assert [page["status"] for page in ran.pages] == [404, 404, 404]


@pytest.mark.parametrize("status", [302, 304])
def test_a_redirect_that_was_not_followed_is_a_changed_page(status: int) -> None:
    site = spiders.load_spider("ktkz").make_site(Config())
    headers = {"location": "http://[\x1b[2J", "content-type": "text/html"}
    snapshot = Snapshot(url="https://www.kt.kz/rus/press-materialy/", body=b"", status=status, headers=headers)
    with pytest.raises(PageChanged, match=rf"HTTP {status} to http://\[") as caught:
        read_snapshot(snapshot, site)
    assert str(caught.value).isprintable()
