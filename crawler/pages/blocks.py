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

    A table row of several cells is one line with everything inside it. A row of one cell is only a frame.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.pending_text: list[str] = []
        self.tag = "p"
        self.node: Any = None
        self.outer: list[tuple[str, Any]] = []
        """`tag` and `node` of the open elements around the current one."""
        self.row: Any = None
        """The outermost open table row of several cells."""
        self.row_images: list[Block] = []

    def collect_blocks(self, root: Any) -> list[Block]:
        """Return the blocks of an element. A stack of open elements replaces recursion: pages nest without limit."""
        self.node = root
        waiting: list[tuple[Any, bool]] = [(root, False)]
        while waiting:
            node, is_end = waiting.pop()
            if is_end:
                self._leave_element(node)
            elif self._enter_element(node):
                waiting.append((node, True))
                waiting += [(child, False) for child in reversed(node)]
                self._add_text(node.text)
                continue
            if node is not root:
                self._add_text(node.tail)
        self._end_line()
        return self.blocks

    def _enter_element(self, node: Any) -> bool:
        """Begin an element and return whether its content is read."""
        name = node.tag
        if not isinstance(name, str) or name in SKIPPED_TAGS:  # comments and processing instructions have no name
            return False
        if name == "img":
            self._add_image(node)
            return False
        if self.row is None and name == "tr" and len([child for child in node if child.tag in ("td", "th")]) > 1:
            self._end_line()
            self.row, self.row_images = node, []
        elif name in LINE_BREAKING_TAGS:
            self._end_line()
            self.outer.append((self.tag, self.node))
            self.tag, self.node = name if name in NAMED_TAGS else self.tag, node
        return True

    def _leave_element(self, node: Any) -> None:
        """End an element. The images of a table row come after its line."""
        if node is self.row:
            self.row = None
            self._end_line(node)
            self.blocks += self.row_images
        elif node.tag in LINE_BREAKING_TAGS:
            self._end_line()
            self.tag, self.node = self.outer.pop()

    def _add_text(self, text: str | None) -> None:
        if text:
            self.pending_text.append(text)

    def _add_image(self, node: Any) -> None:
        self._end_line()
        source = node.get("src") or node.get("data-src")
        image = Block(clean_line(node.get("alt") or ""), "img", source, node)
        (self.blocks if self.row is None else self.row_images).append(image)

    def _end_line(self, node: Any = None) -> None:
        """Add the line that ends here. Inside a table row the line continues, with a space between its parts."""
        if self.row is not None:
            self.pending_text.append(" ")
        elif self.pending_text:
            text = clean_line("".join(self.pending_text))
            self.pending_text.clear()
            if text:
                self.blocks.append(Block(text, self.tag, None, self.node if node is None else node))
