"""Which articles a run requests again, and pages that are removed and come back: whole runs over a loopback copy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.qazmonitor_site import QazMonitorSite
from support.watched_source import WatchedSource

from crawler.middlewares.recrawl import is_recrawl_due

pytestmark = [pytest.mark.slow, pytest.mark.campaign]

HOUR = timedelta(hours=1)
LADDER = [HOUR, 6 * HOUR, 24 * HOUR, 72 * HOUR]
START = datetime(2026, 3, 6, tzinfo=UTC)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[WatchedSource]:
    """QazMonitor with eight articles, of which its feed lists the newest five."""
    with QazMonitorSite(count=8, feed_size=5) as site:
        yield WatchedSource("qazmonitor", site, tmp_path)


def asked(watched: WatchedSource, native_id: str) -> int:
    """Return how often an article's page was requested."""
    return sum(f"/{native_id}/" in request.path for request in watched.site.requests)


def grow(watched: WatchedSource) -> list[str]:
    """Make a run that stores five articles, then publish three, so that three are no longer listed."""
    assert watched.crawl()["counts"]["articles/new"] == 5
    gone = [article.id for article in watched.site.articles[2:5]]
    watched.site.add_articles(3)
    watched.crawl()
    watched.site.requests.clear()
    return gone


@pytest.mark.parametrize(
    ("age", "seen", "due"),
    [(0.5, 0, False), (1, 0, True), (1.5, 1, False), (6, 1.5, True), (7, 6, False), (24, 7, True), (500, 71, True)],
)
def test_an_article_is_due_once_after_each_age(age: float, seen: float, due: bool) -> None:
    assert is_recrawl_due(START, START + seen * HOUR, START + age * HOUR, LADDER) is due


def test_a_fresh_listed_article_is_asked_on_each_run_and_its_edit_seen(watched: WatchedSource) -> None:
    watched.crawl()
    newest = watched.site.articles[0].id
    watched.site.edit_article(newest)
    run = watched.crawl()
    assert (run["counts"]["articles/revised"], run["counts"]["not_modified"]) == (1, 4)
    assert watched.list_verdicts(newest) == ["new", "revised"]


def test_an_older_listed_article_waits_for_its_age(watched: WatchedSource) -> None:
    watched.crawl()
    watched.pass_time(25 * HOUR)
    watched.site.requests.clear()
    assert watched.crawl()["counts"]["not_modified"] == 5  # a day has passed since the last visit
    again = watched.crawl()
    assert (again["counts"]["known"], again["health"]) == (5, "healthy")
    assert [asked(watched, article.id) for article in watched.site.articles[:5]] == [1] * 5


def test_articles_off_the_list_are_looked_at_again_conditionally(watched: WatchedSource) -> None:
    off = grow(watched)
    watched.pass_time(2 * HOUR)
    watched.site.edit_article(off[0])
    run = watched.crawl()
    assert (run["counts"]["revisits"], run["counts"]["revisits_unmodified"]) == (3, 2)
    assert watched.list_verdicts(off[0]) == ["new", "revised"]
    assert "revisits" not in watched.crawl()["counts"]
    assert [asked(watched, native_id) for native_id in off] == [1, 1, 1]


def test_a_run_has_no_more_revisits_than_set(watched: WatchedSource) -> None:
    grow(watched)
    watched.pass_time(2 * HOUR)
    assert watched.crawl(revisits_per_run="2")["counts"]["revisits"] == 2
    assert watched.crawl(revisits_per_run="2")["counts"]["revisits"] == 1


def test_watched_articles_are_asked_on_each_run(watched: WatchedSource) -> None:
    off = grow(watched)
    for _ in range(2):
        assert watched.crawl(watched=f'["{off[1]}"]')["counts"]["revisits"] == 1
    assert [asked(watched, native_id) for native_id in off] == [0, 2, 0]


def test_no_revisits_when_the_list_fails_or_one_address_is_asked(watched: WatchedSource) -> None:
    off = grow(watched)
    watched.pass_time(2 * HOUR)
    watched.site.add_fault("/rss", "500")
    watched.site.add_fault("/news", "500")
    assert "revisits" not in watched.crawl()["counts"]
    watched.site.heal()
    newest = watched.site.articles[0]
    assert "revisits" not in watched.crawl("--url", watched.site.make_path(newest))["counts"]
    assert [asked(watched, native_id) for native_id in off] == [0, 0, 0]


def test_a_page_gone_twice_is_unpublished_and_its_return_is_seen(watched: WatchedSource) -> None:
    watched.crawl()
    one = watched.site.articles[1]
    text = watched.list_versions(one.id)[0]["body"]
    watched.site.add_fault(watched.site.path(one), "404")
    assert watched.crawl()["counts"]["gone_once"] == 1
    assert watched.list_verdicts(one.id) == ["new"]
    run = watched.crawl()
    assert (run["counts"]["articles/unpublished"], run["health"]) == (1, "healthy")
    assert run["reason"] == "0 new, 0 revised, 1 unpublished."
    gone = watched.list_versions(one.id)[1]
    assert (gone["verdict"], gone["version"], gone["body"]) == ("unpublished", 2, text)
    assert gone["provenance"]["verdict"].startswith("HTTP 404 (qazmonitor/")
    assert gone["snapshot"]["offset"] is not None
    watched.crawl()
    assert len(watched.list_versions(one.id)) == 2  # gone a third time is no news
    watched.site.heal()
    assert watched.crawl()["counts"]["articles/republished"] == 1
    assert watched.list_verdicts(one.id) == ["new", "unpublished", "republished"]
    assert watched.crawl()["counts"]["not_modified"] == 5


