"""Three sites, run after run: everything once, then nothing, then an edit, a broken page, a 404 and a move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from support.gov_site import GovSite
from support.http_server import SiteRequest
from support.ktkz_site import KtkzSite
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import CommandResult, Sandbox, get_expected_articles

from crawler.archive.snapshot_reader import read_snapshot_at
from crawler.items import Article, Verdict

pytestmark = pytest.mark.slow

SOURCES = ("mfa", "qazmonitor", "ktkz")
BROKEN = {"mfa": ("no_title", "title"), "qazmonitor": ("markup", "published_at"), "ktkz": ("no_date", "published_at")}


@dataclass
class Week:
    """Runs one after the other into one store: the output, the requests and the stored articles of each."""

    place: Sandbox
    sites: Mapping[str, Any]
    done: dict[str, CommandResult] = field(default_factory=dict)
    asked: dict[str, dict[str, list[SiteRequest]]] = field(default_factory=dict)
    stored: dict[str, dict[str, Article]] = field(default_factory=dict)
    edited: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    gone: str = ""
    moved: str = ""

    def run(self, name: str) -> None:
        for site in self.sites.values():
            site.requests.clear()
        self.done[name] = self.place.run_crawler("crawl", "--json")
        self.asked[name] = {source: list(site.requests) for source, site in self.sites.items()}
        self.stored[name] = self.place.get_articles()

    def counts(self, run: str, source: str) -> dict[str, int]:
        return self.done[run].get_run(source)["counts"]


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    with GovSite() as gov, QazMonitorSite(feed_size=60) as qaz, KtkzSite() as ktkz:
        sites = {"mfa": gov, "qazmonitor": qaz, "ktkz": ktkz}
        week = Week(Sandbox(tmp_path_factory.mktemp("week"), sites), sites)
        week.run("first")
        week.run("second")
        russian = [article for article in ktkz.articles if "ru" in article.texts]
        week.edited = {
            "mfa": f"mfa:{gov.edit_article(gov.articles[2].id, 'kk').id}:kk",
            "qazmonitor": f"qazmonitor:{qaz.edit_article(qaz.articles[3].id).id}:en",
            "ktkz": f"ktkz:{ktkz.edit_article(russian[2].id).id}:ru",
        }
        for source, site in sites.items():
            article = next(a for a in site.add_articles(4) if source != "ktkz" or "ru" in a.texts)
            site.break_page(article.id, BROKEN[source][0])
            week.broken[source] = article.id
        gone, moved = qaz.articles[8], qaz.articles[10]
        week.gone, week.moved = f"qazmonitor:{gone.id}:en", f"qazmonitor:{moved.id}:en"
        qaz.add_fault(qaz.path(gone), "404")
        qaz.public = "https://en.qazmonitor.com"
        qaz._save_article(replace(moved, section="Culture", slug="moved"))
        week.run("third")
        qaz.heal()
        for source, site in sites.items():
            site._save_article(replace(site.get_article(week.broken[source]), broken=None, changed=datetime.now(UTC)))
        week.run("fourth")
        yield week


def whole(week: Week, source: str) -> dict[str, Any]:
    found = get_expected_articles(source, week.sites[source])
    return {key: article for key, article in found.items() if source != "ktkz" or key.endswith(":ru")}


def of(articles: Mapping[str, Article], source: str) -> dict[str, Article]:
    return {key: article for key, article in articles.items() if article.source == source}


def test_the_first_run_is_healthy_and_says_how_many_it_found(week: Week) -> None:
    done = week.done["first"]
    assert (done.code, done.err) == (0, "")
    for source in SOURCES:
        run = done.get_run(source)
        stored = of(week.stored["first"], source)
        assert (run["health"], run["counts"]["articles/new"]) == ("healthy", len(stored))


@pytest.mark.parametrize("source", SOURCES)
def test_everything_on_the_site_is_stored_once_a_language(week: Week, source: str) -> None:
    later = {week.broken[source]} | {a.id for a in week.sites[source].articles[:4]}
    wanted = {key for key, article in whole(week, source).items() if article.id not in later}
    assert of(week.stored["first"], source).keys() == wanted
    assert len(wanted) >= 12


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_stored_is_what_the_site_shows(week: Week, source: str) -> None:
    site = week.sites[source]
    for key, local in whole(week, source).items():
        article = week.stored["fourth"][key]
        text = local.texts[key.rsplit(":", 1)[1]]
        assert (article.title, article.published_at) == (text.title, local.published_at), key
        if source == "qazmonitor":
            assert (article.lead, article.body) == (text.lead, text.body), key
        elif source == "mfa":
            assert article.body.split("\n")[1:] == list(text.paragraphs[1:]), key
            assert article.body.split("\n")[0].endswith(text.paragraphs[0]), key
        else:
            assert article.body.split("\n") == list(site.make_paragraphs(local)), key
        assert article.is_matched == local.on_topic, key


@pytest.mark.parametrize("source", SOURCES)
def test_every_version_points_at_its_page_in_the_archive(week: Week, source: str) -> None:
    with week.place.open_store() as store:
        for article in list(store.articles.iter_newest(source=source)):
            for version in store.versions.list_by_article(article.id):
                assert version.snapshot is not None
                page = read_snapshot_at(week.place.archive_dir, version.snapshot)
                assert page.status == 200
                assert page.url.startswith(week.sites[source].url)
                sentence = version.body.rsplit("\n", 1)[-1].rsplit(" ", 3)[-1]
                assert sentence in page.text


def test_the_second_run_finds_nothing_new_and_asks_with_conditions(week: Week) -> None:
    done = week.done["second"]
    assert (done.code, done.err) == (0, "")
    assert week.stored["second"] == week.stored["first"]
    for source in SOURCES:
        assert done.get_run(source)["health"] == "healthy"
        counts = week.counts("second", source)
        assert not {"articles/new", "articles/revised", "articles/copy"} & counts.keys()
    for source in ("qazmonitor", "ktkz"):
        asked = [each for each in week.asked["second"][source] if each.path != "/robots.txt"]
        assert all("if-none-match" in each.headers for each in asked)
        assert week.counts("second", source)["not_modified"] == len(of(week.stored["first"], source))


def test_paging_stops_where_the_first_run_began(week: Week) -> None:
    assert len([a for a in week.asked["first"]["mfa"] if a.path == "/graphql"]) > 3
    assert len([a for a in week.asked["second"]["mfa"] if a.path == "/graphql"]) == 3  # a page for each language


@pytest.mark.parametrize("source", SOURCES)
def test_an_edited_article_gets_a_second_version_beside_the_first(week: Week, source: str) -> None:
    key = week.edited[source]
    before, after = week.place.list_versions(key)
    assert (before.version, before.verdict) == (1, Verdict.NEW)
    assert (after.version, after.verdict) == (2, Verdict.REVISED)
    assert after.body == f"{before.body} 2026."
    assert before == week.stored["first"][key]
    assert week.counts("third", source)["articles/revised"] == 1
    assert {k for k, a in of(week.stored["fourth"], source).items() if a.version != 1} == {key}


@pytest.mark.parametrize("source", SOURCES)
def test_a_broken_page_is_named_and_the_rest_is_stored(week: Week, source: str) -> None:
    done, broken = week.done["third"], week.broken[source]
    assert done.code == 12
    run = done.get_run(source)
    assert (run["health"], run["exit_code"]) == ("changed", 12)
    (problem,) = run["problems"]
    assert (problem["kind"], broken in problem["url"]) == ("PageChanged", True)
    assert f"the field '{BROKEN[source][1]}'" in problem["message"]
    stored = of(week.stored["third"], source)
    assert {k.split(":")[1] for k in whole(week, source)} - {k.split(":")[1] for k in stored} == {broken}


@pytest.mark.parametrize("source", SOURCES)
def test_once_mended_the_page_is_stored_by_the_next_run(week: Week, source: str) -> None:
    assert week.done["fourth"].code == 0
    assert of(week.stored["fourth"], source).keys() == whole(week, source).keys()


def test_a_page_that_is_gone_is_no_error_and_is_counted(week: Week) -> None:
    assert week.counts("third", "qazmonitor")["no_article"] == 1
    assert week.gone in week.stored["third"]
    assert all("gone" not in problem["message"] for problem in week.done["third"].get_run("qazmonitor")["problems"])


def test_a_moved_article_is_the_same_article(week: Week) -> None:
    assert [a.path for a in week.asked["third"]["qazmonitor"] if "moved" in a.path] == [
        f"/culture/{week.moved.split(':')[1]}/moved"
    ]
    assert week.counts("third", "qazmonitor")["articles/unchanged"] >= 1
    assert len(week.place.list_versions(week.moved)) == 1
