"""A process killed at a chosen moment of clustering, or of a person's decision, leaves no half story."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select
from store.test_stories_repository import (
    NOON,
    ZONE,
    assert_consistent,
    cluster_in_runs,
    get_clusters,
    get_stories,
    make_corpus,
    save_all,
)

from crawler.store import Store, open_store, schema

pytestmark = pytest.mark.slow

CHILD = """
import importlib, os, signal, sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo
from crawler.store import open_store

from crawler.store import pending_articles

pending_articles.ARTICLES_PER_BATCH = 8
url, module, name, when, nth, act, *given = sys.argv[1:]
place = importlib.import_module(f"crawler.store.{module}")
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
    if act == "cluster":
        store.clusters.assign_pending(ZoneInfo("Asia/Almaty"))
    elif act == "split":
        store.stories.split(int(given[0]), given[1], now)
    elif act == "merge":
        store.stories.merge(int(given[0]), int(given[1]), now)
    else:
        store.stories.undo(int(given[0]), now)
"""

COUNT = 24
"""Number of articles. They have at least two stories."""


def read_overrides(store: Store) -> list[tuple[object, ...]]:
    """Return every stored decision of a person."""
    return [tuple(row) for row in store.database.fetch_all(select(schema.story_overrides))]


def run_killed_child(url: str, *arguments: str) -> None:
    """Run the child and check that it was killed, so that it reached the moment."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", CHILD, url, *arguments], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("module", "name", "when", "nth"),
    [
        ("candidate_index", "save_signature", "after", 14),
        ("clustering", "Clusterer._add_links", "after", 3),
        ("clustering", "Clusterer._update_clusters", "after", 2),
        ("story_groups", "_add_story", "after", 2),
        ("clustering", "rebuild_stories", "after", 2),
        ("clustering", "delete_pending", "before", 2),
        ("clustering", "delete_pending", "after", 2),
    ],
)
@pytest.mark.campaign
def test_killed_clustering_leaves_no_half_story(url: str, module: str, name: str, when: str, nth: int) -> None:
    articles = make_corpus(COUNT)
    with open_store(url) as store:
        save_all(store, *articles)
    run_killed_child(url, module, name, when, str(nth), "cluster")
    with open_store(url) as store:
        assert store.clusters.count_pending() > 0
        assert_consistent(store)
        store.clusters.assign_pending(ZONE)
        assert_consistent(store)
        assert (get_clusters(store, articles), get_stories(store)) == cluster_in_runs(articles, "sqlite://", 1)


@pytest.mark.parametrize(
    ("module", "name", "when"), [("stories", "rebuild_stories", "before"), ("stories", "rebuild_stories", "after")]
)
@pytest.mark.parametrize("act", ["merge", "split", "undo"])
@pytest.mark.campaign
def test_killed_override_is_written_wholly_or_not_at_all(url: str, act: str, module: str, name: str, when: str) -> None:
    with open_store(url) as store:
        save_all(store, *make_corpus(COUNT))
        store.clusters.assign_pending(ZONE)
        one, other, *_ = sorted(story.id for story in store.stories.iter_newest())
        if act == "undo":
            one = store.stories.merge(one, other, NOON)
        before, overrides = get_stories(store), read_overrides(store)
        member = next(iter(found.members)).article.id if (found := store.stories.get(one)) else ""
    run_killed_child(
        url, module, name, when, "1", act, str(one), *{"merge": [str(other)], "split": [member]}.get(act, [])
    )
    with open_store(url) as store:
        assert_consistent(store)
        assert (get_stories(store), read_overrides(store)) == (before, overrides)
