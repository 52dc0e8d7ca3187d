"""Stories out of links: which articles tell of one event, whatever the order in which they came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ArticlePair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLink:
    """Two articles, by id, that may belong together. `sure`: they are one text, or one release in two languages."""

    a: str
    b: str
    score: float = 0.0
    is_certain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryOverride:
    """A person's word: these two belong together, or apart. Later ones outrank earlier ones."""

    a: str
    b: str
    is_together: bool


def group_stories(
    articles: Iterable[str],
    links: Iterable[StoryLink],
    separated: Iterable[ArticlePair] = (),
    overrules: Iterable[StoryOverride] = (),
) -> list[list[str]]:
    """The articles in their stories, those that stand alone too; sorted, so that no order of arrival shows.

    A person's word comes first, then sure links, then the others, the strongest first; two groups are not joined when
    a person or the judge (`apart`) set a pair between them apart.
    """
    said = {frozenset((word.a, word.b)): word.is_together for word in overrules}
    kept_apart = {pair for pair, together in said.items() if not together}
    doubted = kept_apart | ({frozenset(pair) for pair in separated} - said.keys())
    groups = {article: {article} for article in articles}
    for pair in sorted((sorted(pair) for pair, together in said.items() if together)):
        _merge_groups(groups, pair[0], pair[1], kept_apart)
    ordered = sorted(links, key=lambda link: (not link.is_certain, -link.score, *sorted((link.a, link.b))))
    for link in ordered:
        _merge_groups(groups, link.a, link.b, kept_apart if link.is_certain else doubted)
    return sorted(sorted(members) for members in {id(members): members for members in groups.values()}.values())


def _merge_groups(groups: dict[str, set[str]], a: str, b: str, apart: set[frozenset[str]]) -> None:
    one, other = groups.get(a), groups.get(b)
    if one is None or other is None or one is other:
        return
    small, large = sorted((one, other), key=len)
    if apart and any(frozenset((x, y)) in apart for x in small for y in large):
        return
    large |= small
    for member in small:
        groups[member] = large


def find_connected(start: Iterable[int], neighbours: dict[int, set[int]]) -> set[int]:
    """Everything that can be reached from the start."""
    reached, waiting = set(start), list(start)
    while waiting:
        for near in neighbours.get(waiting.pop(), ()):
            if near not in reached:
                reached.add(near)
                waiting.append(near)
    return reached
