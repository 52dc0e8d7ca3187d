"""What readers do with articles: seen, important, false alarm, assignments, notes. Every action is kept, with undo.

`seen_marks` and `article_marks` are the result of the actions that are not undone; lists read them. Nothing is seen by
age: only an action makes it seen, up to the version that the reader had before them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from crawler.store.database import Database
from crawler.store.reading_schema import article_marks, reader_actions, seen_marks
from crawler.store.schema import articles
from crawler.store.statements import PreparedQuery, make_upsert, select_columns


class ActionKind(StrEnum):
    """What a reader does with an article. The database stores these values."""

    SEEN = "seen"
    UNSEEN = "unseen"
    IMPORTANT = "important"
    ORDINARY = "ordinary"
    FALSE_ALARM = "false_alarm"
    TRUE_ALARM = "true_alarm"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    NOTE = "note"


_FLAG_KINDS = {
    ActionKind.IMPORTANT: ("is_important", True),
    ActionKind.ORDINARY: ("is_important", False),
    ActionKind.FALSE_ALARM: ("is_false_alarm", True),
    ActionKind.TRUE_ALARM: ("is_false_alarm", False),
}


class ArticleAtVersion(NamedTuple):
    """An article at the version that a reader had before them."""

    article_id: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderAction:
    """One action on one article. The articles of one story that were acted on together have one `batch`.

    `note` is the text of a note, and of an assignment the name of the user.
    """

    id: int
    batch: int
    article_id: str
    version: int
    kind: ActionKind
    note: str | None
    made_at: datetime
    made_by: str
    undone_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleMarks:
    """What readers made of an article. `seen_version` is the last version that this reader has seen, 0 for none.

    `assigned_to` is the user who works on it, or None.
    """

    seen_version: int = 0
    is_important: bool = False
    is_false_alarm: bool = False
    assigned_to: str | None = None


_SELECT = select(*select_columns(reader_actions, (field.name for field in fields(ReaderAction))))
_IS_VISIBLE = reader_actions.c.kind.not_in((ActionKind.SEEN, ActionKind.UNSEEN)) | (
    reader_actions.c.made_by == bindparam("of_reader")
)
"""The condition for what a reader may see: nobody sees what others have seen."""
_OF_ARTICLES = _SELECT.where(
    reader_actions.c.article_id.in_(bindparam("of_articles", expanding=True)), reader_actions.c.undone_at.is_(None)
).order_by(reader_actions.c.id)
_LIST_BY_ARTICLES = PreparedQuery(_OF_ARTICLES)
_LIST_VISIBLE_BY_ARTICLES = PreparedQuery(_OF_ARTICLES.where(_IS_VISIBLE))
_GET_MARKS = PreparedQuery(
    select(
        articles.c.id,
        seen_marks.c.version,
        article_marks.c.is_important,
        article_marks.c.is_false_alarm,
        article_marks.c.assigned_to,
    )
    .select_from(articles)
    .outerjoin(seen_marks, (seen_marks.c.article_id == articles.c.id) & (seen_marks.c.reader == bindparam("of_reader")))
    .outerjoin(article_marks, article_marks.c.article_id == articles.c.id)
    .where(articles.c.id.in_(bindparam("of_articles", expanding=True)))
)
_SAVE_SEEN = make_upsert(seen_marks, key=("article_id", "reader"))
_SAVE_MARKS = make_upsert(article_marks, key=("article_id",))


class ReaderActionRepository:
    """`store.reader_actions`. Lists start with the oldest action, but `list_newest` with the newest."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self, about: Sequence[ArticleAtVersion], kind: ActionKind, *, by: str, at: datetime, note: str | None = None
    ) -> int | None:
        """Write an action on articles that are stored. Return its batch, or None if none of them is stored.

        A version later than the current one counts as the current one: nobody has seen what is not stored yet.
        """
        with self._database.transaction(exclusive=True) as connection:
            ids = {each.article_id for each in about}
            query = select(articles.c.id, articles.c.current_version).where(articles.c.id.in_(ids))
            newest: dict[str, int] = {row.id: row.current_version for row in connection.execute(query)}
            known = (each for each in about if each.article_id in newest)
            chosen = list(
                dict.fromkeys(each._replace(version=min(each.version, newest[each.article_id])) for each in known)
            )
            if not chosen:
                return None
            batch: int = connection.execute(select(func.coalesce(func.max(reader_actions.c.batch), 0) + 1)).scalar_one()
            row = {"batch": batch, "kind": kind, "note": note, "made_at": at, "made_by": by, "undone_at": None}
            connection.execute(insert(reader_actions), [{**row, **each._asdict()} for each in chosen])
            _write_result(connection, newest)
        return batch

    def undo(self, batch: int, *, at: datetime) -> int:
        """Undo the actions of a batch. Return how many there were; those undone before do not count."""
        is_open = (reader_actions.c.batch == batch, reader_actions.c.undone_at.is_(None))
        with self._database.transaction(exclusive=True) as connection:
            ids = {row.article_id for row in connection.execute(select(reader_actions.c.article_id).where(*is_open))}
            if ids:
                connection.execute(update(reader_actions).where(*is_open).values(undone_at=at))
                _write_result(connection, ids)
        return len(ids)

    def list_batch(self, batch: int) -> list[ReaderAction]:
        """Return the actions of a batch, also undone ones."""
        return self._make_actions(_SELECT.where(reader_actions.c.batch == batch).order_by(reader_actions.c.id))

    def list_by_articles(self, article_ids: Collection[str], *, reader: str | None = None) -> list[ReaderAction]:
        """Return the actions on articles that are not undone. With `reader`, only those that this one may see."""
        if not article_ids:
            return []
        query = _LIST_BY_ARTICLES if reader is None else _LIST_VISIBLE_BY_ARTICLES
        return self._make_actions(query, {"of_articles": list(article_ids), "of_reader": reader})

    def list_newest(
        self,
        limit: int,
        *,
        reader: str,
        before: int | None = None,
        kind: ActionKind | None = None,
        article_id: str | None = None,
    ) -> list[ReaderAction]:
        """Return the newest actions that are not undone. Of what is seen and unseen, only the reader's own.

        `before`: only those with a lower number.
        """
        query = _SELECT.where(reader_actions.c.undone_at.is_(None), _IS_VISIBLE)
        if before is not None:
            query = query.where(reader_actions.c.id < before)
        if kind is not None:
            query = query.where(reader_actions.c.kind == kind)
        if article_id is not None:
            query = query.where(reader_actions.c.article_id == article_id)
        return self._make_actions(query.order_by(reader_actions.c.id.desc()).limit(limit), {"of_reader": reader})

    def count_by_user(self, name: str) -> dict[str, int]:
        """Return how many actions a user did of each kind, also undone ones."""
        query = select(reader_actions.c.kind, func.count().label("number")).where(reader_actions.c.made_by == name)
        rows = self._database.fetch_all(query.group_by(reader_actions.c.kind).order_by(reader_actions.c.kind))
        return {row.kind: row.number for row in rows}

    def get_marks(self, article_ids: Collection[str], reader: str) -> dict[str, ArticleMarks]:
        """Return the marks of articles that have any, by id."""
        if not article_ids:
            return {}
        values = {"of_articles": list(article_ids), "of_reader": reader}
        return {
            row.id: ArticleMarks(
                seen_version=row.version or 0,
                is_important=bool(row.is_important),
                is_false_alarm=bool(row.is_false_alarm),
                assigned_to=row.assigned_to,
            )
            for row in self._database.fetch_all(_GET_MARKS, values)
        }

    def _make_actions(
        self, query: Select[Any] | PreparedQuery, values: Mapping[str, Any] | None = None
    ) -> list[ReaderAction]:
        rows: Sequence[Any] = self._database.fetch_all(query, values)
        return [ReaderAction(**{**row._asdict(), "kind": ActionKind(row.kind)}) for row in rows]


