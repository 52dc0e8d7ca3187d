"""Retries, delays, Retry-After and missing networks, in real crawls."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from support.tls_front import serve_tls, write_certificate

pytestmark = [pytest.mark.slow, pytest.mark.campaign]

HANGING = """
import time
from crawler.middlewares.resolver import GuardedResolver
GuardedResolver.resolve_name = lambda self, name: time.sleep(3600)
"""


def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
def test_a_broken_answer_is_asked_again(site: Any, crawl: Any, status: int) -> None:
    site.pages["/"] = [site.answer(b"broken", status), site.answer(b"broken", status), site.answer(b"whole")]
    assert crawl(site.url("/")).only["body"] == "whole"
    assert site.hits["/"] == 3


def test_waits_grow(site: Any, crawl: Any) -> None:
    site.pages["/"] = site.answer(b"broken", 504)
    crawl(site.url("/"), CRAWLER_RETRY_WAIT=0.2, RETRY_TIMES=3)
    first, second, third, fourth = site.times
    assert second - first >= 0.2
    assert third - second >= 0.4
    assert fourth - third >= 0.8


def test_when_all_is_tried_the_answer_goes_to_the_spider(site: Any, crawl: Any) -> None:
    site.pages["/"] = site.answer(b"still broken", 504)
    ran = crawl(site.url("/"))
    assert (ran.only["status"], ran.only["body"]) == (504, "still broken")
    assert site.hits["/"] == 3
    assert " ERROR: " not in ran.log


def test_other_pages_go_on_while_one_waits(site: Any, crawl: Any) -> None:
    site.pages["/slow"] = [site.answer(b"broken", 504), site.answer(b"slow")]
    for number in range(5):
        site.pages[f"/{number}"] = site.answer(b"quick")
    urls = [site.url("/slow"), *(site.url(f"/{number}") for number in range(5))]
    ran = crawl(*urls, CRAWLER_RETRY_WAIT=1, CONCURRENT_REQUESTS_PER_DOMAIN=1)
    assert [one["body"] for one in ran.told[:-1]] == ["quick"] * 5 + ["slow"]


def test_a_short_retry_after_is_obeyed_by_the_whole_host(site: Any, crawl: Any) -> None:
    site.pages["/"] = [site.answer(b"busy", 429, Retry_After="1"), site.answer(b"here")]
    site.pages["/other"] = site.answer(b"other")
    ran = crawl(site.url("/"), site.url("/other"), CONCURRENT_REQUESTS=1)
    assert [one["body"] for one in ran.pages] == ["here", "other"]
    assert min(site.times[1:]) - site.times[0] >= 1


def test_a_retry_after_that_is_a_date_is_read_by_the_servers_own_clock(site: Any, crawl: Any) -> None:
    theirs = datetime(2020, 1, 1, tzinfo=UTC)
    until = format_datetime(theirs + timedelta(seconds=1), usegmt=True)
    busy = site.answer(b"busy", 503, Retry_After=until, Date=format_datetime(theirs, usegmt=True))
    site.pages["/"] = [busy, site.answer(b"here")]
    assert crawl(site.url("/")).only["body"] == "here"
    assert site.times[1] - site.times[0] >= 1


def test_a_long_retry_after_is_blocked_and_says_when_to_come_back(site: Any, crawl: Any) -> None:
    site.pages["/"] = site.answer(b"busy", 503, Retry_After="7200")
    site.pages["/other"] = site.answer(b"other")
    ran = crawl(site.url("/"), site.url("/other"), CONCURRENT_REQUESTS=1)
    for one in ran.pages:
        assert "crawler.errors.Blocked" in one["kinds"]
        assert "HTTP 503 from 127.0.0.1" in one["message"]
        assert "it asks to wait until 20" in one["message"]
        assert "longer than politeness.longest_wait (60 s)" in one["message"]
    assert site.hits == {"/": 1}


@pytest.mark.parametrize("value", ["soon", "-5", "-99999999", "1.5", "", "Sun, 99 Foo 2026 00:00:00 GMT"])
def test_a_retry_after_that_says_nothing_is_left_aside(site: Any, crawl: Any, value: str) -> None:
    site.pages["/"] = [site.answer(b"busy", 503, Retry_After=value), site.answer(b"here")]
    assert crawl(site.url("/")).only["body"] == "here"


@pytest.mark.parametrize("value", ["9" * 400, "Fri, 31 Dec 99999 23:59:59 GMT"])
def test_an_endless_retry_after_blocks_the_host(site: Any, crawl: Any, value: str) -> None:
    site.pages["/"] = site.answer(b"busy", 503, Retry_After=value)
    site.pages["/other"] = site.answer(b"other")
    ran = crawl(site.url("/"), site.url("/other"), CONCURRENT_REQUESTS=1)
    for one in ran.pages:
        assert "crawler.errors.Blocked" in one["kinds"]
        assert "it asks to wait for a year or more" in one["message"]
    assert site.hits == {"/": 1}


def test_a_spider_may_ask_again_for_broken_content(site: Any, crawl: Any) -> None:
    site.pages["/"] = [site.answer(b"broken content"), site.answer(b"whole")]
    assert crawl(site.url("/")).only["body"] == "whole"
    site.pages["/never"] = site.answer(b"broken content")
    assert crawl(site.url("/never")).only["body"] == "broken content"
    assert site.hits["/never"] == 3


def test_a_replay_never_waits(site: Any, crawl: Any) -> None:
    """With delays of an hour the run would not end in time."""
    site.pages["/"] = [
        site.answer(b"busy", 503, Retry_After="50"),
        site.answer(b"broken content"),
        site.answer(b"here"),
    ]
    ran = crawl(site.url("/"), CRAWLER_MODE="snapshots", CRAWLER_RETRY_WAIT=3600, CRAWLER_LONGEST_WAIT=3600)
    assert ran.only["body"] == "here"


def test_in_a_replay_one_blocked_page_says_nothing_about_the_next(site: Any, crawl: Any) -> None:
    site.pages["/"] = site.answer(b"busy", 503, Retry_After="7200")
    site.pages["/other"] = site.answer(b"other")
    ran = crawl(site.url("/"), site.url("/other"), CONCURRENT_REQUESTS=1, CRAWLER_MODE="snapshots")
    blocked, other = ran.pages
    assert "crawler.errors.Blocked" in blocked["kinds"]
    assert other["body"] == "other"


def test_a_connection_that_breaks_off_is_tried_again(site: Any, crawl: Any) -> None:
    site.pages["/"] = [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", site.answer(b"whole")]
    assert crawl(site.url("/")).only["body"] == "whole"


def test_a_host_that_refuses_connections_is_unreachable(crawl: Any) -> None:
    port = unused_port()
    ran = crawl(f"http://127.0.0.1:{port}/a", f"http://127.0.0.1:{port}/b", ROBOTSTXT_OBEY=True)
    for one in ran.pages:
        assert "crawler.errors.Unreachable" in one["kinds"]
        assert f"127.0.0.1:{port} is unreachable: it refuses connections. Check the network" in one["message"]
    assert "Traceback" not in ran.log


def test_packets_that_vanish_end_the_run_as_unreachable(blackhole: int, crawl: Any) -> None:
    urls = [f"http://127.0.0.1:{blackhole}/{number}" for number in range(20)]
    ran = crawl(*urls, ROBOTSTXT_OBEY=True, DOWNLOAD_TIMEOUT=3600, CRAWLER_REACH_SECONDS=2)
    assert len(ran.pages) == 20
    assert all("crawler.errors.Unreachable" in one["kinds"] for one in ran.pages)
    assert all("it does not answer in time" in one["message"] for one in ran.pages)
    assert "Traceback" not in ran.log


def test_a_name_server_that_hangs_ends_the_run_as_unreachable(crawl: Any) -> None:
    ran = crawl(
        "http://one.example/", "http://two.example/", before=HANGING, ROBOTSTXT_OBEY=True, CRAWLER_REACH_SECONDS=2
    )
    assert len(ran.pages) == 2
    assert all("crawler.errors.Unreachable" in one["kinds"] for one in ran.pages)


def test_a_host_that_takes_the_request_and_says_nothing_is_unreachable(site: Any, crawl: Any) -> None:
    site.pages["/"] = site.silent
    ran = crawl(site.url("/"), DOWNLOAD_TIMEOUT=3600, CRAWLER_REACH_SECONDS=2)
    assert "it does not answer in time" in ran.only["message"]


def test_a_host_that_has_answered_gets_the_full_time(site: Any, crawl: Any) -> None:
    """Only unknown hosts have little time: the second page takes longer than that."""

    def slow(connection: socket.socket) -> None:
        import time

        time.sleep(2.5)
        connection.sendall(site.answer(b"slow but here"))

    site.pages["/robots.txt"] = site.answer(b"User-agent: *\nAllow: /\n", Content_Type="text/plain")
    site.pages["/slow"] = slow
    ran = crawl(site.url("/slow"), ROBOTSTXT_OBEY=True, CRAWLER_REACH_SECONDS=2)
    assert ran.only["body"] == "slow but here"


def test_one_dead_host_does_not_hold_up_another(site: Any, blackhole: int, crawl: Any) -> None:
    site.pages["/"] = site.answer(b"here")
    ran = crawl(f"http://127.0.0.1:{blackhole}/", site.url("/"), CRAWLER_REACH_SECONDS=2)
    dead, living = ran.pages
    assert "crawler.errors.Unreachable" in dead["kinds"]
    assert living["body"] == "here"


def test_a_run_that_is_told_to_stop_does_not_wait_to_the_end(site: Any, crawl: Any) -> None:
    """With the delay of an hour the run would not end in time."""
    site.pages["/"] = site.answer(b"broken", 504)
    stop = "import os, signal, threading\nthreading.Timer(10, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
    ran = crawl(site.url("/"), before=stop, CRAWLER_RETRY_WAIT=3600, CRAWLER_LONGEST_WAIT=3600)
    assert "The run was stopped." in ran.only["message"]
    assert ran.closed == "shutdown"


def test_a_run_that_is_over_its_time_does_not_wait_to_the_end(site: Any, crawl: Any) -> None:
    site.pages["/"] = site.answer(b"broken", 504)
    ran = crawl(site.url("/"), CRAWLER_RETRY_WAIT=3600, CRAWLER_LONGEST_WAIT=3600, CLOSESPIDER_TIMEOUT=1)
    assert "The run was stopped." in ran.only["message"]
    assert (ran.closed, site.hits["/"]) == ("closespider_timeout", 1)


def test_a_run_that_ends_before_it_has_robots_txt_requests_nothing(site: Any, crawl: Any) -> None:
    site.pages["/robots.txt"] = site.answer(b"broken", 504)
    waits = {"CRAWLER_RETRY_WAIT": 3600, "CRAWLER_LONGEST_WAIT": 3600}
    ran = crawl(site.url("/"), ROBOTSTXT_OBEY=True, CLOSESPIDER_TIMEOUT=1, **waits)
    assert (ran.closed, site.hits["/"]) == ("closespider_timeout", 0)


def test_a_certificate_that_cannot_be_verified_is_named(crawl: Any, tmp_path: Path) -> None:
    with serve_tls(write_certificate(tmp_path / "certificate.pem")) as port:
        ran = crawl(f"https://127.0.0.1:{port}/", DOWNLOAD_VERIFY_CERTIFICATES=True)
    assert "crawler.errors.Unreachable" in ran.only["kinds"]
    assert "its TLS certificate cannot be verified" in ran.only["message"]
