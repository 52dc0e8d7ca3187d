"""Repair markup that hides an article from everything but a browser with scripts."""

from __future__ import annotations

from typing import Any

from lxml import etree

STREAMED_PREFIX, PLACEHOLDER_PREFIX = "S:", "B:"
"""Ids by which React marks a part that the server sent later, and the place to which its script moves the part."""
FIND_STREAMED = etree.XPath(f"//div[@hidden and starts-with(@id, '{STREAMED_PREFIX}')]")
FIND_PLACEHOLDERS = etree.XPath(f"//template[starts-with(@id, '{PLACEHOLDER_PREFIX}')]")
FIND_ENDLESS_BUTTONS = etree.XPath("//button[descendant::main or descendant::article or descendant::h1]")


def repair_page(root: Any) -> bool:
    """Show the parts of a page that its script or a browser's parser shows. Return whether there were any."""
    streamed = FIND_STREAMED(root)
    if streamed:
        places = {node.get("id").removeprefix(PLACEHOLDER_PREFIX): node for node in FIND_PLACEHOLDERS(root)}
        for part in streamed:
            _show_streamed_part(part, places.get(part.get("id").removeprefix(STREAMED_PREFIX)))
    buttons = FIND_ENDLESS_BUTTONS(root)
    for button in buttons:  # without its end tag a button has the rest of the page
        button.tag = "div"
    return bool(streamed or buttons)


def _show_streamed_part(part: Any, place: Any) -> None:
    """Show a part that was sent later: at its place, or where it is if the page has no place for it."""
    del part.attrib["hidden"]
    if place is None or part in set(place.iterancestors()):
        return
    tail, part.tail = part.tail, None
    before = part.getprevious()
    if tail and before is not None:
        before.tail = (before.tail or "") + tail
    elif tail:
        part.getparent().text = (part.getparent().text or "") + tail
    part.tail = place.tail
    place.getparent().replace(place, part)
