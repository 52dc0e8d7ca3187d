"""JSON-LD in a page's head. Page classes use it where present and never depend on it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from parsel import Selector

ARTICLE_TYPES = frozenset({"Article", "NewsArticle", "ReportageNewsArticle", "BlogPosting"})
ORGANIZATION_TYPES = frozenset({"Organization", "NewsMediaOrganization"})


def find_json_ld(root: Selector) -> dict[str, Any]:
    """Return the first article in JSON-LD, or an empty dict. Broken or too deep JSON is skipped."""
    for script in root.root.iter("script"):
        if script.get("type") != "application/ld+json":
            continue
        try:
            data = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue
        for node in iterate_nodes(data):
            if _is_article(node):
                return node
    return {}


def find_author(article: dict[str, Any]) -> str | None:
    """Return the names of a JSON-LD article's authors, joined by commas, or None.

    An organization is skipped: it is the publisher, not an author.
    """
    authors = article.get("author")
    people = [author for author in (authors if isinstance(authors, list) else [authors]) if _is_person(author)]
    names = [person.get("name") if isinstance(person, dict) else person for person in people]
    return ", ".join(name for name in names if isinstance(name, str) and name) or None


def _is_article(node: dict[str, Any]) -> bool:
    return not ARTICLE_TYPES.isdisjoint(list_types(node))


def _is_person(author: Any) -> bool:
    return not (isinstance(author, dict) and not ORGANIZATION_TYPES.isdisjoint(list_types(author)))


def list_types(node: dict[str, Any]) -> list[str]:
    """Return the types of a JSON-LD node, which may state one or several."""
    types = node.get("@type")
    return [name for name in (types if isinstance(types, list) else [types]) if isinstance(name, str)]


def iterate_nodes(
    data: Any, links: Sequence[str] = ("@graph",), max_visited: int = sys.maxsize
) -> Iterator[dict[str, Any]]:
    """Yield the nodes of JSON-LD, also those under the keys `links`, after at most `max_visited` values."""
    waiting = [data]
    for _ in range(max_visited):
        if not waiting:
            return
        node = waiting.pop()
        if isinstance(node, list):
            waiting += reversed(node)
        elif isinstance(node, dict):
            yield node
            waiting += [node.get(key) for key in links]
