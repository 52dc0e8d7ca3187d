"""Clusters (articles with one text) and stories (articles about one event), and a person's corrections of stories.

Every change is an exclusive transaction. Two processes that cluster at once could each write half of a story.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, func, insert, select, true, update

from crawler.errors import UsageError
from crawler.items import Article
from crawler.store.database import Database
from crawler.store.pending_articles import WaitingTexts, list_batch, mark_urgent
from crawler.store.schema import articles, signatures, story_overrides, unclustered, versions
from crawler.store.serialization import parse_article
from crawler.store.statements import PreparedStatement
from crawler.store.story_groups import list_certain_members, rebuild_stories

if TYPE_CHECKING:  # Commands that only read need none of what compares texts.
    from crawler.similarity.documents import DocumentCache
    from crawler.similarity.semantic import Embedding

ShouldStop = Callable[[], bool]
LOCK_PAUSE_SHARE, MAX_LOCK_PAUSE = 0.1, 0.1
"""How long the store stays unlocked between two batches: a share of the first one's time, at most so many seconds.

SQLite has no queue of waiting writers: each looks again after up to 0.1 s and could miss every shorter pause.
"""
MAX_CLUSTERINGS_PER_CALL = 10
"""Times that one call clusters one article. An article that needs more waits for the next call."""

_FIND_PENDING = select(unclustered.c.article_id).limit(1)
_FIND_URGENT = _FIND_PENDING.where(unclustered.c.urgent.is_(true()))
_GET_STORY_ID = PreparedStatement(select(signatures.c.story).where(signatures.c.article_id == bindparam("of_article")))
_SELECT_MEMBERS = (
    select(signatures.c.story, signatures.c.cluster, versions.c.article)
    .join_from(signatures, articles, articles.c.id == signatures.c.article_id)
    .join(versions, (versions.c.article_id == articles.c.id) & (versions.c.version == articles.c.current_version))
    .order_by(articles.c.dated_at, articles.c.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryMember:
    """An article of a story. Members of one `cluster` are one text, edited or not."""

    cluster: int
    article: Article


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStory:
    """Articles about one event, the oldest first; `id` is the story's number."""

    id: int
    members: tuple[StoryMember, ...]


def make_deadline(seconds: float) -> ShouldStop:
    """Return a function that returns True once so many seconds have passed."""
    deadline = time.monotonic() + seconds
    return lambda: time.monotonic() > deadline


