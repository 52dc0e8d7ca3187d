"""Where a lost field may stand now: a selector that gives the known value on the changed page. Never applied by itself.

Of a page that was read before, the value is known, and the element with it is looked for. Of another article's page
only its structure helps: a title is also in the page's `<title>`, a date can be read as one, a text is the element with
the most paragraphs. Each selector is tried on every page at hand, and says on how many it gives what it should.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from parsel import Selector

from crawler.extract import blocks
from crawler.extract.shape import innermost, line, step
from crawler.items import Article
from crawler.snapshot import Snapshot
from crawler.text import clean, dates

FIELDS = ("title", "lead", "published_at", "body")
LONGEST = 4
"""Steps of a selector at most."""
MOST = 6
"""Elements of one page that are tried."""
ENOUGH = 0.9
"""Share of a text's paragraphs that an element must have."""
GROWN, SLACK = 1.3, 400
"""How much longer than the known text an element may be: captions, forms, a line of attribution."""
DATE = re.compile(r"\d[\w ,.|/-]{4,40}?\d{1,2}:\d{2}|\d{1,2}[ .]\w+,?[ .]\d{4}|\d{4}-\d\d-\d\d")
ELSEWHERE = frozenset("head nav aside footer script style a".split())
"""Elements in which nothing of an article is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A selector for a field: on `gives` of `of` pages it gives the known value, or, where none is `known`, one that
    could be."""

    field: str
    selector: str
    gives: int
    of: int
    known: bool

    def __str__(self) -> str:
        """In words, with how sure it is."""
        pages = f"{self.gives} of {self.of} page{'s' if self.of != 1 else ''}"
        if self.known:
            return f"{self.field} may stand in `{self.selector}`, which gives the known value on {pages}."
        return f"{self.field} may stand in `{self.selector}`, by structure alone (such a one on {pages})."


class Changed:
    """A page of the new shape; `then` is what the same address gave before, None for another article's."""

    def __init__(self, page: Snapshot, then: Article | None, zone: tzinfo) -> None:
        self.root: Any = Selector(text=page.text, type="html").root
        self.then, self.zone = then, zone
        self.lines = [each for each in blocks.of_html(self.root) if each.tag != "img" and each.node is not None]
        self.headline = clean.line("".join(self.root.xpath("//title//text()")))

    def value(self, field: str) -> str | None:
        """What the field said before, as the page writes it."""
        if self.then is None:
            return None
        found: str | None = self.then.published_raw if field == "published_at" else getattr(self.then, field)
        return found

    def elements(self, field: str) -> list[Any]:
        """The elements that may give the field, the likeliest first."""
        if field == "body":
            return self._texts()
        fit = [each.node for each in self.lines if self._fits(field, each.text) and not _is_elsewhere(each.node)]
        fit = [_inner(node, lambda text: self._fits(field, text)) for node in fit]
        return sorted(fit, key=lambda node: str(node.tag) not in ("h1", "h2", "time"))[:MOST]

    def _fits(self, field: str, text: str) -> bool:
        known = self.value(field)
        if known is not None:
            return known.casefold() in text.casefold() and len(text) <= len(known) + 60
        if self.then is not None:
            return False
        if field == "published_at":
            return len(text) < 100 and any(dates.read(each, self.zone) for each in DATE.findall(text))
        return field == "title" and len(text) > 12 and text.casefold() in self.headline.casefold()

    def _texts(self) -> list[Any]:
        known = self.value("body")
        if known is None:
            if self.then is not None:
                return []
            weight: dict[Any, int] = {}
            alone = Counter(each.node for each in self.lines)
            for each in self.lines:
                if len(each.text) > 40 and not _is_elsewhere(each.node):
                    around = each.node.getparent() if alone[each.node] == 1 else each.node
                    weight[around] = weight.get(around, 0) + len(each.text)
            return sorted(weight, key=lambda node: -weight[node])[:MOST]
        wanted = set(known.split("\n"))
        nodes = [each.node for each in self.lines if each.text in wanted]
        return [innermost(nodes)] if nodes else []

    def gives(self, field: str, selector: str) -> bool:
        """Whether the first element that the selector finds gives what it should."""
        found = Selector(root=self.root, type="html").css(selector)
        if not found or (len(found) > MOST and field != "title"):
            return False
        text = clean.line("".join(found[0].root.itertext()))
        known = self.value(field)
        if field != "body":
            return self._fits(field, text)
        if known is None:
            return found[0].root in self._texts()[:1]
        there = {each.text for each in blocks.of_html(found[0].root)}
        wanted = known.split("\n")
        return sum(each in there for each in wanted) >= ENOUGH * len(wanted) and len(text) <= GROWN * len(known) + SLACK


def suggest(pages: Sequence[Changed]) -> Iterator[Suggestion]:
    """For each field that was known, or that pages have, the best selector; nothing for a field found nowhere."""
    for field in FIELDS:
        known = [page for page in pages if page.value(field)]
        asked = known or [page for page in pages if page.then is None]
        best = max(_tried(field, asked).items(), key=lambda each: each[1], default=None)
        if best and best[1][0]:
            yield Suggestion(field=field, selector=best[0], gives=best[1][0], of=len(asked), known=bool(known))


def _tried(field: str, pages: Sequence[Changed]) -> Mapping[str, tuple[int, int, int, int]]:
    """Each selector with the pages on which it gives the field, and how it looks: telling, and short, is better."""
    found: dict[str, tuple[int, int, int, int]] = {}
    for page in pages:
        for place, node in enumerate(page.elements(field)):
            for selector in _selectors(node):
                if selector not in found:
                    gives = sum(each.gives(field, selector) for each in pages)
                    found[selector] = (gives, -place, "." in selector or "h1" in selector, -len(selector))
    return found


def _selectors(node: Any) -> Iterator[str]:
    steps = [step(each) for each in line(node) if each.tag not in ("html", "body")]
    for length in range(1, min(LONGEST, len(steps)) + 1):
        yield " > ".join(steps[-length:])


def _inner(node: Any, fits: Any) -> Any:
    """The innermost element of a line that still gives all of it."""
    for child in node:
        if isinstance(child.tag, str) and fits(clean.line("".join(child.itertext()))):
            return _inner(child, fits)
    return node


def _is_elsewhere(node: Any) -> bool:
    return any(each.tag in ELSEWHERE for each in line(node))
