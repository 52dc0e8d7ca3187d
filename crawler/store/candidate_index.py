"""The index that finds an article's candidates: stored articles worth comparing with it.

Each look-up reads at most `MAX_CANDIDATES_PER_KEY` articles per key, the newest first. So the thousandth weather
report costs no more than the first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from crawler.similarity.fingerprint import BAND_COUNT, MAX_DAYS_APART, MAX_EVENT_KEYS, Fingerprint, is_candidate
from crawler.similarity.stories import find_connected
from crawler.store.schema import bands, boilerplate, links, passages, signatures, story_keys
from crawler.store.statements import KeyQuery, PreparedStatement, make_in_query, make_insert_if_absent

MAX_CANDIDATES_PER_KEY = 64
MIN_SHARED_EVENT_KEYS = 2
"""Event keys that two articles must share to be compared as reports of the same event."""
MIN_BOILERPLATE_CLUSTERS = 4
"""A passage in this many clusters is boilerplate and does not count."""
MAX_SAMPLED_CLUSTERS = 2 * MIN_BOILERPLATE_CLUSTERS
"""Clusters with a passage, the first ones, that are tried before all are counted."""
MAX_QUOTING_ARTICLES_READ = 60
"""Articles with a passage, the first ones, that are read to count the passage's clusters."""

_GET_SIGNATURE = PreparedStatement(
    select(
        signatures.c.number,
        signatures.c.version,
        signatures.c.day,
        signatures.c.release_id,
        signatures.c.shingle_count,
        signatures.c.signature,
    ).where(signatures.c.article_id == bindparam("of_article"))
)
_ADD_SIGNATURE = insert(signatures)
_UPDATE_SIGNATURE = update(signatures).where(signatures.c.number == bindparam("of_number"))
_SET_CLUSTERS = PreparedStatement(
    _UPDATE_SIGNATURE.values(raw_cluster=bindparam("own_cluster"), cluster=bindparam("own_cluster"))
)
_ADD_KEYS = {table.name: PreparedStatement(insert(table)) for table in (bands, story_keys, passages)}
_LIST_OF_RELEASE = PreparedStatement(
    select(signatures.c.number)
    .where(signatures.c.release_id == bindparam("of_release"))
    .order_by(signatures.c.number.desc())
    .limit(MAX_CANDIDATES_PER_KEY)
)
_LIST_WITH_PASSAGE = PreparedStatement(
    select(passages.c.number, signatures.c.raw_cluster)
    .join_from(passages, signatures, passages.c.number == signatures.c.number)
    .where(passages.c.passage == bindparam("key"))
    .order_by(passages.c.number)
    .limit(MAX_QUOTING_ARTICLES_READ)
)
_ADD_BOILERPLATE = make_insert_if_absent(boilerplate)


def _make_union(table: str, condition: str) -> Callable[[int], str]:
    """Return a function that makes the query for the newest articles of each key."""
    part = (
        f"SELECT number FROM (SELECT number FROM {table} WHERE {condition} "
        f"ORDER BY number DESC LIMIT {MAX_CANDIDATES_PER_KEY}) AS of_"
    )
    return lambda size: " UNION ALL ".join(f"{part}{position}" for position in range(size))


def _make_count_query(size: int) -> str:
    """Return the query for the articles that share enough keys, of those that `_make_union` finds."""
    union = _make_union("story_keys", "key = ? AND day BETWEEN ? AND ?")(size)
    return f"SELECT number FROM ({union}) AS of_all GROUP BY number HAVING count(*) >= {MIN_SHARED_EVENT_KEYS}"


def _make_frequent_passages_query(size: int) -> str:
    nth = f"SELECT number FROM passages WHERE passage = asked.key LIMIT 1 OFFSET {MIN_BOILERPLATE_CLUSTERS - 1}"
    values = ", ".join(["(CAST(? AS BIGINT))"] * size)
    return f"WITH asked(key) AS (VALUES {values}) SELECT key FROM asked WHERE ({nth}) IS NOT NULL"


_LIST_IN_BANDS = KeyQuery(_make_union("bands", "band = ?"), (BAND_COUNT,))
_LIST_WITH_EVENT_KEYS = KeyQuery(_make_count_query, (8, MAX_EVENT_KEYS))  # MAX_EVENT_KEYS: never two queries
_FETCH_SIGNATURES = make_in_query("SELECT number, shingles, signature FROM signatures WHERE number IN ({keys})")
_FETCH_BOILERPLATE = make_in_query("SELECT passage FROM boilerplate WHERE passage IN ({keys})")
_FETCH_FREQUENT_PASSAGES = KeyQuery(_make_frequent_passages_query, (8, 64, 500))
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
    row = _GET_SIGNATURE.execute(connection, {"of_article": article_id}).fetchone()
    return ArticleSignature(*row) if row else None


def save_signature(
    connection: Connection,
    article_id: str,
    version: int,
    day: int,
    release_id: str | None,
    new: Fingerprint,
    former: ArticleSignature | None = None,
    old: Fingerprint | None = None,
) -> ArticleSignature:
    """Add an article to the index, or replace its former signature and old fingerprint. Return its signature."""
    row: dict[str, Any] = {
        "version": version,
        "day": day,
        "release_id": release_id,
        "shingle_count": new.shingle_count,
        "signature": new.signature,
    }
    if former is None:
        start = {"article_id": article_id, "raw_cluster": 0, "cluster": 0, "story": None}
        key = connection.execute(_ADD_SIGNATURE, {**row, **start}).inserted_primary_key
        assert key is not None
        number = int(key[0])
        _SET_CLUSTERS.execute(connection, {"of_number": number, "own_cluster": number})
    else:
        number = former.number
        connection.execute(_UPDATE_SIGNATURE, {"of_number": number, **row})
        if old is not None:
            _delete_keys(connection, number, former.day, old)
    for table, column, values, others in (
        ("bands", "band", new.bands, {}),
        ("story_keys", "key", new.event_keys, {"day": day}),
        ("passages", "passage", new.passages, {}),
    ):
        _ADD_KEYS[table].execute_many(connection, [{column: value, "number": number, **others} for value in values])
    return ArticleSignature(number=number, **row)


