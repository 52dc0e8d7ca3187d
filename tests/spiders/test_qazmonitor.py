"""QazMonitor by the order of its text: optional fields may be missing, a missing required field is named."""

from __future__ import annotations

import pytest

from crawler import spiders
from crawler.config import Config
from crawler.errors import NotAnArticle, PageChanged
from crawler.items import Article
from crawler.pages.base import read_snapshot
from crawler.pages.snapshot import Snapshot

SITE = spiders.load_spider("qazmonitor").make_site(Config())
URL = "https://qazmonitor.com/news/7/the-bridge-is-open"
RIGHTS = "Only 30% of an article published on The Qazaqstan Monitor website may be used with a mandatory hyperlink."
CRUMBS = "  1. Main Page\n  2. News\n  3. The Bridge Is Open"
DATELINE = "Astana, Kazakhstan • 08 February, 2023 | 10:28"
FIRST, LAST = "The bridge of the town is open, QazMonitor reports.", "It is the longest of the region."
PARTS = (
    *("Discover Qazaqstan", "QazMonitor Logo", CRUMBS, DATELINE, "2 min read", "The Bridge Is Open", "A subtitle"),
    *("QazMonitor Logo", "The bridge", "The bridge", FIRST, "A boat", "A boat", LAST, RIGHTS),
)


def text(*without: str, **instead: str) -> str:
    """Return the page's lines without some, or with others in their place."""
    return "\n\n".join(instead.get(part, part) for part in PARTS if part not in without)


def read_article(page: str, url: str = URL, kind: str = "text") -> Article:
    (found,) = read_snapshot(Snapshot(url=url, body=page.encode(), kind_hint=kind), SITE).articles
    return found


def change_markup(page: str) -> str:
    with pytest.raises(PageChanged) as caught:
        read_article(page)
    assert caught.value.url == URL
    return caught.value.field


def captions(found: Article) -> list[str | None]:
    return [image.caption for image in found.images]


def test_whole_page() -> None:
    found = read_article(text())
    assert (found.title, found.lead, found.section) == ("The Bridge Is Open", "A subtitle", "News")
    assert (found.reading_minutes, found.place) == (2, "Astana")
    assert found.body == f"{FIRST}\n{LAST}"
    assert captions(found) == ["The bridge", "A boat"]
    assert found.rights is not None
    assert found.rights.wording == RIGHTS


def test_without_reading_time() -> None:
    assert read_article(text("2 min read")).reading_minutes is None


def test_reading_time_on_the_datelines_own_line() -> None:
    page = text("2 min read").replace(DATELINE, f"{DATELINE} 12 min read")
    assert read_article(page).reading_minutes == 12
    assert read_article(page).published_raw == "08 February, 2023 | 10:28"


def test_absurd_reading_time_is_no_number() -> None:
    on_dateline = text("2 min read", **{DATELINE: f"{DATELINE} {'9' * 5000} min read"})
    for page in (on_dateline, text(**{"2 min read": f"{'9' * 5000} min read"})):
        found = read_article(page)
        assert (found.title, found.reading_minutes) == ("The Bridge Is Open", None)


def test_without_subtitle() -> None:
    found = read_article(text("A subtitle"))
    assert (found.title, found.lead, found.body) == ("The Bridge Is Open", None, f"{FIRST}\n{LAST}")


def test_without_captions() -> None:
    found = read_article(text("The bridge", "A boat"))
    assert (captions(found), found.body) == ([], f"{FIRST}\n{LAST}")


def test_without_breadcrumb() -> None:
    found = read_article(text(CRUMBS))
    assert (found.section, found.title) == (None, "The Bridge Is Open")
    assert "section" not in found.provenance


def test_without_the_sites_own_head() -> None:
    assert read_article(text("Discover Qazaqstan").removeprefix("QazMonitor Logo")).title == "The Bridge Is Open"


@pytest.mark.parametrize("city", ["Astana, Kazakhstan", "Nur-Sultan, Kazakhstan", "Shymkent"])
def test_city_of_the_dateline(city: str) -> None:
    assert read_article(text().replace("Astana, Kazakhstan", city)).place == city.partition(",")[0]


def test_dateline_without_a_city() -> None:
    assert read_article(text().replace("Astana, Kazakhstan • ", "")).place is None


def test_title_in_another_case_than_the_breadcrumbs() -> None:
    assert read_article(text().replace("3. The Bridge Is Open", "3. THE BRIDGE IS OPEN")).title == "The Bridge Is Open"


def test_pull_quote_and_its_speaker_stay_two_lines() -> None:
    quote = f"{FIRST}\n\n“We waited for years.”\n\nAsel Omarova, teacher"
    assert read_article(text(**{FIRST: quote})).body == f"{quote}\n\n{LAST}".replace("\n\n", "\n")


def test_logo_within_the_text_is_no_line_of_it() -> None:
    assert read_article(text(**{LAST: f"QazMonitor Logo\n\n{LAST}"})).body == f"{FIRST}\n{LAST}"


@pytest.mark.parametrize(
    ("page", "field"),
    [
        (text(RIGHTS), "rights"),
        (text(DATELINE), "published_at"),
        (text(DATELINE).replace("2 min read", "Astana, Kazakhstan • 31 February, 2023 | 10:28"), "published_at"),
        (text("The Bridge Is Open"), "title"),
        (text().replace("\n\nThe Bridge Is Open", "\n\nAnother Title"), "title"),
        (text("QazMonitor Logo"), "lead"),
        (text().replace("A subtitle", "A subtitle\n\nanother\n\nand another"), "lead"),
        (text("The bridge", "A boat", FIRST, LAST), "body"),
        ("", "body"),
        (DATELINE, "rights"),
        (f"{DATELINE}\n{RIGHTS}", "title"),
        (f"{DATELINE}\n2 min read\n{RIGHTS}", "title"),
    ],
)
def test_missing_part_is_named(page: str, field: str) -> None:
    assert change_markup(page) == field


