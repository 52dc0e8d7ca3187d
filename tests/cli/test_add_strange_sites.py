"""`crawler add`, `replay` and `crawl` on sites in the markup of common systems store what the pages state.

The expectations come from the pages. What the crawler does not do yet is marked `xfail` with its reason.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from support.cms_sites import (
    BitrixSite,
    BlockThemeSite,
    CmsArticle,
    CmsSite,
    CookieTestSite,
    DrupalSite,
    HugoSite,
    JoomlaSite,
    KazakhSite,
    KyrgyzSite,
    LoginSite,
    PdfSite,
    ScriptShellSite,
    TildaSite,
    UzbekSite,
)
from support.sandbox import Sandbox
from support.warm_python import CommandResult

from crawler.items import Article

pytest.importorskip("trafilatura")
pytestmark = pytest.mark.slow

LISTS: dict[type[CmsSite], set[str]] = {
    DrupalSite: {"/ru/press-center/news", "/ru"},
    BitrixSite: {"/news/", "/"},
    BlockThemeSite: {"/", ""},
    JoomlaSite: {"/index.php/tg/khabarho?format=feed&type=rss", "/index.php/tg/khabarho"},
    TildaSite: {"/novosti"},
    KyrgyzSite: {"/kg/news", "/kg"},
    UzbekSite: {"/uz/news", "/uz", "/oz/news", "/oz"},
    KazakhSite: {"/rss/kz.xml"},
    HugoSite: {"/index.xml"},
    PdfSite: {"/press-releases/", "/"},
}
"""The lists that a person would name for each site."""
SITES_WITH_LIST_ITEMS = [DrupalSite, BitrixSite, TildaSite, UzbekSite, KazakhSite]


@dataclass(frozen=True)
class CrawledSite:
    """A site that was added, replayed and crawled."""

    site: CmsSite
    added: CommandResult
    replayed: CommandResult
    crawled: CommandResult
    starts: list[str]
    stored: list[tuple[CmsArticle, Article]]


@pytest.fixture(scope="module")
def crawled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrawledSite]:
    """Add a site as a person does."""
    kind: type[CmsSite] = request.param
    if kind is PdfSite:
        pytest.importorskip("reportlab")
    place = Sandbox(tmp_path_factory.mktemp(kind.__name__.lower()))
    place.work_dir.mkdir(parents=True)
    (place.work_dir / "crawler.toml").touch()
    path = place.work_dir / "sources" / "strange.toml"
    with kind() as site:
        added = place.run_crawler("add", site.url, "--name", "strange", "--yes")
        replayed = place.run_crawler("replay", "strange")
        if kind is KyrgyzSite:
            edited = place.run_crawler("sources", "edit", "strange", "--set", 'timezone="Asia/Bishkek"')
            assert edited.code == 0, edited.err
        ended = place.run_crawler("crawl", "strange")
        starts = tomllib.loads(path.read_text(encoding="utf-8"))["starts"]
        urls = [start if isinstance(start, str) else start["url"] for start in starts]
        stored = [
            (article, found)
            for found in place.get_articles("strange").values()
            if (article := site.find_article(urlsplit(found.url).path)) is not None
        ]
        assert len(stored) == len(place.get_articles("strange")), "a page that is no article was stored"
        yield CrawledSite(site, added, replayed, ended, [url.removeprefix(site.url) for url in urls], stored)


def each_site(
    failing: Mapping[type[CmsSite], str] | None = None, among: list[type[CmsSite]] | None = None
) -> pytest.MarkDecorator:
    """Run a test for each site. `failing` has the reasons of what does not work yet."""
    known = failing or {}
    values = [
        pytest.param(
            kind,
            id=kind.__name__,
            marks=[pytest.mark.xfail(strict=True, reason=known[kind])] if kind in known else [],
        )
        for kind in among or LISTS
    ]
    return pytest.mark.parametrize("crawled", values, indirect=True)


@each_site()
def test_list_is_found(crawled: CrawledSite) -> None:
    assert crawled.added.code == 0, crawled.added.err
    assert crawled.starts, "no list"
    assert set(crawled.starts) <= LISTS[type(crawled.site)]


@each_site()
def test_samples_are_as_expected(crawled: CrawledSite) -> None:
    assert (crawled.replayed.code, "5 pages" in crawled.replayed.out) == (0, True), crawled.replayed.all_output


@each_site()
def test_every_article_is_stored(crawled: CrawledSite) -> None:
    assert crawled.crawled.code == 0, crawled.crawled.all_output
    assert len({article.number for article, _ in crawled.stored}) == len(crawled.site.articles)


@each_site()
def test_titles_are_right(crawled: CrawledSite) -> None:
    assert [found.title for _, found in crawled.stored] == [article.title for article, _ in crawled.stored]


@each_site()
def test_dates_are_right(crawled: CrawledSite) -> None:
    for article, found in crawled.stored:
        expected = article.at
        if crawled.site.precision == "day":
            expected = expected.replace(hour=0, minute=0)
        assert (found.published_at, found.published_precision) == (expected, crawled.site.precision), article.title


@each_site()
def test_texts_are_exact(crawled: CrawledSite) -> None:
    """A lead may be a field of its own. Texts with list items have the next test."""
    for article, found in crawled.stored:
        if not has_list_items(article):
            assert get_lines(article, found) == article.paragraphs


@each_site(among=SITES_WITH_LIST_ITEMS)
def test_texts_have_their_list_items(crawled: CrawledSite) -> None:
    pairs = [pair for pair in crawled.stored if has_list_items(pair[0])]
    assert pairs, "no text with list items was stored"
    for article, found in pairs:
        assert get_lines(article, found) == article.paragraphs


@each_site()
def test_languages_are_right(crawled: CrawledSite) -> None:
    assert {found.language for _, found in crawled.stored} == {crawled.site.language}


@each_site({UzbekSite: "the label of the author is in the name: Muallif Jasur Tojiboyev"})
def test_authors_are_never_wrong(crawled: CrawledSite) -> None:
    for article, found in crawled.stored:
        assert found.author in (article.author, None)


@each_site(among=[KyrgyzSite])
def test_assumed_zone_is_printed(crawled: CrawledSite) -> None:
    assert "Asia/" in crawled.added.out


@pytest.mark.parametrize(
    ("kind", "code", "reasons"),
    [
        (ScriptShellSite, 13, ["a browser makes it by a script"]),
        (LoginSite, 11, ["sign in", "log in", "login"]),
        (CookieTestSite, 11, ["challenge"]),
    ],
)
def test_unreadable_site_is_named(
    tmp_path_factory: pytest.TempPathFactory, kind: type[CmsSite], code: int, reasons: list[str]
) -> None:
    place = Sandbox(tmp_path_factory.mktemp("unreadable"))
    with kind() as site:
        ended = place.run_crawler("add", site.url, "--yes")
    assert ended.err.count("\n") == 1, ended.err
    sentence = ended.err.replace("/login/", "")
    assert (ended.code, any(reason in sentence for reason in reasons)) == (code, True), ended.err


def has_list_items(article: CmsArticle) -> bool:
    return any(kind == "li" for kind, _ in article.blocks)


def get_lines(article: CmsArticle, found: Article) -> list[str]:
    """Return the lines of a stored text, with its lead as the first one if only the field `lead` has it."""
    lines = found.body.split("\n")
    return [found.lead, *lines] if found.lead is not None and found.lead == article.paragraphs[0] != lines[0] else lines
