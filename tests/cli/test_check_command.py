"""`crawler check` over loopback copies: as expected, edited, gone, another layout, a gate, a site that is down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.gov_site import GovSite
from support.ktkz_site import KtkzSite
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import CommandResult, Sandbox

pytestmark = pytest.mark.slow


@dataclass
class Checked:
    """A place whose store and snapshots know a copy of a site."""

    place: Sandbox
    site: Any
    source: str

    def check(self, *words: object) -> tuple[CommandResult, dict[str, dict[str, Any]]]:
        """What is said of each page class (of the last page looked at)."""
        done = self.place.run_crawler("check", self.source, "--json", *words)
        return done, {line["page_class"]: line for line in done.lines}


@pytest.fixture
def qaz(tmp_path: Path) -> Iterator[Checked]:
    with QazMonitorSite(6) as site:
        place = Sandbox(tmp_path, {"qazmonitor": site})
        assert place.run_crawler("crawl", "qazmonitor").code == 0
        site.requests.clear()
        yield Checked(place, site, "qazmonitor")


def keep(checked: Checked, article: Any) -> None:
    """A snapshot of an article, with the expectation that the extractor writes."""
    address = f"https://qazmonitor.com{checked.site.path(article)}"
    assert checked.place.run_crawler("snapshot", address).code == 0
    checked.site.requests.clear()


def words(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: line["word"] for name, line in found.items()}


def test_unchanged_site_is_as_expected_and_each_page_fetched_once(qaz: Checked) -> None:
    done, found = qaz.check()
    assert (done.code, done.err) == (0, "")
    assert words(found) == dict.fromkeys(("Feed", "QazArticle", "QazSection"), "as expected")
    asked = [request.path for request in qaz.site.requests if request.path != "/robots.txt"]
    assert len(asked) == len(set(asked)) == 3
    assert [request.path for request in qaz.site.requests].count("/robots.txt") == 3


def test_other_layout_is_a_changed_site(qaz: Checked) -> None:
    for article in qaz.site.articles:
        qaz.site.break_page(article.id, "markup")
    done, found = qaz.check()
    assert done.code == 12
    assert words(found) == {"Feed": "as expected", "QazArticle": "site changed", "QazSection": "as expected"}
    assert "the field 'published_at'" in found["QazArticle"]["why"]


def test_an_edited_article_is_an_old_fixture(qaz: Checked) -> None:
    newest = qaz.site.articles[0]
    qaz.site.edit_article(newest.id)
    done, found = qaz.check()
    assert (done.code, found["QazArticle"]["word"]) == (0, "fixture old")
    assert "body differ from the store" in found["QazArticle"]["why"]


def test_gone_snapshot_is_reported_and_another_page_checked(qaz: Checked) -> None:
    kept = qaz.site.articles[3]
    keep(qaz, kept)
    qaz.site.add_fault(qaz.site.path(kept), "404")
    done, _ = qaz.check()
    told = [(line["word"], line["gone"]) for line in done.lines if line["page_class"] == "QazArticle"]
    assert (done.code, told) == (0, [("fixture old", True), ("as expected", False)])
    qaz.site.break_page(qaz.site.articles[0].id, "no_date")
    done, _ = qaz.check()
    assert [line["word"] for line in done.lines if line["page_class"] == "QazArticle"] == [
        "fixture old",
        "site changed",
    ]
    assert done.code == 12


def test_a_snapshot_comes_before_the_store(qaz: Checked) -> None:
    keep(qaz, qaz.site.articles[3])
    done, found = qaz.check()
    assert done.code == 0
    assert f"/{qaz.site.articles[3].id}/" in found["QazArticle"]["url"]


def test_broken_feed_is_reported_for_the_feed_only(qaz: Checked) -> None:
    qaz.site.add_fault("/rss", "200_challenge")
    done, found = qaz.check()
    assert done.code == 11
    assert words(found) == {"Feed": "blocked", "QazArticle": "as expected", "QazSection": "as expected"}


def test_robots_are_respected(qaz: Checked) -> None:
    qaz.site._robots = "User-agent: *\nDisallow: /\n"
    done, found = qaz.check()
    assert (done.code, set(words(found).values())) == (11, {"blocked"})
    assert {request.path for request in qaz.site.requests} == {"/robots.txt"}


def test_site_that_is_down_is_unreachable(qaz: Checked) -> None:
    qaz.site.add_fault("*", "503")
    done, found = qaz.check()
    assert (done.code, set(words(found).values())) == (10, {"unreachable"})


def test_store_and_archive_are_unchanged(qaz: Checked) -> None:
    def kept() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in (qaz.place.archive_dir).rglob("*.gz")}

    with qaz.place.open_store() as store:
        runs, before = store.runs.list_recent(), kept()
    qaz.check()
    with qaz.place.open_store() as store:
        assert (store.runs.list_recent(), kept()) == (runs, before)


def test_source_read_by_lists_is_checked_by_lists(tmp_path: Path) -> None:
    with GovSite(4) as site:
        place = Sandbox(tmp_path, {"mfa": site})
        checked = Checked(place, site, "mfa")
        assert place.run_crawler("crawl", "mfa").code == 0
        site.requests.clear()
        done, found = checked.check()
        assert (done.code, words(found)["NewsAnswer"]) == (0, "as expected")
        assert words(found)["RenderedArticle"] == "not checked"
        assert len([request for request in site.requests if request.path == "/graphql"]) == 3
        site.break_page(site.articles[0].id, "no_title")
        done, found = checked.check()
        assert (done.code, words(found)["NewsAnswer"]) == (12, "site changed")
        site.heal()
        site.add_fault("/graphql", "empty")
        done, found = checked.check()
        assert (done.code, words(found)["NewsAnswer"]) == (13, "list empty")


def test_without_store_and_snapshots_the_lists_are_checked(tmp_path: Path) -> None:
    with KtkzSite() as site:
        done, found = Checked(Sandbox(tmp_path, {"ktkz": site}), site, "ktkz").check()
        assert words(found) == {"Feed": "as expected", "KtArticle": "not checked", "KtList": "as expected"}
        told = Sandbox(tmp_path, {"ktkz": site}).run_crawler("check", "ktkz")
        assert done.code == told.code == 0
        assert "ktkz Feed: as expected. https://www.kt.kz/rus/rss: it lists" in told.out
