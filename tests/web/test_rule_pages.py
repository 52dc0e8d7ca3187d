"""The pages of rules: what each found, false alarms, and a draft that is tried and put into force."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
from support.newsroom_articles import NOW, SaveArticle
from support.newsroom_server import run_newsroom

from crawler.config import load_config
from crawler.items import Match
from crawler.store import Store
from crawler.store.reader_actions import ActionKind, ArticleAtVersion
from crawler.web.newsroom import Newsroom
from crawler.web.pages import rules

HOUR = timedelta(hours=1)


@pytest.fixture
def editor(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """The pages over a configuration that they may change."""
    monkeypatch.setenv("CRAWLER_DATA_DIR", str(tmp_path))
    path = tmp_path / "crawler.toml"
    path.write_text("# The office's file\n", encoding="utf-8")
    newsroom = Newsroom(config=load_config(path), store=store)
    with run_newsroom(newsroom) as address, httpx.Client(base_url=address, timeout=120, verify=False) as client:
        yield client


def read_sums(html: str) -> list[int]:
    return [int(number) for number in re.findall(r"<dd>(\d+)</dd></div>", html)]


def test_rules_show_their_hits_and_false_alarms(client: httpx.Client, save: SaveArticle, store: Store) -> None:
    save("1", published_at=NOW - HOUR)
    save("2", published_at=NOW - timedelta(days=21))
    store.reader_actions.record([ArticleAtVersion("mfa:2:ru", 1)], ActionKind.FALSE_ALARM, by="local", at=NOW)
    html = client.get("/rules").text
    row = html.split('href="/rules/red-cross-movement"')[1].split("</article>")[0]
    assert 'aria-label="2 articles in 26 weeks"' in row
    assert 'href="/?status=false_alarm&amp;rule=red-cross-movement">1 false alarm' in row
    assert re.search(r'class="axis"><span>\d\d\.\d\d\.\d{4}</span><span>at most \d</span>', row)
    assert "style=" not in html
    own = client.get("/rules/red-cross-movement").text
    assert "The same as numbers" in own
    assert "МККК" in own
    assert client.get("/rules/nothing").status_code == 404


def test_draft_is_tried_on_stored_articles(client: httpx.Client, save: SaveArticle) -> None:
    save("1", published_at=NOW - HOUR)
    save("2", "Посольство открыло выставку в Женеве.", published_at=NOW - 2 * HOUR)
    save("3", "Погода в Астане.", published_at=NOW - 2 * HOUR)
    save("4", "Женева ждёт гостей.", published_at=NOW - timedelta(days=200))
    html = client.get("/rule-draft", params={"name": "geneva", "query": "Женева OR МККК"}).text
    assert read_sums(html) == [2, 2, 1]
    assert "<mark>Женеве</mark>" in html
    html = client.get("/rule-draft", params={"name": "talks", "query": "делегация МККК"}).text
    assert "<mark>Делегация</mark> <mark>МККК</mark>" in html
    assert "It finds nothing" in client.get("/rule-draft", params={"name": "x", "query": "жираф"}).text
    assert "/rule-draft" in client.get("/rules").text


@pytest.mark.parametrize(
    ("name", "query", "words"),
    [
        ("!", "Женева", "The name needs a Latin or Cyrillic letter or a digit."),
        ("中", "Женева", "The name needs a Latin or Cyrillic letter or a digit."),
        ("IHL", "Женева", "There is a rule of this name."),
        ("ihl", "Женева", "There is a rule of this name."),
        ("x", "-Женева", "it only excludes terms"),
        ("x", "is:revised Женева", "can only be used in a search"),
        ("x", "<script>", "It finds nothing"),
    ],
)
def test_draft_that_cannot_be_a_rule(client: httpx.Client, name: str, query: str, words: str) -> None:
    html = client.get("/rule-draft", params={"name": name, "query": query}).text
    assert words in html
    assert "<script>" not in html


def test_draft_is_cut_where_a_reader_would_wait(
    client: httpx.Client, save: SaveArticle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_TRIED_ARTICLES", 2)
    for number in range(4):
        save(str(number), published_at=NOW - HOUR)
    assert "only the newest were tried" in client.get("/rule-draft?name=x&query=%D0%9C%D0%9A%D0%9A%D0%9A").text


def test_owner_puts_a_draft_into_force(editor: httpx.Client, save: SaveArticle, tmp_path: Path) -> None:
    save("1", published_at=NOW - HOUR)
    html = editor.get("/rule-draft", params={"name": "geneva", "query": "Женева OR МККК"}).text
    form = html.split('<form method="post" action="/rule-draft"')[1].split("</form>")[0]
    fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)}
    answer = editor.post("/rule-draft", data=fields)
    assert answer.headers["location"] == "/rules/geneva"
    assert "Женева OR МККК" in editor.get("/rules/geneva").text
    written = tomllib.loads((tmp_path / "rules.toml").read_text(encoding="utf-8"))
    assert [rule["name"] for rule in written["rule"]] == ["geneva"]
    assert editor.post("/rule-draft", data=fields).status_code in (409, 422)
    assert editor.post("/rule-draft", data={**fields, "token": ""}).status_code == 403
    nameless = editor.post("/rule-draft", data={**fields, "name": "…"})
    assert (nameless.status_code, "The name needs a Latin or Cyrillic letter" in nameless.text) == (422, True)


def test_without_a_file_no_draft_is_put_into_force(client: httpx.Client, save: SaveArticle) -> None:
    save("1", published_at=NOW - HOUR)
    assert "Put it into force" not in client.get("/rule-draft?name=x&query=%D0%9C%D0%9A%D0%9A%D0%9A").text


def read_editor(client: httpx.Client, rule: str) -> dict[str, str]:
    """Return the fields of the form that changes a rule, without the ticked sources."""
    html = client.get(f"/rules/{rule}/edit").text
    fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', html)}
    areas = re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>(.*?)</textarea>', html, re.DOTALL)
    kept = {name: fields[name] for name in ("token", "config_mark", "rules_mark", "query")}
    return {**kept, **{name: unescape(value) for name, value in areas}}


def test_owner_changes_a_shipped_rule(editor: httpx.Client, save: SaveArticle, tmp_path: Path) -> None:
    save("1", published_at=datetime.now(UTC) - HOUR)
    save("2", "Посольство открыло выставку в Женеве.", published_at=datetime.now(UTC) - HOUR)
    address = "/rules/red-cross-movement/edit"
    assert f'href="{address}"' in editor.get("/rules/red-cross-movement").text
    fields = read_editor(editor, "red-cross-movement")
    assert "МККК" in fields["terms_ru"].splitlines()
    wanted = {**fields, "terms_ru": f"{fields['terms_ru']}\n  выставка \n", "sources": "mfa"}
    tried = editor.post(address, data={**wanted, "do": "try"}).text
    assert read_sums(tried) == [2, 2, 1]
    assert not (tmp_path / "rules.toml").exists()
    only = {**fields, "terms_en": "", "terms_ru": "выставка", "terms_kk": ""}
    refused = editor.post(address, data={**only, "do": "try"}).text
    assert "rules.toml:" in refused  # a context is for a term that is gone: the file's line is named
    assert editor.post(address, data={**wanted, "do": "save"}).status_code == 303
    text = (tmp_path / "rules.toml").read_text(encoding="utf-8")
    rule = tomllib.loads(text)["rule"][0]
    assert rule["terms"]["ru"][-1] == "выставка"
    assert rule["sources"] == ["mfa"]
    assert "rules = " in (tmp_path / "crawler.toml").read_text(encoding="utf-8")
    assert "выставка" in editor.get("/rules/red-cross-movement").text
    assert editor.post(address, data={**wanted, "do": "save"}).status_code == 409  # somebody changed the file meanwhile
    removed = editor.post(address, data={**read_editor(editor, "red-cross-movement"), "do": "remove"})
    assert removed.headers["location"] == "/rules/red-cross-movement"  # the shipped one is in force again
    assert "выставка" not in editor.get("/rules/red-cross-movement").text
    assert 'value="remove"' not in editor.get(address).text


def test_changed_rule_that_would_lose_articles(editor: httpx.Client, save: SaveArticle, tmp_path: Path) -> None:
    own = '[[rule]]\nname = "geneva"  # the office\n\n[rule.terms]\nru = [\n    "Женева",  # the city\n    "МККК",\n]\n'
    (tmp_path / "rules.toml").write_text(f"version = 1\n\n{own}", encoding="utf-8")
    (tmp_path / "crawler.toml").write_text('rules = "rules.toml"\n', encoding="utf-8")
    assert editor.get("/rules/geneva").status_code == 200
    match = Match(rule="geneva", term="МККК", surface="МККК", field="body", start=0, end=4, sentence="МККК")
    save("1", published_at=datetime.now(UTC) - HOUR, matches=(match,))
    fields = {**read_editor(editor, "geneva"), "terms_ru": "Женева", "none_of": "выставка"}
    assert read_sums(editor.post("/rules/geneva/edit", data={**fields, "do": "try"}).text) == [1, 0, 0, 1]
    assert editor.post("/rules/geneva/edit", data={**fields, "do": "save"}).status_code == 303
    text = (tmp_path / "rules.toml").read_text(encoding="utf-8")
    assert "# the office" in text
    assert tomllib.loads(text)["rule"][0]["none_of"] == ["выставка"]
    assert "МККК" in (tmp_path / "rules.toml.previous").read_text(encoding="utf-8")
    last = editor.post("/rules/geneva/edit", data={**read_editor(editor, "geneva"), "do": "remove"})
    assert "rules.toml" in last.text  # a file without rules is none
    assert editor.post("/rules/geneva/edit", data={**fields, "do": "other"}).status_code == 400
    nothing = {**read_editor(editor, "geneva"), "terms_ru": "", "query": ""}
    assert "looks for nothing" in editor.post("/rules/geneva/edit", data={**nothing, "do": "save"}).text
