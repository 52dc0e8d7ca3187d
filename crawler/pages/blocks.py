"""Blocks: a page as the sequence of its lines, from HTML or from a text rendering of it.

Sites whose markup is unknown or changes often are read by the order of their lines: breadcrumb, dateline, title,
captions, body. A page class that works on blocks reads the live page and a stored text rendering by one path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from crawler.defaults import load_default_toml
from crawler.pages.markup import parse_document
from crawler.text.cleaning import clean_line, decode_entities

LINE_BREAKING_TAGS = frozenset(
    "address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption figure"
    " footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol optgroup p plaintext pre"
    " search section summary table tbody td tfoot th thead title tr ul xmp".split()
)
"""Elements that end a line. The text of all others is part of the line around them."""
SKIPPED_TAGS = frozenset("head noscript rp rt script style svg template".split())
"""Elements without text that a reader sees. The words around them stay as close as they are."""
SEPARATING_TAGS = frozenset(
    "audio button canvas datalist embed iframe meter object option progress select textarea video".split()
)
"""Controls and players: their text is no part of the page's, and they separate the words around them."""
NAMED_TAGS = frozenset("h1 h2 h3 h4 h5 h6 li figcaption blockquote p".split())
"""Elements whose name a block keeps as its `tag`."""
NEVER_HIDDEN_TAGS = frozenset(("html", "body"))
"""A page hides them until its scripts have run."""
HIDING_ATTRIBUTES = frozenset(("hidden", "aria-hidden", "style", "class"))
HIDDEN_STYLE = re.compile(r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden)\b", re.IGNORECASE)
HIDDEN_CLASS = re.compile(
    r"(?<![\w-])(?:sr-only(?:-focusable)?|visually-?hidden|screen-reader-(?:text|only)|material-(?:icons|symbols)[\w-]*"
    r"|w-condition-invisible)(?![\w-])"
)
"""Classes that well-known style sheets give to text for screen readers, to text that is shown as an icon, and (Webflow)
to another variant of the page's text that is not shown."""
BLOCK_STYLE = re.compile(r"(?:^|[;\s])display\s*:\s*(?:block|flex|grid|table|list-item)\b", re.IGNORECASE)
ESCAPED_TAG = re.compile(
    r"</?(?:a|b|big|br|center|div|em|figure|font|h[1-6]|hr|i|img|li|ol|p|script|span|strong|style|table|td|tr|u|ul)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
"""A tag in the text itself: the site encoded its markup once more."""
MAX_ESCAPED_LEVELS = 2
MAX_FOOTNOTE_LENGTH = 6
FOOTNOTE_MARK = re.compile(r"[\[(]?\d{1,3}[\])]?|[*†‡]{1,3}")
UNIT = re.compile(r"(?:^|[\W\d_])[^\W\d_A-ZА-ЯЁ]{1,2}$")
"""The end of a text after which a raised number is a power: "м", "km"."""
TEN = re.compile(r"(?<!\d)10$")
POWER = re.compile(r"[-−]?\d{1,3}")
RAISED_CHARACTERS = dict(zip(map(ord, "0123456789-−"), "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻", strict=False))
HYPHENS = "-\u2010\u00ad"
LINE_END_HYPHEN = re.compile(r"(?<![^\W_])([^\W_]+)([-\u2010\u00ad])[ \t]*\r?\n\s*(?=([^\W_]+))")
ICON_CLASS = re.compile(r"emoji|smil(?:ey|ie)|\bicon\b", re.IGNORECASE)
ICON_SOURCE = re.compile(r"\bemojis?\b|\bsmil(?:ey|ie)s?\b", re.IGNORECASE)
MAX_VALUE_LENGTH = 200
"""Characters of a value in a table. A cell with more, such as a text with line breaks, is a column of the page."""
MAX_SOURCE_LENGTH = 2_000
MAX_ICON_SIZE = 32
"""Pixels: an image that is this small is a sign within the text."""
PIXELS = re.compile(r"\s*(\d{1,4})(?:px)?\s*")
SOURCE_NAMES = (
    *("data-src", "data-original", "data-lazy-src", "data-lazy", "data-original-src", "data-image"),
    *("data-srcset", "data-lazy-srcset", "src", "srcset"),
)
"""Attributes with the address of an image, the most reliable first: `src` of a lazy image is a placeholder."""
IMAGE_ADDRESS = re.compile(r"[^\s{}<>]{1,2000}\.(?:jpe?g|png|webp|gif|avif)(?:\?[^\s<>]*)?", re.IGNORECASE)
SIZE_COMMA = re.compile(r"((?<=\s)\d{1,6}(?:\.\d{1,3})?[wx]),")
SOURCE_SIZE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)[wx]")
PLACEHOLDER_SOURCE = re.compile(
    r"data:.*|about:.*|(?:.*/)?(?:blank|spacer|placeholder|pixel|transparent|loading|loader|lazy|gr[ae]y|1x1)"
    r"(?:[_-]\w+)?\.(?:gif|png|svg|jpe?g|webp)(?:\?.*)?",
    re.IGNORECASE | re.DOTALL,
)
INDENTED_NUMBER_PATTERN = re.compile(r"\s+\d+\.\s+")


