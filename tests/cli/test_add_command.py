"""`crawler add` on sites in the shapes of real ones: it finds the articles, or names the reason in one sentence."""

from __future__ import annotations

import json
import sqlite3
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support.sandbox import Sandbox
from support.shaped_sites import (
    AmpSite,
    BitrixSite,
    ChallengeSite,
    DrupalSite,
    EmptySite,
    EndlessSite,
    MinistrySite,
    NewsSitemapSite,
    OffsetSite,
    ShapedSite,
    ThreeLanguagesSite,
    WordPressSite,
)

pytest.importorskip("trafilatura")


def make_sandbox(folder: Path) -> Sandbox:
    place = Sandbox(folder)
    place.work_dir.mkdir(parents=True)
    (place.work_dir / "crawler.toml").touch()
    return place


def read_definition(place: Sandbox, name: str = "valley") -> dict[str, Any]:
    return tomllib.loads((place.work_dir / "sources" / f"{name}.toml").read_text(encoding="utf-8"))


def get_urls(definition: dict[str, Any], site: ShapedSite) -> list[str]:
    """Return the paths of the lists of a definition."""
    urls = [start if isinstance(start, str) else start["url"] for start in definition["starts"]]
    return [url.removeprefix(site.url) for url in urls]


SHAPES = [
    (WordPressSite, ["/feed/"], ["/{year}/{month}/*-*/"], "path"),
    (DrupalSite, ["/rss.xml"], ["/node/{number}"], "{number}"),
    (BitrixSite, ["/news/"], ["/news/detail.php?ID={number}"], "{number}"),
    (MinistrySite, ["/feed/"], ["/{language}/news/view/{number}"], "{number}"),
    (EndlessSite, ["/news/"], ["/news/{number}-*.html"], "{number}"),
    (
        ThreeLanguagesSite,
        ["/kz/press/news", "/ru/press/news", "/en/press/news"],
        ["/{language}/press/news/{number}"],
        "{number}",
    ),
    (AmpSite, ["/feed/"], ["/{year}/{month}/*-*/"], "path"),
    (NewsSitemapSite, ["/news.xml"], ["/{year}/{month}/*-*/"], "path"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "lists", "addresses", "identity"), SHAPES, ids=lambda value: getattr(value, "__name__", "")
)
def test_site_is_added_and_crawled(
    tmp_path: Path, shape: type[ShapedSite], lists: list[str], addresses: list[str], identity: str
) -> None:
    place = make_sandbox(tmp_path)
    with shape() as site:
        added = place.run_crawler("add", site.url, "--name", "valley", "--yes")
        assert added.code == 0, added.err
        definition = read_definition(place)
        assert get_urls(definition, site) == lists
        assert (definition["addresses"], definition["identity"]) == (addresses, identity)
        assert definition["expect"]["required"] == ["title", "published_at"]
        assert not place.data_dir.exists() or not list(place.data_dir.glob("crawler.db")), "no article was stored"
        replayed = place.run_crawler("replay", "valley")
        assert (replayed.code, "5 pages" in replayed.out) == (0, True), replayed.out
        crawled = place.run_crawler("crawl", "valley")
        assert crawled.code == 0, crawled.out + crawled.err
        stored = place.get_articles("valley").values()
        texts = {text.title: (article, text) for article in site.articles for text in article.texts.values()}
        assert len(stored) >= 10
        for found in stored:
            assert found.title is not None
            article, text = texts[found.title]
            assert found.published_at == article.published_at
            assert found.body.split("\n") == [text.lead, *text.paragraphs]
            assert found.language in article.texts


@pytest.mark.slow
def test_pager_by_offset_is_found(tmp_path: Path) -> None:
    place = make_sandbox(tmp_path)
    with OffsetSite() as site:
        added = place.run_crawler("add", site.url, "--name", "valley", "--yes")
        assert (added.code, f"{site.url}/news/?start={{page}} by 10" in added.out) == (0, True), added.all_output
        expected = {"url": f"{site.url}/news/", "next_page": f"{site.url}/news/?start={{page}}"}
        assert read_definition(place)["starts"] == [{**expected, "first_page": 0, "page_step": 10}]


@pytest.mark.slow
def test_preview_shows_fields_and_writes_nothing(tmp_path: Path) -> None:
    place = make_sandbox(tmp_path)
    with WordPressSite() as site:
        shown = place.run_crawler("add", site.url)
        assert shown.code == 0, shown.err
        for text in ("/feed/", "published_at", "JSON-LD datePublished", "Ann Miller", "languages: en", "about 5 a day"):
            assert text in shown.out
        assert "Nothing was written. `crawler add" in shown.out
        assert not (place.work_dir / "sources").exists()
        assert not (place.work_dir / "snapshots").exists()
        asked = place.run_crawler("add", site.url, "--json")
        values = json.loads(asked.out)
        assert (values["title"], len(values["samples"])) == ("Valley Herald", 5)


@pytest.mark.parametrize(
    ("shape", "code", "reason"),
    [
        pytest.param(ChallengeSite, 11, "answered with a challenge page", marks=pytest.mark.slow),
        (EmptySite, 13, "no feed, no sitemap and no group of links"),
    ],
)
def test_failure_is_one_sentence(tmp_path: Path, shape: type[ShapedSite], code: int, reason: str) -> None:
    place = make_sandbox(tmp_path)
    with shape() as site:
        ended = place.run_crawler("add", site.url, "--yes")
    assert (ended.code, reason in ended.err) == (code, True), ended.err
    assert ended.err.count("\n") == 1
    assert not (place.work_dir / "sources").exists()


