"""A press review that a person composed: which stories it has, in which order, and a line of their own below some."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from crawler.publish.digest import Digest, DigestGroup, DigestStory


class StoryMove(StrEnum):
    """Where a story goes within its section. Forms have these values."""

    TOP = "top"
    UP = "up"
    DOWN = "down"


def compose_digest(digest: Digest, chosen: Sequence[str], lines: Mapping[str, str]) -> Digest:
    """Return the digest with the chosen stories only, in the order of `chosen` within their sections.

    A story is named by the id of the article that represents it. `lines` are what the composer says about a story.
    A chosen story that was put back is in `returned`.
    """
    order = {name: place for place, name in reversed(list(enumerate(chosen)))}

    def choose(stories: Sequence[DigestStory]) -> tuple[DigestStory, ...]:
        kept = sorted((each for each in stories if each.entry.id in order), key=lambda each: order[each.entry.id])
        return tuple(replace(each, own_line=lines.get(each.entry.id, "").strip()) for each in kept)

    groups = (replace(group, stories=choose(group.stories)) for group in digest.groups)
    shown: tuple[DigestGroup, ...] = tuple(group for group in groups if group.stories)
    undone = (*digest.returned, *digest.put_back)
    composed = replace(
        digest,
        groups=shown,
        gone=choose(digest.gone),
        returned=choose(undone),
        put_back=tuple(story for story in undone if story.entry.id not in order),
    )
    told = Counter(source for story in composed.stories for source in story.sources)
    there = Counter(source for story in composed.stories for source in story.baseline_sources)
    counts = (replace(each, told=told[each.source], there=there[each.source]) for each in digest.counts)
    return replace(composed, counts=tuple(counts))


def move_story(digest: Digest, order: Sequence[str], name: str, move: StoryMove) -> list[str]:
    """Return the order with a story moved within its section. At the section's end it stays."""
    ranks = {each: place for place, each in enumerate(order)}
    found = list(order)
    undone = (*digest.returned, *digest.put_back)
    for stories in (*(group.stories for group in digest.groups), undone, digest.gone):
        names = sorted((each.entry.id for each in stories if each.entry.id in ranks), key=ranks.__getitem__)
        if name in names:
            place = names.index(name)
            target = {StoryMove.TOP: 0, StoryMove.UP: max(place - 1, 0), StoryMove.DOWN: place + 1}[move]
            moved = [each for each in names if each != name]
            moved.insert(target, name)
            for each, former in zip(moved, names, strict=True):
                found[ranks[former]] = each
    return found
