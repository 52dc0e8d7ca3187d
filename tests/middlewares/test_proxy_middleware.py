"""Requests through a real proxy on loopback: what it gets, what the guard refuses first, and whose error it is."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.loopback_proxy import LoopbackProxy

from crawler.archive.snapshot_reader import read_snapshots

NO_NAMES = """
from crawler.middlewares.resolver import GuardedResolver
def resolve_name(self, name):
    answers = {{"127.0.0.1": ["127.0.0.1"], **{names!r}}}
    if name not in answers:
        raise OSError("unknown")
    return [(2, address) for address in answers[name]]
GuardedResolver.resolve_name = resolve_name
"""
"""The machine's name service, which knows only these names."""
UNREACHABLE = "crawler.errors.Unreachable"
FORBIDDEN = "crawler.errors.ForbiddenTarget"


@pytest.fixture
def proxy(site: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackProxy]:
    """A proxy in force by CRAWLER_PROXY, which knows news.example as the site."""
    with LoopbackProxy({"news.example": ("127.0.0.1", site.port)}) as found:
        monkeypatch.setenv("CRAWLER_PROXY", found.url)
        yield found


def guarded(**names: list[str]) -> dict[str, Any]:
    """Options of a crawl without permission for private addresses. Underscores in names are dots."""
    known = {name.replace("_", "."): addresses for name, addresses in names.items()}
    return {"before": NO_NAMES.format(names=known), "CRAWLER_ALLOW_PRIVATE": False}