def _write_result(connection: Connection, article_ids: Iterable[str]) -> None:
    """Write the marks that the actions on these articles amount to, in the caller's transaction."""
    for article_id in sorted(article_ids):
        is_open = (reader_actions.c.article_id == article_id, reader_actions.c.undone_at.is_(None))
        seen: dict[str, int] = {}
        flags = {"is_important": False, "is_false_alarm": False}
        assigned_to: str | None = None
        for row in connection.execute(_SELECT.where(*is_open).order_by(reader_actions.c.id)):
            kind = ActionKind(row.kind)
            if kind is ActionKind.SEEN:
                seen[row.made_by] = max(row.version, seen.get(row.made_by, 0))
            elif kind is ActionKind.UNSEEN:
                seen.pop(row.made_by, None)
            elif kind in (ActionKind.ASSIGNED, ActionKind.UNASSIGNED):
                assigned_to = row.note
            elif kind in _FLAG_KINDS:
                name, value = _FLAG_KINDS[kind]
                flags[name] = value
        connection.execute(delete(seen_marks).where(seen_marks.c.article_id == article_id))
        for reader, version in seen.items():
            values = {"article_id": article_id, "reader": reader, "version": version}
            connection.execute(_SAVE_SEEN[connection.dialect.name], values)
        connection.execute(delete(article_marks).where(article_marks.c.article_id == article_id))
        if any(flags.values()) or assigned_to is not None:
            values = {"article_id": article_id, **flags, "assigned_to": assigned_to}
            connection.execute(_SAVE_MARKS[connection.dialect.name], values)
