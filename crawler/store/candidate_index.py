"""The index that finds an article's candidates: stored articles worth comparing with it.

Each look-up reads at most `MAX_CANDIDATES_PER_KEY` articles per key, the newest first. So the thousandth weather
report costs no more than the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from crawler.similarity.contradictions import MAX_DAYS_APART
from crawler.similarity.fingerprint import Fingerprint, is_candidate
from crawler.similarity.stories import find_connected
from crawler.store.schema import bands, boilerplate, links, passages, signatures, story_keys
from crawler.store.statements import make_insert_if_absent

MAX_CANDIDATES_PER_KEY = 64
MIN_SHARED_EVENT_KEYS = 2
"""Event keys that two articles must share to be compared as reports of the same event."""
MIN_BOILERPLATE_CLUSTERS = 4
"""A passage in this many clusters is boilerplate and does not count."""
MAX_QUOTING_ARTICLES_READ = 60
"""Articles with a passage, the first ones, that are read to count the passage's clusters."""
MAX_VALUES_PER_QUERY = 500

_GET_SIGNATURE = select(
    signatures.c.number,
    signatures.c.version,
    signatures.c.day,
    signatures.c.release_id,
    signatures.c.shingle_count,
    signatures.c.signature,
).where(signatures.c.article_id == bindparam("of_article"))
_UPDATE_SIGNATURE = update(signatures).where(signatures.c.number == bindparam("of_number"))
_LIST_WITH_PASSAGE = (
    select(passages.c.number, signatures.c.raw_cluster)
    .join_from(passages, signatures, passages.c.number == signatures.c.number)
    .where(passages.c.passage == bindparam("key"))
    .order_by(passages.c.number)
    .limit(MAX_QUOTING_ARTICLES_READ)
)
_ADD_BOILERPLATE = make_insert_if_absent(boilerplate)

FindBoilerplateOnly = Callable[[set[int]], set[int]]
"""Returns those of the articles that have almost no text beside passages in many articles."""


class ArticleSignature(NamedTuple):
    """The row of an article in `signatures`, without its clusters. `day` is `date.toordinal()`."""

    number: int
    version: int
    day: int
    release_id: str | None
    shingle_count: int
    signature: bytes


def get_signature(connection: Connection, article_id: str) -> ArticleSignature | None:
    """Return an article's signature, or None before its first clustering."""
    row = connection.execute(_GET_SIGNATURE, {"of_article": article_id}).first()
    return ArticleSignature(*row) if row else None


def save_signature(
    connection: Connection,
    article_id: str,
    version: int,
    day: int,
    release_id: str | None,
    new: Fingerprint,
    old: Fingerprint | None,
) -> int:
    """Replace an article's old fingerprint in the index by its new one. Return the article's number."""
    row: dict[str, Any] = {
        "version": version,
        "day": day,
        "release_id": release_id,
        "shingle_count": new.shingle_count,
        "signature": new.signature,
    }
    known = get_signature(connection, article_id)
    if known is None:
        start = {"article_id": article_id, "raw_cluster": 0, "cluster": 0, "story": None}
        key = connection.execute(insert(signatures), {**row, **start}).inserted_primary_key
        assert key is not None
        number = int(key[0])
        own_cluster = {"raw_cluster": number, "cluster": number}
        connection.execute(_UPDATE_SIGNATURE, {"of_number": number, **own_cluster})
    else:
        number = known.number
        connection.execute(_UPDATE_SIGNATURE, {"of_number": number, **row})
        if old is not None:
            _delete_keys(connection, number, known.day, old)
    for table, column, values, others in (
        (bands, "band", new.bands, {}),
        (story_keys, "key", new.event_keys, {"day": day}),
        (passages, "passage", new.passages, {}),
    ):
        if values:
            rows = [{column: value, "number": number, **others} for value in values]
            connection.execute(insert(table), rows)
    return number


def _delete_keys(connection: Connection, number: int, day: int, old: Fingerprint) -> None:
    # By key: none of these tables has an index on the number.
    for table, column, values in ((bands, "band", old.bands), (passages, "passage", old.passages)):
        connection.execute(delete(table).where(table.c[column].in_(values), table.c.number == number))
    of_article = (story_keys.c.day == day, story_keys.c.number == number)
    connection.execute(delete(story_keys).where(story_keys.c.key.in_(old.event_keys), *of_article))


def list_candidates(connection: Connection, own: ArticleSignature, fingerprint: Fingerprint) -> list[int]:
    """Return the numbers of the articles worth comparing with this one, in ascending order."""
    same_band = _count_shared_keys(connection, "bands", "band", fingerprint.bands).keys()
    similar = {row.number for row in _fetch_signatures(connection, same_band) if _is_similar(own, row)}
    near_days = f" AND day BETWEEN {own.day - MAX_DAYS_APART} AND {own.day + MAX_DAYS_APART}"
    shared = _count_shared_keys(connection, "story_keys", "key", fingerprint.event_keys, near_days)
    same_event = {number for number, count in shared.items() if count >= MIN_SHARED_EVENT_KEYS}
    same_release: set[int] = set()
    if own.release_id is not None:
        query = select(signatures.c.number).where(signatures.c.release_id == own.release_id)
        newest = query.order_by(signatures.c.number.desc()).limit(MAX_CANDIDATES_PER_KEY)
        same_release = {row.number for row in connection.execute(newest)}
    return sorted((similar | same_event | same_release) - {own.number})