@dataclass(frozen=True, slots=True)
class Block:
    """One line of a page. `tag` is the nearest element around it that has a meaning (`p`, `li`, `h1`, `figcaption`).

    `text` is clean (see `clean_line`): the functions of this module make blocks, and nothing cleans them again.
    An image is a block of its own with the tag `img`: `text` is its alternative text (may be empty), `source` its URL.
    `node` is the lxml element around the line, None for a line of plain text.
    """

    text: str
    tag: str = "p"
    source: str | None = None
    node: Any = field(default=None, compare=False, repr=False)

    @property
    def is_image(self) -> bool:
        """Whether the block is an image. Its text is no line of the page."""
        return self.tag == "img"


def parse_text(text: str) -> list[Block]:
    """Return the lines of a text rendering without blank ones and without tags. An indented "1." makes a list item."""
    blocks = []
    for raw in text.splitlines():
        item = INDENTED_NUMBER_PATTERN.match(raw)
        line = clean_line(raw[item.end() :] if item else raw)
        if "<" in line and ESCAPED_TAG.search(line):
            line = join_lines(parse_markup(line))
        if line:
            blocks.append(Block(line, "li" if item else "p"))
    return blocks


def parse_html(root: Any) -> list[Block]:
    """Return the lines of an lxml element in the order of the page, as a reader sees them."""
    return _BlockCollector().collect_blocks(root)


def parse_markup(markup: str) -> list[Block]:
    """Return the lines of a text that is HTML, perhaps with its markup or entities encoded once more."""
    return parse_html(parse_document(markup)) if markup.strip() else []


def join_lines(blocks: list[Block]) -> str:
    """Return the text of several blocks as one line, without images."""
    return " ".join(block.text for block in blocks if not block.is_image)


def read_line(text: str) -> str:
    """Return a text that may have tags or entities in it as one line of plain text.

    Text in angle brackets that is no tag stays: "<press@example.org>".
    """
    line = clean_line(decode_entities(text))
    if not ESCAPED_TAG.search(line):
        return line
    return join_lines(parse_markup(line))


@dataclass(slots=True)
class _TableRow:
    """A row of several cells that is being read: where its blocks and those of its current cell begin."""

    node: Any
    tag: str
    start: int
    cell_start: int = 0
    filled_cells: int = 0
    has_paragraphs: bool = False


