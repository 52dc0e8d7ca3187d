"""The structure is the same for pages of one template and different for another one. Paths lead to the fields."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from parsel import Selector

from crawler import spiders
from crawler.archive.snapshot_folder import read_stored_file
from crawler.config import Config
from crawler.items import PageStructure
from crawler.monitoring.drift import MIN_TEMPLATE_SIMILARITY, compare_templates
from crawler.pages import structure as shape
from crawler.pages.base import read_snapshot

ROOT = Path(__file__).parents[2] / "snapshots"


def read_structure(name: str, change: Callable[[str], str] = str) -> PageStructure:
    (page,) = read_stored_file(ROOT / name)
    text = change(page.snapshot.text)
    reading = read_snapshot(
        replace(page.snapshot, body=text.encode()), spiders.load_spider(name.partition("/")[0]).make_site(Config())
    )
    assert reading.make_structure is not None
    found = reading.make_structure()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        (
            "ktkz/article_eng.html",
            {
                "title": "html>body>div.content>article.page>header.page-heading>h1",
                "published_at": "html>body>div.content>article.page>div.page-meta>span",
                "body": "html>body>div.content>article.page>div.page-content>div",
            },
        ),
        ("ktkz/list_rus_press.html", {"links": "html>body>div.list>div.item>a"}),
        (
            "qazmonitor/article_1405.html",
            {
                "title": "html>body>div>main>h1",
                "lead": "html>body>div>main>h2",
                "published_at": "html>body>div>main>div.css-info",
                "body": "html>body>div>main",
            },
        ),
        (
            "mfa/graphql_ru_page1.json",
            {
                "title": "data.news[].title",
                "body": "data.news[].body",
                "lead": "data.news[].short_description",
                "published_at": "data.news[].created_date",
            },
        ),
        ("mfa/rest_page1.json", {key: f"[].{key}" for key in ("title", "body")}),
        ("qazmonitor/rss.xml", {}),
    ],
)
def test_paths_of_fields(name: str, paths: dict[str, str]) -> None:
    found = read_structure(name).paths
    assert {field: found[field] for field in paths} == paths
    assert paths or not found


def test_a_text_has_no_structure() -> None:
    (page,) = read_stored_file(ROOT / "qazmonitor/004_e20d83a56e785f98.txt")
    reading = read_snapshot(page.snapshot, spiders.load_spider("qazmonitor").make_site(Config()))
    assert reading.make_structure is not None
    assert reading.make_structure() is None


PARAGRAPH = "<p>Осенью волонтеры"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(
            PARAGRAPH, "<p>Ещё <b>одно</b> слово.</p><figure><img src='/x.jpg'></figure>" + PARAGRAPH
        ),
        lambda text: text.replace(PARAGRAPH, "<ul><li>раз</li></ul><blockquote>два</blockquote>" + PARAGRAPH),
        lambda text: text.replace('<li><a href="/eng/">', '<li><a href="/x/">Ещё</a></li><li><a href="/eng/">'),
        lambda text: text.replace('class="page-content"', 'class="page-content page-1377987073"'),
    ],
    ids=["paragraph-and-picture", "list-and-quotation", "menu", "number-as-class"],
)
def test_content_is_no_template(change: Callable[[str], str]) -> None:
    was = read_structure("ktkz/article_rus_press.html")
    assert read_structure("ktkz/article_rus_press.html", change) == was


def test_wrapper_moves_the_path_and_keeps_the_template_similar() -> None:
    was = read_structure("ktkz/article_eng.html")
    now = read_structure("ktkz/article_eng.html", lambda text: text.replace("<article", "<main><article"))
    assert now.paths["body"] == "html>body>div.content>main>article.page>div.page-content>div"
    assert was.template != now.template
    assert compare_templates(was.template, now.template) > MIN_TEMPLATE_SIMILARITY


def test_templates_of_one_class_are_alike_and_another_designs_are_not() -> None:
    one = read_structure("mfa/rendered_ru.html").template
    assert compare_templates(one, read_structure("mfa/rendered_kk.html").template) > 0.9
    assert compare_templates(one, read_structure("mfa/rendered_ru_photos.html").template) < MIN_TEMPLATE_SIMILARITY
    assert compare_templates(one, read_structure("ktkz/article_eng.html").template) < MIN_TEMPLATE_SIMILARITY


def test_path_of_several_elements_is_their_common_ancestor() -> None:
    root = Selector("<main><div class='a b c d'><p>1<p>2</div><p>3</main>").root
    first, second, third = root.iter("p")
    assert shape.format_path([first]) == "html>body>main>div.a.b>p"
    assert shape.format_path([first, second]) == "html>body>main>div.a.b"
    assert shape.format_path([first, third]) == "html>body>main"


def test_deep_page_with_many_links_has_a_path() -> None:
    links = f"<ul>{'<li><a href=x>x</a></li>' * 3000}</ul>"
    root = Selector(text=f"<a href=x>x</a>{'<div>' * 1500}{links}", type="html").root
    start = time.thread_time()
    path = shape.find_link_path(root, "x".__eq__)
    assert path is not None and path.endswith("div>ul>li>a") and path.count(">") > 1500
    assert time.thread_time() - start < 1, "the time must not grow with links times depth"


def test_template_of_deep_json_is_read_without_recursion() -> None:
    value: Any = []
    for _ in range(3000):
        value = [value]
    assert len(shape.hash_json({"data": value})) == 2 * shape.BUCKET_COUNT


def test_template_of_a_feed_with_open_sections_is_read_in_linear_time() -> None:
    start = time.thread_time()
    assert shape.hash_xml("<rss><channel>" + "<![CDATA[<x>" * 100_000) == shape.hash_xml("<rss><channel>")
    assert time.thread_time() - start < 1