def _is_similar(own: ArticleSignature, row: Any) -> bool:
    return is_candidate(own.signature, bytes(row.signature), (own.shingle_count, row.shingle_count))


def _fetch_signatures(connection: Connection, numbers: Collection[int]) -> Iterable[Any]:
    query = select(signatures.c.number, signatures.c.shingle_count, signatures.c.signature)
    for chunk in _split_chunks(sorted(numbers)):
        yield from connection.execute(query.where(signatures.c.number.in_(chunk)))


def _count_shared_keys(
    connection: Connection, table: str, column: str, keys: Sequence[int], condition: str = ""
) -> Counter[int]:
    """Return how many of these keys each article has.

    The keys are integers of this program, so they can be part of the SQL text; their number varies.
    """
    if not keys:
        return Counter()
    parts = (
        f"SELECT number FROM (SELECT number FROM {table} WHERE {column} = {int(key)}{condition} "
        f"ORDER BY number DESC LIMIT {MAX_CANDIDATES_PER_KEY}) AS of_{position}"
        for position, key in enumerate(keys)
    )
    # Each query is new text, so SQLAlchemy's cache of compiled statements would never have it.
    return Counter(row[0] for row in connection.exec_driver_sql(" UNION ALL ".join(parts)))


def get_boilerplate(connection: Connection, keys: Collection[int]) -> frozenset[int]:
    """Return which of these passages are boilerplate."""
    found: set[int] = set()
    for chunk in _split_chunks(sorted(keys)):
        listed = ", ".join(str(int(key)) for key in chunk)
        query = f"SELECT passage FROM boilerplate WHERE passage IN ({listed})"
        found.update(row[0] for row in connection.exec_driver_sql(query))
    return frozenset(found)


def update_boilerplate(connection: Connection, keys: Collection[int], find_ignored: FindBoilerplateOnly) -> set[int]:
    """Write which of these passages are boilerplate now. Return the articles for which that has changed.

    Boilerplate-only articles do not count: they resemble everyone who quotes them, and would join the others into one
    cluster.
    """
    former = get_boilerplate(connection, keys)
    changed: set[int] = set()
    for key in sorted(former | get_frequent_passages(connection, keys)):
        rows = connection.execute(_LIST_WITH_PASSAGE, {"key": key}).all()
        clusters = {row.number: row.raw_cluster for row in rows}
        is_boilerplate = _count_clusters(connection, clusters, find_ignored) >= MIN_BOILERPLATE_CLUSTERS
        was_cut_off = not is_boilerplate and len(rows) == MAX_QUOTING_ARTICLES_READ
        if is_boilerplate == (key in former) or was_cut_off:
            continue
        if is_boilerplate:
            connection.execute(_ADD_BOILERPLATE[connection.dialect.name], {"passage": key})
        else:
            connection.execute(delete(boilerplate).where(boilerplate.c.passage == key))
        changed.update(row.number for row in rows)
    return changed


def _count_clusters(connection: Connection, clusters: dict[int, int], find_ignored: FindBoilerplateOnly) -> int:
    """Return how many clusters these articles (number → raw cluster) are in without the boilerplate-only ones."""
    ignored = find_ignored(set(clusters)) if len(clusters) >= MIN_BOILERPLATE_CLUSTERS else set()
    if not ignored:
        return len(set(clusters.values()))
    left = clusters.keys() - ignored
    neighbours: dict[int, set[int]] = {}
    for a, b in connection.execute(select(links.c.a, links.c.b).where(links.c.raw, links.c.a.in_(left))):
        if b in left:
            neighbours.setdefault(a, set()).add(b)
            neighbours.setdefault(b, set()).add(a)
    count = 0

    def list_neighbours(numbers: Iterable[int]) -> set[int]:
        return set().union(*(neighbours.get(number, set()) for number in numbers))

    while left:
        left -= find_connected([min(left)], list_neighbours)
        count += 1
    return count


def get_frequent_passages(connection: Connection, keys: Collection[int]) -> frozenset[int]:
    """Return which of these passages are in at least `MIN_BOILERPLATE_CLUSTERS` articles.

    The query asks whether a passage has a row with that number, and the index ends after it. A count would read a
    hundred thousand rows for a passage that ends every tenth article of a million.
    """
    found: set[int] = set()
    for chunk in _split_chunks(sorted(keys)):
        values = ", ".join(f"({int(key)})" for key in chunk)
        nth = f"SELECT number FROM passages WHERE passage = asked.key LIMIT 1 OFFSET {MIN_BOILERPLATE_CLUSTERS - 1}"
        query = f"WITH asked(key) AS (VALUES {values}) SELECT key FROM asked WHERE ({nth}) IS NOT NULL"
        found.update(row[0] for row in connection.exec_driver_sql(query))
    return frozenset(found)


def _split_chunks(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return (values[start : start + MAX_VALUES_PER_QUERY] for start in range(0, len(values), MAX_VALUES_PER_QUERY))
