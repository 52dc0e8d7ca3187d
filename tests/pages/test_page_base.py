"""Selectors find elements or raise PageChanged. The first page class that knows a page reads it until it is retired."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, ClassVar

import pytest

from crawler import spiders
from crawler.config import Config
from crawler.errors import Blocked, NotAnArticle, PageChanged
from crawler.pages.base import ArticlePage, Page, read_snapshot
from crawler.pages.blocks import Block, parse_html
from crawler.pages.site import ArticleAddress, Site
from crawler.pages.snapshot import Snapshot

QAZ = spiders.load_spider("qazmonitor").make_site(Config())
URL = "https://qazmonitor.com/news/7/x"


class Plain(ArticlePage):
    """A page of one heading and its paragraphs."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        return snapshot.kind == "html"

    def extract_fields(self) -> dict[str, Any]:
        self.record_rule("title", "h1")
        title = self.get_text(self.select_one("title", "h1"))
        return {"title": title, "body": [block for p in self.root.css("p") for block in parse_html(p.root)]}


class Old(Plain):
    """The shape before a redesign."""

    until: ClassVar[date | None] = date(2025, 1, 1)

    def extract_fields(self) -> dict[str, Any]:
        return {"title": "old", "body": [Block("old")]}


SITE = replace(QAZ, page_classes=(Old, Plain), required_fields=("title",))


def make_snapshot(html: str, at: datetime | None = datetime(2026, 1, 1, tzinfo=UTC), url: str = URL) -> Snapshot:
    return Snapshot(url=url, body=html.encode(), kind_hint="html", fetched_at=at)


def make_page(html: str) -> Page:
    return Plain(make_snapshot(html), SITE)


def test_one_element_is_found() -> None:
    assert make_page("<h1>A&nbsp; <i>b</i></h1>").select_one("title", "h1").css("i::text").get() == "b"


@pytest.mark.parametrize(("html", "found"), [("<p>x</p>", "nothing"), ("<h1>a</h1><h1>b</h1>", "2 of them")])
def test_none_or_several_is_changed_by_field_selector_and_address(html: str, found: str) -> None:
    with pytest.raises(PageChanged) as caught:
        make_page(html).select_one("title", "h1")
    error = caught.value
    assert (error.field, error.selector, error.found, error.url) == ("title", "h1", found, URL)
    assert all(part in str(error) for part in ("'title'", "'h1'", found, URL))


def test_first_of_several_is_taken_and_none_is_changed() -> None:
    assert make_page("<h1>a</h1><h1>b</h1>").select_first("title", "h1").css("::text").get() == "a"
    with pytest.raises(PageChanged, match="nothing"):
        make_page("<p>x</p>").select_first("title", "h1")


def test_article_has_identity_language_and_provenance() -> None:
    (article,) = read_snapshot(
        make_snapshot("<h1>The bridge</h1><p>The bridge of the town is open.</p>"), SITE
    ).articles
    assert (article.id, article.url, article.language) == ("qazmonitor:7:en", URL, "en")
    assert article.provenance == {"title": "Plain:h1", "language": "Plain:letters of the text"}
    assert article.fetched_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert article.rights == SITE.rights


def test_language_that_is_not_known_is_und_in_the_id() -> None:
    (article,) = read_snapshot(make_snapshot("<h1>Köprü</h1><p>Köprü açıldı.</p>"), SITE).articles
    assert (article.id, article.language) == ("qazmonitor:7:und", None)


def test_missing_required_field_is_changed() -> None:
    with pytest.raises(PageChanged) as caught:
        read_snapshot(make_snapshot("<h1> </h1><p>Text.</p>"), SITE)
    assert caught.value.field == "title"


def test_empty_body_is_changed() -> None:
    with pytest.raises(PageChanged) as caught:
        read_snapshot(make_snapshot("<h1>Title</h1>"), SITE)
    assert caught.value.field == "body"


@pytest.mark.parametrize(("year", "title"), [(2024, "old"), (2025, "new"), (2026, "new")])
def test_old_class_reads_pages_of_its_time(year: int, title: str) -> None:
    (article,) = read_snapshot(make_snapshot("<h1>new</h1><p>x</p>", datetime(year, 1, 1, tzinfo=UTC)), SITE).articles
    assert article.title == title


def test_page_of_unknown_time_is_tried_by_the_old_class_too() -> None:
    (article,) = read_snapshot(make_snapshot("<h1>new</h1><p>x</p>", None), SITE).articles
    assert article.title == "old"


def test_other_url_is_no_article() -> None:
    with pytest.raises(NotAnArticle, match="is not an article of"):
        read_snapshot(make_snapshot("<h1>a</h1><p>b</p>", url="https://qazmonitor.com/news"), SITE)
    with pytest.raises(NotAnArticle, match="that is no article"):
        read_snapshot(make_snapshot("<h1>a</h1><p>b</p>", url="https://qazmonitor.com/terms"), SITE)


