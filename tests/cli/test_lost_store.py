"""A database that was lost or emptied: every command reports it with exit code 16, and only --new-store begins anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import Sandbox

REASON = "The store is empty but the archive has 1 day of records"


@pytest.mark.slow
def test_a_lost_database_is_never_a_silent_new_baseline(tmp_path: Path) -> None:
    with QazMonitorSite() as site:
        place = Sandbox(tmp_path, {"qazmonitor": site})
        assert place.run_crawler("crawl", "qazmonitor").code == 0
        stored = set(place.get_articles("qazmonitor"))
        database = place.data_dir / "crawler.db"
        database.write_bytes(b"")
        requests = len(site.requests)
        crawl, read, watch, config = place.run_many(
            ("crawl", "qazmonitor"), ("articles",), ("watch", "qazmonitor"), ("config", "--json")
        )
        for done in (crawl, read, watch):
            assert (done.code, done.err.count(REASON)) == (16, 1), done
        (problem,) = json.loads(config.out)["problems"]
        assert problem.startswith(REASON)
        assert database.read_bytes() == b"", "nothing was created"
        assert len(site.requests) == requests, "the site was not asked"
        dry = place.run_crawler("crawl", "qazmonitor", "--dry-run")
        assert dry.code == 0, dry.err
        assert place.run_crawler("crawl", "qazmonitor", "--new-store").code == 0
        assert place.run_crawler("crawl", "qazmonitor").code == 0
        assert set(place.get_articles("qazmonitor")) == stored


def test_scrapy_reports_a_lost_database_too(tmp_path: Path) -> None:
    place = Sandbox(tmp_path)
    place.make_environment()
    (place.work_dir / "scrapy.cfg").write_text("[settings]\ndefault = crawler.settings\n")
    (place.archive_dir / "ktkz").mkdir(parents=True)
    (place.archive_dir / "ktkz" / "2026-03-05.warc.gz").write_bytes(b"record")
    done = place.run_forked("scrapy.cmdline:execute", "scrapy", "crawl", "ktkz")
    assert done.code == 1
    assert f"EmptyStore: {REASON}" in done.err
    assert not (place.data_dir / "crawler.db").exists()
