"""Stories made anew for everything that some articles touch, with the numbers that stories had before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from crawler.similarity.stories import StoryLink, StoryOverride, group_stories
from crawler.store.schema import links, signatures, stories, story_overrides

_MEMBERS = select(signatures.c.number, signatures.c.article_id, signatures.c.identity, signatures.c.story)
_LINKS = select(links.c.a, links.c.b, links.c.kind, links.c.score)
JOINING = ("text", "story")
"""Kinds of links that make stories."""
_OVERRULES = select(story_overrides.c.a, story_overrides.c.b, story_overrides.c.together).where(
    story_overrides.c.undone_at.is_(None)
)


def rebuild_stories(connection: Connection, touched: Collection[int]) -> None:
    """Make the stories anew of all that hangs together with these articles, in the caller's transaction."""
    members = _together(connection, set(touched))
    names = {number: row.article_id for number, row in members.items()}
    rows = connection.execute(_LINKS.where(links.c.a.in_(members), links.c.b.in_(members))).all()
    made = [
        StoryLink(a=names[row.a], b=names[row.b], score=row.score, is_certain=row.kind == "text")
        for row in rows
        if row.kind in JOINING
    ]
    apart = [(names[row.a], names[row.b]) for row in rows if row.kind == "apart"]
    said = [StoryOverride(a=row.a, b=row.b, is_together=row.together) for row in _said(connection, set(names.values()))]
    found = group_stories(names.values(), [*made, *_by_identity(members.values())], apart, said)
    _number(connection, found, {row.article_id: row for row in members.values()})


def _together(connection: Connection, touched: set[int]) -> dict[int, Any]:
    """Everything that links, identity, a person's word or a story of before connect with these articles, by number."""
    found: dict[int, Any] = {}
    edge = touched
    while edge:
        rows = connection.execute(_MEMBERS.where(signatures.c.number.in_(edge))).all()
        found |= {row.number: row for row in rows}
        wanted = [links.c.a.in_(edge), links.c.b.in_(edge)]
        near = {n for row in connection.execute(_LINKS.where(or_(*wanted), links.c.kind.in_(JOINING))) for n in row[:2]}
        ids = {row.article_id for row in rows}
        named = {name for word in _said(connection, ids) if word.together for name in (word.a, word.b)} - ids
        kin = {row.identity for row in rows if row.identity}
        old = {row.story for row in rows if row.story}
        more = (
            (signatures.c.article_id, named),
            (signatures.c.identity, kin),
            (signatures.c.story, old),
        )
        for column, values in more:
            if values:
                near |= {row[0] for row in connection.execute(select(signatures.c.number).where(column.in_(values)))}
        edge = near - found.keys()
    return found


def _said(connection: Connection, ids: set[str]) -> list[Any]:
    """A person's words about these articles, the oldest first."""
    wanted = or_(story_overrides.c.a.in_(ids), story_overrides.c.b.in_(ids))
    return list(connection.execute(_OVERRULES.where(wanted).order_by(story_overrides.c.id)))


def _by_identity(members: Collection[Any]) -> list[StoryLink]:
    """Links between the language versions of one release, each with the first."""
    first: dict[str, str] = {}
    made = []
    for row in sorted(members, key=lambda row: str(row.article_id)):
        if row.identity:
            known = first.setdefault(row.identity, row.article_id)
            if known != row.article_id:
                made.append(StoryLink(a=known, b=row.article_id, is_certain=True))
    return made


def _number(connection: Connection, groups: list[list[str]], rows: dict[str, Any]) -> None:
    """Write which story each article is in; a story keeps its number with most of its members."""
    taken: set[int] = set()
    for members in sorted(groups, key=lambda members: (-len(members), members)):
        number = None
        if len(members) > 1:
            had = Counter(rows[name].story for name in members if rows[name].story)
            free = sorted((-count, story) for story, count in had.items() if story not in taken)
            number = free[0][1] if free else _new(connection)
            taken.add(number)
        changed = [rows[name].number for name in members if rows[name].story != number]
        if changed:
            connection.execute(update(signatures).where(signatures.c.number.in_(changed)).values(story=number))
    gone = {row.story for row in rows.values() if row.story} - taken
    if gone:
        connection.execute(delete(stories).where(stories.c.id.in_(gone)))


def _new(connection: Connection) -> int:
    key = connection.execute(insert(stories).values()).inserted_primary_key
    assert key is not None
    return int(key[0])
