"""The faults of the loopback copies."""

from __future__ import annotations

import gzip
import http.client
import json
import urllib.error
import urllib.request
import zlib

import pytest
from support.gov_site import GovSite
from support.ktkz_site import KtkzSite
from support.qazmonitor_site import QazMonitorSite
from support.site_client import NEWS_QUERY, OPENER, fetch, query_graphql
from support.site_faults import ALL_PATHS


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [
        ("400_not_allowed", 400, "notAllowed"),
        ("404", 404, "Not Found"),
        ("500", 500, "Internal Server Error"),
        ("504", 504, "Gateway Time-out"),
        ("503", 503, "Service Unavailable"),
        ("429", 429, "Too Many Requests"),
        ("403_challenge", 403, "challenge-platform"),
        ("200_challenge", 200, "challenge-platform"),
        ("shell", 200, "You need to enable JavaScript"),
        ("not_json", 200, "upstream connect error"),
        ("graphql_errors", 200, '"errors"'),
        ("entity_bomb", 200, "<!ENTITY"),
    ],
)
def test_fault_answers_until_it_is_healed(qazmonitor_site: QazMonitorSite, kind: str, status: int, said: str) -> None:
    healthy = fetch(qazmonitor_site.url + "/rss")[2]
    qazmonitor_site.add_fault("/rss", kind)
    answer = fetch(qazmonitor_site.url + "/rss")
    assert (answer[0], said in answer[2].decode()) == (status, True)
    assert fetch(qazmonitor_site.url + "/terms")[0] == 200
    qazmonitor_site.heal()
    assert fetch(qazmonitor_site.url + "/rss")[2] == healthy


def test_retry_after_is_as_set(ktkz_site: KtkzSite) -> None:
    ktkz_site.add_fault("/rus/rss", "503", value=7)
    ktkz_site.add_fault("/eng/rss", "429")
    assert fetch(ktkz_site.url + "/rus/rss")[1]["Retry-After"] == "7"
    assert fetch(ktkz_site.url + "/eng/rss")[1]["Retry-After"] == "1"


def test_fault_may_pass_after_some_requests(gov_site: GovSite) -> None:
    gov_site.add_fault("/graphql", "504", times=2)
    body = json.dumps({"query": NEWS_QUERY, "variables": {}}).encode()
    seen = [fetch(gov_site.url + "/graphql", body, Content_Type="application/json")[0] for _ in range(3)]
    assert seen == [504, 504, 200]


def test_fault_everywhere_leaves_robots_alone_unless_named(ktkz_site: KtkzSite) -> None:
    ktkz_site.add_fault(ALL_PATHS, "500")
    assert fetch(ktkz_site.url + "/rus/all")[0] == 500
    assert b"Disallow: /uploads/" in fetch(ktkz_site.url + "/robots.txt")[2]
    ktkz_site.add_fault("/robots.txt", "robots_forbids")
    assert fetch(ktkz_site.url + "/robots.txt")[2] == b"User-agent: *\nDisallow: /\n"


def test_empty_answers_are_well_formed(gov_site: GovSite, qazmonitor_site: QazMonitorSite, ktkz_site: KtkzSite) -> None:
    for site in (gov_site, qazmonitor_site, ktkz_site):
        site.add_fault(ALL_PATHS, "empty")
    assert query_graphql(gov_site) == {"data": {"news": []}}
    for url in (qazmonitor_site.url + "/rss", ktkz_site.url + "/rus/rss"):
        feed = fetch(url)[2].decode()
        assert feed.startswith("<?xml")
        assert "<item>" not in feed


def test_slow_answer_drips_and_stops_with_the_site() -> None:
    with QazMonitorSite(2) as site:
        site.add_fault("/rss", "slow", value=0.05)
        with OPENER.open(site.url + "/rss", timeout=120) as answer:
            assert answer.headers["Content-Length"] == "10000"
            assert answer.read(3) == b"<<<"
            site.stopping.set()
            with pytest.raises(http.client.IncompleteRead):
                answer.read()


def test_hanging_and_dropped_connections_give_no_answer(qazmonitor_site: QazMonitorSite) -> None:
    qazmonitor_site.add_fault("/rss", "hang")
    qazmonitor_site.add_fault("/terms", "drop")
    with pytest.raises(TimeoutError):
        OPENER.open(qazmonitor_site.url + "/rss", timeout=0.3)
    with pytest.raises((http.client.RemoteDisconnected, urllib.error.URLError)):
        OPENER.open(qazmonitor_site.url + "/terms", timeout=120)


def test_gzip_is_cut_or_expands(qazmonitor_site: QazMonitorSite) -> None:
    qazmonitor_site.add_fault("/rss", "truncated_gzip")
    qazmonitor_site.add_fault("/terms", "gzip_bomb", value=8)
    with pytest.raises((EOFError, zlib.error)):
        gzip.decompress(fetch(qazmonitor_site.url + "/rss")[2])
    bomb = fetch(qazmonitor_site.url + "/terms")[2]
    assert len(bomb) < 20_000
    assert len(gzip.decompress(bomb)) == 8 * 2**20
    qazmonitor_site.add_fault("/news", "huge", value=2)
    assert len(fetch(qazmonitor_site.url + "/news")[2]) == 2 * 2**20


def test_redirects_loop_or_lead_elsewhere(qazmonitor_site: QazMonitorSite) -> None:
    qazmonitor_site.add_fault("/rss", "redirect_loop")
    qazmonitor_site.add_fault("/news", "redirect", value="/terms")
    status, headers, _ = fetch(qazmonitor_site.url + "/rss")
    assert (status, headers["Location"].startswith("/rss?again=")) == (302, True)
    assert len(qazmonitor_site.list_requests("/rss")) > 5
    assert b"Terms of use" in fetch(qazmonitor_site.url + "/news")[2]


def test_unknown_fault_is_named(qazmonitor_site: QazMonitorSite) -> None:
    with pytest.raises(ValueError, match="no fault 'volcano'"):
        qazmonitor_site.add_fault("/rss", "volcano")
