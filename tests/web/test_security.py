"""What every answer carries, which requests are refused, and that a hostile article stays text."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import text
from support.factories import make_transaction
from support.newsroom_articles import NOW, SaveArticle

from crawler.archive.warc_writer import WarcWriter
from crawler.config import ObjectsConfig, WebConfig
from crawler.items import Article, Verdict
from crawler.store import Store
from crawler.store.schema import versions
from crawler.web.application import PAGES
from crawler.web.newsroom import Newsroom
from crawler.web.security import MAX_REQUEST_BYTES, HostPolicy, is_own_origin

HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> МККК javascript:alert(1) {{ 7*7 }} {% raw %} "
    "\u202eevil\u202c </bdi></p><iframe src=//evil.example> &lt;b&gt; \" ' onmouseover=alert(1)"
)


class MarkupReader(HTMLParser):
    """Collects what a browser would run or load of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.active: list[str] = []
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "img", "base", "style"):
            own = str(dict(attributes).get("src", "")).startswith("/static/keys.js?v=")
            self.active += [] if tag == "script" and own else [tag]
        for name, value in attributes:
            if name.startswith("on") or name == "style":
                self.active.append(name)
            if name in ("href", "src", "action") and value:
                self.addresses.append(value)


def list_paths() -> list[str]:
    return [
        route.path.replace("{story_id:int}", "1").replace("{article_id:path}", "mfa:1:ru").replace("{rule}", "ihl")
        for route in PAGES
    ]


@pytest.mark.parametrize("path", [*list_paths(), "/nothing", "/?status=odd", "/static/ui.css", "/static/none"])
def test_every_answer_has_the_security_headers(client: httpx.Client, save: SaveArticle, path: str) -> None:
    save("1")
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "server" not in headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "192.168.0.7", "[::1"])
def test_foreign_host_is_refused(client: httpx.Client, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "127.8.9.1", "[::1]:8000"])
def test_own_host_is_accepted(host: str) -> None:
    assert HostPolicy(WebConfig(), is_public=False).accepts_host(host)


