"""How stories are built from links, releases and a person's decisions, and how they keep their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, delete, insert, or_, select, update

from crawler.similarity.stories import StoryLink, StoryOverride, find_connected, group_stories
from crawler.store.database import Database
from crawler.store.schema import links, signatures, stories, story_overrides
from crawler.store.statements import make_in_query


class LinkKind(StrEnum):
    """What a link says about two articles. The database stores these values."""

    SAME_TEXT = "text"
    SAME_STORY = "story"
    POSSIBLE_STORY = "possible"
    """They are in one story, but not certainly: each is notified."""
    SEPARATE = "apart"
    """They have enough in common for one story, but are about two events."""
    QUOTE = "quote"
    """They have only a boilerplate passage in common."""


CERTAIN_KINDS = (LinkKind.SAME_TEXT, LinkKind.SAME_STORY)
_JOINING_KINDS = (*CERTAIN_KINDS, LinkKind.POSSIBLE_STORY)
_SELECT_MEMBERS = select(signatures.c.number, signatures.c.article_id, signatures.c.release_id, signatures.c.story)
_SELECT_LINKS = select(links.c.a, links.c.b, links.c.kind, links.c.score)
_FETCH_MEMBERS = make_in_query(
    "SELECT number, article_id, identity AS release_id, story FROM signatures WHERE number IN ({keys})"
)
_FETCH_LINKS_FROM = make_in_query("SELECT a, b, kind, score FROM links WHERE a IN ({keys})")
_LIST_LINKED_BEFORE = make_in_query(
    "SELECT DISTINCT a FROM links WHERE b IN ({keys}) "
    f"AND kind IN ({', '.join(repr(kind.value) for kind in _JOINING_KINDS)})"
)
_LIST_BY_ID, _LIST_OF_RELEASE, _LIST_OF_STORY = (
    make_in_query(f"SELECT number FROM signatures WHERE {column} IN ({{keys}})")
    for column in ("article_id", "identity", "story")
)
_SELECT_OVERRIDES = select(story_overrides.c.a, story_overrides.c.b, story_overrides.c.together).where(
    story_overrides.c.undone_at.is_(None)
)


class MemberRow(NamedTuple):
    """The row of an article in `signatures`, as far as stories depend on it."""

    number: int
    article_id: str
    release_id: str | None
    story: int | None


def rebuild_stories(connection: Connection, changed: Collection[int]) -> None:
    """Build the stories of these articles, and of all that is connected with them, in the caller's transaction."""
    members, rows = _fetch_connected(connection, changed)
    ids = {number: row.article_id for number, row in members.items()}
    joining = [
        StoryLink(a=ids[a], b=ids[b], score=score, is_certain=kind == LinkKind.SAME_TEXT)
        for a, b, kind, score in rows
        if kind in _JOINING_KINDS
    ]
    separated = [(ids[a], ids[b]) for a, b, kind, _ in rows if kind == LinkKind.SEPARATE]
    overrides = [
        StoryOverride(a=row.a, b=row.b, is_together=row.together)
        for row in _fetch_overrides(connection, set(ids.values()))
    ]
    groups = group_stories(ids.values(), [*joining, *_make_release_links(members.values())], separated, overrides)
    _write_story_numbers(connection, groups, {row.article_id: row for row in members.values()})


def list_certain_members(database: Database, article_id: str) -> frozenset[str]:
    """Return the ids of the articles that are certainly in an article's story, its own included.

    They are connected by certain links, by one release or by a person.
    """
    own = select(signatures.c.story).where(signatures.c.article_id == article_id).scalar_subquery()
    members = [MemberRow._make(row) for row in database.fetch_all(_SELECT_MEMBERS.where(signatures.c.story == own))]
    ids = {row.number: row.article_id for row in members}
    if len(ids) <= 1:
        return frozenset({article_id})
    between = _SELECT_LINKS.where(links.c.a.in_(ids), links.c.b.in_(ids), links.c.kind.in_(CERTAIN_KINDS))
    edges = [(ids[row.a], ids[row.b]) for row in database.fetch_all(between)]
    edges += [(link.a, link.b) for link in _make_release_links(members)]
    overrides = database.fetch_all(_make_overrides_query(set(ids.values())))
    edges += [(row.a, row.b) for row in overrides if row.together]
    return frozenset(_find_connected_ids(article_id, edges) & set(ids.values()))


