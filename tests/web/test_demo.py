"""The demo: pages change a configuration of its own, and what it invents says so."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from support.newsroom_articles import NOW, make_story_article
from support.newsroom_server import run_newsroom

from crawler.config import Config, load_config
from crawler.config.source_folder import current_folder
from crawler.service.edited_files import get_file_mark
from crawler.service.saved_search import NEW_RULES
from crawler.similarity.content_hashes import hash_revision
from crawler.store import Store
from crawler.web import demo
from crawler.web.newsroom import Newsroom

TEXT = "Первое предложение о МККК.\nВторое предложение.\nТретье предложение уходит и возвращается."
HIDDEN = re.compile(r'name="(token|config_mark|rules_mark)" value="([^"]*)"')


@pytest.fixture
def demo_room(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Newsroom:
    """A demo of a user who has a rules file."""
    monkeypatch.setattr(current_folder, "path", None)
    (tmp_path / "own").mkdir()
    rules = tmp_path / "rules.toml"
    rules.write_text(NEW_RULES, encoding="utf-8")
    config = Config(data_dir=tmp_path, rules=rules)
    return Newsroom(
        config=config.model_copy(update=demo.make_own_files(config, tmp_path / "own")), store=store, is_demo=True
    )


def read_marks(client: httpx.Client, path: str) -> dict[str, str]:
    return dict(HIDDEN.findall(client.get(path).text))


def test_pages_change_the_files_of_the_demo_alone(demo_room: Newsroom, tmp_path: Path) -> None:
    with (
        run_newsroom(demo_room) as address,
        httpx.Client(base_url=address, headers={"accept-language": "en"}, timeout=120, verify=False) as client,
    ):
        marks = read_marks(client, "/subscriptions")
        wanted = {"do": "add", "name": "mine", "channel": "demo-mail", "when": "realtime", "language": "en"}
        assert client.post("/subscriptions", data={**marks, **wanted}).status_code == 303
        page = client.get("/subscriptions").text
        assert "s-mine" in page
        assert "The demo sends no messages" in page
        config = demo_room.config
        now = {"config_mark": get_file_mark(config.path), "rules_mark": get_file_mark(config.rules)}
        rule = {"q": "мост", "name": "bridge", "channel": "demo-mail", "back": "/search"}
        assert client.post("/search/save", data={**marks, **now, **rule}).status_code == 303
        assert "bridge" in demo_room.list_rule_names()
    own = tomllib.loads((tmp_path / "own" / "crawler.toml").read_text(encoding="utf-8"))
    assert set(own["subscriptions"]) == {"mine", "bridge"}
    assert (tmp_path / "rules.toml").read_text(encoding="utf-8") == NEW_RULES


def test_demo_adds_no_source(demo_room: Newsroom) -> None:
    with (
        run_newsroom(demo_room) as address,
        httpx.Client(base_url=address, headers={"accept-language": "en"}, timeout=120, verify=False) as client,
    ):
        page = client.get("/sources/add").text
        assert "The demo reads no site" in page
        assert 'name="url"' not in page
        assert "/sources/add" not in client.get("/sources").text
        form = {**read_marks(client, "/subscriptions"), "do": "look", "url": "https://news.example/"}
        assert client.post("/sources/add", data=form).status_code == 400


def test_invented_edit_and_refusal_are_called_invented(demo_room: Newsroom, store: Store) -> None:
    saved = make_story_article("1", TEXT)
    store.articles.save(saved, content_hash=hash_revision(saved), run_id=None, seen_at=NOW - timedelta(days=9))
    assert demo.add_edits(store) == "mfa"
    refused = demo.find_refusal(demo.PROJECT_SNAPSHOTS, except_source="mfa")
    assert refused is not None
    source, error = refused
    assert source != "mfa"
    demo.add_refusal(store, source, error)
    with (
        run_newsroom(demo_room) as address,
        httpx.Client(base_url=address, headers={"accept-language": "en"}, timeout=120, verify=False) as client,
    ):
        sources, runs = client.get("/sources").text, client.get("/runs").text
        assert "an edit and a refusal are invented" in sources
        assert sources.count("This state is invented for the demo") == 1
        assert "Blocked" in sources
        assert "What to do: read the site yourself for now" in sources
        details = re.findall(r"<details><summary>Technical details</summary>(.*?)</details>", sources)
        assert [text for text in details if "challenge page" in text] == details
        assert sources.count("challenge page") == 1
        assert f'<a href="{demo_room.profiles[source].address}"' in sources.partition("for now")[2].partition("</p>")[0]
        assert runs.count("Invented for the demo") == 3
        assert runs.count("revised: 1") == 2
        article = client.get(f"/articles/{saved.id}").text
        assert "Version 3 of 3" in article
        assert "Removed, then put back:" in article
        former, removed, back = (each.seen_at for each in reversed(store.reading_lists.list_versions(saved.id, 3)))
        assert former < removed <= back - demo.MAX_REMOVAL_TIME
        times = re.findall(r'<time datetime="([^"]*)"', runs.partition("<tbody")[2])
        assert times == sorted(times, reverse=True)
        assert "a sentence removed" in article
        assert "Sentences changed: 1 of 3; words added: 5" in article
        assert "Nothing differs" in client.get(f"/articles/{saved.id}?version=3&against=1").text


def test_reload_takes_only_what_pages_change(demo_room: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRAWLER_DATA_DIR", "/elsewhere")
    monkeypatch.setenv("CRAWLER_RULES", "/elsewhere/rules.toml")
    former = demo_room.config
    demo_room.reload()
    assert (demo_room.config.data_dir, demo_room.config.rules) == (former.data_dir, former.rules)
    path = former.path
    assert path is not None
    assert load_config(path).rules != demo_room.config.rules


def test_folder_without_a_refusal_has_no_source_in_trouble(tmp_path: Path) -> None:
    folder = tmp_path / "mfa"
    folder.mkdir()
    (folder / "page.html").write_text("<title>News</title><p>Text", encoding="utf-8")
    assert demo.find_refusal(tmp_path, except_source=None) is None
