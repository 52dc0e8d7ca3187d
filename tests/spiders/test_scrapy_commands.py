"""`scrapy list`, `scrapy crawl` and `scrapy shell` work in the project's folder as a Scrapy user expects."""

from __future__ import annotations

import asyncio
import json
import tomllib
import zipfile
from pathlib import Path

import pytest
from scrapy import Request
from scrapy.settings import Settings
from scrapy.spiderloader import get_spider_loader
from scrapy.utils.test import get_crawler
from support.gov_site import GovSite
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import ROOT, CommandResult, Sandbox, get_expected_articles

from crawler import spiders
from crawler.config import Config
from crawler.context.run_context import RunContext
from crawler.items import Article
from crawler.spiders import load_spider
from crawler.spiders.base import SourceSpider

RUN_AS_SCRAPYD = """
import os, sys
from importlib.metadata import DistributionFinder, MetadataPathFinder
egg = sys.argv.pop(1)
sys.path = [egg, *(path for path in sys.path if "crawler" not in path)]
(found,) = MetadataPathFinder.find_distributions(DistributionFinder.Context(path=[egg]))
(point,) = found.entry_points.select(group="scrapy", name="settings")
os.environ["SCRAPY_SETTINGS_MODULE"] = point.value
from scrapy.cmdline import execute
import crawler
assert crawler.__file__.startswith(egg), crawler.__file__
execute(["scrapy", *sys.argv[1:]])
"""


def scrapy(place: Sandbox, *words: object) -> CommandResult:
    return place.run_forked("scrapy.cmdline:execute", "scrapy", *words, cwd=ROOT)


@pytest.mark.slow
def test_list_and_shell(tmp_path: Path) -> None:
    place = Sandbox(tmp_path)
    listed = place.run_python("-m", "scrapy", "list", cwd=ROOT)
    assert (listed.code, listed.out.split()) == (0, spiders.list_names())
    page = ROOT / "snapshots" / "ktkz" / "article_rus_press.html"
    code = "print('h1:', response.css('header.page-heading h1::text').get())"
    for spider in ((), ("--spider", "ktkz")):
        shell = scrapy(place, "shell", page.as_uri(), "-c", code, *spider)
        assert shell.code == 0, shell.err
        heading = next(line for line in shell.out.splitlines() if line.startswith("h1: "))
        assert heading.removeprefix("h1: ").strip() in page.read_text(encoding="utf-8")
    assert not place.data_dir.exists(), "a look at a page stores nothing"


def test_parse_and_shell_find_the_spider_of_an_address(tmp_path: Path) -> None:
    settings = Settings()
    settings.setmodule("crawler.settings")
    for name, url in (
        ("mfa", "https://www.gov.kz/memleket/entities/mfa/press/news/details/1?lang=en"),
        ("ktkz", "https://kt.kz/rus/press/x_1377985000.html"),
        ("qazmonitor", "https://qazmonitor.com/news/1/x"),
    ):
        assert get_spider_loader(settings).find_by_request(Request(url)) == [name]
    with QazMonitorSite(4) as qaz:
        place = Sandbox(tmp_path, {"qazmonitor": qaz})
        done = scrapy(place, "parse", "--spider", "qazmonitor", f"{qaz.url}/rss", "--noitems")
        assert done.code == 0, done.err
        assert done.out.count("<GET ") == 4
        assert not list(tmp_path.rglob("crawler.db")), "a look at a page stores nothing"


@pytest.mark.slow
def test_the_spiders_are_found_and_run_in_an_egg(tmp_path: Path) -> None:
    """As scrapyd reads a project: a zip on the import path, whose entry point names the settings.

    (The file has what `bdist_egg` writes; building it needs a setuptools that this environment may not have.)
    """
    egg, points = tmp_path / "crawler.egg", tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (name, value), *_ = points["project"]["entry-points"]["scrapy"].items()
    with zipfile.ZipFile(egg, "w") as file:
        file.writestr("EGG-INFO/PKG-INFO", "Metadata-Version: 2.1\nName: crawler\nVersion: 1\n")
        file.writestr("EGG-INFO/entry_points.txt", f"[scrapy]\n{name} = {value}\n")
        for path in (ROOT / "crawler").rglob("*"):
            if path.suffix != ".pyc":
                file.write(path, path.relative_to(ROOT))
    place = Sandbox(tmp_path)
    listed = place.run_python("-c", RUN_AS_SCRAPYD, egg, "list", cwd=tmp_path, PYTHONPATH="")
    assert listed.out.split() == ["ktkz", "mfa", "qazmonitor"], listed.err
    with QazMonitorSite(2) as qaz:
        place = Sandbox(tmp_path, {"qazmonitor": qaz})
        done = place.run_python("-c", RUN_AS_SCRAPYD, egg, "crawl", "qazmonitor", cwd=tmp_path, PYTHONPATH="")
    assert "Traceback" not in done.err
    assert len(place.get_articles("qazmonitor")) == 2


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_second_crawl_says_what_it_did_not_export(tmp_path: Path) -> None:
    with QazMonitorSite(4) as qaz:
        place = Sandbox(tmp_path, {"qazmonitor": qaz})
        place.make_environment()
        file = place.work_dir / "out.jsonl"
        runs = [scrapy(place, "crawl", "qazmonitor", "-O", file, *more) for more in ((), (), ("-a", "all=true"))]
        hints = ["unchanged articles were not exported; -a all=true exports them" in run.err for run in runs]
        assert hints == [False, True, False]
        assert len(file.read_text(encoding="utf-8").splitlines()) == 4


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("limit=many", "-a limit=many cannot be used: write a number of articles such as limit=5."),
        ("limit=-1", "-a limit=-1 cannot be used: write a number of articles such as limit=5."),
        ("since=soon", "-a since=soon cannot be used: write a date such as since=2026-01-31."),
        ("all=perhaps", "-a all=perhaps cannot be used: write all=true or all=false."),
        ("limt=5", "-a limt=…: there is no such argument, did you mean 'limit'? Known ones: url, since, limit, all."),
        ("context=x", "-a context=…: there is no such argument. Known ones: "),
        ("url=http://[x", "'http://[x' is no address of a page: write it whole, such as "),
    ],
)
def test_an_argument_that_cannot_be_used_is_one_sentence(
    argument: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    name, _, value = argument.partition("=")
    crawler = get_crawler(load_spider("qazmonitor"), {"CRAWLER_CONFIG": Config()})
    spider = load_spider("qazmonitor").from_crawler(crawler, **{name: value})
    (record,) = caplog.records
    assert record.message.startswith(sentence)
    assert asyncio.run(collect(spider)) == []
    assert not RunContext.from_crawler(crawler).can_write


async def collect(spider: SourceSpider) -> list[Request]:
    return [request async for request in spider.start()]


@pytest.mark.slow
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
