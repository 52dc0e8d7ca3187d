"""Labelled pages in Kazakh, Kyrgyz, Uzbek and Tajik, in six shapes of news sites, read as a reader sees them."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.region_pages import RegionPage, make_region_pages, write_in_cyrillic
from crawler.generic.reader import read_article

pytest.importorskip("trafilatura", reason="the extra crawler[sites] is not installed")
pytest.importorskip("resiliparse", reason="the extra crawler[sites] is not installed")

PAGES = tuple(make_region_pages())
SAMPLE = PAGES[::11]
"""Pages of each language and shape."""


def check_page(page: RegionPage) -> None:
    article = read_article(page.html, page.url)
    assert (article.title, article.language) == (page.title, page.language)
    assert (article.published_at or "")[:10] == page.day
    assert (article.body or "").splitlines() == list(page.paragraphs)


def test_each_language_has_thirty_pages() -> None:
    assert Counter(page.language for page in PAGES) == {"kk": 30, "ky": 30, "uz": 30, "tg": 30}
    assert len({page.url for page in PAGES}) == len(PAGES)


@pytest.mark.parametrize("page", SAMPLE, ids=lambda page: page.id)
def test_a_sample_is_read_without_a_mistake(page: RegionPage) -> None:
    check_page(page)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if page not in SAMPLE], ids=lambda page: page.id)
def test_every_page_is_read_without_a_mistake(page: RegionPage) -> None:
    check_page(page)


def test_uzbek_is_written_in_both_scripts() -> None:
    assert write_in_cyrillic("Yangi ko‘prik – oktabr, ma’lumot") == "Янги кўприк – октябр, маълумот"