def test_a_page_that_leads_permanently_to_the_front_page_is_gone(watched: WatchedSource) -> None:
    watched.crawl()
    one = watched.site.articles[1]
    watched.site.add_fault(watched.site.path(one), "moved", value="/")
    run = watched.crawl()
    assert (run["counts"]["gone_once"], run["counts"]["no_article"], run["health"]) == (1, 1, "healthy")
    assert watched.crawl()["counts"]["articles/unpublished"] == 1
    evidence = watched.list_versions(one.id)[1]["provenance"]["verdict"]
    assert evidence.startswith("redirects to https://qazmonitor.com/ (qazmonitor/")
    watched.site.heal()
    assert watched.crawl()["counts"]["articles/republished"] == 1


def test_a_page_off_the_list_that_went_away_is_confirmed_by_the_next_run(watched: WatchedSource) -> None:
    off = grow(watched)
    watched.pass_time(2 * HOUR)
    watched.site.remove_article(off[0])
    watched.crawl()
    assert watched.crawl()["counts"]["articles/unpublished"] == 1
    assert watched.list_verdicts(off[0]) == ["new", "unpublished"]


def test_a_block_or_an_error_page_takes_nothing_away(watched: WatchedSource) -> None:
    watched.crawl()
    kinds = {"403_challenge": None, "500": None, "200_challenge": None, "redirect": "/"}
    broken = watched.site.articles[1:5]
    for article, (kind, value) in zip(broken, kinds.items(), strict=True):
        watched.site.add_fault(watched.site.path(article), kind, value=value)
    for _ in range(2):
        assert "gone_once" not in watched.crawl()["counts"]
    assert [watched.list_verdicts(article.id) for article in broken] == [["new"]] * 4


def test_a_challenge_page_with_status_200_does_not_count_as_a_visit(watched: WatchedSource) -> None:
    off = grow(watched)
    watched.pass_time(2 * HOUR)
    challenged = next(article for article in watched.site.articles if article.id == off[0])
    watched.site.add_fault(watched.site.path(challenged), "200_challenge")
    assert watched.crawl()["counts"]["revisits"] == 3
    watched.site.heal()
    watched.site.requests.clear()
    assert watched.crawl()["counts"]["revisits_unmodified"] == 1
    assert [asked(watched, native_id) for native_id in off] == [1, 0, 0]


def test_a_page_back_before_the_second_visit_was_never_gone(watched: WatchedSource) -> None:
    watched.crawl()
    one = watched.site.articles[1]
    for _ in range(2):
        watched.site.add_fault(watched.site.path(one), "404", times=1)
        assert watched.crawl()["counts"]["gone_once"] == 1
        watched.crawl()
    assert watched.list_verdicts(one.id) == ["new"]


def test_most_pages_gone_at_once_is_a_changed_site(watched: WatchedSource) -> None:
    watched.crawl()
    for article in watched.site.articles[:5]:
        watched.site.add_fault(watched.site.path(article), "404")
    for _ in range(2):
        run = watched.crawl()
        assert (run["exit_code"], run["health"]) == (12, "changed")
        assert "5 of 5 gone" in run["reason"]
    assert {verdict for article in watched.site.articles[:5] for verdict in watched.list_verdicts(article.id)} == {
        "new"
    }


def test_a_new_address_of_the_same_article_is_followed(watched: WatchedSource) -> None:
    off = grow(watched)
    one = watched.site.get_article(off[0])
    watched.pass_time(2 * HOUR)
    moved = watched.site.make_path(one).replace("/lifestyle/", "/news/").replace("/economy/", "/news/") + "-again"
    watched.crawl("--url", moved)
    assert watched.list_versions(one.id)[0]["url"] != moved
    watched.pass_time(5 * HOUR)
    watched.site.add_fault(watched.site.path(one), "404")  # where it stood before
    for _ in range(2):
        watched.crawl()
    assert watched.list_verdicts(one.id) == ["new"]
    assert "gone_once" not in watched.crawl()["counts"]


def test_an_article_that_leads_to_another_listed_one_is_accounted_for(watched: WatchedSource) -> None:
    first, second = watched.site.articles[:2]
    watched.site.add_fault(watched.site.path(first), "redirect", value=watched.site.path(second))
    for new in (4, 0):
        run = watched.crawl()
        assert (run["health"], run["counts"].get("articles/new", 0)) == ("healthy", new), run["reason"]
    watched.pass_time(48 * HOUR)  # the other article is not requested now
    watched.crawl()
    assert watched.crawl()["health"] == "healthy"
    assert watched.list_verdicts(second.id) == ["new"]


def test_every_article_that_leads_to_the_same_missing_page_is_gone(watched: WatchedSource) -> None:
    watched.crawl()
    for article in watched.site.articles[:2]:
        watched.site.add_fault(watched.site.path(article), "redirect", value="/404")
    assert watched.crawl()["counts"]["gone_once"] == 2
    assert watched.crawl()["counts"]["articles/unpublished"] == 2


def test_redirected_request_has_the_validators_of_its_own_address_only(watched: WatchedSource) -> None:
    watched.crawl()
    path = watched.site.path(watched.site.articles[0])
    watched.site.add_fault(path, "redirect", value=f"{path}-again")
    headers = []
    for _ in range(2):
        watched.crawl()
        headers.append([watched.site.list_requests(each)[-1].headers for each in (path, f"{path}-again")])
    validators = [[each.get("if-none-match") for each in both] for both in headers]
    assert validators[0][0]
    assert validators[0][1] is None
    assert validators[1][1]
    assert watched.list_verdicts(watched.site.articles[0].id) == ["new"]
