"""Hits, versions compared, messages tried again, sources paused, keys and colours."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import httpx
import pytest
from support.newsroom_articles import NOW, TEXT, SaveArticle

from crawler.items import Article, Verdict
from crawler.store import Decision, DeliveryState, Notification, Store
from crawler.web.charts import CHART_HEIGHT, make_bar_chart


def read_forms(html: str, action: str) -> list[dict[str, str]]:
    """Return the hidden fields of each form with this action."""
    forms = re.findall(rf'<form[^>]*action="{action}".*?</form>', html, re.DOTALL)
    pattern = r'<input type="hidden" name="(\w+)" value="([^"]*)">'
    return [{name: unescape(value) for name, value in re.findall(pattern, form)} for form in forms]


def find_link(html: str, rel: str) -> str | None:
    found = re.search(rf'<a href="([^"]*)" rel="{rel}">', html)
    return unescape(found[1]) if found else None


def test_hits_lead_from_article_to_article(client: httpx.Client, save: SaveArticle) -> None:
    for number in range(3):
        save(str(number), published_at=NOW - timedelta(hours=number))
    html = client.get("/search?q=%D0%90%D1%81%D1%82%D0%B0%D0%BD%D0%B0").text
    path = unescape(re.findall(r'<h3[^>]*><a href="([^"]*)"', html)[0])
    seen = []
    while path:
        html = client.get(path).text
        assert '<mark id="m1">Астану</mark>' in html
        seen += re.findall(r"Hit (\d) of the search", html)
        path = find_link(html, "next") or ""
    assert seen == ["1", "2", "3"]
    assert find_link(html, "prev") is not None
    assert "/search?q=" in html


def test_place_of_another_article_is_ignored(client: httpx.Client, save: SaveArticle) -> None:
    save("1")
    save("2", "Погода.")
    for hit in ("1", "9", "x", "999999"):
        html = client.get(f"/articles/mfa:2:ru?q=%D0%9C%D0%9A%D0%9A%D0%9A&hit={hit}").text
        assert "of the search" not in html


def test_any_two_versions_are_compared(client: httpx.Client, revised: Article, save: SaveArticle) -> None:
    save("1", TEXT.replace("Астану", "Шымкент"), version=3, verdict=Verdict.REVISED, title=revised.title)
    html = client.get(f"/articles/{revised.id}").text
    assert "<del>Алматы</del>" in html
    assert 'name="against"' in html
    html = client.get(f"/articles/{revised.id}?version=3&against=1").text
    assert "What changed since version 1" in html
    assert "<del>Астану</del>" in html
    assert client.get(f"/articles/{revised.id}?version=2&against=2").status_code == 400


def test_all_failed_deliveries_are_counted(client: httpx.Client, store: Store) -> None:
    for number in range(25):
        store.messages.add(
            key=f"k{number}", subscription="press", kind="alert", channels=("desk",), created_at=NOW, due_at=NOW
        )
    for _, delivery in store.deliveries.list_newest():
        store.deliveries.save_result(delivery, replace(delivery, state=DeliveryState.DEAD, tries=3, failure="No."))
    html = client.get("/messages").text
    assert "25 deliveries failed." in html
    assert html.partition("<table")[0].count("press, desk") == 3


def test_failed_message_is_tried_again(client: httpx.Client, save: SaveArticle, store: Store) -> None:
    save("1")
    number = store.messages.add(
        key="k", subscription="press", kind="alert", channels=("desk",), created_at=NOW, due_at=NOW
    )
    (_, delivery), *_ = store.deliveries.list_newest()
    store.deliveries.save_result(delivery, replace(delivery, state=DeliveryState.DEAD, tries=3, failure="No."))
    forms = read_forms(client.get("/messages").text, "/messages/retry")
    assert {form.get("message") for form in forms} == {None, str(number)}
    answer = client.post("/messages/retry", data=forms[-1])
    assert "They are due now." in client.get(answer.headers["location"]).text
    assert store.deliveries.list_newest()[0][1].state is DeliveryState.PENDING
    again = client.post("/messages/retry", data={**forms[0], "message": "99"})
    assert "Nothing had failed" in client.get(again.headers["location"]).text
    for message in ("x", str(2**31)):  # PostgreSQL refuses the last one
        assert client.post("/messages/retry", data={**forms[0], "message": message}).status_code == 400


def test_page_says_why_somebody_was_not_notified(client: httpx.Client, save: SaveArticle, store: Store) -> None:
    save("1")
    (event,) = store.events.list_by_article("mfa:1:ru")
    told = Notification(
        subscription="press",
        event_id=event.id,
        article_id=event.article_id,
        decision=Decision.SKIP,
        reason="no rule of it matches",
        message_id=None,
        decided_at=NOW,
    )
    store.events.save_decisions([event.id], [told], NOW)
    html = client.get("/explain/mfa:1:ru").text
    assert "Not notified" in html
    assert "no rule of it matches" in html
    assert 'href="/explain/mfa:1:ru"' in client.get("/articles/mfa:1:ru").text
    save("2", "Погода.")
    assert "No rule finds anything in it" in client.get("/explain/mfa:2:ru").text
    assert client.get("/explain/mfa:9:ru").status_code == 404


def test_source_is_paused_and_resumed(client: httpx.Client, save: SaveArticle, store: Store) -> None:
    save("1", published_at=NOW - timedelta(days=1))
    html = client.get("/sources").text
    assert re.search(r'<div class="spark"><svg[^>]*aria-label="1 article in 26 weeks"', html)
    assert "style=" not in html
    form = next(form for form in read_forms(html, "/sources/pause") if form["source"] == "mfa")
    client.post("/sources/pause", data={**form, "do": "pause"})
    assert store.schedules.get("mfa").paused  # type: ignore[union-attr]
    html = client.get("/sources").text
    assert "Paused" in html
    client.post("/sources/pause", data={**form, "do": "resume"})
    assert not store.schedules.get("mfa").paused  # type: ignore[union-attr]
    for change in ({"source": "nobody", "do": "pause"}, {"do": "stop"}):
        assert client.post("/sources/pause", data={**form, **change}).status_code == 400


def test_colours_are_kept_by_a_cookie(client: httpx.Client) -> None:
    assert '<html lang="en">' in client.get("/").text
    assert '<html lang="en" class="dark">' in client.get("/?theme=dark").text
    assert 'class="dark"' in client.get("/sources").text
    assert '<html lang="en">' in client.get("/sources?theme=system").text
    assert '<html lang="en">' in client.get("/?theme=odd").text


def test_keys_can_be_switched_off(client: httpx.Client) -> None:
    assert re.search(r'<script src="/static/keys.js\?v=\w+" defer></script>', client.get("/").text)
    html = client.get("/?shortcuts=off").text
    assert "<script" not in html
    assert "The keys are off in this browser." in client.get("/sources").text
    assert client.get("/static/keys.js").headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("counts", [[], [0, 0], [1, 4, 2]])
def test_bars_fit_their_picture(counts: list[int]) -> None:
    chart = make_bar_chart([str(number) for number in range(len(counts))], counts)
    assert chart.total == sum(counts)
    for bar in chart.bars:
        assert 0 <= bar.y <= CHART_HEIGHT
        assert bar.y + bar.height == CHART_HEIGHT
        assert bar.x < chart.width
