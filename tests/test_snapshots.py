"""Every stored page yields its expectation: one test for each snapshot and field."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from crawler import spiders
from crawler.archive.snapshot_folder import StoredPage, load_stored_pages
from crawler.config import Config
from crawler.errors import CrawlerError
from crawler.fixtures import FieldResult, accept_stored_page, check_stored_page
from crawler.pages.base import read_snapshot
from crawler.pages.site import Site

ROOT = Path(__file__).parents[1] / "snapshots"
SOURCES = spiders.list_names()


@cache
def load_pages(source: str) -> dict[str, StoredPage]:
    return {page.path.name: page for page in load_stored_pages(ROOT, source)} if (ROOT / source).is_dir() else {}


@cache
def make_site(source: str) -> Site:
    return spiders.load_spider(source).make_site(Config())


@cache
def check_page(source: str, name: str) -> dict[str, FieldResult]:
    return {result.field: result for result in check_stored_page(load_pages(source)[name], make_site(source))}


def list_stated_fields(page: StoredPage) -> list[str]:
    """The fields an expectation states, as `check` names them; known without reading the page itself."""
    expected: dict[str, Any] = page.expected or {"expectation": True}
    if "articles" not in expected:
        return [next(field for field in ("raises", "links", "expectation") if field in expected)]
    return ["articles", *(f"{n}.{field}" for n, article in enumerate(expected["articles"]) for field in article)]


def shorten_field(page: StoredPage, field: str) -> str:
    """`title` where a page has one article, `3.title` where it has several."""
    alone = len((page.expected or {}).get("articles", ())) == 1
    return field.removeprefix("0.") if alone else field


CASES = [
    pytest.param(source, name, field, id=f"{source}/{name}-{shorten_field(page, field)}")
    for source in SOURCES
    for name, page in sorted(load_pages(source).items())
    for field in list_stated_fields(page)
]
PAGES = [pytest.param(source, name, id=f"{source}/{name}") for source in SOURCES for name in sorted(load_pages(source))]


@pytest.mark.parametrize(("source", "name", "field"), CASES)
def test_field_is_as_expected(source: str, name: str, field: str) -> None:
    found = check_page(source, name).get(field)
    assert found is not None, f"the page gave nothing to compare {field!r} with: {list_failures(source, name)}"
    assert found.passed, f"expected {found.expected!r}, found {found.found!r}"


@pytest.mark.parametrize(("source", "name"), PAGES)
def test_page_meets_its_whole_expectation(source: str, name: str) -> None:
    assert not list_failures(source, name)


def list_failures(source: str, name: str) -> list[FieldResult]:
    return [result for result in check_page(source, name).values() if not result.passed]


@pytest.mark.parametrize("source", SOURCES)
def test_source_has_snapshots_each_with_an_expectation(source: str) -> None:
    assert load_pages(source), f"{source} has no snapshot: keep one with `crawler snapshot URL`"
    without = [name for name, page in load_pages(source).items() if page.expected is None]
    assert not without


def test_every_folder_of_snapshots_is_a_source() -> None:
    assert sorted(path.name for path in ROOT.iterdir() if path.is_dir()) == SOURCES


@pytest.mark.parametrize("source", SOURCES)
def test_every_page_class_reads_a_snapshot(source: str) -> None:
    used = set()
    for page in load_pages(source).values():
        try:
            used.add(read_snapshot(page.snapshot, make_site(source)).page_class)
        except CrawlerError:
            continue
    assert {cls.__name__ for cls in make_site(source).page_classes} - used == set()


@pytest.mark.parametrize("source", SOURCES)
def test_source_keeps_a_list_articles_and_a_refusal(source: str) -> None:
    kinds = {next(iter(page.expected or {})) for page in load_pages(source).values()}
    assert kinds == {"articles", "links", "raises"}


def test_page_without_expectation_fails_and_accept_writes_one(tmp_path: Path) -> None:
    folder = tmp_path / "qazmonitor"
    folder.mkdir()
    for ending in (".txt", ".meta.json"):
        name = f"004_e20d83a56e785f98{ending}"
        (folder / name).write_bytes((ROOT / "qazmonitor" / name).read_bytes())
    (page,) = load_stored_pages(tmp_path, "qazmonitor")
    (result,) = check_stored_page(page, make_site("qazmonitor"))
    assert (result.field, result.passed) == ("expectation", False)
    written = accept_stored_page(page, make_site("qazmonitor"), "typed from the page")
    assert '"accepted": "typed from the page"' in written.read_text(encoding="utf-8")
    (page,) = load_stored_pages(tmp_path, "qazmonitor")
    assert all(result.passed for result in check_stored_page(page, make_site("qazmonitor")))


@pytest.mark.parametrize(
    ("name", "wrong", "field"),
    [
        ("004_e20d83a56e785f98.txt", {"articles": [{"title": "Another title"}]}, "0.title"),
        ("004_e20d83a56e785f98.txt", {"articles": [{"body_has": ["words that are not in it"]}]}, "0.body_has"),
        ("004_e20d83a56e785f98.txt", {"articles": [{"body_lacks": ["Umarov"]}]}, "0.body_lacks"),
        ("004_e20d83a56e785f98.txt", {"articles": [{"body_starts": "Umarov"}]}, "0.body_starts"),
        ("004_e20d83a56e785f98.txt", {"articles": [{"body_ends": "Umarov"}]}, "0.body_ends"),
        ("004_e20d83a56e785f98.txt", {"articles": [{"rights": {"link_required": False}}]}, "0.rights"),
        ("004_e20d83a56e785f98.txt", {"articles": []}, "articles"),
        ("004_e20d83a56e785f98.txt", {"raises": "Blocked"}, "raises"),
        ("rss.xml", {"links": ["https://qazmonitor.com/news/1"]}, "links"),
        ("challenge_200.html", {"raises": "Unreachable"}, "raises"),
        ("challenge_200.html", {"articles": []}, "articles"),
    ],
)
def test_wrong_expectation_fails_by_its_field(name: str, wrong: dict[str, Any], field: str) -> None:
    page = StoredPage(load_pages("qazmonitor")[name].path, load_pages("qazmonitor")[name].snapshot)
    page.__dict__["expected"] = wrong
    assert [result.field for result in check_stored_page(page, make_site("qazmonitor")) if not result.passed] == [field]
