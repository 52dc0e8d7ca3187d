"""What the retention policy removes from the store: texts, entries of the HTTP cache, runs, entries of the log.

A version whose text is removed stays a version: its row keeps the headline, the address, the times, the hashes and the
reference into the archive, and says when the text was removed. So no reference to it ends nowhere, and a page that is
read again is compared as before. Each batch is one transaction, in which the conditions are checked again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.exc import DBAPIError

from crawler.errors import StoreError
from crawler.items import Article, Health
from crawler.store.column_types import UtcDateTime
from crawler.store.database import Database, format_database_error
from crawler.store.events import Decision
from crawler.store.reading_schema import article_cards, reader_actions
from crawler.store.schema import (
    alarms,
    articles,
    change_events,
    http_cache,
    matches,
    notifications,
    revision_diffs,
    runs,
    story_overrides,
    unclustered,
    versions,
)
from crawler.store.search_index import move_entries
from crawler.store.serialization import parse_article, serialize_article
from crawler.store.user_schema import audit_log

VERSIONS_PER_BATCH = 100
ROWS_PER_BATCH = 1000
MAX_LISTED_RUNS = 100_000
"""Runs whose ids are in memory at once."""
KEPT_RUNS_PER_SOURCE = 100
"""Newest runs of a source, with which later ones are compared."""
REMOVED_PATTERN = '%"text\\_removed\\_at":"%'
"""What the JSON of a version has only if its text was removed: within a text, quotes are escaped."""
RUN_INDEXES = {"prune_articles_first_run_id": "first_run_id", "prune_articles_last_run_id": "last_run_id"}
"""Indexes that exist while runs are deleted. Without them each deletion would read all articles."""


class TextCount(NamedTuple):
    """The texts of a source that may be removed: how many, and the bytes of their rows."""

    source: str
    versions: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextAges:
    """The times (aware) before which texts may be removed. None: they are kept.

    `unmatched`: the publication and the first sight of an article in which no rule ever found anything. `superseded`:
    when a newer version replaced a version.
    """

    unmatched: datetime | None = None
    superseded: datetime | None = None


_IS_NOTIFIED = exists().where(notifications.c.article_id == articles.c.id, notifications.c.decision != Decision.SKIP)
_IS_UNDECIDED = exists().where(change_events.c.article_id == articles.c.id, change_events.c.decided_at.is_(None))
_HAS_ACTION = exists().where(reader_actions.c.article_id == articles.c.id)
_IS_CORRECTED = exists().where(or_(story_overrides.c.a == articles.c.id, story_overrides.c.b == articles.c.id))
IS_KEPT = or_(_IS_NOTIFIED, _IS_UNDECIDED, _HAS_ACTION, _IS_CORRECTED)
"""Articles of which everything is kept: somebody may be notified, worked with it, or corrected its story."""
_WAS_MATCHED = or_(
    exists().where(matches.c.article_id == articles.c.id), exists().where(change_events.c.article_id == articles.c.id)
)
_IS_WAITING = exists().where(unclustered.c.article_id == articles.c.id)
_NEXT = versions.alias("next")
_SIZE = {
    "sqlite": func.length(cast(versions.c.article, LargeBinary)),
    "postgresql": func.octet_length(versions.c.article),
}
_SET_TEXT = (
    update(versions)
    .where(versions.c.article_id == bindparam("of_article"), versions.c.version == bindparam("of_version"))
    .values(article=bindparam("text"))
)


class RetentionRepository:
    """`store.retention`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count_texts(self, ages: TextAges) -> list[TextCount]:
        """Return the texts that may be removed, by source."""
        dialect = self._database.engine.dialect.name
        query = (
            select(articles.c.source, func.count(), cast(func.sum(_SIZE[dialect]), BigInteger))
            .join_from(versions, articles, articles.c.id == versions.c.article_id)
            .where(_may_lose_text(ages, dialect))
            .group_by(articles.c.source)
            .order_by(articles.c.source)
        )
        return [TextCount._make(row) for row in self._database.fetch_all(query)]

    def remove_texts(self, ages: TextAges, at: datetime) -> Iterator[int]:
        """Remove the texts, a batch a transaction. Yield how many each batch had."""
        place = ("", 0)
        while True:
            with self._database.transaction(exclusive=True) as connection:
                rows = connection.execute(_select_texts(ages, place, connection.dialect.name)).all()
                for row in rows:
                    _remove_text(connection, parse_article(row.article), at)
                for article_id, dated_at in {row.article_id: row.dated_at for row in rows}.items():
                    move_entries(connection, article_id, dated_at)
            if not rows:
                return
            place = (rows[-1].article_id, rows[-1].version)
            yield len(rows)

    def iter_kept_versions(self) -> Iterator[Sequence[Article]]:
        """Yield, in batches, the versions of the articles of which everything is kept."""
        place = ("", 0)
        while True:
            query = (
                select(versions.c.article_id, versions.c.version, versions.c.article)
                .join_from(versions, articles, articles.c.id == versions.c.article_id)
                .where(IS_KEPT, _is_after(place))
                .order_by(versions.c.article_id, versions.c.version)
                .limit(VERSIONS_PER_BATCH)
            )
            rows = self._database.fetch_all(query)
            if not rows:
                return
            place = (rows[-1].article_id, rows[-1].version)
            yield [parse_article(row.article) for row in rows]

    def forget_records(self, files: Collection[str]) -> None:
        """Let no entry of the HTTP cache refer to these files of the archive. The next answer is archived whole."""
        unknown = dict.fromkeys(("digest", "record_file", "record_offset", "record_date"))
        with self._database.transaction() as connection:
            connection.execute(update(http_cache).where(http_cache.c.record_file.in_(files)).values(unknown))

    def count_cache_entries(self, before: datetime) -> int:
        """Return how many entries of the HTTP cache were last checked before a time."""
        return self._count(http_cache, http_cache.c.checked_at < before)

    def delete_cache_entries(self, before: datetime) -> Iterator[int]:
        """Delete them. Yield how many each batch had."""
        yield from self._delete(http_cache, http_cache.c.checked_at < before)

    def count_log_entries(self, before: datetime) -> int:
        """Return how many entries of the log were made before a time."""
        return self._count(audit_log, audit_log.c.made_at < before)

    def delete_log_entries(self, before: datetime) -> Iterator[int]:
        """Delete them. Yield how many each batch had."""
        yield from self._delete(audit_log, audit_log.c.made_at < before)

    def count_runs(self, before: datetime) -> int:
        """Return how many runs ended before a time, and nothing refers to them."""
        return self._count(runs, _may_delete_run(before))

    def delete_runs(self, before: datetime) -> Iterator[int]:
        """Delete them. Yield how many each batch had."""
        with _TemporaryIndexes(self._database):
            listed = select(runs.c.id).where(_may_delete_run(before)).order_by(runs.c.id).limit(MAX_LISTED_RUNS)
            while ids := [row.id for row in self._database.fetch_all(listed)]:
                for start in range(0, len(ids), ROWS_PER_BATCH):
                    batch = ids[start : start + ROWS_PER_BATCH]
                    with self._database.transaction() as connection:
                        connection.execute(delete(runs).where(runs.c.id.in_(batch)))
                    yield len(batch)

    def get_free_bytes(self) -> int | None:
        """Return the bytes of a SQLite file that hold nothing. None for a server, which uses them again by itself."""
        if self._database.engine.dialect.name != "sqlite":
            return None
        names = ("freelist_count", "page_size")
        free, size = (self._database.fetch_all(text(f"PRAGMA {name}"))[0][0] for name in names)
        return int(free) * int(size)

    def give_space_back(self) -> None:
        """Make a SQLite file as small as its content, or let PostgreSQL use the space of removed rows again.

        Raise StoreError if that is impossible. SQLite needs to be alone, and the size of the store on the disk.
        """
        name = self._database.name
        try:
            with self._database.engine.connect() as connection:
                is_sqlite = connection.dialect.name == "sqlite"
                connection.exec_driver_sql("VACUUM" if is_sqlite else "VACUUM (ANALYZE)")
                if is_sqlite:
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        except DBAPIError as error:
            raise StoreError(
                f"The space of {name} cannot be given back: {format_database_error(error)}. What was removed stays "
                "removed. Stop every other command, check the free space of the disk, and run it again with --vacuum."
            ) from error

    def _count(self, table: Table, condition: ColumnElement[bool]) -> int:
        found: int = self._database.fetch_all(select(func.count()).select_from(table).where(condition))[0][0]
        return found

    def _delete(self, table: Table, condition: ColumnElement[bool]) -> Iterator[int]:
        key = tuple_(*table.primary_key)
        chosen = select(*table.primary_key).where(condition).limit(ROWS_PER_BATCH)
        while True:
            with self._database.transaction() as connection:
                count = connection.execute(delete(table).where(key.in_(chosen))).rowcount
            if count == 0:
                return
            yield count


