"""How stories are built from links, releases and a person's decisions, and how they keep their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, or_, select, update

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
_IS_JOINING = f"kind IN ({', '.join(repr(kind.value) for kind in _JOINING_KINDS)})"
_FETCH_MEMBERS = make_in_query(
    "SELECT number, article_id, identity AS release_id, story FROM signatures WHERE number IN ({keys})"
)
_FETCH_LINKS_FROM = make_in_query(f"SELECT a, b, score, kind FROM links WHERE a IN ({{keys}}) AND {_IS_JOINING}")
_FETCH_LINKS_TO = make_in_query(f"SELECT a, b, score, kind FROM links WHERE b IN ({{keys}}) AND {_IS_JOINING}")
_LIST_LINKED_AFTER = make_in_query(
    f"SELECT b, min(a), max(a) FROM links WHERE a IN ({{keys}}) AND {_IS_JOINING} GROUP BY b"
)
_LIST_BEFORE = make_in_query("SELECT DISTINCT a FROM links WHERE b IN ({keys})")  # reads the index alone
_LIST_SEPARATED = make_in_query(f"SELECT a, b FROM links WHERE a IN ({{keys}}) AND kind = '{LinkKind.SEPARATE.value}'")
_LIST_BY_ID, _LIST_OF_RELEASE, _LIST_OF_STORY = (
    make_in_query(f"SELECT number FROM signatures WHERE {column} IN ({{keys}})")
    for column in ("article_id", "identity", "story")
)
_LIST_OVERRIDES = [
    make_in_query(f"SELECT id, a, b, together FROM overrules WHERE undone_at IS NULL AND {end} IN ({{keys}})")
    for end in ("a", "b")
]
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
    """Build the stories of these articles, and of all that is connected with them, in the caller's transaction.

    Where nothing is separated, a story is what links connect, and few of them show that.
    """
    members, pairs = _fetch_connected(connection, changed)
    ids = {number: row.article_id for number, row in members.items()}
    separated = [(ids[a], ids[b]) for a, b in _LIST_SEPARATED.fetch(connection, ids) if b in ids]
    overrides = _fetch_overrides(connection, ids.values())
    joining = _make_release_links(members.values())
    if separated or not all(override.is_together for override in overrides):
        joining += _make_links(ids, _FETCH_LINKS_FROM.fetch(connection, ids))
    else:
        joining += _list_connecting_links(connection, ids, pairs)
    groups = group_stories(ids.values(), joining, separated, overrides)
    _write_story_numbers(connection, groups, {row.article_id: row for row in members.values()})


def _list_connecting_links(
    connection: Connection, ids: Mapping[int, str], pairs: Collection[tuple[int, int]]
) -> list[StoryLink]:
    """Return links that connect the same articles as all links do. `pairs` are ends of some links.

    What a link connects beside these pairs has an end outside of the greatest group. So most links of a story of
    hundreds are not read.
    """
    found = [StoryLink(ids[a], ids[b]) for a, b in pairs if a in ids and b in ids]
    greatest = set(max(group_stories(ids.values(), found), key=len, default=()))
    others = [number for number, article_id in ids.items() if article_id not in greatest]
    for query in (_FETCH_LINKS_FROM, _FETCH_LINKS_TO):
        found += _make_links(ids, query.fetch(connection, others))
    return found


def _make_links(ids: Mapping[int, str], rows: Iterable[tuple[Any, ...]]) -> list[StoryLink]:
    return [
        StoryLink(ids[a], ids[b], score, kind == LinkKind.SAME_TEXT)
        for a, b, score, kind in rows
        if a in ids and b in ids
    ]


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
    overrides = database.fetch_all(
        _SELECT_OVERRIDES.where(or_(story_overrides.c.a.in_(ids.values()), story_overrides.c.b.in_(ids.values())))
    )
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
) -> tuple[dict[int, MemberRow], list[tuple[int, int]]]:
    """Return what links, releases, overrides or a former story connect with these articles, by number.

    Return also the ends of some links between them: of those that lead to an article, from the first and the last one.
    """
    members: dict[int, MemberRow] = {}
    pairs: list[tuple[int, int]] = []

    def get_neighbours(numbers: set[int]) -> set[int]:
        rows = [MemberRow(*row) for row in _FETCH_MEMBERS.fetch(connection, numbers)]
        members.update({row.number: row for row in rows})
        found: set[int] = set()
        for b, first, last in _LIST_LINKED_AFTER.fetch(connection, numbers):
            found.add(b)
            pairs.extend(((first, b), (last, b)))
        ids = {row.article_id for row in rows}
        joined = [each for each in _fetch_overrides(connection, ids) if each.is_together]
        for query, values in (
            (_LIST_BY_ID, {article_id for each in joined for article_id in (each.a, each.b)} - ids),
            (_LIST_OF_RELEASE, {row.release_id for row in rows if row.release_id}),
            (_LIST_OF_STORY, {row.story for row in rows if row.story}),
        ):
            found |= {row[0] for row in query.fetch(connection, values)}
        # The kind of a link is read only where the link leads to an article that is not known otherwise.
        before = {row[0] for row in _LIST_BEFORE.fetch(connection, numbers)} - members.keys() - found
        found |= {row[0] for row in _FETCH_LINKS_FROM.fetch(connection, before) if row[1] in numbers}
        return found

    find_connected(changed, get_neighbours)
    return members, pairs


def _fetch_overrides(connection: Connection, ids: Collection[str]) -> list[StoryOverride]:
    """Return a person's decisions about these articles, the oldest first."""
    rows = {row for query in _LIST_OVERRIDES for row in query.fetch(connection, ids)}
    return [StoryOverride(a=a, b=b, is_together=bool(together)) for _, a, b, together in sorted(rows)]


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
