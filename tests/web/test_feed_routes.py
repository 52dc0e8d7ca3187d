"""Feeds over HTTP: their types, what they select, conditional requests, and addresses that no feed has."""

from __future__ import annotations

import feedparser
import httpx
import pytest
from support.newsroom_articles import NOW, TEXT, SaveArticle


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("atom", "application/atom+xml"), ("rss", "application/rss+xml"), ("json", "application/feed+json")],
)
def test_feed_has_its_type_and_entries(client: httpx.Client, save: SaveArticle, form: str, media_type: str) -> None:
    save("1", published_at=NOW)
    response = client.get(f"/feeds/all.{form}")
    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] == media_type
    assert "Заголовок 1" in response.text
    assert response.headers["last-modified"].endswith("GMT")


def test_feed_selects_by_rule_source_and_language(client: httpx.Client, save: SaveArticle) -> None:
    save("1", published_at=NOW)
    save("2", TEXT.replace("Астану", "Париж"), source="ktkz", language="kk", rule="ihl", published_at=NOW)

    def list_titles(address: str) -> list[str]:
        return [entry.title for entry in feedparser.parse(client.get(address).content).entries]

    assert len(list_titles("/feeds/all.atom")) == 2
    assert list_titles("/feeds/ihl.atom") == list_titles("/feeds/all.rss?source=ktkz") == ["Заголовок 2"]
    assert list_titles("/feeds/all.atom?language=ru&unit=article") == ["Заголовок 1"]
    assert len(list_titles("/feeds/all.atom?source=ktkz&source=mfa")) == 2


def test_unchanged_feed_is_not_sent_again(client: httpx.Client, save: SaveArticle) -> None:
    save("1", published_at=NOW)
    first = client.get("/feeds/all.atom")
    again = client.get("/feeds/all.atom", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_feed_shows_no_more_than_the_rights_allow(client: httpx.Client, save: SaveArticle) -> None:
    body = f"{TEXT} " + " ".join(f"Предложение {number} о работе." for number in range(60))
    save("1", body, published_at=NOW)
    assert "Предложение 59" not in client.get("/feeds/all.json").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/feeds/all.exe", 404),
        ("/feeds/nothing.atom", 404),
        ("/feeds/all.atom?source=odd", 400),
        ("/feeds/all.atom?language=xx", 400),
        ("/feeds/all.atom?unit=odd", 400),
        ("/feeds/all.atom?sourse=mfa", 400),
    ],
)
def test_address_of_no_feed(client: httpx.Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status
