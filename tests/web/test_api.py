"""The API over a real store and a loopback port: lists, texts, errors, conditional requests, writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from support.newsroom_articles import NOW, TEXT, SaveArticle

from crawler.items import Article, Health, Problem, Run, Verdict
from crawler.store import Store
from crawler.web.api.parameters import MAX_PER_PAGE, format_cursor
from crawler.web.security import MAX_REQUEST_BYTES

HOUR = timedelta(hours=1)
LONG_TEXT = " ".join(f"Предложение {number} о работе министерства." for number in range(40))


@pytest.fixture
def api(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{address}/api/v1", timeout=120, verify=False) as opened:
        yield opened


def get(api: httpx.Client, path: str, **parameters: Any) -> Any:
    response = api.get(path, params=parameters)
    assert response.status_code == 200, response.text[:500]
    assert response.headers["content-type"] == "application/json"
    return response.json()


def list_all(api: httpx.Client, path: str, **parameters: Any) -> list[Any]:
    """Return the items of every page of a list."""
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = get(api, path, **parameters, **cursor)
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


def test_list_of_articles_has_columns_but_no_text(api: httpx.Client, save: SaveArticle) -> None:
    save("1", published_at=NOW - HOUR)
    (item,) = get(api, "/articles")["items"]
    assert item["id"] == "mfa:1:ru"
    assert item["headline"] == "Заголовок 1"
    assert item["rules"] == ["red-cross-movement"]
    assert item["published_at"] == f"{NOW - HOUR:%Y-%m-%dT%H:%M:%SZ}"
    assert "Делегация" not in str(item)


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_cursor_leads_through_the_whole_list_once(api: httpx.Client, save: SaveArticle, limit: int) -> None:
    for number in range(5):
        save(f"{number}", published_at=NOW - HOUR / 6 * (number // 2))  # two at the same time
    ids = [item["id"] for item in list_all(api, "/articles", limit=limit)]
    assert ids == ["mfa:1:ru", "mfa:0:ru", "mfa:3:ru", "mfa:2:ru", "mfa:4:ru"]
    assert [item["article"] for item in list_all(api, "/stories", limit=limit)] == ids


def test_articles_are_selected_by_filters(api: httpx.Client, save: SaveArticle) -> None:
    save("1", published_at=NOW - 2 * HOUR)
    save("2", source="ktkz", language="kk", rule="ihl", published_at=NOW)
    save("3", "Погода хорошая.", published_at=NOW - HOUR)

    def list_ids(**parameters: Any) -> set[str]:
        return {item["id"] for item in get(api, "/articles", **parameters)["items"]}

    assert list_ids() == {"mfa:1:ru", "ktkz:2:kk"}
    assert list_ids(match="none") == {"mfa:3:ru"}
    assert list_ids(match="any") == {"mfa:1:ru", "ktkz:2:kk", "mfa:3:ru"}
    assert list_ids(source="ktkz") == list_ids(language="kk") == list_ids(rule="ihl") == {"ktkz:2:kk"}
    assert list_ids(since=(NOW - HOUR).isoformat()) == {"ktkz:2:kk"}
    assert list_ids(until=(NOW - HOUR).isoformat()) == {"mfa:1:ru"}
    assert list_ids(verdict="revised") == set()


def test_headline_from_the_text_is_in_no_list(api: httpx.Client, save: SaveArticle) -> None:
    save("1", title=None)
    assert get(api, "/articles")["items"][0]["headline"] is None
    assert get(api, "/stories")["items"][0]["headline"] is None


def test_text_of_an_article_is_within_its_rights(api: httpx.Client, save: SaveArticle) -> None:
    body = f"{TEXT} {LONG_TEXT}"
    save("1", body)
    found = get(api, "/articles/mfa:1:ru")
    shown = sum(len(piece["text"]) for piece in found["excerpt"])
    share = found["credit"]["allowed_share"]
    assert 0 < shown <= share * len(body) + 4
    assert not found["excerpt_whole"]
    first = found["excerpt"][0]
    assert [first["text"][start:end] for start, end in first["marks"]] == ["МККК"]
    assert found["matches"][0]["surface"] == "МККК"


def test_versions_and_what_they_changed(api: httpx.Client, revised: Article) -> None:
    page = get(api, f"/articles/{revised.id}/versions")
    assert [(each["version"], each["verdict"]) for each in page["items"]] == [(2, "revised"), (1, "new")]
    assert get(api, f"/articles/{revised.id}/versions/1")["version"] == 1
    diff = get(api, f"/articles/{revised.id}/versions/2/diff")
    assert (diff["base_version"], diff["version"]) == (1, 2)
    assert diff["severity"] == "substantive"
    assert {"kind": "names", "old": "Астану", "new": "Алматы"} in diff["edits"][0]["claims"]
    assert get(api, f"/articles/{revised.id}/versions/2/diff", base=1) == diff


def test_story_has_its_articles(api: httpx.Client, store: Store, save: SaveArticle) -> None:
    from crawler.text.dates import load_time_zone

    save("1", published_at=NOW - HOUR)
    save("2", source="ktkz", published_at=NOW, verdict=Verdict.COPY)
    store.clusters.assign_pending(load_time_zone("Asia/Almaty"))
    (item,) = get(api, "/stories")["items"]
    assert {each["id"] for each in item["articles"]} == {"mfa:1:ru", "ktkz:2:ru"}
    story = get(api, f"/stories/{item['id']}")
    assert [each["id"] for each in story["articles"]] == ["mfa:1:ru", "ktkz:2:ru"]
    assert story["article_count"] == 2


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_search_finds_each_article_once(api: httpx.Client, save: SaveArticle, limit: int) -> None:
    for number in range(3):
        first = save(f"{number}", published_at=NOW)  # all in the same minute
        save(f"{number}", f"{TEXT} Ещё раз.", version=2, verdict=Verdict.REVISED, title=first.title, published_at=NOW)
    found = list_all(api, "/search", q="делегации", limit=limit)
    assert len(found) == 3
    assert {hit["article"]["id"] for hit in found} == {"mfa:0:ru", "mfa:1:ru", "mfa:2:ru"}
    assert all(hit["versions"] == [1, 2] and hit["is_current"] for hit in found)
    assert get(api, "/search", q="делегации", sort="relevance", limit=1)["next"] is None
    assert get(api, "/search", q="делегации", source="ktkz")["items"] == []


def test_rules_sources_and_runs(api: httpx.Client, store: Store, save: SaveArticle) -> None:
    save("1")
    run = store.runs.record_start(Run(source="mfa", started_at=NOW))
    problem = Problem(kind="Unreachable", message="HTTP 504", exit_code=10, url="https://x.example")
    ended = {"finished_at": NOW, "health": Health.DEGRADED, "reason": "One page.", "exit_code": 14}
    store.runs.record_end(Run(id=run.id, source="mfa", started_at=NOW, problems=(problem,), **ended))  # type: ignore[arg-type]
    rules = {each["name"]: each for each in get(api, "/rules")["items"]}
    assert rules["red-cross-movement"]["story_count"] == 1
    assert rules["red-cross-movement"]["titles"]["en"].startswith("Red Cross")
    sources = {each["name"]: each for each in get(api, "/sources")["items"]}
    assert sources["mfa"]["health"] == "degraded"
    assert get(api, "/sources/mfa") == sources["mfa"]
    (item,) = get(api, "/runs", source="mfa")["items"]
    assert (item["id"], item["problem_count"]) == (run.id, 1)
    assert get(api, f"/runs/{run.id}")["problems"] == [
        {"kind": "Unreachable", "message": "HTTP 504", "url": "https://x.example"}
    ]
    assert get(api, "/runs", source="ktkz")["items"] == []


def test_messages_name_channels_but_no_addresses(api: httpx.Client, store: Store) -> None:
    for number in range(3):
        store.messages.add(
            key=str(number), subscription="press", kind="alert", channels=["mail", "chat"], created_at=NOW, due_at=NOW
        )
    found = list_all(api, "/messages", limit=2)
    assert [len(each["deliveries"]) for each in found] == [2, 2, 2]
    assert found[0]["deliveries"][0]["channel"] == "chat"
    assert get(api, f"/messages/{found[0]['id']}") == found[0]
    assert get(api, "/messages", failed=True)["items"] == []


def test_note_is_written_listed_and_undone(api: httpx.Client, save: SaveArticle) -> None:
    save("1")
    target = [{"id": "mfa:1:ru", "version": 1}]
    written = api.post("/actions", json={"kind": "note", "articles": target, "note": " Спросить МККК "})
    assert written.status_code == 201
    (item,) = get(api, "/actions", kind="note")["items"]
    assert (item["note"], item["made_by"], item["batch"]) == ("Спросить МККК", "local", written.json()["batch"])
    assert api.delete(f"/actions/{item['batch']}").status_code == 204
    assert get(api, "/actions")["items"] == []


def test_seen_mark_changes_the_list(api: httpx.Client, save: SaveArticle) -> None:
    save("1")
    assert len(get(api, "/stories", status="unseen")["items"]) == 1
    target = [{"id": "mfa:1:ru", "version": 1}]
    assert api.post("/actions", json={"kind": "seen", "articles": target}).status_code == 201
    assert get(api, "/stories", status="unseen")["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'"\\ud800"',
        b'{"kind": "note", "articles": [{"id": "mfa:1:ru", "version": 1}]}',
        b'{"kind": "seen", "note": "x", "articles": [{"id": "mfa:1:ru", "version": 1}]}',
        b'{"kind": "seen", "articles": []}',
        b'{"kind": "\xff"}',
        b'{"kind": "odd", "articles": [{"id": "mfa:1:ru", "version": 1}]}',
        b'{"kind": "seen", "articles": [{"id": "a\\u0000", "version": 1}]}',
    ],
)
def test_bad_body_is_a_problem(api: httpx.Client, body: bytes) -> None:
    response = api.post("/actions", content=body, headers={"content-type": "application/json"})
    assert_problem(response, 422)


def test_foreign_page_cannot_write(api: httpx.Client, save: SaveArticle) -> None:
    save("1")
    body = {"kind": "seen", "articles": [{"id": "mfa:1:ru", "version": 1}]}
    assert_problem(api.post("/actions", json=body, headers={"origin": "https://evil.example"}), 403)
    text = api.post("/actions", content=b"{}", headers={"content-type": "text/plain"})
    assert_problem(text, 422)


def assert_problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found["status"] == status
    assert found["type"] == "about:blank"
    assert found["detail"]
    return found


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/../nothing", 404),
        ("/articles/mfa:9:ru", 404),
        ("/articles/mfa:9:ru/versions", 404),
        ("/articles/mfa:9:ru/versions/1", 404),
        ("/articles/mfa:9:ru/versions/2/diff", 404),
        ("/stories/99", 404),
        ("/runs/99", 404),
        ("/messages/99", 404),
        ("/sources/odd", 404),
        ("/stories/0", 422),
        ("/stories/x", 422),
        ("/stories/99999999999999999999", 422),
        ("/articles?limit=0", 422),
        (f"/articles?limit={MAX_PER_PAGE + 1}", 422),
        ("/articles?cursor=odd", 422),
        (f"/articles?cursor={format_cursor('x', 'y')}", 422),
        (f"/articles?cursor={format_cursor(1)}", 422),
        (f"/articles?cursor={format_cursor(datetime(2026, 11, 29, tzinfo=UTC), chr(0xD800))}", 422),
        (f"/runs?cursor={format_cursor(2**70)}", 422),
        *((f"{path}?cursor={format_cursor(2**31)}", 422) for path in ("/runs", "/messages", "/actions")),
        ("/articles?sourse=mfa", 422),
        ("/articles?source=a%00b", 422),
        ("/articles?since=yesterday", 422),
        ("/articles?since=2026-01-01", 422),
        ("/articles?since=0001-01-01T00:00:00%2B23:00", 422),
        ("/articles/a%00b", 422),
        ("/search", 422),
        ("/search?q=x&sort=relevance&cursor=YWJj", 422),
        ("/events?x=1", 200),
    ],
)
def test_error_is_a_problem(api: httpx.Client, path: str, status: int) -> None:
    if status == 200:
        with api.stream("GET", path) as response:
            assert response.status_code == 200
        return
    assert_problem(api.get(path), status)


def test_other_method_and_large_body_are_problems(api: httpx.Client) -> None:
    assert_problem(api.put("/articles"), 405)
    assert_problem(api.post("/actions", content=b"x" * (MAX_REQUEST_BYTES + 1)), 413)
    chunks = (b"x" * MAX_REQUEST_BYTES for _ in range(2))
    headers = {"content-type": "application/json"}
    assert_problem(api.post("/actions", content=chunks, headers=headers), 413)


def test_unchanged_answer_is_not_sent_again(api: httpx.Client, save: SaveArticle) -> None:
    save("1")
    first = api.get("/articles")
    tag = first.headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = api.get("/articles", headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    save("2")
    assert api.get("/articles", headers={"if-none-match": tag}).status_code == 200


def test_document_and_reference_name_every_route(api: httpx.Client, client: httpx.Client) -> None:
    document = get(api, "/openapi.json")
    assert document["openapi"].startswith("3.1")
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert all(each["description"] for each in operations)
    assert {"ETag"} == set(document["paths"]["/articles"]["get"]["responses"]["200"]["headers"])
    assert "application/problem+json" in document["paths"]["/articles"]["get"]["responses"]["422"]["content"]
    html = client.get("/api").text
    assert set(re.findall(r'<h3 id="(\w+)"><code>', html)) == {each["operationId"] for each in operations}
    assert html.count("<script") == html.count("/static/keys.js") == 1


def test_fields_of_a_text_are_those_of_exports() -> None:
    from crawler.publish.export_columns import COLUMNS
    from crawler.web.api.models import ArticleCredit, ArticleText

    other_form = {"words", "weak_words", "change_kinds", "severity", "site_verdict", "attribution", "reference"}
    names = {column.name for column in COLUMNS} - other_form
    assert names <= {*ArticleText.model_fields, *ArticleCredit.model_fields}
