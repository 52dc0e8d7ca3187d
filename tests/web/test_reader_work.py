"""What a reader does on the pages: marks, notes, undo; and forms that are refused."""

from __future__ import annotations

import re
from html import unescape
from importlib import resources
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import httpx
import pytest
from support.newsroom_articles import NOW, TEXT, SaveArticle
from support.newsroom_users import add_user, open_browser, start_session

from crawler.items import Article, Verdict
from crawler.roles import Role
from crawler.store import Store
from crawler.store.reader_actions import ActionKind, ArticleAtVersion
from crawler.web.forms import parse_form
from crawler.web.newsroom import Newsroom


def read_form(html: str, action: str = "/actions") -> dict[str, list[str]]:
    """Return the hidden fields of the first form with this action."""
    form = re.search(rf'<form[^>]*action="{action}".*?</form>', html, re.DOTALL)
    assert form is not None
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[0]):
        fields.setdefault(name, []).append(unescape(value))
    return fields


def send(client: httpx.Client, path: str, do: str, **more: str) -> httpx.Response:
    """Press a button of the first form of a page. Return the page that follows."""
    fields = read_form(client.get(path).text)
    answer = client.post("/actions", data={**fields, "do": do, **more})
    assert answer.status_code == 303, answer.text
    return client.get(answer.headers["location"])


def undo(client: httpx.Client, page: httpx.Response) -> httpx.Response:
    answer = client.post("/undo", data=read_form(page.text, "/undo"))
    assert answer.status_code == 303
    return client.get(answer.headers["location"])


def test_seen_and_undo(client: httpx.Client, save: SaveArticle) -> None:
    save("1")
    assert '<article class="story unseen"' in client.get("/").text
    page = send(client, "/?status=unseen", "seen")
    assert page.url.params["status"] == "unseen"
    assert "Marked as seen." in page.text
    assert "No stored story" in page.text
    assert "unseen" not in re.findall(r'<article class="([^"]*)"', client.get("/").text)[0]
    page = undo(client, page)
    assert "Undone." in page.text
    assert '<article class="story unseen"' in page.text


def test_each_browser_has_its_own_form_in_a_row_that_was_drawn_before(
    client: httpx.Client, address: str, save: SaveArticle
) -> None:
    save("1")
    own = read_form(client.get("/?language=ru").text)
    with httpx.Client(base_url=address, timeout=120, verify=False) as other:
        html = other.get("/", headers={"accept-language": "en"}).text
    assert "<!--" not in html
    others = read_form(html)
    assert own["token"] != others["token"]
    assert (own["back"], others["back"]) == (["/?language=ru"], ["/"])
    assert own["article"] == others["article"]


def test_row_that_was_drawn_before_has_the_new_name_of_its_rule(
    newsroom: Newsroom, client: httpx.Client, save: SaveArticle, tmp_path: Path
) -> None:
    save("1")
    assert "Red Cross and Red Crescent Movement" in client.get("/").text
    rules = tmp_path / "rules.toml"
    shipped = resources.files("crawler.defaults").joinpath("rules.toml").read_text(encoding="utf-8")
    rules.write_text(shipped.replace("Red Cross and Red Crescent Movement", "The Movement"), encoding="utf-8")
    newsroom.config = newsroom.config.model_copy(update={"rules": rules})
    newsroom.reload()
    row = re.search(r'<article class="story.*?</article>', client.get("/").text, re.DOTALL)
    assert row is not None
    assert "The Movement" in row[0]


def test_new_version_makes_a_story_unseen_again(client: httpx.Client, save: SaveArticle) -> None:
    first = save("1")
    send(client, "/", "seen")
    assert '<article class="story"' in client.get("/").text
    save("1", TEXT.replace("Астану", "Алматы"), version=2, verdict=Verdict.REVISED, title=first.title)
    assert '<article class="story unseen"' in client.get("/").text


def test_version_that_came_after_the_page_is_not_marked(client: httpx.Client, save: SaveArticle) -> None:
    first = save("1")
    fields = read_form(client.get("/").text)
    save("1", TEXT.replace("Астану", "Алматы"), version=2, verdict=Verdict.REVISED, title=first.title)
    client.post("/actions", data={**fields, "do": "seen"})
    assert '<article class="story unseen"' in client.get("/").text


def test_important_and_false_alarm(client: httpx.Client, save: SaveArticle) -> None:
    save("1")
    page = send(client, "/articles/mfa:1:ru", "important")
    assert 'value="ordinary" aria-pressed="true"' in page.text
    assert "Заголовок 1" in client.get("/?status=important").text
    page = send(client, "/", "false_alarm")
    assert "Marked as a false alarm." in page.text
    assert "Заголовок 1" not in client.get("/").text
    marked = client.get("/?status=false_alarm").text
    assert "Заголовок 1" in marked
    assert ">Not a false alarm</button>" in marked
    assert "Заголовок 1" in undo(client, page).text


