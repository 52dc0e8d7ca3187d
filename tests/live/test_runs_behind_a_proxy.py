"""A whole crawl through a proxy: CONNECT tunnels with TLS in them, one proxy for each source, and its errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.loopback_proxy import LoopbackProxy
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import Sandbox, get_expected_articles
from support.tls_front import serve_tls, write_certificate

pytestmark = pytest.mark.slow
HOST = "news.example"
OWN_SETTINGS = {"CRAWLER_ALLOW_PRIVATE": "false", "CRAWLER_SOURCES__QAZMONITOR__BASE_URL": f"https://{HOST}"}


@pytest.fixture(scope="module")
def site() -> Iterator[QazMonitorSite]:
    with QazMonitorSite(4) as found:
        yield found


@pytest.fixture
def place(site: QazMonitorSite, tmp_path: Path) -> Iterator[tuple[Sandbox, LoopbackProxy]]:
    """A user who reaches a site with https only through a proxy: no name server here knows its name."""
    certificate = write_certificate(tmp_path / "certificate.pem", HOST)
    variables = {**OWN_SETTINGS, "SSL_CERT_FILE": str(certificate)}
    with (
        serve_tls(certificate, int(site.url.rpartition(":")[2])) as port,
        LoopbackProxy({HOST: ("127.0.0.1", port)}, credentials="user:geheim") as proxy,
    ):
        yield Sandbox(tmp_path / "user", variables=variables), proxy


def test_pages_come_through_the_proxy_of_the_source(place: tuple[Sandbox, LoopbackProxy], site: QazMonitorSite) -> None:
    user, proxy = place
    address = f"http://user:geheim@127.0.0.1:{proxy.port}"
    variables = {"CRAWLER_PROXY": "http://127.0.0.1:1", "CRAWLER_SOURCES__QAZMONITOR__PROXY": address}
    done = user.run_crawler("crawl", "qazmonitor", "-v", **variables)
    assert done.code == 0, done.all_output
    assert user.get_articles().keys() == get_expected_articles("qazmonitor", site).keys()
    assert {(request.method, request.target) for request in proxy.requests} == {("CONNECT", f"{HOST}:443")}
    assert any(request.path == "/robots.txt" for request in site.requests)
    assert not any("proxy-authorization" in request.headers for request in site.requests)
    proxy.requests.clear()
    checked = user.run_crawler("check", "qazmonitor", **variables)
    assert "as expected" in checked.out
    assert proxy.requests
    written = b"".join(path.read_bytes() for path in user.folder.rglob("*") if path.is_file())
    assert b"geheim" not in written
    assert "geheim" not in done.all_output + checked.all_output


@pytest.mark.parametrize(
    ("proxy_url", "sentence"),
    [("http://127.0.0.1:1", "refuses connections"), (None, "wants a user name and a password (HTTP 407)")],
)
def test_an_error_of_the_proxy_is_unreachable(
    place: tuple[Sandbox, LoopbackProxy], proxy_url: str | None, sentence: str
) -> None:
    user, proxy = place
    proxy_url = proxy_url or proxy.url
    done = user.run_crawler("crawl", "qazmonitor", "--json", CRAWLER_PROXY=proxy_url)
    assert done.code == 10
    run: dict[str, Any] = done.get_run("qazmonitor")
    assert run["health"] == "unreachable"
    assert f"the proxy {proxy_url} {sentence}" in run["reason"]
    assert "is unreachable: " not in run["reason"]
    assert run["reason"].endswith("Check the proxy and its address, then run again.")
