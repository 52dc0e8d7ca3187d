"""A page as the lines that a reader sees, each with what its place in the markup says about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from crawler.pages.blocks import Block, parse_html

WORD_PATTERN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
"""A run of letters and digits, or one character of a script without spaces."""
SHINGLE_LENGTH = 4
CHANGING_PART = re.compile(r"(?<![\d_-])[_-]*+\d[\d_-]*+")
"""What differs in the class names of one site's pages: `post-1234`."""
MAX_PATH_DEPTH = 60
MAX_REMEMBERED_STEPS = 2_000
"""Elements whose step of the path is remembered: a site's pages have the same few hundred."""
NAMED_ANCESTORS = 4
"""Elements around a line whose class names and ids are its `names`."""
MIN_PARAGRAPH_WORDS = 12
"""Words of a line that is surely a paragraph of a text, no caption and no date."""
SECTION_TAGS = frozenset("article main header footer aside nav form table li blockquote figure".split())

Shingles = frozenset[tuple[str, ...]]


class ElementLinks:
    """The links of an element, counted once for all its lines, when a line asks for them."""

    def __init__(self, node: Any, *, is_in_link: bool) -> None:
        """Keep the element, and whether it is within a link."""
        self.node, self.is_in_link = node, is_in_link

    def measure_share(self, length: int) -> float:
        """Return the share of links in the element's text, or in a line of `length` characters if that is longer."""
        if self.is_in_link:
            return 1.0
        return min(self._link_length / max(self._length, length, 1), 1.0) if self._link_length else 0.0

    @cached_property
    def _link_length(self) -> int:
        return sum(len("".join(link.itertext())) for link in self.node.iter("a"))

    @cached_property
    def _length(self) -> int:
        return len("".join(self.node.itertext()).strip())


@dataclass(frozen=True)
class PageLine:
    """One line of a page.

    `path` names the elements around it with their first class, from the root down; `container` is the path of the
    element around its block. `sections` are the elements around it with a meaning.
    """

    text: str
    tag: str
    path: str
    container: str
    sections: frozenset[str]
    words: tuple[str, ...]
    node: Any = field(default=None, compare=False, repr=False)
    links: ElementLinks | None = field(default=None, compare=False, repr=False)

    @cached_property
    def link_share(self) -> float:
        """The share of its characters that are links. Few lines of a known site need it."""
        return self.links.measure_share(len(self.text)) if self.links else 0.0

    @cached_property
    def names(self) -> str:
        """The class names and ids of the nearest elements. Few lines of a known site need them."""
        return _list_names(self.node)

    @cached_property
    def shingles(self) -> Shingles:
        """The runs of its words."""
        return make_shingles(self.words)


def list_words(text: str) -> tuple[str, ...]:
    """Return the words of a text in small letters."""
    return tuple(WORD_PATTERN.findall(text.casefold()))


def make_shingles(words: Sequence[str]) -> Shingles:
    """Return the runs of SHINGLE_LENGTH words. A shorter text is one run."""
    if len(words) < SHINGLE_LENGTH:
        return frozenset([tuple(words)]) if words else frozenset()
    return frozenset(zip(*(words[start:] for start in range(SHINGLE_LENGTH)), strict=False))


def list_page_lines(root: Any) -> list[PageLine]:
    """Return the lines with words of a page, in its order, without images."""
    places: dict[Any, _Place] = {}
    known: dict[Any, _Surroundings] = {}
    return [
        line
        for block in parse_html(root)
        if not block.is_image and (line := _make_line(block, places, known)) is not None
    ]


class _Place(NamedTuple):
    """An element: its path, its container's path, the sections around it, and its links."""

    path: str
    container: str
    sections: frozenset[str]
    links: ElementLinks


class _Surroundings(NamedTuple):
    """The elements from the root down to one: their path and its steps, and whether a link is among them."""

    path: str
    depth: int
    sections: frozenset[str]
    is_in_link: bool


_OUTSIDE = _Surroundings("", 0, frozenset(), is_in_link=False)


def _make_line(block: Block, places: dict[Any, _Place], known: dict[Any, _Surroundings]) -> PageLine | None:
    words = list_words(block.text)
    if not words:
        return None
    node = block.node
    place = places.get(node)
    if place is None:
        place = places[node] = _describe_place(node, known)
    return PageLine(block.text, block.tag, place.path, place.container, place.sections, words, node, place.links)


def _describe_place(node: Any, known: dict[Any, _Surroundings]) -> _Place:
    """Return the place of an element. `known` has what was described, so that each element is described once."""
    above: list[Any] = []
    each = node
    while each is not None and each not in known:
        above.append(each)
        each = each.getparent()
    around = known[each] if each is not None else _OUTSIDE
    for element in reversed(above):
        around = known[element] = _enter_element(element, around)
    links = ElementLinks(node, is_in_link=around.is_in_link)
    return _Place(around.path, around.path.rpartition("/")[0], around.sections, links)


def _enter_element(element: Any, around: _Surroundings) -> _Surroundings:
    tag = element.tag if isinstance(element.tag, str) else "-"
    path, depth, sections, is_in_link = around
    if depth <= MAX_PATH_DEPTH:
        step = _make_step(tag, element.get("class") or "")
        path, depth, is_in_link = f"{path}/{step}" if path else step, depth + 1, is_in_link or tag == "a"
    return _Surroundings(path, depth, sections | {tag} if tag in SECTION_TAGS else sections, is_in_link)


@lru_cache(MAX_REMEMBERED_STEPS)
def _make_step(tag: str, names: str) -> str:
    first = names.split(None, 1)
    return f"{tag}.{CHANGING_PART.sub('', first[0])}" if first else tag


def _list_names(node: Any) -> str:
    """Return the class names and ids of an element and of those around it, in small letters."""
    names: list[str] = []
    each = node
    for _ in range(NAMED_ANCESTORS):
        if each is None:
            break
        names += [*(each.get("class") or "").split(), each.get("id") or ""]
        each = each.getparent()
    return " ".join(names).lower()