def test_pages_redirects_and_robots_go_through_the_proxy(
    site: Any, crawl: Any, proxy: LoopbackProxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CRAWLER_PROXY", f"http://us%40er:geh%3Aeim@127.0.0.1:{proxy.port}/")
    proxy.credentials = "us@er:geh:eim"
    site.pages["/robots.txt"] = site.answer(b"User-agent: *\nDisallow: /secret\n", Content_Type="text/plain")
    site.pages["/old"] = site.answer(b"", 302, Location="/new")
    site.pages["/new"] = [site.answer(b"busy", 503), site.answer(b"here")]
    urls = [f"http://news.example{path}" for path in ("/old", "/secret")]
    ran = crawl(*urls, **guarded(), ROBOTSTXT_OBEY=True, CRAWLER_ARCHIVE_DIR=str(tmp_path))
    assert (ran.pages[0]["url"], ran.pages[0]["body"]) == ("http://news.example/new", "here")
    assert ran.pages[1]["error"] == "IgnoreRequest"
    assert proxy.targets == [f"http://news.example{path}" for path in ("/robots.txt", "/old", "/new", "/new")]
    assert b"proxy-authorization" not in b"".join(site.heard).lower()
    kept = [snapshot for path in tmp_path.rglob("*.warc.gz") for snapshot in read_snapshots(path)]
    assert [snapshot.status for snapshot in kept] == [200, 302, 503, 200]
    assert "geh" not in ran.log


def test_the_proxy_may_be_private_but_its_target_may_not(site: Any, crawl: Any, proxy: LoopbackProxy) -> None:
    site.pages["/"] = site.answer(b"public")
    urls = [
        "http://news.example/",
        f"http://127.0.0.1:{site.port}/",
        "http://0x7f.1/",
        "http://inside.example/",
        "http://both.example/",
        "https://inside.example/",
        "ftp://news.example/",
    ]
    names = {"inside_example": ["10.0.0.1"], "both_example": ["8.8.8.8", "192.168.0.1"]}
    ran = crawl(*urls, **guarded(**names))
    assert ran.pages[0]["body"] == "public"
    assert all(FORBIDDEN in page["kinds"] for page in ran.pages[1:])
    assert "both.example (192.168.0.1) is not an address of the open internet" in ran.pages[4]["message"]
    assert proxy.targets == ["http://news.example/"]


@pytest.mark.slow
def test_a_name_of_the_proxy_is_trusted_and_no_other(
    site: Any, crawl: Any, proxy: LoopbackProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRAWLER_PROXY", f"http://proxy.example:{proxy.port}")
    site.pages["/"] = site.answer(b"public")
    urls = ["http://news.example/", "http://proxy.example/"]
    ran = crawl(*urls, **guarded(proxy_example=["127.0.0.1"]))
    assert ran.pages[0]["body"] == "public"
    assert FORBIDDEN in ran.pages[1]["kinds"]
    assert proxy.targets == ["http://news.example/"]


@pytest.mark.slow
def test_a_name_is_looked_up_once_for_all_its_requests(crawl: Any, proxy: LoopbackProxy) -> None:
    before = NO_NAMES.format(names={}).replace("    if name", '    print(\'{"name": "%s"}\' % name)\n    if name')
    ran = crawl("http://news.example/1", "http://news.example/2", before=before, CRAWLER_ALLOW_PRIVATE=False)
    assert [page["status"] for page in ran.pages] == [404, 404]
    assert [line["name"] for line in ran.told if "name" in line].count("news.example") == 1


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"credentials": "a:b"}, "wants a user name and a password (HTTP 407)"),
        ({"refusal": 403}, "refuses to connect to news.example (HTTP 403)"),
        ({"refusal": 502}, "cannot connect to news.example (HTTP 502)"),
    ],
)
def test_a_refusal_is_the_proxys(
    crawl: Any, proxy: LoopbackProxy, scheme: str, fault: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    vars(proxy).update(fault)
    ran = crawl(f"{scheme}://news.example/", **guarded(), ROBOTSTXT_OBEY=False, CRAWLER_ARCHIVE_DIR=str(tmp_path))
    if scheme == "http" and "refusal" in fault:
        assert ran.only["status"] == fault["refusal"]  # only the status of a tunnel is certainly the proxy's
        return
    assert UNREACHABLE in ran.only["kinds"]
    expected = f"{scheme}://news.example/: the proxy {proxy.url} {sentence}. Check the proxy and its address"
    assert ran.only["message"].startswith(expected)
    assert len(proxy.requests) == (3 if fault.get("refusal") == 502 else 1)
    assert not [snapshot for path in tmp_path.rglob("*.warc.gz") for snapshot in read_snapshots(path)]


def test_a_wrong_password_is_named_and_not_shown(
    crawl: Any, proxy: LoopbackProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.credentials = "user:right"
    monkeypatch.setenv("CRAWLER_PROXY", f"http://user:geheim@127.0.0.1:{proxy.port}")
    ran = crawl("https://news.example/", "http://news.example/", **guarded(), ROBOTSTXT_OBEY=True)
    for page in ran.pages:
        assert UNREACHABLE in page["kinds"]
        assert "refuses the user name and password that it was given (HTTP 407)" in page["message"]
        assert page["message"].count(". ") == 1
    assert "geheim" not in ran.log + str(ran.told)


@pytest.mark.slow
def test_an_absent_proxy_is_named(crawl: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    monkeypatch.setenv("CRAWLER_PROXY", url)
    ran = crawl("https://news.example/", "http://other.example/", **guarded(), ROBOTSTXT_OBEY=True)
    for page in ran.pages:
        assert UNREACHABLE in page["kinds"]
        assert f"the proxy {url} refuses connections" in page["message"]
        assert "news.example is unreachable" not in page["message"]


@pytest.mark.slow
def test_a_proxy_that_breaks_off_is_named(crawl: Any, proxy: LoopbackProxy) -> None:
    proxy.breaks_off = True
    ran = crawl("https://news.example/", "http://news.example/", **guarded(), CRAWLER_REACH_SECONDS=2)
    for page in ran.pages:
        assert UNREACHABLE in page["kinds"]
        assert f"the proxy {proxy.url}" in page["message"]


@pytest.mark.slow
def test_the_environments_proxy_is_guarded_too(
    site: Any, crawl: Any, proxy: LoopbackProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CRAWLER_PROXY")
    monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
    monkeypatch.setenv("no_proxy", "direct.example")
    site.pages["/"] = site.answer(b"public")
    urls = ["http://news.example/", "http://inside.example/", "http://direct.example/"]
    names = {"inside_example": ["10.0.0.1"], "direct_example": ["127.0.0.1"]}
    ran = crawl(*urls, **guarded(**names))
    assert ran.pages[0]["body"] == "public"
    assert [FORBIDDEN in page["kinds"] for page in ran.pages[1:]] == [True, True]
    assert proxy.targets == ["http://news.example/"]
    monkeypatch.setenv("CRAWLER_PROXY", "none")
    assert UNREACHABLE in crawl(urls[0], **guarded()).only["kinds"]
    assert len(proxy.requests) == 1
