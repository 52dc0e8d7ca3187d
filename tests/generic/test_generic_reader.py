"""Pages of sites that nobody described, in six languages, read with the evidence of each field."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.unknown_sites import PAGES, UnknownSitePage, make_bitrix_page, make_wordpress_page

from crawler.errors import UsageError
from crawler.generic.byline import is_byline
from crawler.generic.reader import read_article, read_stored_page

pytest.importorskip("trafilatura", reason="the extra crawler[sites] is not installed")
pytest.importorskip("resiliparse", reason="the extra crawler[sites] is not installed")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.language)
def test_every_field_is_read_as_a_reader_sees_it(page: UnknownSitePage) -> None:
    article = read_article(page.html, page.url)
    assert article.title == page.title
    assert article.body is not None
    assert article.body.splitlines() == list(page.paragraphs)
    assert article.published_at == page.published_at
    assert article.language == page.language
    assert set(article.evidence) >= {"title", "body", "published_at", "language"}


def test_the_author_is_a_person_that_the_page_names() -> None:
    page = make_wordpress_page()
    assert read_article(page.html, page.url).author == "Ann Miller"
    assert read_article(make_bitrix_page().html, "").author is None


def test_a_stored_page_in_a_named_encoding_is_decoded(tmp_path: Path) -> None:
    page = make_bitrix_page()
    file = tmp_path / "page.html"
    file.write_bytes(page.html.replace("charset=utf-8", "charset=windows-1251").encode("cp1251"))
    article = read_stored_page(file, page.url)
    assert article.title == page.title
    assert page.paragraphs[0] in (article.body or "")


@pytest.mark.parametrize("html", ["", "<html></html>", "<!-- nothing -->", "\0\0", "<p></p>" * 50, "<div>" * 5000])
def test_a_page_without_an_article_has_no_fields(html: str) -> None:
    article = read_article(html, "https://site.example/")
    assert (article.title, article.body, article.published_at, article.author) == (None, None, None, None)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.html cannot be read"):
        read_stored_page(tmp_path / "nowhere.html")


def test_a_lead_that_the_text_repeats_and_known_boilerplate_are_left_out() -> None:
    page = make_bitrix_page()
    lead, rest = page.paragraphs[0], page.paragraphs[1:]
    text = "".join(f"<p>{each}</p>" for each in (f"АЛМАТЫ, 14 окт. {lead}", *rest, "Читайте также"))
    html = f"<html><body><article><h1>{page.title}</h1><p class='lead'>{lead}</p>{text}</article></body></html>"
    assert read_article(html).body == "\n".join((f"АЛМАТЫ, 14 окт. {lead}", *rest))


def test_the_lead_under_the_title_is_in_the_text_and_the_author_is_not() -> None:
    page = make_wordpress_page()
    lead = "Two bridges and a school stay closed while the water falls slowly in the lower valley"
    text = "".join(f"<p>{each}</p>" for each in page.paragraphs)
    html = f"""<html><head><title>{page.title}</title><meta name="description" content="{lead}"></head><body>
    <header><h1>{page.title}</h1><p class="dek">{lead}</p></header>
    <article><p>By Ann Miller · 21 November 2026 · 5 min read</p>{text}</article></body></html>"""
    assert read_article(html).body == "\n".join((lead, *page.paragraphs))


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("By Ann Miller · 21 November 2026 · 5 min read", True),
        ("By Ann Miller 30 August 2026 • 4:45pm", True),
        ("By Ann Miller and John de Vries, Valley Herald", True),
        ("Автор: Айгуль Сатпаева | 28.11.2026", True),
        ("By noon the water was gone", False),
        ("By the numbers", False),
        ("By Tuesday Ann Miller Had Seen The Bridge", False),
        ("By Ann Miller the bridge was rebuilt in 2026.", False),
        ("By Ann Miller |", True),
        ("By Ann Miller, staff writer", True),
        ("By Train Through Kazakhstan, a photo story", False),
        ("Ann Miller", False),
    ],
)
def test_a_byline_is_a_name_after_its_word(line: str, is_one: bool) -> None:
    assert is_byline(line) is is_one
