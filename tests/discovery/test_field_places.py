"""Where a title, a date and a text are on a page: places that a person may choose and a definition can have."""

from __future__ import annotations

import pytest

from crawler.config.source_definition import validate_css
from crawler.discovery.field_places import FieldPlace, count_pages, find_place, list_body_places, read_place
from crawler.generic.page import GenericPage

PARAGRAPHS = (
    "The Red Crescent sent help to the families in the flooded villages on Monday.",
    "Volunteers brought water, blankets and food for children to the school.",
)
MARKUP = """<html lang="en"><head><title>Help arrives | Valley Herald</title>
<meta property="og:title" content="Help arrives in the valley"></head><body>
<div class="top"><h1>Valley Herald</h1></div><div class="page-77"><h2 class="head x1">Help arrives</h2>
<p class="when"> 11 June  2026, 15:08 </p><time class="changed" datetime="2026-06-12T09:00:00+05:00">tomorrow</time>
<div class="text"><p>{}</p><p>{}</p></div><p>Share it</p></div></body></html>"""


@pytest.fixture
def page() -> GenericPage:
    return GenericPage(MARKUP.format(*PARAGRAPHS), "https://herald.example/1")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Help arrives", FieldPlace("h2.head")),
        ("Help arrives in the valley", FieldPlace('meta[property="og:title"]', "content")),
        ("11 June 2026, 15:08", FieldPlace("p.when")),
        ("2026-06-12T09:00:00+05:00", FieldPlace("time.changed", "datetime")),
        ("nowhere", None),
    ],
)
def test_place_is_the_shortest_selector_that_finds_it_first(
    page: GenericPage, text: str, place: FieldPlace | None
) -> None:
    assert find_place(page, text) == place
    if place is not None:
        assert validate_css(place.css) == place.css
        assert read_place(page, "title", place) == text


def test_date_place_must_have_a_date(page: GenericPage) -> None:
    assert read_place(page, "published_at", FieldPlace("p.when")) == "11 June 2026, 15:08"
    assert read_place(page, "published_at", FieldPlace("h2.head")) is None
    assert read_place(page, "published_at", FieldPlace("p.absent")) is None


def test_text_is_in_the_innermost_element_with_all_lines(page: GenericPage) -> None:
    assert list_body_places(page, "\n".join(PARAGRAPHS)) == [FieldPlace("div.text")]
    assert read_place(page, "body", FieldPlace("div.text")) == "\n".join(PARAGRAPHS)


def test_pages_with_a_value_are_counted(page: GenericPage) -> None:
    other = GenericPage("<html><body><h2 class='head'></h2><p>Text</p></body></html>", "https://herald.example/2")
    assert count_pages([page, other], "title", FieldPlace("h2.head")) == 1


@pytest.mark.parametrize("name", ['a"b', "a:b", "1", "a\\", "ж", "a.b"])
def test_strange_class_names_give_a_usable_selector_or_none(name: str) -> None:
    page = GenericPage(f"<html><body><div class='{name}'><p class='{name}'>A value</p></div></body></html>", "")
    place = find_place(page, "A value")
    if place is not None:
        assert validate_css(place.css) == place.css
        assert read_place(page, "title", place) == "A value"
