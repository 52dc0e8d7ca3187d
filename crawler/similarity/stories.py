"""Make stories of links: which articles report one event, independent of the order in which they came."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

ArticlePair = tuple[str, str]


class StoryLink(NamedTuple):
    """Two articles, by id, that may belong together. A certain link joins one text, or one release in two languages."""

    a: str
    b: str
    score: float = 0.0
    is_certain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryOverride:
    """A person's decision that two articles belong together or not. Later decisions override earlier ones."""

    a: str
    b: str
    is_together: bool


def group_stories(
    articles: Iterable[str],
    links: Iterable[StoryLink],
    separated: Iterable[ArticlePair] = (),
    overrides: Iterable[StoryOverride] = (),
) -> list[list[str]]:
    """Return the articles in groups, single ones too, sorted.

    A person's decisions come first, then certain links, then the others, the strongest first. Two groups stay apart if
    a person or the comparison (`separated`) separated a pair of their members; the latter does not stop certain links.
    """
    decisions = {frozenset((override.a, override.b)): override.is_together for override in overrides}
    pairs_of_person = {pair for pair, is_together in decisions.items() if not is_together}
    separated_by_person = _map_partners(pairs_of_person)
    separated_by_all = _map_partners(pairs_of_person | ({frozenset(pair) for pair in separated} - decisions.keys()))
    groups = {article: {article} for article in articles}
    for a, b in sorted(sorted(pair) for pair, is_together in decisions.items() if is_together):
        _merge_groups(groups, a, b, separated_by_person)
    certain: list[StoryLink] = []
    possible: list[StoryLink] = []
    for link in links:
        (certain if link.is_certain else possible).append(link)
    for listed, separated_by in ((certain, separated_by_person), (possible, separated_by_all)):
        # Where nothing is separated, any order gives the same groups. Sorting takes most of the time.
        for a, b, _, _ in sorted(listed, key=_get_strength) if separated_by else listed:
            if groups.get(a) is not groups.get(b):
                _merge_groups(groups, a, b, separated_by)
    return sorted(sorted(members) for members in {id(members): members for members in groups.values()}.values())


def _get_strength(link: StoryLink) -> tuple[float, str, str]:
    """Return by what links are sorted, the strongest first."""
    return (-link.score, link.a, link.b) if link.a < link.b else (-link.score, link.b, link.a)


def _map_partners(pairs: Iterable[frozenset[str]]) -> dict[str, set[str]]:
    """Return for each article those that it is in a pair with."""
    partners: dict[str, set[str]] = {}
    for pair in pairs:
        for article in pair:
            partners.setdefault(article, set()).update(pair - {article})
    return partners


def _merge_groups(groups: dict[str, set[str]], a: str, b: str, separated: Mapping[str, set[str]]) -> None:
    first, second = groups.get(a), groups.get(b)
    if first is None or second is None or first is second:
        return
    small, large = sorted((first, second), key=len)
    if separated and any(not large.isdisjoint(separated.get(member, ())) for member in small):
        return
    large |= small
    for member in small:
        groups[member] = large


def find_connected(start: Iterable[int], list_neighbours: Callable[[set[int]], Iterable[int]]) -> set[int]:
    """Return everything that can be reached from the start.

    `list_neighbours` gets all numbers that were reached in the last step, so that a database answers one query a step.
    """
    reached = set(start)
    edge = set(start)
    while edge:
        edge = set(list_neighbours(edge)) - reached
        reached |= edge
    return reached