def html(content: str) -> str:
    crumbs = "<ol><li>Main Page</li><li>News</li><li>The Bridge Is Open</li></ol>"
    head = f"<div>{DATELINE}</div><h1>The Bridge Is Open</h1><img src='/logo.svg' alt='QazMonitor Logo'>"
    return f"<html><body>{crumbs}{head}{content}<p>{RIGHTS}</p></body></html>"


@pytest.mark.parametrize(
    ("content", "body", "images"),
    [
        ("<img src='/a.jpg' alt='A boat'><p>A boat</p><p>Text.</p>", ["Text."], [("a", "A boat")]),
        ("<img src='/a.jpg' alt='A boat'><p>Text.</p>", ["Text."], [("a", "A boat")]),
        ("<img src='/a.jpg' alt=''><p>Text.</p>", ["Text."], [("a", None)]),
        (
            "<figure><img src='/a.jpg' alt='x'><figcaption>A boat</figcaption></figure><p>Text.</p>",
            ["Text."],
            [("a", "A boat")],
        ),
        (
            "<figure><img src='/a.jpg'><figcaption>A boat</figcaption></figure><p>Text.</p>",
            ["Text."],
            [("a", "A boat")],
        ),
        ("<figure><figcaption>A boat</figcaption></figure><p>Text.</p>", ["Text."], [(None, "A boat")]),
        ("<p>Text.</p><p>A boat</p><p>A boat</p>", ["Text."], [(None, "A boat")]),
        ("<p>Text.</p><img src='/a.jpg' alt='x'><img src='/b.jpg' alt='x'>", ["Text."], [("a", "x"), ("b", "x")]),
        ("<p>Text.</p><img src='/a.jpg' alt='Text.'>", ["Text."], [("a", "Text.")]),
        ("<p>Text.</p><img src='/a.jpg'>", ["Text."], [("a", None)]),
        ("<blockquote>“Said.”<footer>Who</footer></blockquote><p>Text.</p>", ["“Said.”", "Who", "Text."], []),
    ],
)
def test_pictures_and_captions_of_html(
    content: str, body: list[str], images: list[tuple[str | None, str | None]]
) -> None:
    found = read_article(html(content), kind="html")
    assert found.body.split("\n") == body
    expected = [(f"https://qazmonitor.com/{name}.jpg" if name else None, caption) for name, caption in images]
    assert [(image.url, image.caption) for image in found.images] == expected


def test_author_comes_from_json_ld_alone() -> None:
    described = '<script type="application/ld+json">{"@type": "NewsArticle", "author": {"name": "A. Serik"}}</script>'
    found = read_article(html(f"{described}<p>Text.</p>"), kind="html")
    assert (found.author, found.provenance["author"]) == ("A. Serik", "QazArticle:JSON-LD")
    assert read_article(html("<p>Text.</p>"), kind="html").author is None


def test_same_article_from_html_and_text() -> None:
    content = f"<img src='/a.jpg' alt='The bridge'><span>The bridge</span><p>{FIRST}</p><p>{LAST}</p>"
    one, other = read_article(html(content), kind="html"), read_article(text("A subtitle", "2 min read", "A boat"))
    assert (one.id, one.title, one.body, one.published_at, one.place) == (
        *(other.id, other.title, other.body, other.published_at, other.place),
    )


@pytest.mark.parametrize(
    "path", ["terms", "privacy", "about", "contact", "contacts", "search?q=x", "terms/", "about#us"]
)
def test_pages_about_the_site_are_no_articles(path: str) -> None:
    with pytest.raises(NotAnArticle):
        read_article(html("<p>x</p>"), url=f"https://qazmonitor.com/{path}", kind="html")


def test_section_whose_name_begins_like_such_a_page_is_read() -> None:
    assert read_article(text(), url="https://qazmonitor.com/about-kazakhstan/7/x").id == "qazmonitor:7:en"


def test_section_lists_its_articles_once() -> None:
    links = "".join(
        f"<a href='{href}'>x</a>" for href in ("/news/7/x", "/terms", "/news/7/x#top", "/news/8/y", "#", "")
    )
    reading = read_snapshot(Snapshot(url="https://qazmonitor.com/news", body=links.encode(), kind_hint="html"), SITE)
    assert reading.links == ("https://qazmonitor.com/news/7/x", "https://qazmonitor.com/news/8/y")


@pytest.mark.parametrize("path", ["news/tags/bridge", "a/b/c"])
def test_deeper_page_is_neither_article_nor_section(path: str) -> None:
    with pytest.raises(NotAnArticle, match="neither"):
        read_snapshot(
            Snapshot(url=f"https://qazmonitor.com/{path}", body=b"<a href='/news/7/x'>x</a>", kind_hint="html"), SITE
        )


def test_section_without_articles_is_changed() -> None:
    with pytest.raises(PageChanged, match="addresses of articles"):
        read_snapshot(
            Snapshot(url="https://qazmonitor.com/news", body=b"<a href='/terms'>x</a>", kind_hint="html"), SITE
        )