def _find_connected_ids(article_id: str, edges: Iterable[tuple[str, str]]) -> set[str]:
    neighbours: dict[str, set[str]] = {}
    for one, other in edges:
        neighbours.setdefault(one, set()).add(other)
        neighbours.setdefault(other, set()).add(one)
    reached, left = {article_id}, [article_id]
    while left:
        new = neighbours.get(left.pop(), set()) - reached
        reached |= new
        left += new
    return reached


def _fetch_connected(
    connection: Connection, changed: Collection[int]
) -> tuple[dict[int, MemberRow], list[tuple[int, int, str, float]]]:
    """Return what links, releases, overrides or a former story connect with these articles, by number.

    Return also the links between them as (a, b, kind, score). Each is read once, with its first end.
    """
    members: dict[int, MemberRow] = {}
    found_links: list[tuple[int, int, str, float]] = []

    def get_neighbours(numbers: set[int]) -> set[int]:
        rows = [MemberRow(*row) for row in _FETCH_MEMBERS.fetch(connection, numbers)]
        members.update({row.number: row for row in rows})
        starting: list[Any] = [*_FETCH_LINKS_FROM.fetch(connection, numbers)]
        found_links.extend(starting)
        found = {b for _, b, kind, _ in starting if kind in _JOINING_KINDS}
        found |= {row[0] for row in _LIST_LINKED_BEFORE.fetch(connection, numbers)}
        ids = {row.article_id for row in rows}
        joined = [row for row in _fetch_overrides(connection, ids) if row.together]
        for query, values in (
            (_LIST_BY_ID, {article_id for row in joined for article_id in (row.a, row.b)} - ids),
            (_LIST_OF_RELEASE, {row.release_id for row in rows if row.release_id}),
            (_LIST_OF_STORY, {row.story for row in rows if row.story}),
        ):
            found |= {row[0] for row in query.fetch(connection, values)}
        return found

    find_connected(changed, get_neighbours)
    return members, [link for link in found_links if link[0] in members and link[1] in members]


def _fetch_overrides(connection: Connection, ids: set[str]) -> list[Row[Any]]:
    """Return a person's decisions about these articles, the oldest first."""
    return list(connection.execute(_make_overrides_query(ids)))


def _make_overrides_query(ids: set[str]) -> Select[Any]:
    query = _SELECT_OVERRIDES.where(or_(story_overrides.c.a.in_(ids), story_overrides.c.b.in_(ids)))
    return query.order_by(story_overrides.c.id)


def _make_release_links(members: Iterable[MemberRow]) -> list[StoryLink]:
    """Return links from the first article of each release to its other language versions."""
    first: dict[str, str] = {}
    found = []
    for row in sorted(members, key=lambda row: str(row.article_id)):
        if row.release_id:
            first_id = first.setdefault(row.release_id, row.article_id)
            if first_id != row.article_id:
                found.append(StoryLink(a=first_id, b=row.article_id, is_certain=True))
    return found


def _write_story_numbers(connection: Connection, groups: list[list[str]], rows: dict[str, MemberRow]) -> None:
    """Write each article's story. A story keeps the number that most of its members had; larger stories come first."""
    taken: set[int] = set()
    for members in sorted(groups, key=lambda members: (-len(members), members)):
        number = None
        if len(members) > 1:
            former = Counter(story for article_id in members if (story := rows[article_id].story))
            free = sorted((-count, story) for story, count in former.items() if story not in taken)
            number = free[0][1] if free else _add_story(connection)
            taken.add(number)
        changed = [rows[article_id].number for article_id in members if rows[article_id].story != number]
        if changed:
            connection.execute(update(signatures).where(signatures.c.number.in_(changed)).values(story=number))
    unused = {row.story for row in rows.values() if row.story} - taken
    if unused:
        connection.execute(delete(stories).where(stories.c.id.in_(unused)))


def _add_story(connection: Connection) -> int:
    key = connection.execute(insert(stories).values()).inserted_primary_key
    assert key is not None
    return int(key[0])
