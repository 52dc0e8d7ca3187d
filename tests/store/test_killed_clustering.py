"""A process that is killed at a chosen moment of judging, or of a person's word, leaves no half story behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select
from store.test_stories_repository import NOON, ZONE, assert_whole, clusters, corpus, save, settled, stories

from crawler.store import Store, open_store, schema

pytestmark = pytest.mark.slow

CHILD = """
import importlib, os, signal, sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo
from crawler.store import open_store

url, room, name, when, nth, act, *given = sys.argv[1:]
place = importlib.import_module(f"crawler.store.{room}")
for part in name.split(".")[:-1]:
    place = getattr(place, part)
last, calls = name.split(".")[-1], 0
real = getattr(place, last)

def killed(*arguments, **named):
    global calls
    calls += 1
    if calls == int(nth) and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    found = real(*arguments, **named)
    if calls == int(nth):
        os.kill(os.getpid(), signal.SIGKILL)
    return found

with open_store(url) as store:
    setattr(place, last, killed)
    now = datetime(2026, 3, 7, tzinfo=UTC)
    if act == "settle":
        store.clusters.assign_pending(ZoneInfo("Asia/Almaty"))
    elif act == "split":
        store.stories.split(int(given[0]), given[1], now)
    elif act == "merge":
        store.stories.merge(int(given[0]), int(given[1]), now)
    else:
        store.stories.undo(int(given[0]), now)
"""

COUNT = 24
"""Articles, among them at least two stories."""


def said(store: Store) -> list[tuple[object, ...]]:
    """Every word of a person that the store keeps."""
    return [tuple(row) for row in store.database.fetch_all(select(schema.story_overrides))]


def killed(url: str, *arguments: str) -> None:
    """Run the child; it must have been killed, or the moment was never reached."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", CHILD, url, *arguments], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("room", "name", "when", "nth"),
    [
        ("candidate_index", "save_signature", "after", 14),
        ("clustering", "Clusterer._add_links", "after", 14),
        ("clustering", "Clusterer._update_clusters", "after", 3),
        ("story_groups", "_add_story", "after", 2),
        ("clustering", "rebuild_stories", "after", 4),
        ("clustering", "_delete_pending", "before", 14),
        ("clustering", "_delete_pending", "after", 14),
    ],
)
def test_a_kill_at_a_chosen_moment_of_judging_leaves_no_half_story(
    url: str, room: str, name: str, when: str, nth: int
) -> None:
    articles = corpus(COUNT)
    with open_store(url) as store:
        save(store, *articles)
    killed(url, room, name, when, str(nth), "settle")
    with open_store(url) as store:
        assert store.clusters.count_pending() > 0
        assert_whole(store)
        store.clusters.assign_pending(ZONE)
        assert_whole(store)
        assert (clusters(store, articles), stories(store)) == settled(articles, "sqlite://", 1)


@pytest.mark.parametrize(
    ("room", "name", "when"), [("stories", "rebuild_stories", "before"), ("stories", "rebuild_stories", "after")]
)
@pytest.mark.parametrize("act", ["merge", "split", "undo"])
def test_a_person_s_word_is_kept_whole_or_not_at_all(url: str, act: str, room: str, name: str, when: str) -> None:
    with open_store(url) as store:
        save(store, *corpus(COUNT))
        store.clusters.assign_pending(ZONE)
        one, other, *_ = sorted(story.id for story in store.stories.iter_newest())
        if act == "undo":
            one = store.stories.merge(one, other, NOON)
        before, words = stories(store), said(store)
        member = next(iter(found.members)).article.id if (found := store.stories.get(one)) else ""
    killed(url, room, name, when, "1", act, str(one), *{"merge": [str(other)], "split": [member]}.get(act, []))
    with open_store(url) as store:
        assert_whole(store)
        assert (stories(store), said(store)) == (before, words)