def _delete_keys(connection: Connection, number: int, day: int, old: Fingerprint) -> None:
    # By key: none of these tables has an index on the number.
    for table, column, values in ((bands, "band", old.bands), (passages, "passage", old.passages)):
        connection.execute(delete(table).where(table.c[column].in_(values), table.c.number == number))
    of_article = (story_keys.c.day == day, story_keys.c.number == number)
    connection.execute(delete(story_keys).where(story_keys.c.key.in_(old.event_keys), *of_article))


def list_candidates(connection: Connection, own: ArticleSignature, fingerprint: Fingerprint) -> list[int]:
    """Return the numbers of the articles worth comparing with this one, in ascending order."""
    same_band = {row[0] for row in _LIST_IN_BANDS.fetch(connection, fingerprint.bands)} - {own.number}
    similar = {row[0] for row in _FETCH_SIGNATURES.fetch(connection, same_band) if _is_similar(own, row)}
    days = (own.day - MAX_DAYS_APART, own.day + MAX_DAYS_APART)
    same_event = {row[0] for row in _LIST_WITH_EVENT_KEYS.fetch(connection, fingerprint.event_keys, *days)}
    same_release: set[int] = set()
    if own.release_id is not None:
        rows = _LIST_OF_RELEASE.fetch_all(connection, {"of_release": own.release_id})
        same_release = {row[0] for row in rows}
    return sorted((similar | same_event | same_release) - {own.number})


def _is_similar(own: ArticleSignature, row: Any) -> bool:
    _, shingle_count, signature = row
    return is_candidate(own.signature, bytes(signature), (own.shingle_count, shingle_count))


class BoilerplateIndex:
    """Which passages are boilerplate. It is made for one transaction, and remembers what it has read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._read_texts: set[frozenset[int]] = set()
        self._read: set[int] = set()
        self._boilerplate: set[int] = set()
        self._is_frequent: dict[int, bool] = {}

    def list_known(self, texts: Iterable[frozenset[int]]) -> frozenset[int]:
        """Return all boilerplate that is known, with that among the passages of these texts."""
        new_texts = set(texts) - self._read_texts
        new = set().union(*new_texts) - self._read
        self._boilerplate.update(row[0] for row in _FETCH_BOILERPLATE.fetch(self._connection, new))
        self._read |= new
        self._read_texts |= new_texts
        return frozenset(self._boilerplate)

    def list_frequent(self, keys: Collection[int]) -> frozenset[int]:
        """Return which of these passages are in at least `MIN_BOILERPLATE_CLUSTERS` articles.

        The query asks whether a passage has a row with that number, and the index ends after it. A count would read a
        hundred thousand rows for a passage that ends every tenth article of a million.
        """
        new = [key for key in keys if key not in self._is_frequent]
        self._is_frequent |= dict.fromkeys(new, False)
        self._is_frequent |= {row[0]: True for row in _FETCH_FREQUENT_PASSAGES.fetch(self._connection, new)}
        return frozenset(key for key in keys if self._is_frequent[key])

    def forget_frequent(self, fingerprint: Fingerprint) -> None:
        """Count the passages of an article again, because it was added to the index or removed from it."""
        for key in fingerprint.passages:
            self._is_frequent.pop(key, None)

    def update(self, keys: Collection[int], find_ignored: FindBoilerplateOnly) -> set[int]:
        """Write which of these passages are boilerplate now. Return the articles for which that has changed.

        Boilerplate-only articles do not count: they resemble everyone who quotes them, and would join the others into
        one cluster.
        """
        former = self.list_known([frozenset(keys)]).intersection(keys)
        changed: set[int] = set()
        for key in sorted(former | self.list_frequent(keys)):
            clusters: dict[int, int] = dict(_LIST_WITH_PASSAGE.fetch_all(self._connection, {"key": key}))
            is_boilerplate = (
                has_enough_clusters(clusters, find_ignored)
                or _count_clusters(self._connection, clusters, find_ignored) >= MIN_BOILERPLATE_CLUSTERS
            )
            was_cut_off = not is_boilerplate and len(clusters) == MAX_QUOTING_ARTICLES_READ
            if is_boilerplate == (key in former) or was_cut_off:
                continue
            self._write(key, is_boilerplate)
            changed.update(clusters)
        return changed

    def _write(self, key: int, is_boilerplate: bool) -> None:
        if is_boilerplate:
            self._connection.execute(_ADD_BOILERPLATE[self._connection.dialect.name], {"passage": key})
            self._boilerplate.add(key)
        else:
            self._connection.execute(delete(boilerplate).where(boilerplate.c.passage == key))
            self._boilerplate.discard(key)


def has_enough_clusters(clusters: dict[int, int], find_ignored: FindBoilerplateOnly) -> bool:
    """Return whether one article each of a few clusters proves that there are enough of them. False proves nothing.

    A raw cluster never has less than what raw links connect. So `_count_clusters` counts each of these clusters.
    """
    one_of_each = {cluster: number for number, cluster in sorted(clusters.items(), reverse=True)}
    sample = sorted(one_of_each.values())[:MAX_SAMPLED_CLUSTERS]
    if len(sample) < MIN_BOILERPLATE_CLUSTERS:
        return False
    return len(sample) - len(find_ignored(set(sample))) >= MIN_BOILERPLATE_CLUSTERS


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
