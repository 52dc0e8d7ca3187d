"""Add a source in the browser: the look at the site, choices among candidates, saving, retiring, limits and the log."""

from __future__ import annotations

import json
import threading
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.in_process_survey import TwoDatesSite, make_survey
from support.newsroom_users import read_fields
from support.sandbox import NO_DELAYS
from support.shaped_sites import ShapedSite

from crawler.config import Config, load_config
from crawler.discovery.platform_addresses import PlatformSource
from crawler.errors import UsageError
from crawler.service.child import ChildPool
from crawler.service.run import RunOutcome
from crawler.service.site_survey import SurveyedSite
from crawler.store import Store
from crawler.web.newsroom import Newsroom
from crawler.web.surveys import MAX_KEPT_SURVEYS, MAX_RUNNING_SURVEYS, Survey, SurveyDesk

pytest.importorskip("trafilatura")


@pytest.fixture(scope="module")
def site() -> Iterator[ShapedSite]:
    with TwoDatesSite(count=8) as opened:
        yield opened


@pytest.fixture
def newsroom(store: Store, tmp_path: Path) -> Newsroom:
    path = tmp_path / "crawler.toml"
    path.write_text("allow_private = true\n", encoding="utf-8")
    return Newsroom(config=load_config(path), store=store)


def wait_for_end(newsroom: Newsroom) -> Survey:
    """Return the only survey, once it has ended."""
    (survey,) = newsroom.surveys._surveys.values()
    assert survey.thread is not None
    survey.thread.join(120)
    assert not survey.is_running
    return survey


def send(client: httpx.Client, **values: str) -> httpx.Response:
    """Send the form of the page, or of any page, with its token."""
    token = client.get("/sources/add").text.partition('name="token" value="')[2].partition('"')[0]
    return client.post("/sources/add", data={"token": token, **values})


def test_address_becomes_a_source(newsroom: Newsroom, client: httpx.Client, site: ShapedSite, tmp_path: Path) -> None:
    newsroom.surveys = SurveyDesk(make_survey(site))
    begun = send(client, do="look", url=site.url)
    survey = wait_for_end(newsroom)
    page = client.get(begun.headers["location"]).text
    zone = 'name="timezone" list="zones" maxlength="64" autocapitalize="none" spellcheck="false" value="Asia/Almaty"'
    for text in ("What was found", "/news/", "5 of 5", "day-of-news", "Save and watch", zone):
        assert text in page
    number = page.split("p.day-of-news")[0].rsplit('id="p-published_at-', 1)[1].split('"')[0]
    choices = {"survey": survey.id, "place-published_at": number, "name": "valley", "title": "Valley", "share": "0.0"}
    tried = send(client, **choices, do="sample:1").text
    assert "Sample 2 of 5" in tried
    assert "<bdi>p.day-of-news</bdi>" in tried
    assert not (tmp_path / "sources").exists()
    taken = send(client, **{**choices, "name": "mfa"}, do="save")
    assert (taken.status_code, "There is a source &#39;mfa&#39; already" in taken.text) == (400, True)
    unknown = send(client, **choices, timezone="Asia/Nowhere", do="save")
    assert (unknown.status_code, "Asia/Nowhere" in unknown.text) == (400, True)
    saved = send(client, **choices, cron="0 * * * *", timezone="Asia/Bishkek", do="save")
    assert saved.headers["location"] == "/sources?added=valley#valley"
    definition = tomllib.loads((tmp_path / "sources" / "valley.toml").read_text(encoding="utf-8"))
    assert definition["fields"] == {"published_at": {"css": "p.day-of-news"}}
    assert definition["rights"]["excerpt_share"] == 0
    changed = definition["title"], definition["cron"], definition["timezone"]
    assert changed == ("Valley", "0 * * * *", "Asia/Bishkek")
    expected = [json.loads(each.read_text()) for each in (tmp_path / "snapshots" / "valley").glob("*.expected.json")]
    assert len(expected) == 5
    assert not [each for each in expected if "2020-01-05" in each["articles"][0]["published_at"]]
    assert "Valley is added." in client.get("/sources?added=valley").text
    assert "kept for an hour" in client.get(f"/sources/add?survey={survey.id}").text
    logged = [(each.action, each.about.split()[0]) for each in newsroom.store.audit.list_newest(9)]
    assert logged == [("source.add", "valley"), ("source.survey", site.url)]


