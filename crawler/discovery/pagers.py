"""Links from a list to its further pages: the pattern of their addresses, numbered by pages or by articles."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from crawler.config.source_definition import MAX_PAGE_STEP, PAGE_PLACEHOLDER, get_host, make_page_address
from crawler.discovery.site_words import load_site_words
from crawler.generic.page import GenericPage
from crawler.pages.blocks import read_line
from crawler.text.urls import resolve_url

NAMED_NUMBER = re.compile(
    r"(?:(?<=[?&])(?P<name>[\w.:%\[\]-]+)=|/(?P<word>page|p|стр|start|offset)[/_-]|/(?:page|стр))"
    r"(?P<number>\d{1,6})(?=[&/?.]|$)",
    re.IGNORECASE,
)
LAST_NUMBER = re.compile(r"(?<=[/_-])(?P<number>\d{1,6})(?=/?(?:\.\w{2,5})?(?:\?|$))")
"""The number at the end of a path, which nothing names: `/news/2/`, `/news/20`, `/news_2.html`."""
PAGE_NAMES = re.compile(r"pag|^(?:p|pg|pn|next)$", re.IGNORECASE)
OFFSET_NAMES = re.compile(r"start|offset|skip", re.IGNORECASE)
OTHER_NUMBER_NAMES = re.compile(r"^(?:id|sort|lang|cat|category|year|month|day|date|limit|per_?page)$", re.IGNORECASE)
PAGING_NAME = re.compile(r"pag(?:er|ing|ination|e-?nav)|(?:nav|navigation)-pages|load-?more|show-?more", re.IGNORECASE)
ADDRESS_ATTRIBUTES = ("data-url", "data-href", "data-next", "data-next-url", "data-next-page", "hx-get")
"""Attributes of buttons that load further pages by a script."""
MAX_NUMBER_LENGTH = 4
"""Digits of a page's number as the text of a link."""
MIN_OFFSET = 3
"""Smallest distance of two pages that are numbered by articles. Smaller numbers are those of pages."""


@dataclass(frozen=True, slots=True)
class Pager:
    """The address of a list's further pages, with `{page}` for their number, and the number of the list itself.

    `step`: what is added to the address from one page to the next.
    """

    pattern: str
    first_page: int
    step: int = 1

    @property
    def second_address(self) -> str:
        """The address of the second page."""
        return make_page_address(self.pattern, self.first_page + 1, self.step)


class PageNumber(NamedTuple):
    """A number in an address that may be that of a page. `is_offset`: its name says that it counts articles."""

    pattern: str
    number: int
    is_named: bool
    is_offset: bool


class PagingLink(NamedTuple):
    """A link that may lead to a further page. One that is neither only shows how pages are counted."""

    url: str
    is_next: bool
    is_in_pager: bool


def find_next_page(page: GenericPage) -> Pager | None:
    """Return how a list names its further pages, or None where it has none.

    The second page has the number 1 or 2. A link to the next page shows which, else the smallest number above 0. Where
    all numbers are multiples of a larger one, they count articles. Two links must show that, unless a name does.
    """
    linked: defaultdict[PageNumber, set[int]] = defaultdict(set)
    following: defaultdict[PageNumber, set[int]] = defaultdict(set)
    others: defaultdict[PageNumber, set[int]] = defaultdict(set)
    for link in _list_paging_links(page):
        for found in _list_page_numbers(link.url, page.url):
            kind = found._replace(number=0)
            linked[kind].add(found.number)
            if link.is_next or link.is_in_pager:
                (following if link.is_next else others)[kind].add(found.number)
    for numbers in (following, others):
        for kind, known in numbers.items():
            if pager := _make_pager(kind, known, linked[kind], is_next=numbers is following):
                return pager
    return None


def _make_pager(kind: PageNumber, found: set[int], linked: set[int], *, is_next: bool) -> Pager | None:
    """Return the pager of the numbers at one place of an address. `linked` are those of all links."""
    positive = {number for number in linked if number}
    if not positive or (not kind.is_named and len(positive) < 2):
        return None
    second = min((number for number in found if number), default=0)
    if second in (1, 2):
        is_first_linked = not is_next and second == 1 and 2 in found and 0 not in found
        return Pager(kind.pattern, 1 if is_first_linked else second - 1)
    step = min(positive)
    if not MIN_OFFSET <= step <= MAX_PAGE_STEP or any(number % step for number in positive):
        return None
    return Pager(kind.pattern, 0, step) if kind.is_offset or len(positive) > 1 else None


def _list_paging_links(page: GenericPage) -> Iterator[PagingLink]:
    """Yield the links that may lead to further pages: by their words, by the names around them, or with a number."""
    for node, name, address in _list_addresses(page):
        url = resolve_url(address, page.url)
        if url is None or get_host(url) != get_host(page.url):
            continue
        text = read_line("".join(node.itertext())).lower()
        is_next = "next" in f"{node.get('rel') or ''} {name}".lower() or text in load_site_words().next_page
        is_in_pager = node.tag != "link" and _is_paging(node)
        if is_next or is_in_pager or (text.isdecimal() and len(text) <= MAX_NUMBER_LENGTH):
            yield PagingLink(url.partition("#")[0], is_next, is_in_pager)


def _list_addresses(page: GenericPage) -> Iterator[tuple[Any, str, str]]:
    """Yield elements with the address that one of their attributes has. A script loads those that are no links."""
    for node in page.root.iter():
        if isinstance(node.tag, str):
            names = ("href",) if node.tag in ("link", "a") else ADDRESS_ATTRIBUTES
            yield from ((node, name, address) for name in names if (address := node.get(name)))


def _list_page_numbers(url: str, list_url: str) -> list[PageNumber]:
    """Return what may number the pages in an address, the likeliest first.

    A number needs no name directly below the path of the list.
    """
    found = [match for match in NAMED_NUMBER.finditer(url) if not OTHER_NUMBER_NAMES.match(match["name"] or "")]
    found.sort(key=lambda match: match["name"] is not None and not PAGE_NAMES.search(match["name"]))
    numbers = [
        _make_page_number(url, match, is_offset=bool(OFFSET_NAMES.search(match["name"] or match["word"] or "")))
        for match in found
    ]
    if (last := LAST_NUMBER.search(url)) and all(match.start("number") != last.start() for match in found):
        is_below = url[: last.start()].rstrip("/") == list_url.partition("?")[0].rstrip("/")
        numbers.append(_make_page_number(url, last, is_named=is_below))
    return numbers


def _make_page_number(url: str, match: re.Match[str], *, is_named: bool = True, is_offset: bool = False) -> PageNumber:
    pattern = f"{url[: match.start('number')]}{PAGE_PLACEHOLDER}{url[match.end('number') :]}"
    return PageNumber(pattern, int(match["number"]), is_named, is_offset)


def _is_paging(node: Any) -> bool:
    each = node
    for _ in range(4):
        if each is None:
            return False
        if PAGING_NAME.search(f"{each.get('class') or ''} {each.get('id') or ''}"):
            return True
        each = each.getparent()
    return False
