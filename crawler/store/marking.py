"""Marking history anew: other rules over stored versions, with a record of when and why each one's matches changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from crawler.items import Article, Match
from crawler.store.connection import Database
from crawler.store.document import as_json
from crawler.store.saving import add_matches
from crawler.store.schema import articles, markings, matches, versions

Place = tuple[str, str, str, int, str]
"""Rule, surface form, field, start and strength of a match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """One time a stored version was marked anew. `rules` is the digest of the rules file that did it."""

    article_id: str
    version: int
    marked_at: datetime
    rules: str
    before: tuple[Place, ...]
    after: tuple[Place, ...]


_OF_VERSION = (versions.c.article_id == bindparam("at"), versions.c.version == bindparam("number"))
_TEXT = update(versions).where(*_OF_VERSION).values(article=bindparam("text"))
_FORGET = delete(matches).where(matches.c.article_id == bindparam("at"), matches.c.version == bindparam("number"))
_CURRENT = (articles.c.id == bindparam("at"), articles.c.current_version == bindparam("number"))
_FLAG = update(articles).where(*_CURRENT).values(matched=bindparam("strong"))


class MarkingRoom:
    """`store.markings`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def mark(self, article: Article, before: Sequence[Match], *, rules: str, at: datetime) -> bool:
        """Give a stored version (`article.id`, `article.version`) its new matches; whether they differ from `before`.

        The version's text, time and number stay as they are. Nothing is written where nothing differs.
        """
        old, new = _places(before), _places(article.matches)
        if old == new:
            return False
        if article.version is None:
            raise ValueError(f"{article.id} has no version to mark.")
        key = {"at": article.id, "number": article.version}
        row = {"article_id": article.id, "version": article.version, "marked_at": at, "rules": rules}
        with self._database.writing() as connection:
            connection.execute(_TEXT, {**key, "text": as_json(article)})
            connection.execute(_FORGET, key)
            add_matches(connection, article)
            connection.execute(_FLAG, {**key, "strong": article.is_matched})
            connection.execute(insert(markings), {**row, "before": json.dumps(old), "after": json.dumps(new)})
        return True

    def history(self, article_id: str) -> list[Marking]:
        """Every time an article's versions were marked anew, the oldest first."""
        history = select(markings).where(markings.c.article_id == article_id).order_by(markings.c.id)
        return [
            Marking(
                article_id=row.article_id,
                version=row.version,
                marked_at=row.marked_at,
                rules=row.rules,
                before=tuple(tuple(place) for place in json.loads(row.before)),
                after=tuple(tuple(place) for place in json.loads(row.after)),
            )
            for row in self._database.read(history)
        ]


def _places(found: Sequence[Match]) -> tuple[Place, ...]:
    return tuple((m.rule, m.surface, m.field, m.start, str(m.strength)) for m in found)
