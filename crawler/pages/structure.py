"""A page's structure without its content: where its fields stood, and a hash of its template.

A path is the elements from the root to the node that gave a field, each with its classes (`html>body>div.text`); of
JSON it is keys (`data.news[].title`). The template is a set of such small parts outside the text, so that the number of
paragraphs, pictures and menu items does not matter, and its hash is one that can be compared: alike pages have many of
its `BUCKETS` places alike. Words with a digit are no classes here: they are an article's number or a build's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import takewhile
from typing import Any

PARAGRAPH_TAGS = ("p", "li", "blockquote")
"""Elements that a text has many of; one of them stands for what it is in."""

BUCKET_COUNT = 32
EMPTY_BUCKET = ".."
MAX_STEP_CLASSES = 2
"""Classes of an element that its step names."""
INLINE_TAGS = frozenset("a abbr b br em font i s small strong sub sup u wbr".split())
"""Elements of the text itself, which come and go with it."""
HIDDEN_TAGS = frozenset("head script style template svg noscript link meta".split())
TAG_PATTERN = re.compile(r"<([A-Za-z][\w:.-]*)")
CDATA_PATTERN = re.compile(r"<!\[CDATA\[.*?\]\]>", re.DOTALL)


def format_step(node: Any) -> str:
    """One element: `div.text`."""
    words = [word for word in (node.get("class") or "").split() if not any(letter.isdigit() for letter in word)]
    return ".".join([node.tag, *words[:MAX_STEP_CLASSES]])


def format_path(nodes: Sequence[Any]) -> str:
    """The path of an element; of several, that of the innermost one that has them all in it."""
    return ">".join(format_step(node) for node in list_ancestors(find_common_ancestor(nodes)))


def find_common_ancestor(nodes: Sequence[Any]) -> Any:
    """The innermost element that has all of these in it."""
    lines = zip(*(list_ancestors(node) for node in nodes), strict=False)
    same = [level[0] for level in takewhile(lambda level: all(node is level[0] for node in level), lines)]
    return same[-1] if same else nodes[0]  # of two trees: a text that was parsed by itself


def list_ancestors(node: Any) -> list[Any]:
    """An element with those around it, the outermost first."""
    return [*reversed(list(node.iterancestors())), node]


def find_link_path(root: Any, is_article_link: Callable[[str], bool]) -> str | None:
    """The path that most of the links to articles have, None without one."""
    found = Counter(format_path([node]) for node in root.iter("a") if is_article_link(node.get("href") or ""))
    return found.most_common(1)[0][0] if found else None


def hash_html(root: Any, excluded: Iterable[Any] = ()) -> str:
    """The template's hash; what is inside the elements `without` is the text and no template."""
    return _hash_parts(set(_iterate_steps(root, set(excluded))))


def _iterate_steps(root: Any, without: set[Any]) -> Iterator[str]:
    known: dict[tuple[str, str | None], str] = {}
    waiting = [(root, "")]
    while waiting:
        node, above = waiting.pop()
        if not isinstance(node.tag, str) or node.tag in HIDDEN_TAGS or node.tag in INLINE_TAGS:
            continue
        key = (node.tag, node.get("class"))
        mine = known.get(key) or known.setdefault(key, format_step(node))
        yield f"{above}>{mine}"
        if node not in without:
            waiting += [(child, mine) for child in node]


def hash_xml(text: str) -> str:
    """The template's hash of a feed: the names of its elements."""
    return _hash_parts(set(TAG_PATTERN.findall(CDATA_PATTERN.sub("", text))))


def hash_json(value: Any) -> str:
    """The template's hash of an answer: its keys, those of all entries of a list together."""
    return _hash_parts(set(_iterate_keys(value, "")))


def _iterate_keys(value: Any, above: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield f"{above}.{name}"
            yield from _iterate_keys(inner, f"{above}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _iterate_keys(inner, f"{above}[]")


def _hash_parts(parts: set[str]) -> str:
    """One place for each bucket: the least of the parts' numbers that fall into it."""
    least: dict[int, int] = {}
    for part in parts:
        number = int.from_bytes(blake2b(part.encode(), digest_size=6).digest(), "big")
        bucket, rest = number % BUCKET_COUNT, number // BUCKET_COUNT
        least[bucket] = min(rest, least.get(bucket, rest))
    return "".join(f"{least[each] % 256:02x}" if each in least else EMPTY_BUCKET for each in range(BUCKET_COUNT))
