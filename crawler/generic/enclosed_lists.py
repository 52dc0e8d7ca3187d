"""Lists inside an article's text: short items, at a place that no other page of the site may have."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from crawler.generic.page_lines import PageLine

LIST_TAGS = frozenset(("ul", "ol"))
MAX_LINK_SHARE = 0.5
"""Share of links in a list, by words, from which it is a menu or a list of other articles."""
ITEM_END_MARKS = tuple(";.,!?…")
"""What ends the items of a list that ends a text."""


def add_enclosed_lists(lines: Sequence[PageLine], chosen: Sequence[bool]) -> list[bool]:
    """Return whether each line is in the article, with the lists that belong to the text around them.

    Such a list has few links, and the chosen lines before and after it are in the same element. After the last chosen
    line of an element its items end as clauses do, or that line announces them with a colon.
    """
    completed = list(chosen)
    places = [place for place, is_chosen in enumerate(chosen) if is_chosen]
    for parent, first, last in _list_lists(lines, chosen):
        earlier, later = bisect_left(places, first), bisect_right(places, last)
        if not earlier or not _is_paragraph_of(before := lines[places[earlier - 1]], parent):
            continue
        inside = [place for place in range(first, last + 1) if "li" in lines[place].sections]
        items = [lines[place] for place in inside]
        is_enclosed = later < len(places) and _is_paragraph_of(lines[places[later]], parent)
        if _measure_link_share(items) <= MAX_LINK_SHARE and (is_enclosed or _ends_text(before, items)):
            for place in inside:
                completed[place] = True
    return completed


def _list_lists(lines: Sequence[PageLine], chosen: Sequence[bool]) -> list[tuple[Any, int, int]]:
    """Return the element around each list that has lines that are not chosen, with the list's first and last line.

    Lists without a line between them are one, because some editors make a list of each item.
    """
    spans: dict[Any, tuple[int, int]] = {}
    missing = set()
    for place, line in enumerate(lines):
        if line.node is None or "li" not in line.sections:
            continue
        for node in (line.node, *line.node.iterancestors()):
            if node.tag in LIST_TAGS:
                spans[node] = (spans.get(node, (place,))[0], place)
                if not chosen[place]:
                    missing.add(node)
    found: list[tuple[Any, int, int]] = []
    last_ends: dict[Any, int] = {}
    for node, (first, last) in spans.items():
        if node not in missing:
            continue
        parent = node.getparent()
        known = last_ends.get(parent)
        if known is not None and found[known][2] + 1 == first:
            found[known] = (parent, found[known][1], last)
        else:
            last_ends[parent] = len(found)
            found.append((parent, first, last))
    return found


def _is_paragraph_of(line: PageLine, parent: Any) -> bool:
    """Return whether a line is the element's own text or that of an element in it."""
    return line.node is not None and (line.node is parent or line.node.getparent() is parent)


def _ends_text(before: PageLine, items: Sequence[PageLine]) -> bool:
    is_announced = before.text.endswith(":")
    return is_announced or 2 * sum(item.text.endswith(ITEM_END_MARKS) for item in items) > len(items) > 1


def _measure_link_share(lines: Sequence[PageLine]) -> float:
    return sum(line.link_share * len(line.words) for line in lines) / sum(len(line.words) for line in lines)
