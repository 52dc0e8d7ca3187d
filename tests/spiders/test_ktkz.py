"""kt.kz: the first article of a page, without the lines around it."""

from __future__ import annotations

import pytest

from crawler import spiders
from crawler.config import Config
from crawler.errors import PageChanged
from crawler.items import Article
from crawler.pages.base import read_snapshot
from crawler.pages.snapshot import Snapshot

SITE = spiders.load_spider("ktkz").make_site(Config())
URL = "https://www.kt.kz/rus/press-materialy/most_otkryt_1377991204.html"
META = "<div class='page-meta'><span>11.06.2026, 17:45</span><span>127</span></div>"
TEXT = "<p>Мост через реку открыт.</p><p>Он самый длинный в области.</p>"
BODY = "Мост через реку открыт.\nОн самый длинный в области."


def page(text: str = TEXT, meta: str = META, title: str = "<h1>Мост открыт</h1>", after: str = "") -> str:
    head = f"<header class='page-heading'>{title}</header>{meta}"
    return f"<html><body>{head}<div class='page-content'><div>{text}</div></div>{after}</body></html>"


def read_article(html: str, url: str = URL) -> Article:
    (found,) = read_snapshot(Snapshot(url=url, body=html.encode(), kind_hint="html"), SITE).articles
    return found


def test_page() -> None:
    found = read_article(page())
    assert (found.id, found.title, found.body) == ("ktkz:1377991204:ru", "Мост открыт", BODY)
    assert (found.published_raw, found.section, found.place, found.attribution) == (
        *("11.06.2026, 17:45", "press-materialy", None, None),
    )


def test_only_the_first_article_is_read() -> None:
    assert read_article(page(after=page("<p>Другой текст.</p>", title="<h1>Другая</h1>"))).body == BODY


@pytest.mark.parametrize(
    "form", ["Фото: МИД РК", "Photo: MFA", "Сурет: СІМ", "Рассказать друзьям", "Share with friends", "Поделиться"]
)
def test_forms_are_no_text(form: str) -> None:
    assert read_article(page(f"<p>{form}</p>{TEXT}<div>{form}</div>")).body == BODY


def test_sentence_about_a_photo_is_text() -> None:
    assert read_article(page(f"{TEXT}<p>Фото моста стало снимком года.</p>")).body.endswith("снимком года.")


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("Астана. 3 декабря. KAZAKHSTAN TODAY - Мост открыт.", "Астана"),
        ("Усть-Каменогорск. 11 июня. Kazakhstan Today – Мост открыт.", "Усть-Каменогорск"),
        ("Astana. June 11. KAZAKHSTAN TODAY - The bridge is open.", "Astana"),
        ("Алматы, 6 марта 2026 года – Мост открыт.", "Алматы"),
        ("Мост открыт. 3 декабря. Он длинный.", None),
    ],
)
def test_place(line: str, place: str | None) -> None:
    found = read_article(page(f"<p>{line}</p>"))
    assert (found.place, found.body) == (place, line)


def test_attribution_is_a_field_and_no_text() -> None:
    found = read_article(page(f"{TEXT}<p>Источник: МИД РК</p>"))
    assert (found.attribution, found.body) == ("МИД РК", BODY)


@pytest.mark.parametrize(
    "raw", ["11.06.2026, 17:45", "11.06.2026 17:45", "11.06.2026, 17:45 127", " 11.06.2026,&nbsp;17:45 "]
)
def test_date(raw: str) -> None:
    at = read_article(page(meta=f"<div class='page-meta'><span>{raw}</span></div>")).published_at
    assert at is not None
    assert at.isoformat() == "2026-06-11T17:45:00+05:00"


@pytest.mark.parametrize(
    ("html", "field"),
    [
        (page(title="<h2>x</h2>"), "title"),
        (page(title="<h1> </h1>"), "title"),
        (page(meta=""), "published_at"),
        (page(meta="<div class='page-meta'><span>вчера</span></div>"), "published_at"),
        (page(meta="<div class='page-meta'><span>31.02.2026, 10:00</span></div>"), "published_at"),
        (page(text=""), "body"),
        (page(text="<p>Фото: МИД РК</p>"), "body"),
        (page().replace("page-content", "text"), "body"),
    ],
)
def test_missing_part_is_named(html: str, field: str) -> None:
    with pytest.raises(PageChanged) as caught:
        read_article(html)
    assert caught.value.field == field
