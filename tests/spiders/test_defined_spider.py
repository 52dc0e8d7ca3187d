"""A source of `sources/NAME.toml` is crawled by the commands that crawl the built-in ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.sandbox import Sandbox
from support.shaped_sites import EndlessSite, OffsetSite, ShapedSite

from crawler.config import Config
from crawler.config.source_folder import parse_definition
from crawler.errors import PageChanged, UsageError
from crawler.generic import extractors
from crawler.items import Article
from crawler.pages.base import read_snapshot
from crawler.pages.snapshot import Snapshot
from crawler.spiders.base import SourceSpider
from crawler.spiders.defined import make_spider_class

pytest.importorskip("trafilatura")


def write_definition(place: Sandbox, site: ShapedSite, lines: str, name: str = "valley") -> Path:
    """Write crawler.toml and the definition of a loopback site."""
    folder = place.work_dir / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    (place.work_dir / "crawler.toml").touch()
    path = folder / f"{name}.toml"
    path.write_text(f'title = "{site.name}"\norigins = ["{site.url}"]\n{lines}', encoding="utf-8")
    return path


FEED = 'starts = ["{url}/feed/"]\naddresses = ["/{{year}}/{{month}}/{{slug}}/"]\n'


def get_stored(place: Sandbox) -> dict[str, Article]:
    return {article.url: article for article in place.get_articles("valley").values()}


def test_crawl_stores_the_articles_of_a_feed(tmp_path: Path) -> None:
    place = Sandbox(tmp_path)
    with ShapedSite() as site:
        write_definition(place, site, FEED.format(url=site.url))
        ended = place.run_crawler("crawl", "valley", "--since", "2020-01-01")
        assert ended.code == 0, ended.err + ended.out
        stored = get_stored(place)
        expected = {site.make_path(article): article for article in site.articles[: site.page_size]}
        assert stored.keys() == expected.keys()
        for url, article in expected.items():
            text = article.texts["en"]
            found = stored[url]
            assert (found.title, found.published_at, found.language) == (text.title, article.published_at, "en")
            assert found.body == "\n".join((text.lead, *text.paragraphs))
            assert found.rights is not None
            assert found.rights.excerpt_share == 0.3
        site.edit_article(site.articles[0].id)
        again = place.run_crawler("crawl", "valley")
        assert again.code == 0, again.err
        assert "1 revised" in again.out


def test_a_listed_address_that_leads_to_another_article_is_accounted_for(tmp_path: Path) -> None:
    place = Sandbox(tmp_path)
    with ShapedSite() as site:
        write_definition(place, site, FEED.format(url=site.url))
        listed, other = site.articles[0], site.articles[site.page_size]
        site.add_fault(site.path(listed), "moved", value=site.path(other))
        for _ in range(2):
            ended = place.run_crawler("crawl", "valley")
            assert ended.code == 0, ended.err + ended.out
        assert site.make_path(other) in get_stored(place)
        assert site.make_path(listed) not in get_stored(place)


def test_source_of_pages_needs_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f'title = "Valley"\norigins = ["https://a.example"]\n{FEED.format(url="https://a.example")}'
    spider_class = make_spider_class("valley", parse_definition(text, "valley.toml"))
    monkeypatch.setattr(extractors, "REQUIRED_PACKAGES", ("package_that_is_missing",))
    monkeypatch.setattr(SourceSpider, "__init__", lambda self: None)
    with pytest.raises(UsageError, match="sites"):
        spider_class()


@pytest.mark.slow
def test_endless_list_is_read_until_it_repeats(tmp_path: Path) -> None:
    place = Sandbox(tmp_path)
    with EndlessSite(count=24) as site:
        write_definition(
            place,
            site,
            'addresses = ["/news/{number}-*.html"]\nidentity = "{number}"\nlanguages = ["ru"]\n'
            f'[[starts]]\nurl = "{site.url}/news/"\nnext_page = "{site.url}/news/?page={{page}}"\npages = 50\n',
        )
        ended = place.run_crawler("crawl", "valley")
        assert ended.code == 0, ended.err
        assert {article.id for article in place.get_articles("valley").values()} == {
            f"valley:{article.id}:ru" for article in site.articles
        }
        lists = [request.query.get("page") for request in site.list_requests("/news/")]
        assert lists == [None, "2", "3", "4"], "page 4 shows page 3 again and is the last one"
        site.requests.clear()
        site.add_articles(2)
        assert place.run_crawler("crawl", "valley").code == 0
        assert [request.query.get("page") for request in site.list_requests("/news/")] == [None]


@pytest.mark.slow
def test_pages_by_offset_are_crawled_and_walked_back(tmp_path: Path) -> None:
    place = Sandbox(tmp_path)
    with OffsetSite(count=34) as site:
        write_definition(
            place,
            site,
            'addresses = ["/news/{number}-*.html"]\nidentity = "{number}"\nlanguages = ["ru"]\n[[starts]]\n'
            f'url = "{site.url}/news/"\nnext_page = "{site.url}/news/?start={{page}}"\nfirst_page = 0\npage_step = 10\n'
            "pages = 2\n",
        )
        assert place.run_crawler("crawl", "valley").code == 0
        assert [request.query.get("start") for request in site.list_requests("/news/")] == [None, "10"]
        site.requests.clear()
        walked = place.run_crawler("backfill", "valley", "--from", f"{site.articles[-1].published_at:%Y-%m-%d}")
        starts = {request.query.get("start") for request in site.list_requests("/news/")}
        assert {None, "10", "20", "30", "40"} <= starts <= {None, *map(str, range(10, 70, 10))}
        assert len(place.get_articles("valley")) == 34, walked.all_output


@pytest.mark.slow
def test_selectors_of_the_definition_outrank_the_reader(tmp_path: Path) -> None:
    place = Sandbox(tmp_path)
    with ShapedSite(count=3) as site:
        path = write_definition(
            place,
            site,
            FEED.format(url=site.url)
            + '[fields.author]\ncss = "a[rel=author]"\n[fields.published_at]\ncss = "time"\nattribute = "datetime"\n'
            + "[fields.body]\nxpath = \"//div[@class='entry-content']\"\n",
        )
        assert place.run_crawler("crawl", "valley").code == 0
        assert {article.author for article in get_stored(place).values()} == {"Ann Miller"}
        path.write_text(path.read_text(encoding="utf-8").replace("a[rel=author]", "b.author"), encoding="utf-8")
        site.add_articles()
        ended = place.run_crawler("crawl", "valley")
        assert ended.code == 12, "a selector that finds nothing is a changed page"
        assert "'author' was looked for with 'b.author'" in ended.out + ended.err


def test_unreadable_field_names_its_setting() -> None:
    lines = FEED.format(url="https://a.example") + '[fields.published_at]\ncss = "time"\n'
    definition = parse_definition(f'title = "Valley"\norigins = ["https://a.example"]\n{lines}', "valley.toml")
    site = make_spider_class("valley", definition).make_site(Config())
    text = "<h1>Көпір ашылды</h1><time>кеше кешке | Оқылды: 211</time>" + "<p>Көпір бүгін ашылды.</p>" * 9
    page = Snapshot(url="https://a.example/2026/11/bridge/", body=text.encode(), kind_hint="html")
    with pytest.raises(PageChanged) as caught:
        read_snapshot(page, site)
    assert str(caught.value).endswith(
        "found 'кеше кешке | Оқылды: 211'. "
        "Correct `[fields.published_at]` in sources/valley.toml: docs/add-a-source.md shows how."
    )


@pytest.mark.slow
def test_scrapy_lists_and_crawls_it(tmp_path: Path) -> None:
    place = Sandbox(tmp_path)
    with ShapedSite(count=3) as site:
        write_definition(place, site, FEED.format(url=site.url))
        scrapy_cfg = place.work_dir / "scrapy.cfg"
        scrapy_cfg.write_text("[settings]\ndefault = crawler.settings\n", encoding="utf-8")
        listed = place.run_python("-m", "scrapy", "list")
        assert (listed.code, "valley" in listed.out.split()) == (0, True)
        crawled = place.run_python("-m", "scrapy", "crawl", "valley", "-O", "out.jsonl")
        assert crawled.code == 0, crawled.err
        assert len((place.work_dir / "out.jsonl").read_text(encoding="utf-8").splitlines()) == 3
