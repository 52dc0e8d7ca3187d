"""Blocks: a page as the sequence of its lines, from HTML or from a text rendering of it.

Sites whose markup is unknown or changes often are read by the order of their lines: breadcrumb, dateline, title,
captions, body. A page class that works on blocks reads the live page and a stored text rendering by one path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from crawler.text.cleaning import clean_line

LINE_BREAKING_TAGS = frozenset(
    "address article aside blockquote body br button dd details dialog div dl dt fieldset figcaption figure footer form"
    " h1 h2 h3 h4 h5 h6 header hr html li main nav ol option p pre section select summary table tbody td tfoot th "
    "thead title tr ul".split()
)
"""Elements that end a line. The text of all others is part of the line around them."""
SKIPPED_TAGS = frozenset("script style template svg iframe object head noscript".split())
NAMED_TAGS = frozenset("h1 h2 h3 h4 h5 h6 li figcaption blockquote p".split())
"""Elements whose name a block keeps as its `tag`."""
INDENTED_NUMBER_PATTERN = re.compile(r"\s+\d+\.\s+")


@dataclass(frozen=True, slots=True)
class Block:
    """One line of a page. `tag` is the nearest element around it that has a meaning (`p`, `li`, `h1`, `figcaption`).

    An image is a block of its own with the tag `img`: `text` is its alternative text (may be empty), `source` its URL.
    `node` is the lxml element around the line, None for a line of plain text.
    """

    text: str
    tag: str = "p"
    source: str | None = None
    node: Any = field(default=None, compare=False, repr=False)


def parse_text(text: str) -> list[Block]:
    """Return the lines of a text rendering without blank ones. An indented "1." makes a list item."""
    blocks = []
    for raw in text.splitlines():
        item = INDENTED_NUMBER_PATTERN.match(raw)
        if line := clean_line(raw[item.end() :] if item else raw):
            blocks.append(Block(line, "li" if item else "p"))
    return blocks


def parse_html(root: Any) -> list[Block]:
    """Return the lines of an lxml element in the order of the page, without scripts, styles and `<head>`."""
    return _BlockCollector().collect_blocks(root)


class _BlockCollector:
    """Walks over a tree once and gathers text until an element ends the line.

    It appends to one list, because nested generators, one for each level of elements, take 50 % longer.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.pending_text: list[str] = []
        self.tag = "p"
        self.node: Any = None

    def collect_blocks(self, root: Any) -> list[Block]:
        self.node = root
        self._visit_element(root)
        self._end_line()
        return self.blocks

    def _visit_element(self, node: Any) -> None:
        name = node.tag
        if not isinstance(name, str) or name in SKIPPED_TAGS:  # comments and processing instructions have no name
            return
        if name == "img":
            self._add_image(node)
        elif name == "tr" and len(cells := [child for child in node if child.tag in ("td", "th")]) > 1:
            self._add_table_row(cells)
        elif name in LINE_BREAKING_TAGS:
            self._end_line()
            outer_tag, self.tag = self.tag, name if name in NAMED_TAGS else self.tag
            outer_node, self.node = self.node, node
            self._visit_children(node)
            self._end_line()
            self.tag, self.node = outer_tag, outer_node
        else:
            self._visit_children(node)

    def _visit_children(self, node: Any) -> None:
        if text := node.text:
            self.pending_text.append(text)
        for child in node:
            self._visit_element(child)
            if tail := child.tail:
                self.pending_text.append(tail)

    def _add_table_row(self, cells: list[Any]) -> None:
        """Add a row of several cells as one line, and its images after it. A row of one cell is only a frame."""
        self._end_line()
        inside = [block for cell in cells for block in parse_html(cell)]
        if text := " ".join(block.text for block in inside if block.tag != "img"):
            self.blocks.append(Block(text, self.tag, None, cells[0].getparent()))
        self.blocks += [block for block in inside if block.tag == "img"]

    def _add_image(self, node: Any) -> None:
        self._end_line()
        source = node.get("src") or node.get("data-src")
        self.blocks.append(Block(clean_line(node.get("alt") or ""), "img", source, node))

    def _end_line(self) -> None:
        if self.pending_text:
            text = clean_line("".join(self.pending_text))
            self.pending_text.clear()
            if text:
                self.blocks.append(Block(text, self.tag, None, self.node))
