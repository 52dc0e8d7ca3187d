"""The rematch log: stored versions matched again with other rules, when, and how the matches changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from crawler.items import Article, Match
from crawler.store.article_cards import rewrite_card
from crawler.store.article_writer import insert_matches
from crawler.store.database import Database
from crawler.store.schema import articles, matches, rematches, versions
from crawler.store.serialization import serialize_article
from crawler.store.statements import select_columns

MatchPlace = tuple[str, str, str, int, str]
"""Rule, surface form, field, start and strength of a match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rematch:
    """One time a stored version got other matches. `rules_digest` is the digest of the rules file."""

    article_id: str
    version: int
    rematched_at: datetime
    rules_digest: str
    places_before: tuple[MatchPlace, ...]
    places_after: tuple[MatchPlace, ...]


_UPDATE_TEXT = (
    update(versions)
    .where(versions.c.article_id == bindparam("of_article"), versions.c.version == bindparam("of_version"))
    .values(article=bindparam("text"))
)
_DELETE_MATCHES = delete(matches).where(
    matches.c.article_id == bindparam("of_article"), matches.c.version == bindparam("of_version")
)
_UPDATE_MATCHED = (
    update(articles)
    .where(articles.c.id == bindparam("of_article"), articles.c.current_version == bindparam("of_version"))
    .values(matched=bindparam("is_matched"))
)
_SELECT = select(*select_columns(rematches, (field.name for field in fields(Rematch))))


class RematchRepository:
    """`store.rematches`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save_matches(
        self, article: Article, former_matches: Sequence[Match], *, rules_digest: str, at: datetime
    ) -> bool:
        """Write the new matches of a stored version (`article.id`, `article.version`), and log the change.

        The version's text, time and number stay. Return False and write nothing if the matches are the same.
        """
        before, after = _list_places(former_matches), _list_places(article.matches)
        if before == after:
            return False
        if article.version is None:
            raise ValueError(f"{article.id} has no version whose matches can be replaced.")
        key = {"of_article": article.id, "of_version": article.version}
        row = {
            "article_id": article.id,
            "version": article.version,
            "rematched_at": at,
            "rules_digest": rules_digest,
            "places_before": json.dumps(before),
            "places_after": json.dumps(after),
        }
        with self._database.transaction() as connection:
            connection.execute(_UPDATE_TEXT, {**key, "text": serialize_article(article)})
            connection.execute(_DELETE_MATCHES, key)
            insert_matches(connection, article)
            connection.execute(_UPDATE_MATCHED, {**key, "is_matched": article.is_matched})
            connection.execute(insert(rematches), row)
            rewrite_card(connection, article.id)
        return True

    def list_by_article(self, article_id: str) -> list[Rematch]:
        """Return every rematch of an article's versions, the oldest first."""
        query = _SELECT.where(rematches.c.article_id == article_id).order_by(rematches.c.id)
        return [
            Rematch(
                article_id=row.article_id,
                version=row.version,
                rematched_at=row.rematched_at,
                rules_digest=row.rules_digest,
                places_before=tuple(tuple(place) for place in json.loads(row.places_before)),
                places_after=tuple(tuple(place) for place in json.loads(row.places_after)),
            )
            for row in self._database.fetch_all(query)
        ]


def _list_places(found: Sequence[Match]) -> tuple[MatchPlace, ...]:
    return tuple((m.rule, m.surface, m.field, m.start, str(m.strength)) for m in found)
