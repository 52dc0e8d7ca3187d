"""What a page says of itself in its head: JSON-LD and OpenGraph. An upgrade where present, never relied on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from parsel import Selector

ARTICLE_TYPES = frozenset({"Article", "NewsArticle", "ReportageNewsArticle", "BlogPosting"})


def find_json_ld(root: Selector) -> dict[str, Any]:
    """The first article described in JSON-LD, or an empty dict; broken JSON is passed over."""
    for script in root.css("script[type='application/ld+json']::text").getall():
        try:
            described = json.loads(script)
        except ValueError:
            continue
        for node in _iterate_nodes(described):
            kinds = node.get("@type")
            if any(
                kind in ARTICLE_TYPES
                for kind in (kinds if isinstance(kinds, list) else [kinds])
                if isinstance(kind, str)
            ):
                return node
    return {}


def list_open_graph(root: Selector) -> dict[str, str]:
    """`og:*` and `article:*` properties, the first value of each."""
    found: dict[str, str] = {}
    for meta in root.css("meta[property^='og:'], meta[property^='article:']"):
        content = meta.attrib.get("content")
        if content:
            found.setdefault(meta.attrib["property"], content)
    return found


def find_author(described: dict[str, Any]) -> str | None:
    """The author's name in a JSON-LD article, several joined by commas; an organisation is a publisher, no author."""
    given = described.get("author")
    people = [one for one in (given if isinstance(given, list) else [given]) if _is_person(one)]
    names = [person.get("name") if isinstance(person, dict) else person for person in people]
    return ", ".join(name for name in names if isinstance(name, str) and name) or None


def _is_person(author: Any) -> bool:
    return not (isinstance(author, dict) and author.get("@type") in ("Organization", "NewsMediaOrganization"))


def _iterate_nodes(described: Any) -> Iterator[dict[str, Any]]:
    if isinstance(described, list):
        for entry in described:
            yield from _iterate_nodes(entry)
    elif isinstance(described, dict):
        yield described
        yield from _iterate_nodes(described.get("@graph", []))
