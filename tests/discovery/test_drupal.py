"""Drupal is recognised by what its core writes, and its article's number is found."""

from __future__ import annotations

import asyncio

import pytest

from crawler.discovery.drupal import find_node_number, is_drupal
from crawler.discovery.survey import SiteSurveyor
from crawler.errors import Unreachable
from crawler.generic.page import GenericPage
from crawler.pages.snapshot import Snapshot

HOME = "https://herald.example/"
GENERATOR = '<meta name="Generator" content="Drupal 10 (https://www.drupal.org)">'
TEXT = "".join(
    f"<p>The bridge over the {river} river was opened on Monday after months of {river} works by the city.</p>"
    for river in ("lower", "upper", "northern", "southern")
)
LINK = "link rel='shortlink' href"


@pytest.mark.parametrize(
    ("html", "number"),
    [
        (f"<{LINK}='{HOME}ru/node/412'>", "412"),
        (f'<{LINK}=\'{HOME}ru/news/bridge\'><script>{{"currentPath":"node\\/412"}}</script>', "412"),
        ("<article data-history-node-id='412'></article>", "412"),
        ("<article data-history-node-id='412'></article><article data-history-node-id='7'></article>", None),
        ("<body class='path-node page-node-412'>", "412"),
        (f"<{LINK}='{HOME}?p=412'>", None),
    ],
)
def test_number_of_an_article(html: str, number: str | None) -> None:
    page = GenericPage(f"<html>{GENERATOR}{html}<p>Text</p></html>", HOME)
    assert (is_drupal(page), find_node_number(page)) == (True, number)


def test_other_sites_are_no_drupal() -> None:
    assert not is_drupal(GenericPage("<meta name='generator' content='WordPress 6.8'><p>Text</p>", HOME))


def test_stock_list_is_found_where_the_front_page_has_none() -> None:
    pytest.importorskip("trafilatura")
    titles = {
        f"/news/{name}-bridge-of-the-city": f"The {name} bridge was opened" for name in ("first", "second", "third")
    }

    async def fetch(url: str) -> Snapshot:
        path = "/" + url.removeprefix(HOME)
        teasers = "".join(
            f"<article><h2><a href='{each}' rel='bookmark'>{titles[each]}</a></h2></article>" for each in titles
        )
        pages = {"/": "<h1>Welcome to our herald</h1>", "/node": teasers}
        pages |= {
            each: f"<{LINK}='/node/412'><article><h1>{title}</h1><time>3 May 2026</time>{TEXT}</article>"
            for each, title in titles.items()
        }
        if path not in pages:
            raise Unreachable("HTTP 404", url=url)
        html = f"<html lang='en'><head>{GENERATOR}<title>Herald</title></head><body>{pages[path]}</body></html>"
        return Snapshot(url=url, body=html.encode(), headers={"content-type": "text/html"})

    survey = asyncio.run(SiteSurveyor(fetch).survey_site(HOME))
    assert [found.url for found in survey.lists] == [f"{HOME}node"]
    assert [note for note in survey.notes if "node 412" in note]
