"""Suggested selectors on mutated copies of the stored pages: how many give the right value, and how sure they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from crawler import spiders
from crawler.archive.folder import read_file, stored_pages
from crawler.config import Config
from crawler.errors import CrawlerError
from crawler.extract.page import read
from crawler.extract.site import Site
from crawler.items import Article
from crawler.replay.suggestion import FIELDS, Changed, suggest
from crawler.snapshot import Snapshot

ROOT = Path(__file__).parents[2] / "snapshots"
Mutation = Callable[[str], str]


def sub(pattern: str, by: str) -> Mutation:
    return lambda text: re.sub(pattern, by, text, flags=re.DOTALL)


def tag(one: str, other: str) -> Mutation:
    return sub(rf"<(/?){one}\b", rf"<\1{other}")


def all_of(*mutations: Mutation) -> Mutation:
    def mutated(text: str) -> str:
        for each in mutations:
            text = each(text)
        return text

    return mutated


def renamed(text: str) -> str:
    return re.sub(r'class="([^"]*)"', lambda m: f'class="{" ".join(f"n-{word}" for word in m[1].split())}"', text)


PARAGRAPHS = sub(r"((?:<p\b[^>]*>.*?</p>\s*)+)", r'<section class="story">\1</section>')
WHOLE = all_of(sub(r"(<body[^>]*>)", r'\1<div class="app"><div class="wrap">'), sub("</body>", "</div></div></body>"))
MUTATIONS = {
    "classes renamed": renamed,
    "whole page wrapped": WHOLE,
    "h1 wrapped": sub(r"(<h1\b.*?</h1>)", r'<div class="headline">\1</div>'),
    "h1 to h2": tag("h1", "h2"),
    "div to section": tag("div", "section"),
    "span to time": tag("span", "time"),
    "header to div": tag("header", "div"),
    "p to div": tag("p", "div"),
    "paragraphs wrapped": PARAGRAPHS,
    "classes and tags": all_of(renamed, tag("h1", "h2"), tag("div", "section")),
    "everything": all_of(renamed, tag("h1", "h2"), tag("span", "time"), PARAGRAPHS, WHOLE),
    "no classes": sub(r' class="[^"]*"', ""),
}


def good_pages() -> Iterator[tuple[Snapshot, Article, Site]]:
    """Every stored page of one article, as HTML."""
    for name in spiders.names():
        site = spiders.load(name).site_of(Config())
        for page in stored_pages(ROOT, name):
            try:
                articles = read(page.snapshot, site).articles if page.snapshot.kind == "html" else ()
            except CrawlerError:
                continue
            if len(articles) == 1:
                yield page.snapshot, articles[0], site


def mutated(page: Snapshot, mutation: Mutation) -> Snapshot:
    headers = {**page.headers, "content-type": "text/html; charset=utf-8"}
    return replace(page, body=mutation(page.text).encode(), headers=headers)


def right(*, known: bool) -> tuple[int, int]:
    """How many suggestions of all mutations give the value that the article had, and of how many fields."""
    gives = asked = 0
    for page, article, site in good_pages():
        for mutation in MUTATIONS.values():
            changed = mutated(page, mutation)
            judge = Changed(changed, article, site.zone)
            found = {each.field: each for each in suggest([Changed(changed, article if known else None, site.zone)])}
            for field in FIELDS if known else ("title", "published_at", "body"):
                if judge.value(field):
                    asked += 1
                    gives += field in found and judge.gives(field, found[field].selector)
    return gives, asked


def test_most_suggestions_are_right_where_the_value_is_known() -> None:
    gives, asked = right(known=True)
    assert asked >= 500
    assert gives / asked >= 0.95, (gives, asked)


def test_most_suggestions_are_right_by_structure_alone() -> None:
    gives, asked = right(known=False)
    assert asked >= 500
    assert gives / asked >= 0.88, (gives, asked)


def of_ktkz(*names: str, mutation: Mutation = renamed) -> list[Changed]:
    site, found = spiders.load("ktkz").site_of(Config()), []
    for name in names:
        (page,) = read_file(ROOT / "ktkz" / name)
        (article,) = read(page.snapshot, site).articles
        found.append(Changed(mutated(page.snapshot, mutation), article, site.zone))
    return found


def test_it_says_on_how_many_pages_it_gives_the_known_value() -> None:
    pages = of_ktkz("article_eng.html", "article_rus_state.html", "article_kaz.html")
    told = {each.field: str(each) for each in suggest(pages)}
    sure = "which gives the known value on 3 of 3 pages."
    assert told == {
        "title": f"title may stand in `h1`, {sure}",
        "published_at": f"published_at may stand in `div.n-page-meta > span`, {sure}",
        "body": f"body may stand in `div.n-page-content > div`, {sure}",
    }


def test_pages_that_do_not_agree_make_it_less_sure() -> None:
    pages = of_ktkz("article_eng.html", "article_rus_state.html") + of_ktkz("article_kaz.html", mutation=WHOLE)
    gives = {each.field: (each.gives, each.of) for each in suggest(pages)}
    assert gives["body"] == (2, 3)


def test_a_page_without_the_value_suggests_nothing() -> None:
    (page,) = of_ktkz("article_eng.html", mutation=lambda _: "<html><body><p>Just a moment…</p></body></html>")
    assert list(suggest([page])) == []
    assert list(suggest([])) == []


@pytest.mark.parametrize("selector", ["div.n-nowhere", "div"])
def test_a_selector_of_nothing_or_of_everything_gives_nothing(selector: str) -> None:
    (page,) = of_ktkz("article_rus_state.html")
    assert not page.gives("published_at", selector)
