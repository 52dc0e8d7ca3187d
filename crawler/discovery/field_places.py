"""Where a value is on a page, as a selector that a definition can have. A person chooses among these places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from typing import Any, NamedTuple

from cssselect import HTMLTranslator, SelectorError
from lxml import etree

from crawler.generic.page import GenericPage
from crawler.generic.page_lines import list_words
from crawler.pages.blocks import join_lines, parse_html
from crawler.pages.structure import find_common_ancestor, format_step, list_ancestors
from crawler.text.cleaning import clean_line
from crawler.text.dates import parse_date

VALUE_ATTRIBUTES = ("datetime", "content", "title")
"""Attributes that may have a date or a title."""
NAME_ATTRIBUTES = ("property", "name", "itemprop")
TEXT_CONTAINERS = ("[itemprop~='articleBody']", "article", "main", "[role='main']")
"""Selectors of elements that may have the whole text of an article."""
MAX_STEPS = 4
MAX_TEXT_LENGTH = 300
"""Characters of a title or of a line with a date."""
MAX_STATED_LENGTH = 80
"""Characters of a stated date that the generic reader keeps."""


class FieldPlace(NamedTuple):
    """A CSS selector, and the attribute that has the value. Without one, it is the text of the element."""

    css: str
    attribute: str | None = None


def find_place(page: GenericPage, text: str) -> FieldPlace | None:
    """Return where a short text is on a page, in an attribute or as all that an element has, or None."""
    wanted = clean_line(text)
    for node in page.root.iter(etree.Element):
        for attribute in VALUE_ATTRIBUTES:
            value = clean_line(node.get(attribute) or "")
            if value and value[:MAX_STATED_LENGTH] == wanted[:MAX_STATED_LENGTH]:
                return make_place(page, node, attribute)
    found = None
    for node in page.root.iter(etree.Element):
        if node.tag not in ("title", "script") and _read_beginning(node) == wanted:
            found = node  # the innermost one is the last
        elif found is not None:
            break
    return make_place(page, found) if found is not None else None


def _read_beginning(node: Any) -> str:
    """Return the text of an element, cut where it is too long for a value: pages are large."""
    parts, length = [], 0
    for part in node.itertext():
        parts.append(part)
        length += len(part)
        if length >= 2 * MAX_TEXT_LENGTH:
            break
    return clean_line("".join(parts)[: 2 * MAX_TEXT_LENGTH])


def make_place(page: GenericPage, node: Any, attribute: str | None = None) -> FieldPlace | None:
    """Return the place of an element: the shortest selector of which it is the first match, or None."""
    for css in _list_selectors(node):
        if next(iter(select_elements(page, css)), None) is node:
            return FieldPlace(css, attribute)
    return None


def _list_selectors(node: Any) -> Iterator[str]:
    for name in NAME_ATTRIBUTES:
        value = node.get(name)
        if value and '"' not in value and "\\" not in value:
            yield f'{node.tag if node.tag == "meta" else ""}[{name}="{value}"]'
    steps = [format_step(each) for each in list_ancestors(node) if each.tag not in ("html", "body")]
    yield from (" > ".join(steps[-length:]) for length in range(1, min(MAX_STEPS, len(steps)) + 1))


def select_elements(page: GenericPage, css: str) -> Sequence[Any]:
    """Return the elements of a selector. One that the page's own class names make unusable selects none."""
    try:
        found: Sequence[Any] = page.root.xpath(HTMLTranslator().css_to_xpath(css))
    except (SelectorError, etree.XPathError):
        return ()
    return found


def read_place(page: GenericPage, field: str, place: FieldPlace) -> str | None:
    """Return the value that a definition with this place reads from a page, or None: no text, or no date."""
    node = next(iter(select_elements(page, place.css)), None)
    if node is None:
        return None
    if field == "body":
        return "\n".join(line.text for line in parse_html(node) if not line.is_image) or None
    text = clean_line(node.get(place.attribute) or "") if place.attribute else join_lines(parse_html(node))
    if field == "published_at":
        return text if parse_date(text, UTC) else None
    return text or None


def list_body_places(page: GenericPage, body: str | None) -> list[FieldPlace]:
    """Return the elements that have the text: the innermost one with all of its lines, and those that HTML names."""
    lines = set((body or "").split("\n"))
    nodes = [line.node for line in page.lines if line.text in lines and line.node is not None]
    found: list[FieldPlace | None] = []
    if nodes:
        shared = find_common_ancestor(nodes)
        around = shared if len(nodes) > 1 else shared.getparent()
        found.append(make_place(page, around) if around is not None else None)
    found += [make_place(page, node) for css in TEXT_CONTAINERS for node in select_elements(page, css)[:1]]
    usable = [place for place in found if place is not None and list_words(read_place(page, "body", place) or "")]
    return list(dict.fromkeys(usable))


def count_pages(pages: Iterable[GenericPage], field: str, place: FieldPlace) -> int:
    """Return on how many pages a place has a value."""
    return sum(read_place(page, field, place) is not None for page in pages)