def test_command_that_writes_repeats_the_options(tmp_path: Path) -> None:
    place = make_sandbox(tmp_path)
    (place.work_dir / "my desk.toml").touch()
    shown = place.run_crawler("--config", "my desk.toml", "add", "https://t.me/s/valley_news?a=1&b", "--name", "valley")
    command = "crawler --config 'my desk.toml' add 'https://t.me/s/valley_news?a=1&b' --name valley --yes"
    assert shown.out.splitlines()[-1] == f"Nothing was written. `{command}` writes the source."


def test_robots_refusal_is_obeyed(tmp_path: Path) -> None:
    place = make_sandbox(tmp_path)
    with ShapedSite(robots="User-agent: *\nDisallow: /\n") as site:
        ended = place.run_crawler("add", site.url, "--yes")
        assert (ended.code, "robots.txt forbids it" in ended.err) == (11, True), ended.err
        assert {request.path for request in site.requests} == {"/robots.txt"}


def test_network_failure_is_named(tmp_path: Path) -> None:
    place = make_sandbox(tmp_path)
    ended = place.run_crawler("add", "http://127.0.0.1:1/", "--yes", CRAWLER_POLITENESS__RETRIES="0")
    assert ended.code == 10, ended.err
    assert "Traceback" not in ended.err


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "lists"), [(EndlessSite, ["/news/"]), (DrupalSite, ["/rss.xml"])])
def test_address_of_an_article_leads_to_its_list(tmp_path: Path, shape: type[ShapedSite], lists: list[str]) -> None:
    place = make_sandbox(tmp_path)
    with shape() as site:
        added = place.run_crawler("add", site.make_path(site.articles[7]), "--name", "valley", "--yes")
        assert added.code == 0, added.err
        assert get_urls(read_definition(place), site) == lists


def test_private_address_is_refused(tmp_path: Path) -> None:
    place = make_sandbox(tmp_path)
    with ShapedSite(count=3) as site:
        ended = place.run_crawler("add", site.url, "--yes", CRAWLER_ALLOW_PRIVATE="false")
        assert ended.code == 11, ended.err
        assert not site.requests


@pytest.mark.parametrize("address", ["nowhere", "ftp://a.example/", "https://user:secret@a.example/"])
def test_unusable_address_is_a_usage_error(tmp_path: Path, address: str) -> None:
    ended = make_sandbox(tmp_path).run_crawler("add", address)
    assert ended.code in (2, 10)
    assert "secret" not in ended.err


@pytest.mark.parametrize("name", ["mfa", "Valley", "../x", "base"])
def test_name_that_cannot_be_used(tmp_path: Path, name: str) -> None:
    ended = make_sandbox(tmp_path).run_crawler("add", "https://a.example/", "--name", name)
    assert ended.code == 2, ended.err


@pytest.mark.parametrize(
    ("address", "name", "setting"),
    [
        ("https://www.gov.kz/memleket/entities/mod/press?lang=kk", "mod", 'project = "mod"'),
        ("t.me/s/Aimaq_News", "aimaq_news", 'channel = "Aimaq_News"'),
    ],
)
def test_address_of_a_platform_is_enough(tmp_path: Path, address: str, name: str, setting: str) -> None:
    place = make_sandbox(tmp_path)
    shown = place.run_crawler("add", address)
    assert (shown.code, setting in shown.out, "Nothing was written" in shown.out) == (0, True, True), shown.err
    added = place.run_crawler("add", address, "--yes")
    assert added.code == 0, added.err
    assert setting in (place.work_dir / "sources" / f"{name}.toml").read_text(encoding="utf-8")
    again = place.run_crawler("add", address, "--yes")
    assert (again.code, f"The source {name} reads" in again.err) == (2, True)


def test_ministry_that_is_built_in_is_not_added(tmp_path: Path) -> None:
    ended = make_sandbox(tmp_path).run_crawler("add", "https://www.gov.kz/memleket/entities/mfa", "--yes")
    assert (ended.code, "The source mfa reads gov.kz/memleket/entities/mfa already" in ended.err) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [WordPressSite, ThreeLanguagesSite])
def test_new_layout_is_noticed_and_learned(tmp_path: Path, shape: type[ShapedSite]) -> None:
    place = make_sandbox(tmp_path)
    with shape() as site:
        assert place.run_crawler("add", site.url, "--name", "valley", "--yes").code == 0
        assert place.run_crawler("crawl", "valley").code == 0
        assert "layout changed" not in place.run_crawler("drift", "valley").out
        site.redesign()
        new = site.add_articles(6)
        assert place.run_crawler("crawl", "valley").code == 0
        drift = place.run_crawler("drift", "valley")
        assert "the layout changed" in drift.out, drift.out
        titles = {text.title for article in new for text in article.texts.values()}
        stored = {article.title: article for article in place.get_articles("valley").values()}
        assert titles <= stored.keys()
        health = place.run_crawler("health", "valley")
        assert "the layout changed" in health.out
        memory = json.loads((place.work_dir / "sources" / "valley.memory.json").read_text(encoding="utf-8"))
        assert len(memory["layout_changes"]) == 1


def count_versions(place: Sandbox) -> int:
    with sqlite3.connect(place.data_dir / "crawler.db") as store:
        return int(store.execute("select count(*) from versions").fetchone()[0])


@pytest.mark.slow
def test_pages_that_are_read_again_have_no_new_version(tmp_path: Path) -> None:
    place = make_sandbox(tmp_path)
    with WordPressSite(count=30) as site:
        assert place.run_crawler("add", site.url, "--name", "valley", "--yes").code == 0
        assert place.run_crawler("crawl", "valley").code == 0
        before = count_versions(place)
        for _ in range(3):
            site.add_articles(10)
            assert place.run_crawler("crawl", "valley", "--since", "2020-01-01").code == 0
        articles = len(place.get_articles("valley"))
        assert (before, count_versions(place)) == (30, articles), "no article was revised"
