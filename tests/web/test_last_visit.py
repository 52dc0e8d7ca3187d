"""Today: what is new since the reader was last here, with counts that link to what they count."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape

import httpx
import pytest
from support.newsroom_articles import NOW, TEXT, SaveArticle

from crawler.items import Verdict
from crawler.web.pages.today import Visit, parse_visit

HOUR = timedelta(hours=1)
EARLY = "0001-01-01T00:00+05:00~2026-01-01T00:00+00:00"


def set_visit(client: httpx.Client, at: datetime) -> None:
    """Let the browser have been here at a time, and never before."""
    client.cookies.set("visit", f"~{at.isoformat()}", domain="127.0.0.1")


def read_news(html: str) -> dict[str, tuple[str, int]]:
    """Return address and count of each kind of news, by its words."""
    sentence = html.split("Since you were last here")[1].split("</p>")[0]
    found = re.findall(r'<a href="([^"]*)">([a-z ]+) (\d+)</a>', sentence)
    return {label: (unescape(address), int(count)) for address, label, count in found}


def test_first_visit_has_no_line(client: httpx.Client, save: SaveArticle) -> None:
    save("1")
    assert "last here" not in client.get("/").text
    assert "last here" not in client.get("/").text  # the same visit


def test_news_since_the_last_visit(client: httpx.Client, save: SaveArticle) -> None:
    old = save("1", seen_at=NOW - 5 * HOUR, published_at=NOW - 5 * HOUR)
    save("2", seen_at=NOW - 4 * HOUR, published_at=NOW - 4 * HOUR)
    save("3", seen_at=NOW - HOUR, published_at=NOW - HOUR)
    changed = {"version": 2, "verdict": Verdict.REVISED, "title": old.title}
    save("1", TEXT.replace("Астану", "Алматы"), seen_at=NOW - HOUR, **changed)
    set_visit(client, NOW - 2 * HOUR)
    html = client.get("/").text
    news = read_news(html)
    assert {label: count for label, (_, count) in news.items()} == {"new": 1, "revised": 1, "taken down": 0}
    for address, count in news.values():
        page = client.get(address).text
        assert page.count('<article class="story') == count
        assert "Only what was noticed since" in page
    above, below = html.split('<p class="since">')
    assert above.count('<article class="story') == 2
    assert below.count('<article class="story') == 1


def test_what_was_there_before_is_no_news(client: httpx.Client, save: SaveArticle) -> None:
    save("1", seen_at=NOW, published_at=NOW - 20 * HOUR)  # found late: listed when it was found
    set_visit(client, NOW - 2 * HOUR)
    assert read_news(client.get("/").text)["new"][1] == 1


@pytest.mark.parametrize("text", [None, "", "x", "x~y", "~2026-01-01", "~2999-01-01T00:00+00:00", "a~b~c", EARLY])
def test_cookie_that_makes_no_sense_is_a_first_visit(text: str | None) -> None:
    assert parse_visit(text, NOW) == Visit(None, NOW.replace(second=0))


def test_visit_ends_after_half_an_hour() -> None:
    first = Visit(None, NOW)
    soon = parse_visit(first.format(), NOW + timedelta(minutes=20))
    assert soon.previous is None
    later = parse_visit(soon.format(), soon.last + timedelta(minutes=31))
    assert later.previous == soon.last
    assert parse_visit(later.format(), later.last + timedelta(minutes=5)).previous == soon.last


@pytest.mark.parametrize("since", ["yesterday", "2026-01-01T00:00"])
def test_address_that_no_page_wrote(client: httpx.Client, since: str) -> None:
    assert client.get("/", params={"since": since}).status_code == 400