def test_origin_of_forms() -> None:
    own = {"host": "127.0.0.1:8000"}
    assert is_own_origin({**own, "origin": "http://127.0.0.1:8000"})
    assert is_own_origin(own)
    for foreign in (
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9000"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        assert not is_own_origin({**own, **foreign})


def test_nul_in_an_address_does_not_reach_the_store(client: httpx.Client, save: SaveArticle) -> None:
    """PostgreSQL refuses it, and a reader must not read that the store is broken."""
    save("1")
    for path in ("/articles/a%00b", "/explain/a%00b", "/archive/a%00b"):
        assert client.get(path).status_code == 400, path
    for path in ("/?rule=a%00b", "/runs?source=a%00b", "/messages?subscription=a%00b"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "a%EF%BF%BDb" in answer.text


def test_large_request_is_refused(client: httpx.Client) -> None:
    assert client.post("/", content=b"x" * (MAX_REQUEST_BYTES + 1)).status_code == 413

    def make_chunks() -> Iterator[bytes]:
        for _ in range(3):
            yield b"x" * (MAX_REQUEST_BYTES // 2)

    assert client.post("/", content=make_chunks()).status_code in (405, 413)


@pytest.mark.parametrize("path", ["/account/feed", "/review", "/api/v1/actions"])
def test_refused_request_is_read_before_its_connection_ends(address: str, path: str) -> None:
    """A proxy that speaks HTTP/1.0 and is cut off while it sends says that it does not reach the newsroom."""
    split, body = urlsplit(address), b"x" * 1_000_000
    with socket.create_connection((split.hostname, split.port), timeout=120) as connection:
        head = f"POST {path} HTTP/1.0\r\nHost: {split.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode())
        for start in range(0, len(body), 100_000):
            time.sleep(0.01)
            connection.sendall(body[start : start + 100_000])
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_hostile_article_is_text_everywhere(client: httpx.Client, save: SaveArticle, store: Store) -> None:
    values = {"title": HOSTILE, "lead": HOSTILE, "place": HOSTILE, "author": HOSTILE, "section": HOSTILE}
    save("1", HOSTILE, url="javascript:alert(1)", provenance={"title": HOSTILE, HOSTILE: HOSTILE}, **values)
    later = HOSTILE.replace("evil", "worse")
    save("1", later, url="javascript:alert(1)", version=2, verdict=Verdict.REVISED, **{**values, "title": later})
    save("1", HOSTILE, source="ktkz", **values)
    store.clusters.assign_pending(NOW.tzinfo)
    number = store.stories.get_id_by_article("mfa:1:ru")
    for path in ("/", "/articles/mfa:1:ru", "/articles/mfa:1:ru?version=1", f"/stories/{number}", "/?rule=<script>"):
        html = client.get(path).text
        found = MarkupReader(html)
        assert found.active == [], path
        assert not [each for each in found.addresses if each.startswith(("javascript:", "//", "data:"))], path
        assert "\u202e" not in html
        if "?rule" not in path:
            assert "&lt;script&gt;" in html
            assert "{{ 7*7 }}" in html


def test_huge_article_is_shown_in_part(client: httpx.Client, save: SaveArticle) -> None:
    save("1", "МККК " + "слово " * 50_000, title="З" * 5_000_000)  # 10 MB
    for path in ("/", "/articles/mfa:1:ru"):
        response = client.get(path)
        assert response.status_code == 200
        assert len(response.content) < 600_000
    assert "longer than this page shows" in response.text


@pytest.mark.slow
def test_article_with_many_versions_lists_the_last_ones(client: httpx.Client, save: SaveArticle, store: Store) -> None:
    add_versions(store, save("1"), 100_000)
    html = client.get("/articles/mfa:1:ru").text
    assert "Earlier versions" in html
    assert html.count("?version=") < 30


def add_versions(store: Store, article: Article, count: int) -> None:
    """Give an article as many versions, all with its text."""
    columns = [column.name for column in versions.c if column.name not in ("id", "version")]
    numbers = "WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)"
    statement = (
        f"INSERT INTO versions (version, {', '.join(columns)}) {numbers} "
        f"SELECT n, {', '.join(columns)} FROM numbers, versions WHERE article_id = :id"
    )
    with store.database.transaction() as connection:
        connection.execute(text(statement), {"count": count, "id": article.id})


@pytest.mark.parametrize(
    "path",
    [
        "/static/../application.py",
        "/static/..%2fapplication.py",
        "/static/%2e%2e/%2e%2e/errors.py",
        "/static/ui.css%00.html",
        "/archive/../../etc/passwd",
        "/archive-file/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/evidence/..%5c..%5cetc%5cpasswd",
        "/articles/%2e%2e%2f%2e%2e%2fcrawler.db",
        "/feeds/..%2f..%2fall.atom",
    ],
)
def test_no_address_reaches_a_file(client: httpx.Client, path: str) -> None:
    answer = client.get(path, follow_redirects=True)
    assert answer.status_code in (404, 405)
    assert "root:" not in answer.text
    assert "import" not in answer.text


@pytest.mark.parametrize("path", ["/login", "/", "/sources?lang=ru%0d%0aSet-Cookie:%20a=b", "/none%0d%0aX-Evil:%201"])
def test_no_value_becomes_a_header(client: httpx.Client, path: str) -> None:
    answer = client.get(path, params={"next": "/x\r\nX-Evil: 1"} if path == "/login" else None)
    assert "x-evil" not in answer.headers
    assert "a=b" not in str(answer.headers)


def test_archived_page_is_shown_as_text_and_sent_as_a_file(
    client: httpx.Client, newsroom: Newsroom, save: SaveArticle
) -> None:
    page = b"<html><script>alert(1)</script><p>Archive</p></html>"
    ref = write_record(newsroom, page)
    save("1", snapshot=ref)
    shown = client.get("/archive/mfa:1:ru")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown.text
    assert MarkupReader(shown.text).active == []
    sent = client.get("/archive-file/mfa:1:ru")
    assert sent.content == page
    assert sent.headers["content-type"] == "application/octet-stream"
    assert sent.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in sent.headers["content-security-policy"]


@pytest.mark.slow
def test_archived_page_comes_from_object_storage(
    client: httpx.Client, newsroom: Newsroom, save: SaveArticle, tmp_path: Path
) -> None:
    save("1", snapshot=write_record(newsroom, b"<p>Archive</p>"))
    newsroom.config = newsroom.config.model_copy(update={"objects": ObjectsConfig(address=f"file://{tmp_path}/bucket")})
    newsroom.config.archive_dir.rename(tmp_path / "bucket")
    assert client.get("/archive-file/mfa:1:ru").content == b"<p>Archive</p>"
    (tmp_path / "bucket").rename(tmp_path / "gone")
    assert client.get("/archive-file/mfa:1:ru").status_code == 404


def write_record(newsroom: Newsroom, page: bytes) -> object:
    """Write a response into the archive of the newsroom. Return its place."""
    transaction = make_transaction("https://mfa.example/1", page, NOW)
    with WarcWriter(newsroom.config.archive_dir, "mfa", software="test/1") as writer:
        return writer.write(transaction)
