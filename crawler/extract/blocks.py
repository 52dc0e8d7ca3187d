"""Blocks: a page as the sequence of its lines, the same for HTML and for a text rendering of it.

Sites whose markup is unknown, or changes often, are read by the order of their text: breadcrumb, dateline, title,
captions, body. A page class that works on blocks reads the live page and a stored text rendering by one path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from crawler.text import clean

# Elements that end a line. Everything else flows on inside its line.
BREAKING = frozenset(
    "address article aside blockquote body br button dd details dialog div dl dt fieldset figcaption figure footer form"
    " h1 h2 h3 h4 h5 h6 header hr html li main nav ol option p pre section select summary table tbody td tfoot th "
    "thead title tr ul".split()
)
SKIPPED = frozenset("script style template svg iframe object head noscript".split())
NAMED = frozenset("h1 h2 h3 h4 h5 h6 li figcaption blockquote p".split())
NUMBERED = re.compile(r"\s+\d+\.\s+")


@dataclass(frozen=True, slots=True)
class Block:
    """One line of a page. `tag` is its nearest telling element (`p`, `li`, `h1`, `figcaption`, `img` …).

    An image is a block of its own: `text` is its alternative text (may be empty), `source` its address. `node` is the
    lxml element that the line stands in, None for a line of a text.
    """

    text: str
    tag: str = "p"
    source: str | None = None
    node: Any = field(default=None, compare=False, repr=False)


def of_text(text: str) -> list[Block]:
    """The blocks of a text rendering: one a line, blank lines left out; an indented "1." makes a list item."""
    blocks = []
    for raw in text.splitlines():
        item = NUMBERED.match(raw)
        if line := clean.line(raw[item.end() :] if item else raw):
            blocks.append(Block(line, "li" if item else "p"))
    return blocks


def of_html(root: Any) -> list[Block]:
    """The blocks of an lxml element, in the order a reader sees them; scripts, styles and `<head>` left out."""
    return _Walk().over(root)


class _Walk:
    """One pass over a tree. Text is gathered until an element ends the line.

    Blocks are appended to a list: generators inside one another, one an element deep, take half as long again.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.pending: list[str] = []
        self.tag = "p"
        self.node: Any = None

    def over(self, root: Any) -> list[Block]:
        self.node = root
        self._element(root)
        self._flush()
        return self.blocks

    def _element(self, node: Any) -> None:
        name = node.tag
        if not isinstance(name, str) or name in SKIPPED:  # comments and processing instructions have no name
            return
        if name == "img":
            self._image(node)
        elif name == "tr" and len(cells := [child for child in node if child.tag in ("td", "th")]) > 1:
            self._row(cells)
        elif name in BREAKING:
            self._flush()
            before, self.tag = self.tag, name if name in NAMED else self.tag
            around, self.node = self.node, node
            self._inside(node)
            self._flush()
            self.tag, self.node = before, around
        else:
            self._inside(node)

    def _inside(self, node: Any) -> None:
        if text := node.text:
            self.pending.append(text)
        for child in node:
            self._element(child)
            if tail := child.tail:
                self.pending.append(tail)

    def _row(self, cells: list[Any]) -> None:
        """A table's row is one line, its images stand behind it; a row of one cell is only a frame, and no row."""
        self._flush()
        inside = [block for cell in cells for block in of_html(cell)]
        if text := " ".join(block.text for block in inside if block.tag != "img"):
            self.blocks.append(Block(text, self.tag, None, cells[0].getparent()))
        self.blocks += [block for block in inside if block.tag == "img"]

    def _image(self, node: Any) -> None:
        # An icon within a line (a social logo in a link) is text there; a picture of its own is a block.
        self._flush()
        source = node.get("src") or node.get("data-src")
        self.blocks.append(Block(clean.line(node.get("alt") or ""), "img", source, node))

    def _flush(self) -> None:
        if self.pending:
            text = clean.line("".join(self.pending))
            self.pending.clear()
            if text:
                self.blocks.append(Block(text, self.tag, None, self.node))