def test_source_is_retired_and_brought_back(newsroom: Newsroom, client: httpx.Client, tmp_path: Path) -> None:
    added = send(client, do="look", url="t.me/valley_news")
    page = client.get(added.headers["location"]).text
    assert "no page was read" in page
    fields = read_fields(page, "/sources/add")
    survey_id = page.split('name="survey" value="')[1].split('"')[0]
    saved = send(client, survey=survey_id, name="valley", title="", do="save_idle")
    assert saved.status_code == 303
    definition = tomllib.loads((tmp_path / "sources" / "valley.toml").read_text(encoding="utf-8"))
    assert (definition["platform"], definition["channel"], definition["enabled"]) == ("telegram", "valley_news", False)
    again = send(client, do="look", url="https://t.me/s/valley_news")
    assert (again.status_code, "The source valley reads t.me/valley_news already." in again.text) == (400, True)

    def change(do: str, source: str = "valley") -> httpx.Response:
        data = {"token": fields["token"], "source": source, "do": do}
        return client.post("/sources/change", data=data, follow_redirects=True)

    assert 'class="src-row" id="valley"' in change("enable").text
    retired = change("retire").text
    assert 'class="src-row" id="valley"' not in retired
    assert "Bring back" in retired
    assert 'class="src-row" id="valley"' in change("enable").text
    assert change("retire", "mfa").status_code == 422, "a built-in source has no file"
    assert change("delete").status_code == 400
    (tmp_path / "crawler.toml").write_text("[sources.valley]\nenabled = true\n", encoding="utf-8")
    newsroom.reload()
    assert "crawler.toml decides against it" in change("disable").text
    actions = [each.action for each in newsroom.store.audit.list_newest(9)]
    assert actions[:2] == ["source.disable", "source.enable"]


def fail(config_path: Path, config: object, url: str, on_page: object, *, pool: ChildPool) -> SurveyedSite:
    return SurveyedSite(RunOutcome(source="survey", exit_code=11, reason="-"), problems=["robots.txt forbids it."])


def test_failure_is_one_sentence(newsroom: Newsroom, client: httpx.Client) -> None:
    newsroom.surveys = SurveyDesk(fail)
    begun = send(client, do="look", url="news.example")
    wait_for_end(newsroom)
    page = client.get(begun.headers["location"]).text
    assert "robots.txt forbids it." in page
    assert "Save and watch" not in page
    survey_id = begun.headers["location"].partition("survey=")[2]
    assert send(client, survey=survey_id, name="x", do="save").status_code == 400
    wrong = send(client, do="look", url="ftp://news.example")
    assert (wrong.status_code, "is no address of a page" in wrong.text) == (400, True)


def test_waiting_page_refreshes_without_a_script_and_can_be_left(newsroom: Newsroom, client: httpx.Client) -> None:
    ending = threading.Event()

    def wait(config_path: Path, config: object, url: str, on_page: Callable[[str], None], *, pool: ChildPool) -> Any:
        on_page("https://news.example/robots-allowed")
        ending.wait(20)
        return fail(config_path, config, url, on_page, pool=pool)

    newsroom.surveys = SurveyDesk(wait)
    begun = send(client, do="look", url="news.example")
    page = client.get(begun.headers["location"]).text
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page
    assert "robots-allowed" in page
    assert "1 page read so far." in page
    assert "news.example" in client.get("/sources/add").text, "the page finds the survey in progress again"
    data = {"token": read_fields(page, "/sources/add")["token"], "do": "look", "url": "other.example"}
    second = client.post("/sources/add", data=data)
    assert (second.status_code, "You look at https://news.example already." in second.text) == (400, True)
    ending.set()
    wait_for_end(newsroom)


def test_number_of_surveys_is_limited() -> None:
    ending = threading.Event()

    def wait(*arguments: object, pool: ChildPool) -> SurveyedSite:
        ending.wait(20)
        return fail(Path(), None, "", None, pool=pool)

    desk, config = SurveyDesk(wait), Config()
    first = [desk.start(f"user{number}", "https://a.example/", None, config) for number in range(MAX_RUNNING_SURVEYS)]
    with pytest.raises(UsageError, match="looked at already"):
        desk.start("another", "https://b.example/", None, config)
    assert desk.get(first[0].id, "user1") is None, "nobody sees the survey of somebody else"
    ending.set()
    for survey in first:
        assert survey.thread is not None
        survey.thread.join(20)
    source = PlatformSource("telegram", "channel", "valley", "t.me/valley")
    later = [desk.add_platform_source("user1", "https://t.me/valley", source) for _ in range(MAX_KEPT_SURVEYS)]
    assert [desk.get(each.id, each.user) is not None for each in (*first, *later)] == [False] * 3 + [True] * 12


@pytest.mark.slow
def test_survey_in_a_child_process_finds_and_can_be_stopped(
    site: ShapedSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**NO_DELAYS, "CRAWLER_DATA_DIR": str(tmp_path / "data")}.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "crawler.toml"
    path.touch()
    config, desk = load_config(path), SurveyDesk()
    survey = desk.start("dana", site.url, path, config)
    assert survey.thread is not None
    survey.thread.join(100)
    assert survey.found is not None, survey.reason
    assert survey.found.proposal is not None
    assert (len(survey.found.pages), bool(survey.pages)) == (5, True)
    assert not (tmp_path / "data").exists(), "the look at a site stores nothing"
    stopped = desk.start("dana", site.url, path, config)
    desk.close()
    assert stopped.thread is not None
    stopped.thread.join(120)
    assert (stopped.is_running, stopped.found) == (False, None)
    assert "stopped" in stopped.reason
