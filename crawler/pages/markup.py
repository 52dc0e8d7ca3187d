"""Parse HTML of any depth.

libxml2 stops at 2,048 levels, and everything after that place is lost. Markup that is deeper is flattened first:
elements that only contain others lose their tags beyond MAX_NESTED_TAGS levels, and their text stays.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from lxml import etree

MAX_NESTED_TAGS = 600
"""Levels that are kept. Table rows and paragraphs between them do not count, so a tree has a few times as many."""
VOID_TAGS = frozenset("area base br col embed hr img input link meta param source track wbr".split())
SELF_CLOSING_TAGS = frozenset("body dd dt head html li optgroup option p rp rt tbody td tfoot th thead tr".split())
"""Elements that the parser ends itself, because they are in no element of their own kind."""
RAW_TEXT_TAGS = frozenset("iframe noembed noframes plaintext script style textarea title xmp".split())
"""Elements without elements. What looks like a tag in them is text."""
INLINE_TAGS = frozenset("a abbr acronym b bdi bdo big cite code del em font i ins mark q s small span strong".split())
TAG = re.compile(
    r"<(?P<slash>/?)(?P<name>[a-zA-Z][\w:.-]*+)(?=[\s/>])"
    r"(?P<attributes>(?:[^<>\"']++|\"[^\"<]*\"|'[^'<]*'|[\"'])*+)>"
    r"|<!--(?P<comment>.*?(?:-->|\Z))",
    re.DOTALL,
)
HIDING_ATTRIBUTE = re.compile(r"\bhidden\b|display\s*:\s*none", re.IGNORECASE)


def parse_document(text: str) -> Any:
    """Return the root of an HTML document or fragment as an lxml element. Broken markup is repaired as browsers do."""
    root, is_too_deep = _parse(text)
    return _parse(flatten_markup(text))[0] if is_too_deep else root


def _parse(text: str) -> tuple[Any, bool]:
    """Return the root, and whether the parser stopped at its limit of levels."""
    parser = etree.HTMLParser(recover=True, encoding="utf-8", huge_tree=True)
    body = text.strip().encode("utf-8", "ignore").replace(b"\0", b"") or b"<html/>"
    root = etree.fromstring(body, parser=parser)
    if root is None:  # nothing but comments
        root = etree.fromstring(b"<html/>", parser=parser)
    error = parser.error_log.last_error
    return root, error is not None and error.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT


def remove_element(node: Any) -> None:
    """Remove an element, and keep the text after it."""
    parent, before = node.getparent(), node.getprevious()
    if node.tail:
        if before is not None:
            before.tail = (before.tail or "") + node.tail
        else:
            parent.text = (parent.text or "") + node.tail
    parent.remove(node)


def format_markup(root: Any) -> str:
    """Return the markup of an element."""
    text: str = etree.tostring(root, encoding="unicode", method="html")
    return text


def flatten_markup(text: str) -> str:
    """Return the markup without the tags of elements that are nested too deep, in linear time.

    A block becomes a line break. Hidden elements and those whose text is not shown stay whole.
    """
    kept: list[str] = []
    open_tags: list[tuple[str, bool]] = []
    """Each with whether its tags are dropped."""
    counts: Counter[str] = Counter()
    kept_count = done = position = 0
    while found := TAG.search(text, position):
        position = found.end()
        name = (found["name"] or "").lower()
        if not name or name in VOID_TAGS or name in SELF_CLOSING_TAGS:
            continue
        is_dropped = False
        if found["slash"]:
            closed = ""
            while counts[name] and closed != name:  # an element ends those in it that have no end
                closed, is_dropped = open_tags.pop()
                counts[closed] -= 1
                kept_count -= not is_dropped
        elif name in RAW_TEXT_TAGS:
            end = re.compile(rf"</{re.escape(name)}\b", re.IGNORECASE).search(text, position)
            position = end.start() if end else len(text)
        elif not found["attributes"].endswith("/"):
            is_dropped = kept_count >= MAX_NESTED_TAGS and not HIDING_ATTRIBUTE.search(found["attributes"])
            open_tags.append((name, is_dropped))
            counts[name] += 1
            kept_count += not is_dropped
        if is_dropped:
            kept += [text[done : found.start()], "" if name in INLINE_TAGS else "<br>"]
            done = position
    return "".join(kept) + text[done:]