class _TemporaryIndexes:
    """The indexes `RUN_INDEXES`, as a block. What a killed process left is used, and dropped at the end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None:
        with self._database.transaction(exclusive=True) as connection:
            for name, column in RUN_INDEXES.items():
                connection.execute(text(f"CREATE INDEX IF NOT EXISTS {name} ON articles ({column})"))

    def __exit__(self, *error: object) -> None:
        with self._database.transaction(exclusive=True) as connection:
            for name in RUN_INDEXES:
                connection.execute(text(f"DROP INDEX IF EXISTS {name}"))


def _may_lose_text(ages: TextAges, dialect: str) -> ColumnElement[bool]:
    """Return the condition for versions whose text may be removed and is still there."""
    choices = []
    if ages.unmatched is not None:
        # The later one. As an expression, so that batches come in the order of the key and are not sorted each time.
        age = getattr(func, "max" if dialect == "sqlite" else "greatest")
        time = age(articles.c.dated_at, articles.c.first_seen_at, type_=UtcDateTime)
        choices.append(and_(time < ages.unmatched, ~_WAS_MATCHED))
    if ages.superseded is not None:
        is_replaced = exists().where(
            _NEXT.c.article_id == versions.c.article_id,
            _NEXT.c.version == versions.c.version + 1,
            _NEXT.c.seen_at < ages.superseded,
        )
        choices.append(and_(versions.c.version < articles.c.current_version, is_replaced))
    is_removed = versions.c.article.like(REMOVED_PATTERN, escape="\\")
    return and_(or_(*choices), ~IS_KEPT, ~_IS_WAITING, ~is_removed)


def _select_texts(ages: TextAges, place: tuple[str, int], dialect: str) -> Select[Any]:
    return (
        select(versions.c.article_id, versions.c.version, versions.c.article, articles.c.dated_at)
        .join_from(versions, articles, articles.c.id == versions.c.article_id)
        .where(_may_lose_text(ages, dialect), _is_after(place))
        .order_by(versions.c.article_id, versions.c.version)
        .limit(VERSIONS_PER_BATCH)
    )


def _is_after(place: tuple[str, int]) -> ColumnElement[bool]:
    key = tuple_(versions.c.article_id, versions.c.version)
    return key > tuple_(literal(place[0], Text), literal(place[1], Integer))


def _remove_text(connection: Connection, version: Article, at: datetime) -> None:
    """Remove lead, body and matches of a version, and what its text differs in from its neighbours."""
    bare = replace(version, lead=None, body="", images=(), matches=(), text_removed_at=at)
    key = {"of_article": version.id, "of_version": version.version}
    connection.execute(_SET_TEXT, {**key, "text": serialize_article(bare)})
    connection.execute(delete(matches).where(matches.c.article_id == version.id, matches.c.version == version.version))
    number = version.version or 1
    is_next = and_(article_cards.c.article_id == version.id, article_cards.c.version == number + 1)
    connection.execute(update(article_cards).where(is_next).values(change="[]"))
    of_article = revision_diffs.c.article_id == version.id
    connection.execute(delete(revision_diffs).where(of_article, revision_diffs.c.version.in_((number, number + 1))))


def _may_delete_run(before: datetime) -> ColumnElement[bool]:
    """Return the condition for runs that ended before a time, to which nothing refers, and that no later run needs."""
    rank = func.row_number().over(partition_by=runs.c.source, order_by=runs.c.id.desc())
    ranked = select(runs.c.id, rank.label("rank")).subquery()
    newest = [
        select(ranked.c.id).where(ranked.c.rank <= KEPT_RUNS_PER_SOURCE),
        select(func.max(runs.c.id)).where(runs.c.complete).group_by(runs.c.source),
        select(func.max(runs.c.id)).where(runs.c.health == Health.HEALTHY).group_by(runs.c.source),
    ]
    without_index = (articles.c.first_run_id, articles.c.last_run_id, alarms.c.run_id)
    listed = [*newest, *(select(column).where(column.is_not(None)).distinct() for column in without_index)]
    with_index = (versions.c.run_id, change_events.c.run_id)
    return and_(
        runs.c.finished_at < before,
        *(runs.c.id.not_in(query) for query in listed),
        *(~exists().where(column == runs.c.id) for column in with_index),
    )