def test_note_is_kept_with_who_and_when(client: httpx.Client, save: SaveArticle) -> None:
    save("1")
    page = send(client, "/articles/mfa:1:ru", "note", note="Спросить <b>пресс-службу</b>.\nДо 19:00.")
    assert page.url.fragment == "" or page.url.fragment == "notes"
    assert "Спросить &lt;b&gt;пресс-службу&lt;/b&gt;.\nДо 19:00." in page.text
    assert re.search(r"local, <time", page.text)
    assert "Спросить" in client.get("/").text
    assert "Спросить" not in undo(client, page).text


def test_empty_note_is_none(client: httpx.Client, save: SaveArticle, store: Store) -> None:
    save("1")
    send(client, "/articles/mfa:1:ru", "note", note="  \n ")
    assert store.reader_actions.list_by_articles(["mfa:1:ru"]) == []


def test_note_of_a_double_click_is_added_once(client: httpx.Client, save: SaveArticle, store: Store) -> None:
    save("1")
    first, second = (send(client, "/articles/mfa:1:ru", "note", note="Ask Timur.") for _ in range(2))
    assert first.url == second.url
    assert "Note added." in second.text
    send(client, "/articles/mfa:1:ru", "note", note="Ask Dana.")
    notes = [each.note for each in store.reader_actions.list_by_articles(["mfa:1:ru"])]
    assert notes == ["Ask Timur.", "Ask Dana."]
    undo(client, second)
    send(client, "/articles/mfa:1:ru", "note", note="Ask Timur.")
    assert len(store.reader_actions.list_by_articles(["mfa:1:ru"])) == 2


def test_who_did_what_is_listed(client: httpx.Client, save: SaveArticle) -> None:
    save("1")
    send(client, "/articles/mfa:1:ru", "important")
    html = client.get("/articles/mfa:1:ru").text
    assert re.search(r"<li><time [^>]*>[^<]*</time>: Marked as important, local</li>", html)


@pytest.mark.slow
def test_undo_of_what_was_never_done_is_no_success(client: httpx.Client, save: SaveArticle) -> None:
    save("1")
    page = send(client, "/articles/mfa:1:ru", "seen")
    fields = read_form(page.text, "/undo")
    assert client.post("/undo", data={**fields, "batch": "999"}).status_code == 404


def test_nobody_sees_what_others_have_seen(address: str, save: SaveArticle, store: Store) -> None:
    save("1")
    about = [ArticleAtVersion("mfa:1:ru", 1)]
    for name in ("dana", "timur"):
        add_user(store, name, Role.READER)
        store.reader_actions.record(about, ActionKind.SEEN, by=name, at=NOW)
    with open_browser(address, start_session(store, "dana")) as client:
        html = client.get("/articles/mfa:1:ru").text
    assert "Marked as seen, dana" in html
    assert "timur" not in html


def test_action_on_a_story_is_one_action(client: httpx.Client, save: SaveArticle, store: Store) -> None:
    body = TEXT + " Новый учебный курс откроется осенью для военных врачей."
    save("1", body)
    save("1", body, source="ktkz")
    store.clusters.assign_pending(NOW.tzinfo)
    number = store.stories.get_id_by_article("mfa:1:ru")
    page = send(client, f"/stories/{number}", "seen")
    marks = store.reader_actions.get_marks(["mfa:1:ru", "ktkz:1:ru"], "local")
    assert {each.seen_version for each in marks.values()} == {1}
    undo(client, page)
    marks = store.reader_actions.get_marks(["mfa:1:ru", "ktkz:1:ru"], "local")
    assert {each.seen_version for each in marks.values()} == {0}


@pytest.mark.parametrize("path", ["/actions", "/undo"])
def test_foreign_form_is_refused(client: httpx.Client, revised: Article, store: Store, path: str) -> None:
    fields = {**read_form(client.get("/").text), "do": "seen", "batch": "1"}
    for change, headers in (
        ({"token": "0" * 64}, {}),
        ({"token": ""}, {}),
        ({}, {"origin": "http://evil.example"}),
        ({}, {"origin": "null"}),
        ({}, {"sec-fetch-site": "cross-site"}),
        ({}, {"cookie": "visitor=other"}),
    ):
        answer = client.post(path, data={**fields, **change}, headers=headers)
        assert answer.status_code == 403, (change, headers)
        assert "Open the page again." in answer.text
    assert store.reader_actions.list_by_articles([revised.id]) == []


@pytest.mark.parametrize(
    "change",
    [{"do": "delete"}, {"article": "mfa:1:ru"}, {"article": "~1"}, {"article": "mfa:1:ru~-1"}, {"article": []}],
)
def test_form_that_no_page_has(client: httpx.Client, revised: Article, change: dict[str, object]) -> None:
    fields = {**read_form(client.get("/").text), "do": "seen", **change}
    assert client.post("/actions", data=fields).status_code == 400


