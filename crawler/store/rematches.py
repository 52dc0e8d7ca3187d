"""Marking history anew: other rules over stored versions, with a record of when and why each one's matches changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from crawler.items import Article, Match
from crawler.store.article_writer import insert_matches
from crawler.store.database import Database
from crawler.store.schema import articles, matches, rematches, versions
from crawler.store.serialization import serialize_article

MatchPlace = tuple[str, str, str, int, str]
"""Rule, surface form, field, start and strength of a match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rematch:
    """One time a stored version was marked anew. `rules` is the digest of the rules file that did it."""

    article_id: str
    version: int
    rematched_at: datetime
    rules_digest: str
    places_before: tuple[MatchPlace, ...]
    places_after: tuple[MatchPlace, ...]


_OF_VERSION = (versions.c.article_id == bindparam("at"), versions.c.version == bindparam("number"))
_TEXT = update(versions).where(*_OF_VERSION).values(article=bindparam("text"))
_FORGET = delete(matches).where(matches.c.article_id == bindparam("at"), matches.c.version == bindparam("number"))
_CURRENT = (articles.c.id == bindparam("at"), articles.c.current_version == bindparam("number"))
_FLAG = update(articles).where(*_CURRENT).values(matched=bindparam("strong"))


class RematchRepository:
    """`store.markings`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save_matches(
        self, article: Article, former_matches: Sequence[Match], *, rules_digest: str, at: datetime
    ) -> bool:
        """Give a stored version (`article.id`, `article.version`) its new matches; whether they differ from `before`.

        The version's text, time and number stay as they are. Nothing is written where nothing differs.
        """
        old, new = _places(former_matches), _places(article.matches)
        if old == new:
            return False
        if article.version is None:
            raise ValueError(f"{article.id} has no version to mark.")
        key = {"at": article.id, "number": article.version}
        row = {"article_id": article.id, "version": article.version, "marked_at": at, "rules": rules_digest}
        with self._database.transaction() as connection:
            connection.execute(_TEXT, {**key, "text": serialize_article(article)})
            connection.execute(_FORGET, key)
            insert_matches(connection, article)
            connection.execute(_FLAG, {**key, "strong": article.is_matched})
            connection.execute(insert(rematches), {**row, "before": json.dumps(old), "after": json.dumps(new)})
        return True

    def list_by_article(self, article_id: str) -> list[Rematch]:
        """Every time an article's versions were marked anew, the oldest first."""
        history = select(rematches).where(rematches.c.article_id == article_id).order_by(rematches.c.id)
        return [
            Rematch(
                article_id=row.article_id,
                version=row.version,
                rematched_at=row.marked_at,
                rules_digest=row.rules,
                places_before=tuple(tuple(place) for place in json.loads(row.before)),
                places_after=tuple(tuple(place) for place in json.loads(row.after)),
            )
            for row in self._database.fetch_all(history)
        ]


def _places(found: Sequence[Match]) -> tuple[MatchPlace, ...]:
    return tuple((m.rule, m.surface, m.field, m.start, str(m.strength)) for m in found)
