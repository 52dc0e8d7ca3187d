"""The page of a search: hits, the query as it was understood, filters, and the search as a rule with a subscription."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
from support.newsroom_articles import NOW, TEXT, SaveArticle
from support.newsroom_server import run_newsroom

from crawler.config import load_config
from crawler.items import Article
from crawler.store import Store
from crawler.web.newsroom import Newsroom
from crawler.web.pages import search

OFFICE = """# The office's file
[channels]
desk = "mailto://user:secret@example.org"  # Aigul

[subscriptions.morning]
channels = ["desk"]
when = "daily 08:30"
"""


@pytest.fixture
def config_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CRAWLER_DATA_DIR", str(tmp_path))
    path = tmp_path / "crawler.toml"
    path.write_text(OFFICE, encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def editor(config_path: Path, store: Store) -> Iterator[httpx.Client]:
    """The pages over a configuration that they may change."""
    newsroom = Newsroom(config=load_config(config_path), store=store)
    with run_newsroom(newsroom) as address, httpx.Client(base_url=address, timeout=120, verify=False) as client:
        yield client


def get(client: httpx.Client, **parameters: str) -> str:
    response = client.get("/search", params=parameters)
    assert response.status_code == 200, response.text[:500]
    return response.text


def read_save_form(html: str) -> dict[str, str]:
    form = html.split('action="/search/save"')[1].split("</form>")[0]
    fields = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', form))
    return {name: unescape(value) for name, value in fields.items()}


def test_page_without_a_query_explains_the_grammar(client: httpx.Client) -> None:
    html = get(client)
    assert "How to search" in html
    assert "near/5" in html


def test_hits_show_marks_version_and_story(client: httpx.Client, revised: Article) -> None:
    html = get(client, q="делегации Алматы")
    assert "<mark>Делегация</mark>" in html
    assert "1 article" in html
    assert "In version 2 of 2" in html
    assert f"/articles/{revised.id}?version=2&amp;q=" in html


def test_words_of_a_former_version_are_found(client: httpx.Client, revised: Article) -> None:
    html = get(client, q="Астана")
    assert "No longer in the text" in html
    assert "In version 1 of 2" in html
    assert "No stored text has this" in get(client, q="Астана", state="current")


def test_query_is_shown_as_it_was_understood(client: httpx.Client, save: SaveArticle) -> None:
    save("1")
    assert "Searched as:" not in get(client, q="Делегация МККК")
    html = get(client, q='("Делегация МККК"')
    assert "Searched as:" in html
    assert "(&#34;Делегация МККК&#34;)" in html
    assert "source:nobody" in get(client, q="МККК source:nobody")
    assert "No stored text has this" in get(client, q="жираф")


def test_filters_are_in_the_address(client: httpx.Client, save: SaveArticle) -> None:
    save("1")
    save("2", source="ktkz", title="Другой")
    html = get(client, q="МККК", source="ktkz")
    assert "Другой" in html
    assert "Заголовок 1" not in html
    assert 'href="/search?q=%D0%9C%D0%9A%D0%9A%D0%9A"' in html  # a second click removes the filter
    html = get(client, q="МККК", language="kk")
    assert "No stored text has this" in html
    assert '<p class="only"><span>Only:</span> <a href="/search?q=%D0%9C%D0%9A%D0%9A%D0%9A"><b>Kazakh</b>' in html
    assert "Search without filters" in get(client, q="МККК", language="kk")


def test_relevance_says_among_how_many(client: httpx.Client, save: SaveArticle) -> None:
    save("1")
    assert "Sorted among the newest 10,000 versions" in get(client, q="МККК", sort="relevance")


@pytest.mark.parametrize("query", ["sort=odd", "state=odd", "since=1h", "language=xx", "page=0", "page=999", "page=x"])
def test_address_that_no_page_wrote(client: httpx.Client, query: str) -> None:
    assert client.get(f"/search?q=x&{query}").status_code == 400


def test_pages_of_hits_have_no_gap(client: httpx.Client, save: SaveArticle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "HITS_PER_PAGE", 3)
    for number in range(8):
        save(str(number), published_at=NOW - timedelta(hours=number))
    seen, path = [], "/search?q=%D0%9C%D0%9A%D0%9A%D0%9A"
    while path:
        html = client.get(path).text
        seen += re.findall(r"Заголовок \d", html)
        following = re.search(r'<a href="([^"]*)" rel="next">', html)
        path = unescape(following[1]) if following else ""
    assert seen == [f"Заголовок {number}" for number in range(8)]


def test_long_and_odd_queries_are_answered(client: httpx.Client, save: SaveArticle) -> None:
    save("1")
    for query in ("x" * 5000, "((((", "-", "\x00", '" near/5', "<script>", "since:9999-99-99", "story:1 is:revised"):
        assert client.get("/search", params={"q": query}).status_code == 200, query


def test_articles_of_a_story(client: httpx.Client, save: SaveArticle, store: Store) -> None:
    body = f"{TEXT} Новый учебный курс откроется осенью для военных врачей."
    save("1", body)
    save("1", body, source="ktkz")
    save("2", "Погода в Астане хорошая.")
    store.clusters.assign_pending(NOW.tzinfo)
    assert "2 articles" in get(client, q=f"story:{store.stories.get_id_by_article('mfa:1:ru')}")


def test_search_is_saved_as_rule_and_subscription(
    editor: httpx.Client, config_path: Path, save: SaveArticle, tmp_path: Path
) -> None:
    save("1")
    form = read_save_form(get(editor, q="Женева OR МККК", source="mfa"))
    assert form["name"] == "jeneva-or-mkkk"
    answer = editor.post("/search/save", data={**form, "name": "geneva", "channel": "desk", "when": "hourly"})
    assert answer.status_code == 303
    assert "Rule geneva is in force" in editor.get(answer.headers["location"]).text
    text = config_path.read_text(encoding="utf-8")
    assert "# The office's file" in text
    assert "# Aigul" in text
    written = tomllib.loads(text)
    assert written["subscriptions"]["geneva"]["rules"] == ["geneva"]
    assert written["subscriptions"]["geneva"]["when"] == "hourly"
    rules = tomllib.loads((tmp_path / "rules.toml").read_text(encoding="utf-8"))
    assert rules["include"] == "shipped"
    assert rules["rule"] == [{"name": "geneva", "query": "Женева OR МККК", "sources": ["mfa"]}]
    assert (tmp_path / "crawler.toml.previous").read_text(encoding="utf-8") == OFFICE
    assert (tmp_path / "crawler.toml.previous").stat().st_mode & 0o777 == 0o600
    assert "geneva" in editor.get("/").text  # the rule is in the filters at once


def test_saved_search_has_a_name_made_of_what_is_typed_and_says_who_is_subscribed(
    editor: httpx.Client, config_path: Path, save: SaveArticle
) -> None:
    save("1")
    form = read_save_form(get(editor, q="Женева"))
    answer = editor.post(
        "/search/save", data={**form, "name": " Red Cross news! ", "channel": "desk", "when": "hourly"}
    )
    html = editor.get(answer.headers["location"]).text
    assert "Rule red-cross-news is in force" in html
    assert "You are subscribed: every hour, by the channel desk." in html
    assert 'href="/subscriptions#s-red-cross-news"' in html
    form = read_save_form(get(editor, q="Женева"))
    html = editor.post("/search/save", data={**form, "name": "…", "channel": "desk"}).text
    assert "The name needs a Latin or Cyrillic letter or a digit." in html
    answer = editor.post("/search/save", data={**form, "name": "Новости Женевы", "channel": ""})
    html = editor.get(answer.headers["location"]).text
    assert "Rule novosti-jenevy is in force" in html
    assert "You are subscribed" not in html


def test_search_for_a_term_of_a_rule_names_the_rule_that_has_other_languages(
    client: httpx.Client, save: SaveArticle
) -> None:
    save("1")
    html = get(client, q="red cross")
    assert "These words are found in their own language only." in html
    assert "/search?q=rule:red-cross-movement" in html
    assert "own language only" not in get(client, q="Астана")


def test_second_rule_goes_into_the_same_file(editor: httpx.Client, save: SaveArticle, tmp_path: Path) -> None:
    save("1")
    for name in ("first", "second"):
        form = read_save_form(get(editor, q="Женева"))
        assert editor.post("/search/save", data={**form, "name": name, "channel": ""}).status_code == 303
    rules = tomllib.loads((tmp_path / "rules.toml").read_text(encoding="utf-8"))
    assert [rule["name"] for rule in rules["rule"]] == ["first", "second"]
    assert "second" not in (tmp_path / "rules.toml.previous").read_text(encoding="utf-8")


def test_file_that_changed_meanwhile_is_not_overwritten(
    editor: httpx.Client, config_path: Path, save: SaveArticle, tmp_path: Path
) -> None:
    save("1")
    form = read_save_form(get(editor, q="Женева"))
    config_path.write_text(f"{OFFICE}# changed\n", encoding="utf-8")
    answer = editor.post("/search/save", data={**form, "channel": "desk", "when": "realtime"})
    assert answer.status_code == 409
    assert "was changed meanwhile" in answer.text
    assert not (tmp_path / "rules.toml").exists()
    assert config_path.read_text(encoding="utf-8") == f"{OFFICE}# changed\n"


@pytest.mark.parametrize(
    ("path", "words"), [("/search", {"q": "Женева"}), ("/rule-draft", {"name": "x", "query": "x"})]
)
def test_unused_rules_file_stops_only_what_would_write_it(
    editor: httpx.Client, save: SaveArticle, tmp_path: Path, path: str, words: dict[str, str]
) -> None:
    save("1")
    (tmp_path / "rules.toml").write_text("version = 1\n", encoding="utf-8")
    answer = editor.get(path, params=words)
    assert answer.status_code == 200
    assert "crawler.toml does not name it" in answer.text
    assert "config_mark" not in answer.text


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "!"}, 422),
        ({"name": "morning"}, 422),
        ({"name": "ihl"}, 422),
        ({"q": "is:revised"}, 422),
        ({"channel": "other"}, 400),
        ({"when": "yearly"}, 400),
        ({"token": ""}, 403),
    ],
)
def test_save_that_makes_no_sense_writes_nothing(
    editor: httpx.Client, config_path: Path, save: SaveArticle, tmp_path: Path, change: dict[str, str], status: int
) -> None:
    save("1")
    form = {**read_save_form(get(editor, q="Женева")), "channel": "desk", "when": "realtime"}
    assert editor.post("/search/save", data={**form, **change}).status_code == status
    assert config_path.read_text(encoding="utf-8") == OFFICE
    assert not (tmp_path / "rules.toml").exists()


def test_without_a_file_nothing_can_be_saved(client: httpx.Client, save: SaveArticle) -> None:
    save("1", TEXT)
    assert "/search/save" not in get(client, q="МККК")
    assert client.post("/search/save", data={"q": "x"}).status_code == 403