def test_unknown_shape_is_changed_and_a_shell_is_blocked() -> None:
    none = replace(SITE, page_classes=())
    with pytest.raises(PageChanged, match="html of 8 bytes"):
        read_snapshot(make_snapshot("<p>x</p>"), none)
    with pytest.raises(Blocked, match="JavaScript shell"):
        read_snapshot(make_snapshot("<p>You need to enable JavaScript to run this app.</p>"), none)


@pytest.mark.parametrize("method", ["can_read", "read"])
@pytest.mark.parametrize("fault", [ValueError("x" * 900), RecursionError("deep"), TypeError("none")])
def test_exception_of_one_page_is_changed_and_names_the_page(
    method: str, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr(Plain, method, fail)
    with pytest.raises(PageChanged, match=type(fault).__name__) as caught:
        read_snapshot(make_snapshot("<h1>x</h1>"), SITE)
    assert caught.value.url == URL
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("written", "absolute"),
    [
        ("/uploads/a.png", "https://qazmonitor.com/uploads/a.png"),
        (" https://images.example/a.png ", "https://images.example/a.png"),
        ("//cdn.example/a.png", "https://cdn.example/a.png"),
        ("", None),
        ("  ", None),
        (None, None),
        ("b.png", "https://qazmonitor.com/news/7/b.png"),
        ("http://[photo]/a.png", None),
        ("data:image/gif;base64,R0lG", None),
    ],
)
def test_addresses_are_absolute_or_none(written: str | None, absolute: str | None) -> None:
    assert make_page("").make_absolute_url(written) == absolute


@pytest.mark.parametrize(
    ("base", "link", "image"),
    [
        ("<base href='/'>", "news/8/y", "https://qazmonitor.com/a.png"),
        ("<base target=_top><base href='https://qazmonitor.com/news/'>", "8/y", "https://qazmonitor.com/news/a.png"),
        ("<base href='http://[x'>", "../8/y", "https://qazmonitor.com/news/7/a.png"),
        ("", "/news/8/y", "https://qazmonitor.com/news/7/a.png"),
    ],
)
def test_base_of_a_page_is_read(base: str, link: str, image: str) -> None:
    page = make_page(f"<html><head>{base}</head><body>x</body></html>")
    assert page.resolve_article_link(link) == "https://qazmonitor.com/news/8/y"
    assert page.make_absolute_url("a.png") == image


def test_addresses_of_a_page_without_url_are_on_the_public_origin() -> None:
    page = Plain(Snapshot(url="stored://sha256/00", body=b"<p>x</p>", kind_hint="html"), SITE)
    assert page.make_absolute_url("/a.png") == "https://qazmonitor.com/a.png"
    assert page.resolve_article_link("/news/8/y") is None


def test_malformed_link_costs_only_itself() -> None:
    html = "<a href='http://[link]/'>typo</a><a href='/news/1406/x'>ok</a><a>none</a><a href='http://x:y/'>port</a>"
    section = Snapshot(url="https://qazmonitor.com/news", body=html.encode(), kind_hint="html")
    assert read_snapshot(section, QAZ).links == ("https://qazmonitor.com/news/1406/x",)


def test_wording_of_a_page_is_its_own_rights() -> None:
    own = make_page("").make_rights("Only with a link.")
    assert (own.wording, own.source, own.excerpt_share) == ("Only with a link.", URL, SITE.rights.excerpt_share)
    assert make_page("").make_rights(None) is SITE.rights


def test_page_without_url_is_identified_by_its_bytes() -> None:
    digest = "ab" * 32
    (article,) = read_snapshot(make_snapshot("<h1>a</h1><p>b</p>", url=f"stored://sha256/{digest}"), SITE).articles
    assert article.id.split(":")[1] == f"sha256-{digest[:16]}"
    assert article.url == f"stored://sha256/{digest}"
    assert SITE.identify(article.url) is None
    assert isinstance(SITE.identify(URL), ArticleAddress)


@pytest.mark.parametrize(
    ("at", "title"),
    [
        (datetime(2024, 12, 31, 23, tzinfo=UTC), "old"),
        (datetime(2025, 1, 1, 4, tzinfo=timezone(timedelta(hours=5))), "old"),
        (datetime(2025, 1, 1, tzinfo=UTC), "New"),
        (None, "old"),
    ],
)
def test_after_a_redesign_each_page_is_read_by_the_class_of_its_day(at: datetime | None, title: str) -> None:
    """In UTC: five in the morning of Astana is still the day before."""
    (article,) = read_snapshot(make_snapshot("<h1>New</h1><p>The bridge of the town is open.</p>", at), SITE).articles
    assert article.title == title
    assert Old.is_retired(datetime(2025, 1, 1, tzinfo=UTC))
    assert not Plain.is_retired(datetime(2099, 1, 1, tzinfo=UTC))