class ClusterRepository:
    """`store.clusters`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count_pending(self, *, only_urgent: bool = False, source: str | None = None) -> int:
        """Return how many articles are not clustered yet."""
        query = select(func.count()).select_from(unclustered)
        if only_urgent:
            query = query.where(unclustered.c.urgent.is_(true()))
        if source is not None:
            query = query.join(articles, articles.c.id == unclustered.c.article_id).where(articles.c.source == source)
        found: int = self._database.fetch_all(query)[0][0]
        return found

    def assign_pending(
        self,
        zone: tzinfo,
        *,
        only_urgent: bool = False,
        should_stop: ShouldStop | None = None,
        embedding: Embedding | None = None,
        documents: DocumentCache | None = None,
    ) -> int:
        """Write clusters and stories of all articles that wait. Return how many there were.

        Each batch is a transaction, so that a call which ends early loses nothing, and no two processes cluster the
        same article. After a batch for which `should_stop` returns True the rest waits for the next call. `zone`
        determines the day of a time. `embedding` compares the meaning of matched articles. `documents` are texts that
        the caller has read already.

        With `only_urgent` it does this for the articles with a change event, and for those that may be one text or
        event with them. So an alert knows the whole story of its article, however many other articles wait.
        """
        from crawler.store.clustering import Clusterer

        clusterer = Clusterer(zone, embedding, documents)
        waiting: WaitingTexts | None = None
        times: Counter[str] = Counter()
        related: set[str] = set()
        pause = 0.0
        # Look without a lock first, because a watch looks every half minute.
        while self._database.fetch_all(_FIND_URGENT if only_urgent else _FIND_PENDING):
            time.sleep(pause)
            started_at = time.monotonic()
            with self._database.transaction(exclusive=True) as connection:
                listed = list_batch(connection, only_urgent=only_urgent)
                batch = [each for each in listed if times[each.article_id] < MAX_CLUSTERINGS_PER_CALL]
                times.update(each.article_id for each in batch)
                if only_urgent and waiting is None:
                    waiting = WaitingTexts(connection)
                clustered = clusterer.assign_batch(connection, batch)
                if waiting is not None:
                    # What only belongs to an urgent article leads on to others only where it has a link.
                    leading = [each.article for each in clustered if each.has_links or each.article_id not in related]
                    found = waiting.take_related(leading)
                    related.update(found)
                    mark_urgent(connection, found)
            if not batch or (should_stop is not None and should_stop()):
                break
            pause = min((time.monotonic() - started_at) * LOCK_PAUSE_SHARE, MAX_LOCK_PAUSE)
        return times.total()

    def get_member_ids(self, article_id: str) -> frozenset[str]:
        """Return the ids of the articles that are one text with this one, its own included. Empty before clustering."""
        own = select(signatures.c.cluster).where(signatures.c.article_id == article_id).scalar_subquery()
        rows = self._database.fetch_all(select(signatures.c.article_id).where(signatures.c.cluster == own))
        return frozenset(row.article_id for row in rows)


class StoryRepository:
    """`store.stories`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, story_id: int) -> StoredStory | None:
        """Return a story with its articles, or None."""
        rows = self._database.fetch_all(_SELECT_MEMBERS.where(signatures.c.story == story_id))
        members = tuple(StoryMember(cluster=row.cluster, article=parse_article(row.article)) for row in rows)
        return StoredStory(id=story_id, members=members) if members else None

    def get_id_by_article(self, article_id: str) -> int | None:
        """Return the number of an article's story, or None if it has none."""
        found: list[tuple[int | None]] = self._database.fetch_all(_GET_STORY_ID, {"of_article": article_id})
        return found[0][0] if found else None

    def get_certain_member_ids(self, article_id: str) -> frozenset[str]:
        """Return the ids of the articles that are certainly in an article's story, its own included.

        Others of the story are linked on less evidence, so each of them is notified.
        """
        return list_certain_members(self._database, article_id)

    def iter_newest(self, since: datetime | None = None) -> Iterator[StoredStory]:
        """Return an iterator over the stories, the newest first. `since`: only those with an article since then."""
        latest = func.max(articles.c.dated_at)
        query = select(signatures.c.story).join_from(signatures, articles, articles.c.id == signatures.c.article_id)
        query = query.where(signatures.c.story.is_not(None)).group_by(signatures.c.story)
        if since is not None:
            query = query.having(latest >= since)
        for row in self._database.fetch_all(query.order_by(latest.desc(), signatures.c.story.desc())):
            story = self.get(row.story)
            if story is not None:
                yield story

    def merge(self, one: int, other: int, at: datetime) -> int:
        """Write a person's decision that two stories are one. Return the number of the merged story."""
        if one == other:
            raise UsageError(f"Story {one} cannot be merged with itself.")
        both = [self._get_or_raise(story_id) for story_id in (one, other)]
        first, *others = [member.article.id for story in both for member in story.members]
        self._save_overrides([(first, other_id) for other_id in others if other_id != first], together=True, at=at)
        return self.get_id_by_article(first) or one

    def split(self, number: int, article_id: str, at: datetime) -> None:
        """Write a person's decision that an article, with its whole cluster, does not belong to a story."""
        members = self._get_or_raise(number).members
        own = next((member for member in members if member.article.id == article_id), None)
        if own is None:
            raise UsageError(f"{article_id!r} is not in story {number}; `crawler story {number}` shows what is.")
        out = [member.article.id for member in members if member.cluster == own.cluster]
        rest = [member.article.id for member in members if member.cluster != own.cluster]
        if not rest:
            out, rest = [article_id], [name for name in out if name != article_id]
        self._save_overrides([(one, other) for one in out for other in rest], together=False, at=at)

    def undo(self, about: int | str, at: datetime) -> int:
        """Undo the newest decision about a story's articles, or about one article by its id. Return its pairs' number.

        The article's story may be gone by now.
        """
        if isinstance(about, str):
            ids, subject = {about}, about
        else:
            ids, subject = {member.article.id for member in self._get_or_raise(about).members}, f"story {about}"
        is_about = story_overrides.c.a.in_(ids) | story_overrides.c.b.in_(ids)
        newest = select(func.max(story_overrides.c.action)).where(is_about, story_overrides.c.undone_at.is_(None))
        action = self._database.fetch_all(newest)[0][0]
        if action is None:
            raise UsageError(f"There is nothing to undo for {subject}: it was neither merged nor split.")
        is_action = story_overrides.c.action == action
        with self._database.transaction(exclusive=True) as connection:
            pairs = connection.execute(select(story_overrides.c.a, story_overrides.c.b).where(is_action)).all()
            connection.execute(update(story_overrides).where(is_action).values(undone_at=at))
            _rebuild(connection, {article_id for pair in pairs for article_id in pair})
        return len(pairs)

    def _get_or_raise(self, story_id: int) -> StoredStory:
        story = self.get(story_id)
        if story is None:
            raise UsageError(f"There is no story {story_id}; `crawler stories` lists the stories.")
        return story

    def _save_overrides(self, pairs: list[tuple[str, str]], *, together: bool, at: datetime) -> None:
        with self._database.transaction(exclusive=True) as connection:
            action = connection.execute(select(func.coalesce(func.max(story_overrides.c.action), 0) + 1)).scalar()
            row = {"action": action, "together": together, "created_at": at, "undone_at": None}
            connection.execute(insert(story_overrides), [{**row, "a": one, "b": other} for one, other in pairs])
            _rebuild(connection, {article_id for pair in pairs for article_id in pair})


def _rebuild(connection: Connection, article_ids: set[str]) -> None:
    rows = connection.execute(select(signatures.c.number).where(signatures.c.article_id.in_(article_ids)))
    rebuild_stories(connection, {row.number for row in rows})
