"""Every way in which a site can misbehave: health, exit code, and one sentence with the address."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.gov_site import GovSite
from support.ktkz_site import KtkzSite
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import NO_DELAYS, Sandbox
from support.site_faults import ALL_PATHS

from crawler.service.child import run_all
from crawler.service.run import RunPlan
from crawler.service.worker import RunEvent

pytestmark = [pytest.mark.slow, pytest.mark.campaign]

KINDS = {"mfa": GovSite, "qazmonitor": QazMonitorSite, "ktkz": KtkzSite}
LISTS = {"mfa": "/graphql", "qazmonitor": "/rss", "ktkz": "/rus/rss"}
SETTINGS = {
    **NO_DELAYS,
    "CRAWLER_LIMITS__BODY_MB": "1",
    "CRAWLER_LIMITS__PAGE_SECONDS": "1",
    "CRAWLER_POLITENESS__RETRIES": "2",
}


@dataclass(frozen=True)
class Ran:
    """One run with its exit code, health, sentence, counts, problems and log."""

    code: int
    health: str
    sentence: str
    counts: dict[str, int]
    problems: list[str]
    complete: bool
    log: str


@pytest.fixture
def crawl(tmp_path: Path) -> Any:
    config = tmp_path / "crawler.toml"
    config.write_text("")

    def run(source: str, url: str, **variables: str) -> Ran:
        """As `crawler crawl SOURCE` does it, without starting Python each time."""
        events: list[RunEvent] = []
        values = {
            **SETTINGS,
            "CRAWLER_DATA_DIR": str(tmp_path / "data"),
            f"CRAWLER_SOURCES__{source.upper()}__BASE_URL": url,
            **variables,
        }
        (outcome,) = run_all([RunPlan(source=source, config=config, variables=values)], events.append)
        assert outcome.run is not None, outcome.reason
        return Ran(
            code=outcome.exit_code,
            health=str(outcome.run.health),
            sentence=outcome.reason,
            counts=outcome.run.counts,
            problems=[problem.kind for problem in outcome.run.problems],
            complete=outcome.run.complete,
            log="\n".join(event["message"] for event in events if event["type"] == "log"),
        )

    return run


@pytest.mark.parametrize("fault", ["504", "not_json", "graphql_errors", "truncated_gzip", "drop"])
def test_a_passing_fault_is_waited_out(crawl: Any, fault: str) -> None:
    with GovSite(6) as site:
        site.add_fault("/graphql", fault, times=2)
        ran = crawl("mfa", site.url)
        assert (ran.code, ran.health, ran.problems) == (0, "healthy", [])
        assert ran.counts["articles/new"] == 16
        assert len(site.list_requests("/graphql")) == 5


@pytest.mark.parametrize(
    ("source", "fault", "code", "health", "words"),
    [
        ("mfa", "504", 10, "unreachable", "HTTP 504"),
        ("mfa", "not_json", 10, "unreachable", "not JSON: 'upstream connect error"),
        ("mfa", "graphql_errors", 10, "unreachable", "Request failed with status code 502"),
        ("mfa", "truncated_gzip", 10, "unreachable", "cut off"),
        ("mfa", "redirect_loop", 10, "unreachable", "redirects without end"),
        ("mfa", "self_redirect", 10, "unreachable", "redirects without end"),
        ("mfa", "slow", 10, "unreachable", "does not answer in time"),
        ("mfa", "drop", 10, "unreachable", "the connection fails"),
        ("mfa", "400_not_allowed", 11, "blocked", "notAllowed"),
        ("mfa", "403_challenge", 11, "blocked", "challenge page (HTTP 403)"),
        ("mfa", "200_challenge", 11, "blocked", "challenge page (HTTP 200)"),
        ("mfa", "shell", 11, "blocked", "JavaScript shell"),
        ("mfa", "gzip_bomb", 11, "blocked", "limits.body_mb"),
        ("mfa", "huge", 11, "blocked", "limits.body_mb"),
        ("mfa", "404", 12, "changed", "HTTP 404"),
        ("mfa", "empty", 13, "silent", "nothing was listed"),
        ("qazmonitor", "empty", 12, "changed", "/news: the field 'links'"),
        ("ktkz", "empty", 12, "changed", "/rus/press-materialy/: the field 'links'"),
    ],
)
def test_a_lasting_fault_has_a_name(crawl: Any, source: str, fault: str, code: int, health: str, words: str) -> None:
    """An empty run is never healthy: an API without a record is silent, a page without a link has changed."""
    with KINDS[source](6) as site:
        site.add_fault(ALL_PATHS, fault)
        ran = crawl(source, site.url)
        assert (ran.code, ran.health, ran.complete) == (code, health, code == 13), ran
        assert words in ran.sentence
        assert not any(name.startswith("articles/") for name in ran.counts)
        if code != 13:
            assert KINDS[source].public in ran.sentence or site.url in ran.sentence


def test_a_long_retry_after_is_respected_for_the_whole_site(crawl: Any) -> None:
    """Requests that are on their way are sent (at most CONCURRENT_REQUESTS), and none after them."""
    with QazMonitorSite(40, feed_size=40) as site:
        for article in site.articles:
            site.add_fault(site.path(article), "429", value=3600)
        ran = crawl("qazmonitor", site.url, CRAWLER_POLITENESS__CONCURRENCY="1")
        assert (ran.code, ran.health) == (11, "blocked")
        assert "longer than politeness.longest_wait" in ran.sentence
        assert len(site.requests) <= 2 + 8


@pytest.mark.parametrize("source", KINDS)
def test_robots_txt_is_obeyed_by_every_request(crawl: Any, source: str) -> None:
    with KINDS[source](6) as site:
        site.add_fault("/robots.txt", "robots_forbids")
        ran = crawl(source, site.url)
        assert (ran.code, ran.health) == (11, "blocked")
        assert "robots.txt" in ran.sentence
        assert {asked.path for asked in site.requests} == {"/robots.txt"}


@pytest.mark.parametrize(
    "fault", ["404", "504", "empty", "entity_bomb", "not_json", "truncated_gzip", "gzip_bomb", "self_redirect"]
)
def test_where_the_feed_fails_the_section_page_is_read(crawl: Any, fault: str) -> None:
    with QazMonitorSite(24) as site:
        site.add_fault("/rss", fault)
        ran = crawl("qazmonitor", site.url)
        assert (ran.code, ran.health, ran.problems) == (14, "degraded", [])
        assert ran.counts["articles/new"] == len([a for a in site.articles if a.section == "News"])
        assert "Requesting https://qazmonitor.com/news instead." in ran.log


def test_a_cut_off_article_is_not_stored_as_if_it_were_whole(crawl: Any) -> None:
    with KtkzSite(24) as site:
        article = next(a for a in site.articles if "ru" in a.texts)
        site.add_fault(site.path(article), "truncated_gzip")
        ran = crawl("ktkz", site.url)
        assert (ran.code, ran.problems) == (10, ["Unreachable"])
        assert article.id in ran.sentence
        assert ran.counts["articles/new"] == 11


@pytest.mark.parametrize("fault", ["cut_off", "mojibake"])
def test_a_damaged_article_is_stored_once_and_replaced_by_a_sound_one(crawl: Any, fault: str) -> None:
    with KtkzSite(24) as site:
        first, second = [a for a in site.articles if "ru" in a.texts][:2]
        site.add_fault(site.path(first), fault)
        site.add_fault(site.path(second), fault, times=1)
        ran = crawl("ktkz", site.url)
        assert (ran.code, ran.health, ran.problems) == (14, "degraded", [])
        assert "1 article came cut off or in a wrong encoding" in ran.sentence
        assert (ran.counts["articles/new"], ran.counts["damaged"]) == (12, 1)
        tries = {"cut_off": 3, "mojibake": 2}[fault]
        assert [len(site.list_requests(site.path(each))) for each in (first, second)] == [tries, 2]
        again = crawl("ktkz", site.url)
        assert (again.code, again.counts["damaged"], again.counts["articles/unchanged"]) == (14, 1, 1)
        site.heal()
        sound = crawl("ktkz", site.url)
        assert (sound.code, sound.health, sound.counts["articles/new"]) == (0, "healthy", 1)
        site.add_fault(ALL_PATHS, fault)
        later = crawl("ktkz", site.url)
        assert "articles/revised" not in later.counts


def test_a_private_address_needs_leave(crawl: Any) -> None:
    with QazMonitorSite(3) as site:
        ran = crawl("qazmonitor", site.url, CRAWLER_ALLOW_PRIVATE="false")
        assert (ran.code, ran.health) == (11, "blocked")
        assert "allow_private = true" in ran.sentence
        assert site.requests == []


def test_a_redirect_to_a_file_is_not_followed(crawl: Any) -> None:
    with QazMonitorSite(3) as site:
        site.add_fault(ALL_PATHS, "redirect", value="file:///etc/passwd")
        ran = crawl("qazmonitor", site.url)
        assert (ran.code, ran.health) == (12, "changed")
        assert "HTTP 302 to file:///etc/passwd" in ran.sentence


def test_refused_connections_are_unreachable(crawl: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    ran = crawl("mfa", url)
    assert (ran.code, ran.health) == (10, "unreachable")
    assert "refuses connections" in ran.sentence


def test_without_any_answer_the_command_ends_within_half_a_minute(tmp_path: Path) -> None:
    with GovSite(1) as gov, QazMonitorSite(1) as qaz, KtkzSite(1) as ktkz:
        sites = {"mfa": gov, "qazmonitor": qaz, "ktkz": ktkz}
        for site in sites.values():
            site.add_fault(ALL_PATHS, "hang")
            site.add_fault("/robots.txt", "hang")
        start = time.monotonic()
        done = Sandbox(tmp_path, sites).run_crawler("crawl", CRAWLER_POLITENESS__RETRY_WAIT="2")
        assert time.monotonic() - start < 40  # 30 s is the promise; the rest is a busy machine's
        assert done.code == 10
        assert done.out.count("unreachable (exit 10)") == 3


def test_several_faults_at_once_end_with_the_one_that_outranks_the_others(tmp_path: Path) -> None:
    with GovSite(6) as gov, QazMonitorSite(6) as qaz, KtkzSite(6) as ktkz:
        gov.add_fault("/graphql", "403_challenge")
        qaz.add_fault(ALL_PATHS, "504")
        ktkz.break_page(next(a for a in ktkz.articles if "ru" in a.texts).id)
        sites = {"mfa": gov, "qazmonitor": qaz, "ktkz": ktkz}
        done = Sandbox(tmp_path, sites).run_crawler("crawl")
        assert done.code == 12
        for line in ("mfa: blocked (exit 11). ", "qazmonitor: unreachable (exit 10). ", "ktkz: changed (exit 12). "):
            assert line in done.out
        assert "Traceback" not in done.all_output


def test_a_list_that_shrank_is_told_by_its_own_past(crawl: Any) -> None:
    with QazMonitorSite(24, feed_size=20) as site:
        for _ in range(5):
            assert crawl("qazmonitor", site.url).code == 0
        site.feed_size = 4
        ran = crawl("qazmonitor", site.url)
        assert (ran.code, ran.health) == (14, "degraded"), ran
        assert "entries on a list's page 4, before 20." in ran.sentence.lower()
        site.feed_size = 20
        assert crawl("qazmonitor", site.url).code == 0


@pytest.mark.parametrize("fault", ["503", "drop"])
def test_nothing_is_requested_while_robots_txt_cannot_be_read(crawl: Any, fault: str) -> None:
    with KINDS["mfa"](6) as site:
        site.add_fault("/robots.txt", fault)
        ran = crawl("mfa", site.url)
        assert (ran.code, ran.health) == (10, "unreachable")
        assert "robots.txt cannot be read" in ran.sentence
        assert {asked.path for asked in site.requests} == {"/robots.txt"}


def test_last_copy_of_robots_txt_counts_while_it_cannot_be_read(crawl: Any) -> None:
    with KINDS["mfa"](6) as site:
        assert crawl("mfa", site.url).code == 0
        site.add_fault("/robots.txt", "503")
        assert crawl("mfa", site.url).code == 0


def test_copy_of_robots_txt_that_forbids_is_obeyed_too(crawl: Any) -> None:
    with KINDS["mfa"](6) as site:
        site.add_fault("/robots.txt", "robots_forbids", times=1)
        assert crawl("mfa", site.url).code == 11
        site.add_fault("/robots.txt", "503")
        assert crawl("mfa", site.url).code == 11