class _BlockCollector:
    """Walks over a tree once, without recursion, and gathers text until an element ends the line.

    The stack has what is still to do: a text to add, an element to enter, or a function that leaves an element.
    """

    def __init__(self, *, escaped_levels: int = MAX_ESCAPED_LEVELS) -> None:
        self.blocks: list[Block] = []
        self.pending_text: list[str] = []
        self.tag = "p"
        self.node: Any = None
        self.stack: list[Any] = []
        self.rows: list[_TableRow] = []
        self.escaped_levels = escaped_levels

    def collect_blocks(self, root: Any) -> list[Block]:
        self.node = root
        self._enter_element(root, is_root=True)
        while self.stack:
            step = self.stack.pop()
            if isinstance(step, str):
                self.pending_text.append(step)
            elif callable(step):
                step()
            else:
                self._enter_element(step)
        self._end_line()
        return self.blocks

    def _enter_element(self, node: Any, *, is_root: bool = False) -> None:
        name = node.tag
        if not isinstance(name, str) or name in SKIPPED_TAGS:  # comments and processing instructions have no name
            return
        attributes = dict(node.items())  # one call, because each `get` costs as much
        if name in SEPARATING_TAGS:
            self.pending_text.append(" ")
        elif not is_root and is_hidden(name, attributes):
            if name in LINE_BREAKING_TAGS and name != "br":
                self._end_line()
        elif name == "img":
            self._add_image(node, attributes)
        elif name in LINE_BREAKING_TAGS or ("style" in attributes and BLOCK_STYLE.search(attributes["style"])):
            self._enter_block(node, name)
        else:
            if name == "sup" and self._add_raised_text(node):
                return
            self._push_children(node)

    def _enter_block(self, node: Any, name: str) -> None:
        self._end_line()
        outer_tag, outer_node = self.tag, self.node
        self.tag, self.node = name if name in NAMED_TAGS else self.tag, node
        row = self.rows[-1] if self.rows and node.getparent() is self.rows[-1].node else None
        if row is not None:
            row.cell_start = len(self.blocks)
        elif name == "tr" and sum(child.tag in ("td", "th") for child in node) > 1:
            self.rows.append(_TableRow(node, outer_tag, len(self.blocks)))

        def leave() -> None:
            self._end_line()
            self.tag, self.node = outer_tag, outer_node
            if row is not None:
                self._end_cell(row)
            elif self.rows and self.rows[-1].node is node:
                self._end_row(self.rows.pop())

        self.stack.append(leave)
        self._push_children(node)

    def _push_children(self, node: Any) -> None:
        push = self.stack.append
        for child in node[::-1]:  # half the time of `reversed`
            if tail := child.tail:
                push(tail)
            push(child)
        if text := node.text:
            self.pending_text.append(text)

    def _end_cell(self, row: _TableRow) -> None:
        lines = [block for block in self.blocks[row.cell_start :] if not block.is_image]
        row.filled_cells += bool(lines)
        is_long = sum(len(line.text) for line in lines if line.node.tag != "tr") > MAX_VALUE_LENGTH
        row.has_paragraphs |= is_long or len({id(line.node) for line in lines}) > 1

    def _end_row(self, row: _TableRow) -> None:
        """Make one line of a row of values, and its images after it. A row that is only a layout keeps its lines."""
        if row.has_paragraphs or row.filled_cells < 2:
            return
        inside = self.blocks[row.start :]
        images = [block for block in inside if block.is_image]
        self.blocks[row.start :] = [Block(join_lines(inside), row.tag, None, row.node), *images]

    def _add_raised_text(self, node: Any) -> bool:
        """Separate a footnote's mark from the word before it. Return whether the text was added: a power of ten."""
        text = (node.text or (node[0].text if len(node) == 1 else None) or "").strip()
        if len(text) > MAX_FOOTNOTE_LENGTH:
            return False
        before = "".join(self.pending_text[-2:])[-MAX_FOOTNOTE_LENGTH:]
        if POWER.fullmatch(text) and TEN.search(before):
            self.pending_text.append(text.translate(RAISED_CHARACTERS))  # "106" would be another number than 10⁶
            return True
        if FOOTNOTE_MARK.fullmatch(text) and not (text.isdigit() and UNIT.search(before)):
            self.pending_text.append(" ")
        return False

    def _add_image(self, node: Any, attributes: dict[str, str]) -> None:
        if is_icon(attributes):
            self.pending_text.append(" ")
            return
        self._end_line()
        self.blocks.append(
            Block(clean_line(attributes.get("alt", "")), "img", find_image_source(node, attributes), node)
        )

    def _end_line(self) -> None:
        if not self.pending_text:
            return
        text = "".join(self.pending_text)
        self.pending_text.clear()
        if text.isspace():  # the indentation between two elements: most texts are
            return
        if "\n" in text and any(hyphen in text for hyphen in HYPHENS):
            text = LINE_END_HYPHEN.sub(_join_hyphenated_word, text)
        text = clean_line(text)
        if "&" in text:
            text = clean_line(decode_entities(text))
        if "<" in text and self.escaped_levels and ESCAPED_TAG.search(text):
            self._add_escaped_markup(text)
        elif text:
            self.blocks.append(Block(text, self.tag, None, self.node))

    def _add_escaped_markup(self, markup: str) -> None:
        root = parse_document(markup)
        for block in _BlockCollector(escaped_levels=self.escaped_levels - 1).collect_blocks(root):
            self.blocks.append(replace(block, node=None if block.is_image else self.node))