def test_nul_in_a_form_is_a_letter_that_cannot_be_read() -> None:
    form = parse_form("application/x-www-form-urlencoded", b"note=a%00b\0c&name=%2500")
    assert form.get_first("note") == "a\ufffdb\ufffdc"
    assert form.get_first("name") == "%00"


def test_other_bodies_and_articles_that_are_not_stored(client: httpx.Client, revised: Article) -> None:
    fields = {**read_form(client.get("/").text), "do": "seen"}
    assert client.post("/actions", json=fields).status_code == 400
    assert client.post("/actions", data={**fields, "article": "mfa:77:ru~1"}).status_code == 404
    for batch in ("x", "-1", str(2**31)):  # PostgreSQL refuses the last one
        assert client.post("/undo", data={**fields, "batch": batch}).status_code == 400
    assert client.post("/", data=fields).status_code == 405
    assert client.get("/actions").status_code == 405


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/x\r\nSet-Cookie: a=b"],
)
@pytest.mark.slow
def test_form_returns_to_this_server_only(client: httpx.Client, revised: Article, back: str) -> None:
    fields = {**read_form(client.get("/").text), "do": "seen", "back": back, "anchor": "x\r\ny"}
    answer = client.post("/actions", data=fields)
    assert re.fullmatch(r"/\?done=\d+", answer.headers["location"])
    assert "a=b" not in str(answer.headers)


@pytest.mark.parametrize("native_id", ["news/view?id=12", "%D0%BD%D0%BE%D0%B2/1", "a/b+c&d=e~f.html"])
def test_article_whose_id_is_a_path_keeps_its_place(client: httpx.Client, save: SaveArticle, native_id: str) -> None:
    save(native_id)
    path = f"/articles/{quote(f'mfa:{native_id}:ru', safe=':')}"
    html = client.get(path).text
    for other in re.findall(r'href="(/[^"]*[?&](?:amp;)?(?:lang|theme)=\w+)"', html):
        assert client.get(unescape(other)).status_code == 200, other
    assert send(client, path, "seen").status_code == 200
    answer = client.post("/actions", data={**read_form(client.get("/").text), "do": "unseen"})
    assert unquote(urlsplit(answer.headers["location"]).fragment) == f"a-mfa:{native_id}:ru"


def test_action_of_another_reader_cannot_be_undone_by_an_address(
    client: httpx.Client, revised: Article, store: Store
) -> None:
    from crawler.store.reader_actions import ArticleAtVersion

    batch = store.reader_actions.record([ArticleAtVersion(revised.id, 2)], ActionKind.SEEN, by="timur", at=NOW)
    assert 'action="/undo"' not in client.get(f"/?done={batch}").text
    assert 'action="/undo"' not in client.get("/?done=99").text
    assert client.get("/?done=x").status_code == 200


def test_session_cookie_is_out_of_reach(client: httpx.Client) -> None:
    cookie = client.get("/").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_counts_follow_an_action_at_once(client: httpx.Client, save: SaveArticle) -> None:
    save("1")

    def read_count(label: str) -> str:
        found = re.search(rf"<span>{label}</span><span>(\d+)</span>", client.get("/").text)
        assert found is not None
        return found[1]

    assert read_count("Unseen") == "1"
    page = send(client, "/", "seen")
    assert read_count("Unseen") == "0"
    undo(client, page)
    assert read_count("Unseen") == "1"


@pytest.mark.slow
def test_story_is_assigned_to_a_person(address: str, store: Store, save: SaveArticle) -> None:
    save("1")
    for name, role in (("dana", Role.OWNER), ("timur", Role.ANALYST), ("aigul", Role.READER)):
        add_user(store, name, role)
    with open_browser(address, start_session(store, "timur")) as client:
        page = client.get("/articles/mfa:1:ru").text
        assert '<option value="aigul">aigul</option>' in page
        done = send(client, "/articles/mfa:1:ru", "assigned", assignee="dana")
        assert "Assigned." in done.text
        assert "Assigned to dana" in client.get("/").text
        assert "No stored story" in client.get("/?status=assigned").text
        unknown = client.post("/actions", data={**read_form(page), "do": "assigned", "assignee": "nobody-here"})
        assert unknown.status_code == 404
        with open_browser(address, start_session(store, "dana")) as other:
            assert "Assigned: <bdi>dana</bdi>, timur" in other.get("/articles/mfa:1:ru").text
            assert 'id="a-mfa:1:ru"' in other.get("/?status=assigned").text
        assert "nobody so far" in undo(client, done).text
        send(client, "/articles/mfa:1:ru", "assigned", assignee="timur")
        assert "No longer assigned." in send(client, "/articles/mfa:1:ru", "assigned", assignee="").text
    with open_browser(address, start_session(store, "aigul")) as reader:
        page = reader.get("/articles/mfa:1:ru").text
        assert 'name="assignee"' not in page
        assert (
            reader.post("/actions", data={**read_form(page), "do": "assigned", "assignee": "aigul"}).status_code == 403
        )
