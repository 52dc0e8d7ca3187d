"""Answers of the last second: the same again for one browser, none for another, none after a write of this server."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from support.newsroom_articles import NOW, SaveArticle

from crawler.web.answer_cache import MAX_ANSWERS
from crawler.web.newsroom import Newsroom
from crawler.web.pages import today

API = "/api/v1/articles"


@pytest.fixture
def remembering(newsroom: Newsroom, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Newsroom]:
    """A newsroom that remembers answers for longer than a test lasts, in a minute that does not end."""
    newsroom.answers.seconds = 60
    visit = today.Visit(None, NOW)
    monkeypatch.setattr(today, "parse_visit", lambda text, now: visit)
    client.get("/")  # sets the cookie of the browser
    client.cookies.set(today.VISIT_COOKIE, visit.format(), domain="127.0.0.1")
    yield newsroom


@pytest.mark.parametrize("path", ["/", API])
def test_answer_is_remembered_for_one_browser(
    remembering: Newsroom, client: httpx.Client, address: str, save: SaveArticle, path: str
) -> None:
    save("1")
    first = client.get(path)
    save("2")
    again = client.get(path)
    assert again.content == first.content
    assert {**again.headers, "date": ""} == {**first.headers, "date": ""}
    assert client.get(path, headers={"if-none-match": first.headers["etag"]}).status_code == 304
    other = httpx.get(
        f"{address}{path}", headers={"cookie": "theme=dark", "accept-language": "en"}, timeout=120, verify=False
    )
    assert "Заголовок 2" in other.text
    assert "Заголовок 2" in client.get(f"{path}?limit=7" if path == API else "/?x=1").text


def test_write_of_this_server_forgets_everything(
    remembering: Newsroom, client: httpx.Client, save: SaveArticle
) -> None:
    save("1")
    assert "Заголовок 1" in client.get(API).text
    save("2")
    body = {"kind": "seen", "articles": [{"id": "mfa:1:ru", "version": 1}]}
    assert client.post("/api/v1/actions", json=body).status_code == 201
    assert "Заголовок 2" in client.get(API).text


def test_errors_and_pages_that_set_a_cookie_are_not_remembered(
    remembering: Newsroom, client: httpx.Client, save: SaveArticle
) -> None:
    assert client.get(f"{API}/mfa:1:ru").status_code == 404
    save("1")
    assert client.get(f"{API}/mfa:1:ru").status_code == 200
    assert "set-cookie" in client.get("/?lang=ru").headers
    assert "set-cookie" in client.get("/?lang=ru").headers


@pytest.mark.slow
def test_answers_are_bounded(remembering: Newsroom, client: httpx.Client) -> None:
    for number in range(MAX_ANSWERS + 5):
        client.get(f"/api/v1/runs?limit={number + 1}")
    assert len(remembering.answers) <= MAX_ANSWERS