@cache
def _load_hyphen_parts() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    words = load_default_toml("hyphens.toml")
    return frozenset(words["first"]), frozenset(words["last"]), frozenset(words["conjunctions"])


def _join_hyphenated_word(found: re.Match[str]) -> str:
    """Return the part of a word before a line end, with its hyphen where the word itself has one."""
    first, hyphen, last = found.groups()
    if hyphen == "\u00ad":
        return first
    firsts, lasts, conjunctions = _load_hyphen_parts()
    if last in conjunctions:  # "теле- и радио"
        return f"{first}- "
    has_hyphen = (
        first.lower() in firsts
        or last.lower() in lasts
        or first.lower() == last.lower()
        or not (last.islower() and first[-1].islower() and last.isalpha())
    )
    return f"{first}-" if has_hyphen else first


def is_hidden(name: str, attributes: dict[str, str]) -> bool:
    """Return whether an element's own attributes hide it from a reader."""
    if name == "dialog" and "open" not in attributes:
        return True
    if HIDING_ATTRIBUTES.isdisjoint(attributes) or name in NEVER_HIDDEN_TAGS:
        return False
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden", "").strip().lower() == "true"
        or ("style" in attributes and HIDDEN_STYLE.search(attributes["style"]) is not None)
        or ("class" in attributes and HIDDEN_CLASS.search(attributes["class"]) is not None)
    )


def is_icon(attributes: dict[str, str]) -> bool:
    """Return whether an image is a sign within the text: an emoji, or a picture as small as a letter."""
    source = attributes.get("src", "")[:MAX_SOURCE_LENGTH]
    if ICON_CLASS.search(attributes.get("class", "")) or ICON_SOURCE.search(source):
        return True
    alternative = attributes.get("alt", "").strip()
    if alternative and not any(character.isalnum() for character in alternative):
        return True
    sizes = [PIXELS.fullmatch(attributes[name]) for name in ("width", "height") if name in attributes]
    # An image of one pixel is the placeholder or the counter of another.
    return any(size is not None and 1 < int(size[1]) <= MAX_ICON_SIZE for size in sizes)


def find_image_source(node: Any, attributes: dict[str, str]) -> str | None:
    """Return the address of an image, also of one that is loaded late, or None for a placeholder."""
    for name in SOURCE_NAMES:
        if name not in attributes:
            continue
        source: str | None = attributes[name].strip()
        if source and name.endswith("srcset"):
            source = _find_largest_source(source)
        if source and not PLACEHOLDER_SOURCE.fullmatch(source):
            return source
    for name, value in attributes.items():
        if name.startswith("data-") and IMAGE_ADDRESS.fullmatch(value) and not PLACEHOLDER_SOURCE.fullmatch(value):
            return value
    for outer in node.iterancestors("picture", "source"):  # libxml2 puts what follows a <source> into it
        for element in (outer, *outer.iterchildren("source")):
            source = _find_largest_source(element.get("srcset") or element.get("data-srcset"))
            if source and not PLACEHOLDER_SOURCE.fullmatch(source):
                return source
    following = node.getnext()
    if following is not None and following.tag == "noscript" and (shown := following.find(".//img")) is not None:
        return find_image_source(shown, dict(shown.items()))
    return None


def _find_largest_source(source_set: str | None) -> str | None:
    """Return the address of a `srcset` ("/a.jpg 480w, /b.jpg 800w") with the greatest width or density."""
    best_size, best_source, source = 0.0, None, None
    for token in SIZE_COMMA.sub(r"\1 ", source_set or "").split():
        if found := SOURCE_SIZE.fullmatch(token):
            size = float(found[1])
        else:
            source, size = token.strip(","), 1.0
        if source and size > best_size:
            best_size, best_source = size, source
    return best_source
