"""Test that the stories of a part of the links are those of all links."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from support.factories import make_article

from crawler.similarity.stories import StoryLink, group_stories
from crawler.store import Store
from crawler.store.schema import links, signatures, stories
from crawler.store.story_groups import LinkKind, rebuild_stories

pytestmark = pytest.mark.slow

IDS = {number: make_article(f"{number:02}").id for number in range(1, 25)}
KINDS = (*LinkKind, *[LinkKind.SAME_STORY] * 3)


def make_links(rng: random.Random, *, can_separate: bool) -> list[dict[str, Any]]:
    """Return links between some of the articles, most of which are in two groups."""
    kinds = KINDS if can_separate else [kind for kind in KINDS if kind is not LinkKind.SEPARATE]
    found = []
    for a, b in combinations(IDS, 2):
        if rng.random() < (0.15 if a // 12 == b // 12 else 0.01):
            found.append({"a": a, "b": b, "kind": rng.choice(kinds), "raw": False, "score": rng.randint(3, 9)})
    return rng.sample(found, len(found))


def find_expected(rows: list[dict[str, Any]]) -> list[list[str]]:
    """Return the groups that all links make."""
    joining = {LinkKind.SAME_TEXT, LinkKind.SAME_STORY, LinkKind.POSSIBLE_STORY}
    found = [
        StoryLink(IDS[row["a"]], IDS[row["b"]], row["score"], row["kind"] is LinkKind.SAME_TEXT)
        for row in rows
        if row["kind"] in joining
    ]
    separated = [(IDS[row["a"]], IDS[row["b"]]) for row in rows if row["kind"] is LinkKind.SEPARATE]
    return group_stories(IDS.values(), found, separated)


def read_groups(store: Store) -> list[list[str]]:
    groups: dict[object, list[str]] = {}
    for row in store.database.fetch_all(select(signatures.c.article_id, signatures.c.story)):
        groups.setdefault(row.story or row.article_id, []).append(row.article_id)
    return sorted(map(sorted, groups.values()))


@pytest.mark.parametrize("can_separate", [False, True])
def test_stories_are_those_of_all_links(store: Store, save: Callable[..., int], *, can_separate: bool) -> None:
    empty = {"version": 1, "day": 1, "shingle_count": 0, "signature": b"", "release_id": None, "story": None}
    for number in IDS:
        save(make_article(f"{number:02}"))
    with store.database.transaction() as connection:
        rows = [{**empty, "number": n, "article_id": name, "raw_cluster": n, "cluster": n} for n, name in IDS.items()]
        connection.execute(insert(signatures), rows)
    for seed in range(10):
        rng = random.Random(seed)
        kept: list[dict[str, Any]] = []
        with store.database.transaction() as connection:
            connection.execute(delete(links))
            connection.execute(update(signatures).values(story=None))
            connection.execute(delete(stories))
            for row in make_links(rng, can_separate=can_separate):
                kept.append(row)
                connection.execute(insert(links), row)
                changed = {row["a"], row["b"]}
                if rng.random() < 0.2:
                    lost = kept.pop(rng.randrange(len(kept)))
                    connection.execute(delete(links).where(links.c.a == lost["a"], links.c.b == lost["b"]))
                    changed |= {lost["a"], lost["b"]}
                rebuild_stories(connection, changed)
        assert read_groups(store) == find_expected(kept)
