"""Feeds, link groups, further pages, languages and terms that a page shows."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from support.cms_sites import PdfSite, make_pdf

from crawler.config.source_definition import StartList
from crawler.config.source_folder import parse_definition
from crawler.discovery.address_shapes import AddressShape, infer_address_shape
from crawler.discovery.feeds import list_feed_links, parse_feed
from crawler.discovery.language_versions import find_address_language, find_language_versions
from crawler.discovery.link_groups import list_link_groups
from crawler.discovery.pagers import Pager, find_next_page
from crawler.discovery.proposal import describe_cadence, suggest_name, write_definition
from crawler.discovery.samples import describe_pdf_release, read_pdf_release
from crawler.discovery.survey import FoundList, SiteSurvey, SiteSurveyor, join_lists
from crawler.discovery.terms import find_rights_line, find_terms, read_robots
from crawler.errors import NoArticles
from crawler.generic.page import GenericPage
from crawler.pages.snapshot import Snapshot

URL = "https://news.example/news/"


def make_page(body: str, head: str = "", url: str = URL) -> GenericPage:
    return GenericPage(f"<html lang='ru'><head>{head}</head><body>{body}</body></html>", url)


def test_feeds_of_the_head_come_first_and_those_of_comments_never() -> None:
    head = (
        '<link rel="alternate" type="application/rss+xml" href="/feed/">'
        '<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed/">'
    )
    page = make_page('<a href="/rss.xml">RSS</a><a href="https://other.example/rss">x</a><a href="/press">p</a>', head)
    assert list_feed_links(page) == ["https://news.example/feed/", "https://news.example/rss.xml"]


def test_feed_entries_have_times_and_lengths() -> None:
    text = (
        '<rss version="2.0"><channel><title>News</title><link>https://news.example/</link><language>ru-RU</language>'
        "<item><title>Снег</title><link>/a/1</link><pubDate>Mon, 30 Nov 2026 10:00:00 +0500</pubDate></item>"
        "<item><title>No link</title></item></channel></rss>"
    )
    feed = parse_feed(Snapshot(url="https://news.example/feed/", body=text.encode()))
    assert feed is not None
    assert (feed.language, feed.has_full_texts, len(feed.entries)) == ("ru", False, 1)
    assert feed.entries[0].url == "https://news.example/a/1"
    assert feed.times == [datetime(2026, 11, 30, 5, tzinfo=UTC)]


@pytest.mark.parametrize("body", ["<html><body>no feed</body></html>", '<!DOCTYPE r [<!ENTITY a "b">]><rss></rss>', ""])
def test_other_responses_are_no_feed(body: str) -> None:
    assert parse_feed(Snapshot(url=URL, body=body.encode())) is None


def test_titles_of_articles_are_the_best_group() -> None:
    cards = "".join(f'<div class="card"><a href="/n/{n}">Снег выпал в горах раз {n}</a></div>' for n in range(5))
    menu = "".join(f'<li><a href="/s/{n}">Раздел новостей номер {n}</a></li>' for n in range(9))
    tags = "".join(f'<a class="word" href="/t/{n}">слово</a>' for n in range(9))
    groups = list_link_groups(make_page(f"<nav><ul>{menu}</ul></nav><main>{cards}</main><div>{tags}</div>"))
    assert [link.url for link in groups[0].links] == [f"https://news.example/n/{n}" for n in range(5)]
    assert len(groups) == 1


def test_pdf_files_are_a_group_of_their_own() -> None:
    rows = "".join(f'<tr><td><a href="/f/pr-{n}.pdf">Bridge number {n} opens</a></td></tr>' for n in range(4))
    page = make_page(f"<table>{rows}</table>")
    assert list_link_groups(page) == []
    (group,) = list_link_groups(page, has_pdf_files=True)
    assert [link.url for link in group.links] == [f"https://news.example/f/pr-{n}.pdf" for n in range(4)]
    assert infer_address_shape([link.url for link in group.links]).patterns == ("/f/*-*.pdf",)


def test_pdf_release_is_a_sample() -> None:
    pytest.importorskip("reportlab")
    pytest.importorskip("pypdf")
    article = PdfSite().articles[0]
    release = read_pdf_release(Snapshot(url="https://a.example/1.pdf", body=make_pdf(article)))
    assert release is not None
    fields = describe_pdf_release(release).fields
    assert (fields["published_at"].value, fields["language"].value) == (f"{article.at:%Y-%m-%d}", "en")
    assert read_pdf_release(Snapshot(url="https://a.example/1.pdf", body=b"%PDF-1.4 broken")) is None


@pytest.mark.parametrize(
    "objects",
    [
        b"1 0 obj\n1 0 R\nendobj\n",
        b"1 0 obj\n<< /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Kids [3 0 R] /Count 1 >>\nendobj\n"
        b"3 0 obj\n<< /Type /Page /Contents 4 0 R /Resources << /Font 5 >> >>\nendobj\n"
        b"4 0 obj\n<< /Length 12 >>\nstream\nBT <<>> 12 Tf (A) Tj ET\nendstream\nendobj\n",
    ],
    ids=["AttributeError", "TypeError"],
)
def test_broken_files_do_not_end_the_look_at_a_site(objects: bytes) -> None:
    pytest.importorskip("pypdf")
    body = b"%PDF-1.4\n" + objects + b"trailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF"
    rows = "".join(
        f'<li><a href="/doc/{number}-a-file.pdf">Release number {number}</a></li>' for number in range(11, 17)
    )

    async def fetch(url: str) -> Snapshot:
        is_pdf = url.endswith(".pdf")
        page = body if is_pdf else f"<html><body><ul>{rows}</ul></body></html>".encode()
        return Snapshot(url=url, body=page, headers={"content-type": "application/pdf" if is_pdf else "text/html"})

    with pytest.raises(NoArticles, match="6 links on a page lead to PDF files"):
        asyncio.run(SiteSurveyor(fetch).survey_site(URL))


def test_files_without_titles_are_named() -> None:
    links = "".join(f'<a href="/f/{number}.pdf">Download</a>' for number in range(3))

    async def fetch(url: str) -> Snapshot:
        text = f"<html><body>{links}</body></html>" if url == URL else "<html><body></body></html>"
        return Snapshot(url=url, body=text.encode(), headers={"content-type": "text/html"})

    with pytest.raises(NoArticles) as caught:
        asyncio.run(SiteSurveyor(fetch).survey_site(URL))
    assert str(caught.value) == (
        f"{URL}: no list of titles leads to texts, but 3 links on a page lead to PDF files. "
        "docs/add-a-source.md (PDF releases) has more."
    )


@pytest.mark.parametrize(
    ("links", "path", "first_page"),
    [
        ('<a href="?page=2">2</a>', "?page={page}", 1),
        ('<a href="?page=1">2</a>', "?page={page}", 0),
        ('<a rel="next" href="/news/page/2/">Older</a>', "page/{page}/", 1),
        ('<a href="?page=0" class="pager">1</a><a href="?page=1" rel="next">Weiter</a>', "?page={page}", 0),
        ('<a class="btn-show-more" href="?next=1">Ko‘proq</a>', "?next={page}", 0),
        ('<p class="pager"><a href="?page=1">I</a><a href="?page=2">II</a></p>', "?page={page}", 1),
        (
            '<p class="pager"><a href="?page=0">I</a><a href="?page=1">II</a><a href="?page=2">III</a>',
            "?page={page}",
            0,
        ),
        ('<div class="nav-pages pager"><a href="?PAGEN_1=2">вторая</a></div>', "?PAGEN_1={page}", 1),
        ('<a rel="next" href="?type=2&amp;page=1">Next</a>', "?type=2&page={page}", 0),
    ],
)
def test_further_pages(links: str, path: str, first_page: int) -> None:
    assert find_next_page(make_page(links)) == Pager(URL + path, first_page)


BY_TWENTY = ("?start={page}", 0, 20)


@pytest.mark.parametrize(
    ("links", "path", "first_page", "step"),
    [
        ('<a rel="next" href="?start=20">Next</a>', "?start={page}", 0, 20),
        ('<p class="pager"><a href="?start=0">1</a><a href="?start=40">3</a><a href="?start=20">2</a>', *BY_TWENTY),
        ('<p class="pagenavi"><a href="?r=15&amp;n=15">2</a><a href="?r=30&amp;n=15">3</a>', "?r={page}&n=15", 0, 15),
        ('<td><a href="?r=15">2</a> <a href="?r=30">3</a> <a href="?r=135">10</a></td>', "?r={page}", 0, 15),
        ('<a href="?b_start:int=30">Next</a>', "?b_start:int={page}", 0, 30),
        ('<a href="offset/10/">Next</a><p class="pager"><a href="offset/990/">100</a></p>', "offset/{page}/", 0, 10),
        ('<p class="pager"><a href="20">2</a><a href="40">3</a></p>', "{page}", 0, 20),
        ('<p class="pager"><a href="p_2.html">II</a><a href="p_3.html">III</a></p>', "p_{page}.html", 1, 1),
        ('<button class="load-more" data-url="more?offset=10">Weitere</button>', "more?offset={page}", 0, 10),
        ('<div id="list" data-next-url="?page=2"></div>', "?page={page}", 1, 1),
        ('<a href="2/">Next</a>', "{page}/", 1, 1),
        ('<a href="page2">Next</a>', "page{page}", 1, 1),
    ],
)
def test_further_pages_by_articles_and_paths(links: str, path: str, first_page: int, step: int) -> None:
    assert find_next_page(make_page(links)) == Pager(URL + path, first_page, step)


def test_addresses_count_articles() -> None:
    start = StartList(url=URL, next_page=f"{URL}?start={{page}}", first_page=0, page_step=20)
    assert [start.make_page_url(number) for number in (1, 2)] == [f"{URL}?start=20", f"{URL}?start=40"]
    assert StartList(url=URL).make_page_url(1) is None


@pytest.mark.parametrize(
    "links",
    [
        '<a href="/news/?id=2">2</a>',
        '<a href="/news/22">22</a>',
        '<a href="https://other.example/?page=2">2</a>',
        '<a href="?page=1">One</a>',
        '<a rel="next" href="?page=7">Next</a>',
        '<a rel="next" href="/news/1-bridge">Next article</a>',
        '<a rel="next" href="?from=20261129">Next</a>',
        '<a rel="next" href="?count=20">Next</a>',
        '<a href="?day=12">12</a><a href="?day=24">24</a>',
        '<p class="pager"><a href="?start=20">2</a><a href="?start=50">3</a></p>',
        '<p class="pager"><a href="/2026/10/">October</a><a href="/2026/9/">September</a></p>',
        '<p class="pager"><a href="/articles/2">2</a></p>',
    ],
)
def test_other_links_lead_to_no_further_page(links: str) -> None:
    assert find_next_page(make_page(links)) is None


@pytest.mark.parametrize(("page_links", "first_page"), [(("/a/1", "/a/2"), 0), (("/a/1", "/a/3"), -1)])
def test_pages_of_a_list_follow_its_feed(page_links: tuple[str, ...], first_page: int) -> None:
    feed = FoundList("/feed", "feed", ("/a/1", "/a/2"))
    joined = join_lists(feed, FoundList("/news", "page", page_links, None, "/news?page={page}", 0))
    assert (joined.url, joined.fallbacks, joined.next_page) == ("/feed", ("/news",), "/news?page={page}")
    assert joined.first_page == first_page


def test_language_versions_by_links_and_hreflang() -> None:
    page = make_page(
        '<a href="/kz/">ҚАЗ</a><a href="/en/">English</a><a href="https://other.example/">EN</a>',
        '<link rel="alternate" hreflang="tg-TJ" href="/tj/">',
    )
    assert find_language_versions(page) == {
        "tg": "https://news.example/tj/",
        "kk": "https://news.example/kz/",
        "en": "https://news.example/en/",
        "ru": URL,
    }


@pytest.mark.parametrize(
    ("url", "language"),
    [
        ("https://a.example/kaz/news", "kk"),
        ("https://en.a.example/news", "en"),
        ("https://a.example/news?lang=ru", "ru"),
        ("https://a.example/news/ru", None),
        ("https://a.example/", None),
    ],
)
def test_language_of_an_address(url: str, language: str | None) -> None:
    assert find_address_language(url) == language


def test_terms_and_robots() -> None:
    page = make_page(
        "<p>Снег.</p><footer><p>При использовании материалов гиперссылка на сайт обязательна.</p>"
        '<a href="/rules">Правила использования</a></footer>'
    )
    assert find_terms(page) == "https://news.example/rules"
    assert find_rights_line(page) == "При использовании материалов гиперссылка на сайт обязательна."
    robots = read_robots("User-agent: *\nCrawl-delay: 4\nSitemap: https://a.example/s.xml\nSitemap: x", "crawler")
    assert (robots.crawl_delay, robots.sitemaps) == (4.0, ("https://a.example/s.xml",))


@pytest.mark.parametrize(
    ("home", "name"),
    [
        ("https://www.herald.example/", "herald"),
        ("https://news.min-water.gov.kz/", "min-water"),
        ("https://mod.gov.kz/", "mod"),
        ("http://127.0.0.1:8000/", "site70018000"),
    ],
)
def test_name_from_a_host(home: str, name: str) -> None:
    assert suggest_name(home) == name
    assert suggest_name(home, [name]) == f"{name}2"


def test_long_list_makes_a_usable_definition() -> None:
    """A sitemap may have 50,000 addresses."""
    survey = SiteSurvey(URL, "https://news.example/", "News", shape=AddressShape(("/n/{number}",), (), "{number}"))
    links = tuple(f"https://news.example/n/{number}" for number in range(50_000))
    survey.lists = [FoundList("https://news.example/sitemap.xml", "sitemap", links)]
    definition = parse_definition(write_definition(survey, datetime(2026, 11, 30, tzinfo=UTC)), "news.toml")
    assert definition.expect.min_links == 10_000


@pytest.mark.parametrize(
    ("hours", "often"),
    [(8, "about 3 a day"), (24, "about one a day"), (30, "about one a day"), (50, "about one in 2 days")],
)
def test_the_cadence_is_said_in_plain_words(hours: int, often: str) -> None:
    assert describe_cadence([timedelta(hours=hours)] * 4).endswith(f"{often}.")
