"""Which articles are one text and which tell of one story: judged at the end of a run, overruled by a person.

Every change here is a batch (`Database.writing`), in which no other process writes: two that judge at once could each
make half of a story.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlalchemy import Connection, bindparam, func, insert, select, update

from crawler.errors import UsageError
from crawler.items import Article
from crawler.similarity.semantic import Embedding
from crawler.store.clustering import Clusterer
from crawler.store.database import Database
from crawler.store.grouping import rebuild_stories
from crawler.store.schema import articles, signatures, story_overrides, unclustered, versions
from crawler.store.serialization import parse_article

ARTICLES_PER_READ = 100
MAX_CLUSTERINGS_PER_CALL = 10
"""Times that one article is judged in one go; what would need more waits for the next."""
_WAITING = select(unclustered.c.article_id).order_by(unclustered.c.article_id).limit(ARTICLES_PER_READ)
_STORY_OF = (select(signatures.c.story).where(signatures.c.article_id == bindparam("of_article")))
_MEMBERS = (
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


class ClusterRepository:
    """`store.clusters`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count_pending(self) -> int:
        """How many articles are still to be judged."""
        found: int = self._database.fetch_all(select(func.count()).select_from(unclustered))[0][0]
        return found

    def assign_pending(
        self, zone: tzinfo, *, max_seconds: float | None = None, embedding: Embedding | None = None
    ) -> int:
        """Judge the articles that are new or touched by new ones, each in its own transaction; how many.

        `zone` says on which day a moment is; after `seconds` (None: never) the rest is left for the next time. What
        another process judges meanwhile is not judged twice. With an `embedding` the meaning of matched
        articles counts.
        """
        settling = Clusterer(zone, embedding)
        until = None if max_seconds is None else time.monotonic() + max_seconds
        done = 0
        times: Counter[str] = Counter()
        while rows := self._database.fetch_all(_WAITING):
            for row in rows:
                times[row[0]] += 1
                if times[row[0]] > MAX_CLUSTERINGS_PER_CALL or (until is not None and time.monotonic() > until):
                    return done
                with self._database.transaction(exclusive=True) as connection:
                    still = select(unclustered.c.article_id).where(unclustered.c.article_id == row[0])
                    if connection.execute(still).first():
                        settling.assign_article(connection, row[0])
                        done += 1
        return done

    def get_member_ids(self, article_id: str) -> frozenset[str]:
        """The articles that are one text with this one, itself among them; empty for one not judged yet."""
        own = select(signatures.c.cluster).where(signatures.c.article_id == article_id).scalar_subquery()
        rows = self._database.fetch_all(select(signatures.c.article_id).where(signatures.c.cluster == own))
        return frozenset(row[0] for row in rows)


class StoryRepository:
    """`store.same`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_member_ids(self, article_id: str) -> frozenset[str]:
        """The articles of an article's story, itself among them; itself alone when it is in none."""
        own = select(signatures.c.story).where(signatures.c.article_id == article_id).scalar_subquery()
        rows = self._database.fetch_all(select(signatures.c.article_id).where(signatures.c.story == own))
        return frozenset({article_id, *(row[0] for row in rows)})

    def get_id_by_article(self, article_id: str) -> int | None:
        """The number of the story an article is in, None for one that stands alone."""
        rows = self._database.fetch_all(_STORY_OF, {"of_article": article_id})
        return rows[0][0] if rows else None

    def get(self, story_id: int) -> StoredStory | None:
        """A story with its articles, None for a number that no story has."""
        rows = self._database.fetch_all(_MEMBERS.where(signatures.c.story == story_id))
        members = tuple(StoryMember(cluster=row.cluster, article=parse_article(row.article)) for row in rows)
        return StoredStory(id=story_id, members=members) if members else None

    def iter_newest(self, since: datetime | None = None) -> Iterator[StoredStory]:
        """The stories of two articles and more that have an article since then, the latest first."""
        latest = func.max(articles.c.dated_at)
        query = select(signatures.c.story).join_from(signatures, articles, articles.c.id == signatures.c.article_id)
        query = query.where(signatures.c.story.is_not(None)).group_by(signatures.c.story)
        if since is not None:
            query = query.having(latest >= since)
        for row in self._database.fetch_all(query.order_by(latest.desc(), signatures.c.story.desc())):
            found = self.get(row[0])
            if found is not None:
                yield found

    def merge(self, one: int, other: int, at: datetime) -> int:
        """A person says that two stories are one; the number of the story it is now."""
        if one == other:
            raise UsageError(f"Story {one} cannot be merged with itself.")
        sides = [self._named(number) for number in (one, other)]
        first, *others = [member.article.id for side in sides for member in side.members]
        self._say([(first, other) for other in others if other != first], together=True, at=at)
        return self.get_id_by_article(first) or one

    def split(self, number: int, article_id: str, at: datetime) -> None:
        """A person says that an article, with what is one text with it, does not belong to a story."""
        members = self._named(number).members
        own = next((member for member in members if member.article.id == article_id), None)
        if own is None:
            raise UsageError(f"{article_id!r} is not in story {number}; `crawler story {number}` shows what is.")
        out = [member.article.id for member in members if member.cluster == own.cluster]
        rest = [member.article.id for member in members if member.cluster != own.cluster]
        if not rest:
            out, rest = [article_id], [name for name in out if name != article_id]
        self._say([(one, other) for one in out for other in rest], together=False, at=at)

    def undo(self, about: int | str, at: datetime) -> int:
        """Take back the last thing a person said about the articles of a story, or, by its id, about one article (its
        story may be gone); how many words that were."""
        if isinstance(about, str):
            members, what = {about}, f"of {about}"
        else:
            members, what = {member.article.id for member in self._named(about).members}, f"in story {about}"
        touching = story_overrides.c.a.in_(members) | story_overrides.c.b.in_(members)
        newest = select(func.max(story_overrides.c.action)).where(touching, story_overrides.c.undone_at.is_(None))
        act = self._database.fetch_all(newest)[0][0]
        if act is None:
            raise UsageError(f"Nobody overruled anything {what}: there is nothing to undo.")
        with self._database.transaction(exclusive=True) as connection:
            names = connection.execute(
                select(story_overrides.c.a, story_overrides.c.b).where(story_overrides.c.action == act)
            ).all()
            connection.execute(update(story_overrides).where(story_overrides.c.action == act).values(undone_at=at))
            self._regroup(connection, {name for row in names for name in row})
        return len(names)

    def _named(self, number: int) -> StoredStory:
        found = self.get(number)
        if found is None:
            raise UsageError(f"There is no story {number}; `crawler stories` lists those there are.")
        return found

    def _say(self, pairs: list[tuple[str, str]], *, together: bool, at: datetime) -> None:
        with self._database.transaction(exclusive=True) as connection:
            act = connection.execute(select(func.coalesce(func.max(story_overrides.c.action), 0) + 1)).scalar()
            row = {"action": act, "together": together, "created_at": at, "undone_at": None}
            connection.execute(insert(story_overrides), [{**row, "a": one, "b": other} for one, other in pairs])
            self._regroup(connection, {name for pair in pairs for name in pair})

    def _regroup(self, connection: Connection, names: set[str]) -> None:
        rows = connection.execute(select(signatures.c.number).where(signatures.c.article_id.in_(names)))
        rebuild_stories(connection, {row[0] for row in rows})
