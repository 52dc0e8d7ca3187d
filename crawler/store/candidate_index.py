"""Where an article's likes are looked for, and the rows by which others will find it.

Every look-up takes at most `CROWD` articles a key, the latest first, so that the thousandth weather report costs no
more than the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, text, update

from crawler.similarity.event_overlap import MAX_DAYS_APART
from crawler.similarity.fingerprint import Fingerprint, is_candidate
from crawler.similarity.stories import find_connected
from crawler.store.schema import bands, boilerplate, links, passages, signatures, story_keys
from crawler.store.statements import make_insert_if_absent

MAX_CANDIDATES_PER_KEY = 64
MIN_SHARED_EVENT_KEYS = 2
"""Keys that two articles must share to be compared as reports of one event."""
MIN_BOILERPLATE_CLUSTERS = 4
"""A passage that stands in so many clusters counts nowhere."""
MAX_QUOTING_ARTICLES_READ = 60
"""Articles that are looked at to see in how many clusters a passage stands, the first ones."""
MAX_VALUES_PER_QUERY = 500
"""Rows a question asks for at most."""

_MINE = (select(
        signatures.c.number,
        signatures.c.version,
        signatures.c.day,
        signatures.c.identity,
        signatures.c.shingles,
        signatures.c.signature,
    ).where(signatures.c.article_id == bindparam("at")))
_ADD = insert(signatures)
_CHANGE = (update(signatures).where(signatures.c.number == bindparam("at")))
_OWN_CLUSTER = (update(signatures).where(signatures.c.number == bindparam("at")))
_ADD_BANDS, _ADD_KEYS, _ADD_PASSAGES = ((insert(table)) for table in (bands, story_keys, passages))
_WITH_PASSAGE = (
    select(passages.c.number, signatures.c.raw_cluster)
    .join_from(passages, signatures, passages.c.number == signatures.c.number)
    .where(passages.c.passage == bindparam("key"))
    .order_by(passages.c.number)
    .limit(MAX_QUOTING_ARTICLES_READ)
)
_FLAG = make_insert_if_absent(boilerplate)


class ArticleSignature(NamedTuple):
    """The row of an article in `signatures`, without its clusters."""

    number: int
    version: int
    day: int
    identity: str | None
    shingles: int
    signature: bytes


def get_signature(connection: Connection, article_id: str) -> ArticleSignature | None:
    """What is kept of an article, None before it was judged first."""
    rows = connection.execute(_MINE, {"at": article_id}).all()
    return ArticleSignature(*rows[0]) if rows else None


def save_signature(
    connection: Connection,
    article_id: str,
    version: int,
    day: int,
    identity: str | None,
    new: Fingerprint,
    old: Fingerprint | None,
) -> int:
    """Keep the trace of an article's text in place of the one of its last text; the article's number."""
    row: dict[str, Any] = {"version": version, "day": day, "identity": identity}
    row |= {"shingles": new.shingle_count, "signature": new.signature}
    known = get_signature(connection, article_id)
    if known is None:
        start = {"article_id": article_id, "raw_cluster": 0, "cluster": 0, "story": None}
        key = connection.execute(_ADD, {**row, **start}).inserted_primary_key
        assert key is not None
        number = int(key[0])
        connection.execute(_OWN_CLUSTER, {"at": number, "raw_cluster": number, "cluster": number})
    else:
        number = known.number
        connection.execute(_CHANGE, {**row, "at": number})
        _take_away(connection, number, known.day, old)
    for statement, name, values, more in (
        (_ADD_BANDS, "band", new.bands, {}),
        (_ADD_KEYS, "key", new.event_keys, {"day": day}),
        (_ADD_PASSAGES, "passage", new.passages, {}),
    ):
        if values:
            connection.execute(statement, [{name: value, "number": number, **more} for value in values])
    return number


def _take_away(connection: Connection, number: int, day: int, old: Fingerprint | None) -> None:
    """Remove the rows of the last text; found by their keys, since none of these tables is kept by number."""
    if old is None:
        return
    for table, column, values in ((bands, "band", old.bands), (passages, "passage", old.passages)):
        gone = delete(table).where(table.c[column].in_(values), table.c.number == number)
        connection.execute(gone)
    same = (story_keys.c.day == day, story_keys.c.number == number)
    connection.execute(delete(story_keys).where(story_keys.c.key.in_(old.event_keys), *same))


def list_candidates(connection: Connection, mine: ArticleSignature, trace: Fingerprint) -> list[int]:
    """The numbers of the articles worth comparing with this one, in order."""
    found = _crowds(connection, "bands", "band", trace.bands).keys() - {mine.number}
    alike = {row.number for row in _signatures(connection, found) if _is_like(mine, row)}
    days = f" AND day BETWEEN {mine.day - MAX_DAYS_APART} AND {mine.day + MAX_DAYS_APART}"
    named = _crowds(connection, "story_keys", "key", trace.event_keys, days)
    told = {number for number, times in named.items() if times >= MIN_SHARED_EVENT_KEYS}
    kin: set[int] = set()
    if mine.identity is not None:
        same = select(signatures.c.number).where(signatures.c.identity == mine.identity).limit(MAX_CANDIDATES_PER_KEY)
        kin = {row[0] for row in connection.execute(same)}
    return sorted((alike | told | kin) - {mine.number})


def _is_like(mine: ArticleSignature, row: Any) -> bool:
    return is_candidate(mine.signature, bytes(row.signature), (mine.shingles, row.shingles))


def _signatures(connection: Connection, numbers: Collection[int]) -> Iterable[Any]:
    query = select(signatures.c.number, signatures.c.shingles, signatures.c.signature)
    for some in _by_many(sorted(numbers)):
        yield from connection.execute(query.where(signatures.c.number.in_(some)))


def _crowds(connection: Connection, table: str, column: str, values: Sequence[int], more: str = "") -> Counter[int]:
    """How many of the keys each number stands under. Keys are integers of ours, written out: they vary in number."""
    if not values:
        return Counter()
    parts = (
        f"SELECT number FROM (SELECT number FROM {table} WHERE {column} = {int(value)}{more} "
        f"ORDER BY number DESC LIMIT {MAX_CANDIDATES_PER_KEY}) AS of_{at}"
        for at, value in enumerate(values)
    )
    return Counter(row[0] for row in connection.execute(text(" UNION ALL ".join(parts))))


def get_boilerplate(connection: Connection, keys: Collection[int]) -> frozenset[int]:
    """Which of these passages stand everywhere."""
    found: set[int] = set()
    for some in _by_many(sorted(keys)):
        found.update(row[0] for row in connection.execute(select(boilerplate).where(boilerplate.c.passage.in_(some))))
    return frozenset(found)


def update_boilerplate(
    connection: Connection, keys: Collection[int], hollow: Callable[[set[int]], set[int]]
) -> set[int]:
    """See which of these passages stand in enough clusters now; the numbers of the articles for which that changed.

    `hollow` says which articles have next to nothing but such passages: those are like everyone who quotes them, and
    must not tie all the others into one cluster.
    """
    flagged = get_boilerplate(connection, keys)
    changed: set[int] = set()
    for key in sorted(flagged | get_frequent_passages(connection, keys)):
        rows = connection.execute(_WITH_PASSAGE, {"key": key}).all()
        stands = _clusters(connection, dict(map(tuple, rows)), hollow) >= MIN_BOILERPLATE_CLUSTERS
        if stands == (key in flagged) or (not stands and len(rows) == MAX_QUOTING_ARTICLES_READ):
            continue
        if stands:
            connection.execute(_FLAG[connection.dialect.name], {"passage": key})
        else:
            connection.execute(delete(boilerplate).where(boilerplate.c.passage == key))
        changed.update(row.number for row in rows)
    return changed


def _clusters(
    connection: Connection,
    of: dict[int, int],
    hollow: Callable[[set[int]], set[int]],
) -> int:
    """How many clusters these articles (number → raw cluster) are in, the hollow ones left aside."""
    aside = hollow(set(of)) if len(of) >= MIN_BOILERPLATE_CLUSTERS else set()
    if not aside:
        return len(set(of.values()))
    left = of.keys() - aside
    near: dict[int, set[int]] = {}
    for a, b in connection.execute(select(links.c.a, links.c.b).where(links.c.raw, links.c.a.in_(left))):
        if b in left:
            near.setdefault(a, set()).add(b)
            near.setdefault(b, set()).add(a)
    count = 0
    while left:
        left -= find_connected([min(left)], near)
        count += 1
    return count


def get_frequent_passages(connection: Connection, keys: Collection[int]) -> frozenset[int]:
    """Which of these passages stand in as many articles as it takes clusters.

    Not counted: a passage that ends every tenth article of a million would be read a hundred thousand times.
    """
    found: set[int] = set()
    for some in _by_many(sorted(keys)):
        asked = ", ".join(f"({int(key)})" for key in some)
        last = f"SELECT number FROM passages WHERE passage = asked.key LIMIT 1 OFFSET {MIN_BOILERPLATE_CLUSTERS - 1}"
        query = f"WITH asked(key) AS (VALUES {asked}) SELECT key FROM asked WHERE ({last}) IS NOT NULL"
        found.update(row[0] for row in connection.execute(text(query)))
    return frozenset(found)


def _by_many(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return (values[start : start + MAX_VALUES_PER_QUERY] for start in range(0, len(values), MAX_VALUES_PER_QUERY))


__all__ = [
    "ArticleSignature",
    "list_candidates",
    "get_signature",
    "get_frequent_passages",
    "get_boilerplate",
    "save_signature",
    "update_boilerplate",
]
