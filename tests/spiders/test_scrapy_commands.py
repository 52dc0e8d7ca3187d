"""`scrapy list`, `scrapy crawl` and `scrapy shell` work in the project's folder as a Scrapy user expects."""

from __future__ import annotations

import json
from pathlib import Path

from support.gov_site import GovSite
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import ROOT, CommandResult, Sandbox, get_expected_articles

from crawler import spiders
from crawler.items import Article


def scrapy(place: Sandbox, *words: object) -> CommandResult:
    return place.run_python("-m", "scrapy", *words, cwd=ROOT)


def test_list_and_shell(tmp_path: Path) -> None:
    place = Sandbox(tmp_path)
    listed = scrapy(place, "list")
    assert (listed.code, listed.out.split()) == (0, spiders.list_names())
    page = ROOT / "snapshots" / "ktkz" / "article_rus_press.html"
    code = "print('h1:', response.css('header.page-heading h1::text').get())"
    for spider in ((), ("--spider", "ktkz")):
        shell = scrapy(place, "shell", page.as_uri(), "-c", code, *spider)
        assert shell.code == 0, shell.err
        heading = next(line for line in shell.out.splitlines() if line.startswith("h1: "))
        assert heading.removeprefix("h1: ").strip() in page.read_text(encoding="utf-8")
    assert not place.data_dir.exists(), "a look at a page stores nothing"


def test_crawl_writes_articles_and_stores_them(tmp_path: Path) -> None:
    with QazMonitorSite(8) as qaz:
        place = Sandbox(tmp_path, {"qazmonitor": qaz})
        place.make_environment()
        done = scrapy(place, "crawl", "qazmonitor", "-O", place.work_dir / "out.jsonl")
        assert done.code == 0, done.err
        assert "Traceback" not in done.err
        assert "ScrapyDeprecationWarning" not in done.err
        written = [json.loads(line) for line in (place.work_dir / "out.jsonl").read_text().splitlines()]
        stored = place.get_articles()
        assert stored.keys() == get_expected_articles("qazmonitor", qaz).keys()
        assert {line["id"]: Article.from_dict(line) for line in written} == stored
        assert list(written[0]) == list(next(iter(stored.values())).to_dict())


def test_arguments_of_a_spider_are_those_of_the_command(tmp_path: Path) -> None:
    with GovSite(12) as gov:
        place = Sandbox(tmp_path, {"mfa": gov})
        place.make_environment()
        since = gov.articles[3].published_at.isoformat(timespec="minutes")
        files = [place.work_dir / f"out.{ending}" for ending in ("csv", "xml")]
        done = scrapy(place, "crawl", "mfa", "-a", f"since={since}", "-O", files[0], "-O", files[1])
        assert done.code == 0, done.err
        assert "Traceback" not in done.err
        wanted = {
            key
            for key, a in get_expected_articles("mfa", gov).items()
            if a.published_at >= gov.articles[3].published_at
        }
        assert place.get_articles().keys() == wanted
        for file in files:
            written = file.read_text(encoding="utf-8")
            assert all(key in written for key in wanted)
            assert '"excerpt_share": 0.3' in written.replace('""', '"')
