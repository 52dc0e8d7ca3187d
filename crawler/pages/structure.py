"""A page's structure without its content: the path of each field, and a hash of the template.

A path is the elements from the root to the field's element, each with its classes (`html>body>div.text`). In JSON it
is keys (`data.news[].title`). Class names with a digit are skipped, because they hold an article's or a build's number.

The template is the set of parent-child pairs of elements outside the text. A set, so that the number of paragraphs,
pictures and menu items does not matter. Its hash is a MinHash of BUCKET_COUNT buckets: similar pages have many equal
buckets.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import takewhile
from typing import Any

PARAGRAPH_TAGS = ("p", "li", "blockquote")
"""Elements that a text has many of."""

BUCKET_COUNT = 32
EMPTY_BUCKET = ".."
HASH_BYTES = 6
MAX_STEP_CLASSES = 2
"""Classes of an element that its step in a path names."""
INLINE_TAGS = frozenset("a abbr b br em font i s small strong sub sup u wbr".split())
"""Elements within a line. They change with the text."""
HIDDEN_TAGS = frozenset("head script style template svg noscript link meta".split())
TAG_PATTERN = re.compile(r"<([A-Za-z][\w:.-]*)")
CDATA_PATTERN = re.compile(r"<!\[CDATA\[(?:.*?\]\]>|.*)", re.DOTALL)
"""A section without an end reaches to the end of the feed, so that no text is searched twice."""


def format_step(node: Any) -> str:
    """Return an element as a step of a path: `div.text`."""
    classes = [word for word in (node.get("class") or "").split() if not any(letter.isdigit() for letter in word)]
    return ".".join([node.tag, *classes[:MAX_STEP_CLASSES]])


def format_path(nodes: Sequence[Any]) -> str:
    """Return the path of an element, or of the innermost element that contains all of several."""
    return ">".join(format_step(node) for node in list_ancestors(find_common_ancestor(nodes)))


def find_common_ancestor(nodes: Sequence[Any]) -> Any:
    """Return the innermost element that contains all the nodes."""
    levels = zip(*(list_ancestors(node) for node in nodes), strict=False)
    shared = [level[0] for level in takewhile(lambda level: all(node is level[0] for node in level), levels)]
    return shared[-1] if shared else nodes[0]  # nodes of two trees share none: a text that was parsed separately


def list_ancestors(node: Any) -> list[Any]:
    """Return the element and those that contain it, the outermost first."""
    return [*reversed(list(node.iterancestors())), node]


def find_link_path(root: Any, is_article_link: Callable[[str], bool]) -> str | None:
    """Return the path that most links to articles have, or None without such a link.

    Equal paths have one number, so that deep pages with many links do not build a long path for each of them.
    """
    numbers: dict[tuple[int, str, str | None], int] = {}
    counts: Counter[int] = Counter()
    examples: dict[int, Any] = {}
    waiting = [(root, 0)]
    while waiting:
        node, parent = waiting.pop()
        if not isinstance(node.tag, str):  # comments and processing instructions
            continue
        number = numbers.setdefault((parent, node.tag, node.get("class")), len(numbers) + 1)
        if node.tag == "a" and is_article_link(node.get("href") or ""):
            counts[number] += 1
            examples.setdefault(number, node)
        waiting += [(child, number) for child in reversed(node)]
    return format_path([examples[counts.most_common(1)[0][0]]]) if counts else None


def hash_html(root: Any, excluded: Iterable[Any] = ()) -> str:
    """Return the template's hash. Everything inside the `excluded` elements is text, not template."""
    return _hash_parts(set(_iterate_steps(root, set(excluded))))


def _iterate_steps(root: Any, excluded: set[Any]) -> Iterator[str]:
    steps: dict[tuple[str, str | None], str] = {}
    waiting = [(root, "")]
    while waiting:
        node, parent = waiting.pop()
        if not isinstance(node.tag, str) or node.tag in HIDDEN_TAGS or node.tag in INLINE_TAGS:
            continue
        key = (node.tag, node.get("class"))
        step = steps.get(key) or steps.setdefault(key, format_step(node))
        yield f"{parent}>{step}"
        if node not in excluded:
            waiting += [(child, step) for child in node]


def hash_xml(text: str) -> str:
    """Return the template's hash of a feed: the names of its elements."""
    return _hash_parts(set(TAG_PATTERN.findall(CDATA_PATTERN.sub("", text))))


def hash_json(value: Any) -> str:
    """Return the template's hash of a JSON answer: its keys, those of all entries of a list together."""
    return _hash_parts(set(_iterate_keys(value)))


def _iterate_keys(value: Any) -> Iterator[str]:
    waiting = [(value, "")]
    while waiting:
        value, parent = waiting.pop()
        if isinstance(value, Mapping):
            for name, inner in value.items():
                yield f"{parent}.{name}"
                waiting.append((inner, f"{parent}.{name}"))
        elif isinstance(value, list):
            waiting += [(inner, f"{parent}[]") for inner in value]


def _hash_parts(parts: set[str]) -> str:
    """Return two hexadecimal digits a bucket: the least hash of the parts that fall into it."""
    least: dict[int, int] = {}
    for part in parts:
        number = int.from_bytes(blake2b(part.encode(), digest_size=HASH_BYTES).digest(), "big")
        bucket, rest = number % BUCKET_COUNT, number // BUCKET_COUNT
        least[bucket] = min(rest, least.get(bucket, rest))
    return "".join(f"{least[each] % 256:02x}" if each in least else EMPTY_BUCKET for each in range(BUCKET_COUNT))
