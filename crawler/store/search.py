"""Search in every stored version, the newest first."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import chain, repeat
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Select, TextClause, column, func, select, text

from crawler.items import Article, Strength, Verdict
from crawler.keywords.index_query import EVERYTHING, IndexFacet, IndexNode, IndexNot, WordRange, join_and, join_or
from crawler.keywords.search_query import SearchedState
from crawler.store.database import Database
from crawler.store.schema import articles, matches, signatures, versions
from crawler.store.search_index import (
    INDEX_VERSION,
    NUMBERS_PER_MINUTE,
    compute_first_number,
    index_batch,
    reset_index,
    search_entries,
    search_state,
    unindexed_versions,
)
from crawler.store.search_syntax import format_fts5, format_tsquery
from crawler.store.serialization import parse_article

VERSIONS_PER_BATCH = 50
"""Versions that are indexed in one transaction. Other writers wait meanwhile."""
MAX_RANKED = 10_000
"""Newest hits among which the most relevant ones are chosen. Over all hits it would take up to a second."""
MAX_COUNTED = 10_000
NUMBERS_PER_READ = (25, 100, 500, 2000, 5000)
"""Numbers of hits to read: a page of results needs few, one with rare conditions many."""
FIRST_RANKED = 250
"""Most relevant hits that are asked for first. To give all numbers to this process takes as long as to rank them."""
MAX_NUMBER = 1 << 62
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIN_WINDOW = 2000
"""Newest entries in which PostgreSQL looks for hits first: it has to read and sort all that it finds."""
WINDOW_GROWTH = 20
"""How many times as many entries the second window has. The third one is all others."""
WINDOW_PER_HIT = 4
"""Entries of the first window for each hit that is wanted."""
MAX_DATES = 40
"""Days, or months, that a window may have. One that is longer has whole months, or years."""
MAX_WORDS_PER_RANGE = 5000
RANGES_PER_READ = 200
"""Ranges of words that one query reads. SQLite joins at most 500 queries."""
FIELD_RANKS = (10.0, 4.0, 1.0, 0.0)
"""What a word counts in title, lead, body and facets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchConditions:
    """What a hit must fulfil besides the words. Empty and None mean: any.

    `since` and `until` (aware) are compared with the article's time, `until` itself is excluded. `rules`: each of them
    has a strong match in the version. All of `states` must be true.
    """

    since: datetime | None = None
    until: datetime | None = None
    rules: tuple[str, ...] = ()
    stories: tuple[int, ...] = ()
    states: frozenset[SearchedState] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEntry:
    """A stored version that the index found. `current_version` and `current_verdict` are those of its article."""

    number: int
    """The entry's place: newer articles have higher numbers."""
    article: Article
    version: int
    seen_at: datetime
    dated_at: datetime
    current_version: int
    current_verdict: Verdict
    is_revised: bool
    """Whether the text of the article was ever revised."""
    story: int | None


class ArticleCount(NamedTuple):
    """A number of articles. Unless it is complete, there are more."""

    articles: int
    is_complete: bool


@dataclass(frozen=True, slots=True)
class IndexState:
    """How many versions the index has, and how many wait."""

    indexed: int
    waiting: int


_REVISION = versions.alias("revision")
_HAS_REVISION = (
    select(_REVISION.c.version)
    .where(_REVISION.c.article_id == search_entries.c.article_id, _REVISION.c.verdict == Verdict.REVISED)
    .correlate(search_entries)
    .exists()
)
_SELECT_ENTRIES = (
    select(
        search_entries.c.number,
        versions.c.article,
        versions.c.version,
        versions.c.seen_at,
        articles.c.dated_at,
        articles.c.current_version,
        articles.c.verdict,
        signatures.c.story,
        _HAS_REVISION.label("is_revised"),
    )
    .join_from(search_entries, articles, articles.c.id == search_entries.c.article_id)
    .join(
        versions,
        (versions.c.article_id == search_entries.c.article_id) & (versions.c.version == search_entries.c.version),
    )
    .outerjoin(signatures, signatures.c.article_id == search_entries.c.article_id)
)


_HAS_UNINDEXED = select(unindexed_versions.c.version).limit(1)
_FIND_TEXTS = text(
    "SELECT rowid FROM search_texts WHERE search_texts MATCH :query AND rowid >= :first AND rowid < :last"
    " ORDER BY rowid DESC LIMIT :limit"
)
_RANK_TEXTS = text(
    "SELECT rowid FROM search_texts WHERE search_texts MATCH :query AND rowid < :last AND rowid >="
    f" (SELECT min(rowid) FROM ({_FIND_TEXTS}))"
    f" ORDER BY bm25(search_texts, {', '.join(map(str, FIELD_RANKS))}), rowid DESC LIMIT :shown OFFSET :skipped"
)
_SQLITE_WORDS = "SELECT term FROM search_vocabulary WHERE term >= :first{0} AND term < :last{0}"
_POSTGRESQL_WORDS = "SELECT word FROM search_words WHERE word >= :first{0} AND word < :last{0}"
# `+ 0`: else the planner takes the primary key for the better index, and compares the vectors of the whole table.
# One text with all numbers: the driver takes ten times as long for ten thousand rows, or a list as a value.
_FIND_VECTORS = text(
    "SELECT string_agg(CAST(number AS text), ',' ORDER BY number DESC) FROM"
    " (SELECT number FROM search_vectors WHERE vector @@ CAST(:query AS tsquery) AND number + 0 >= :first"
    " AND number + 0 < :last ORDER BY number + 0 DESC LIMIT :limit) AS found"
)
_LIST_ENTRIES = text(
    "SELECT string_agg(CAST(number AS text), ',' ORDER BY number DESC) FROM (SELECT number FROM search_entries"
    " WHERE number >= :first AND number < :last ORDER BY number DESC LIMIT :limit) AS found"
)
_RANK_VECTORS = text(
    "SELECT number FROM search_vectors WHERE number = ANY(CAST(:numbers AS BIGINT[])) ORDER BY"
    f" ts_rank('{{{', '.join(str(rank / max(FIELD_RANKS)) for rank in reversed(FIELD_RANKS))}}}',"
    " vector, CAST(:query AS tsquery)) DESC, number DESC LIMIT :shown OFFSET :skipped"
)
_LIST_VALUES = text("SELECT unnest(CAST(:numbers AS BIGINT[])) AS rowid")
_LIST_NEWEST = text(
    "(SELECT number FROM search_entries WHERE number < :last ORDER BY number DESC LIMIT 1) UNION ALL"
    " (SELECT number FROM search_entries WHERE number < :last ORDER BY number DESC OFFSET :size LIMIT 1) UNION ALL"
    " (SELECT number FROM search_entries WHERE number < :last ORDER BY number DESC OFFSET :next LIMIT 1)"
)


class SearchRepository:
    """`store.search`. `store.articles.save` adds the entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def iter_newest(
        self, query: IndexNode, conditions: SearchConditions | None = None, *, before: int | None = None
    ) -> Iterator[SearchEntry]:
        """Yield what the index finds, the newest article first, of an article the newest version first.

        `before`: only entries with a lower number.
        """
        conditions = conditions or SearchConditions()
        read = 0
        while True:
            size = NUMBERS_PER_READ[min(read, len(NUMBERS_PER_READ) - 1)]
            numbers = self._index.list_numbers(query, conditions, before, size)
            yield from self._read_entries(numbers, conditions)
            if len(numbers) < size:
                return
            before, read = numbers[-1], read + 1

    def iter_most_relevant(self, query: IndexNode, conditions: SearchConditions | None = None) -> Iterator[SearchEntry]:
        """Yield the newest `MAX_RANKED` entries that the index finds, the most relevant first."""
        conditions = conditions or SearchConditions()
        for skipped, limit in ((0, FIRST_RANKED), (FIRST_RANKED, MAX_RANKED)):
            ranked = self._index.rank_numbers(query, conditions, skipped, limit)
            yield from self._read_in_parts(ranked, conditions)
            if len(ranked) < limit:
                return

    def iter_union(self, queries: Iterable[IndexNode], conditions: SearchConditions) -> Iterator[SearchEntry]:
        """Yield what the index finds for any of the queries, the newest first."""
        found: set[int] = set()
        for query in queries:
            found.update(self._index.list_all_numbers(query, conditions))
        yield from self._read_in_parts(sorted(found, reverse=True), conditions)

    def count_articles(self, query: IndexNode, conditions: SearchConditions | None = None) -> ArticleCount:
        """Return in how many articles the index finds something, among its newest `MAX_COUNTED` entries."""
        conditions = conditions or SearchConditions()
        found, values = self._index.select_numbers(query, conditions, MAX_COUNTED)
        counts = self._database.fetch_all(_select_counts(found, _make_row_conditions(conditions)), values)[0]
        return ArticleCount(counts.first + counts.later, is_complete=counts.found < MAX_COUNTED)

    def list_words(self, ranges: Collection[WordRange]) -> list[str]:
        """Return the words of the index in any of the ranges, in order, at most `MAX_WORDS_PER_RANGE` of each."""
        found: set[str] = set()
        wanted = sorted(ranges)
        for start in range(0, len(wanted), RANGES_PER_READ):
            found |= self._index.list_words(wanted[start : start + RANGES_PER_READ])
        return sorted(found)

    def get_state(self) -> IndexState:
        """Return how much is indexed."""
        counts = (
            self._database.fetch_all(select(func.count()).select_from(table))[0][0]
            for table in (search_entries, unindexed_versions)
        )
        return IndexState(*counts)

    def has_waiting(self) -> bool:
        """Return whether versions wait to be indexed, or the whole index has to be made again."""
        return bool(self._database.fetch_all(_HAS_UNINDEXED)) or self._is_outdated()

    def index_pending(self, should_stop: Callable[[], bool] = lambda: False) -> int:
        """Index the versions that wait, the newest first, a batch a transaction. Return how many this call indexed.

        `should_stop` is asked after each batch. What a process that was killed had not indexed still waits.
        """
        if self._is_outdated():
            self.reset()
        count = 0
        while self._database.fetch_all(_HAS_UNINDEXED):
            with self._database.transaction() as connection:
                count += index_batch(connection, VERSIONS_PER_BATCH)
            if should_stop():
                break
        return count

    def reset(self) -> None:
        """Empty the index and let every version wait to be indexed."""
        with self._database.transaction(exclusive=True) as connection:
            reset_index(connection)

    def _is_outdated(self) -> bool:
        """Return whether the index has texts of another folding than today's."""
        return [row.folding for row in self._database.fetch_all(select(search_state.c.folding))] != [INDEX_VERSION]

    def _read_in_parts(self, numbers: Sequence[int], conditions: SearchConditions) -> Iterator[SearchEntry]:
        """Yield the entries of many numbers, first few, then more at once."""
        done = 0
        for size in chain(NUMBERS_PER_READ, repeat(NUMBERS_PER_READ[-1])):
            if done >= len(numbers):
                return
            yield from self._read_entries(numbers[done : done + size], conditions)
            done += size

    def _read_entries(self, numbers: Sequence[int], conditions: SearchConditions) -> Iterator[SearchEntry]:
        """Yield the entries of these numbers that fulfil the conditions, in the order of the numbers."""
        if not numbers:
            return
        query = _SELECT_ENTRIES.where(self._index.has_number(), *_make_row_conditions(conditions))
        found = {row.number: row for row in self._database.fetch_all(query, self._index.bind_numbers(numbers))}
        for number in numbers:
            if (row := found.get(number)) is not None:
                yield SearchEntry(
                    number=number,
                    article=parse_article(row.article),
                    version=row.version,
                    seen_at=row.seen_at,
                    dated_at=row.dated_at,
                    current_version=row.current_version,
                    current_verdict=Verdict(row.verdict),
                    is_revised=row.is_revised,
                    story=row.story,
                )

    @cached_property
    def _index(self) -> _SqliteIndex | _PostgresIndex:
        is_sqlite = self._database.engine.dialect.name == "sqlite"
        return _SqliteIndex(self._database) if is_sqlite else _PostgresIndex(self._database)


class _SqliteIndex:
    """The FTS5 table, which is in the order of numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_numbers(self, query: IndexNode, conditions: SearchConditions, before: int | None, limit: int) -> list[int]:
        """Return the numbers that the query finds, the highest first. Some may have no entry any more."""
        first, last = _compute_range(conditions, before)
        values = {"query": format_fts5(query), "first": first, "last": last, "limit": limit}
        return [row[0] for row in self._database.fetch_all(_FIND_TEXTS, values)]

    def select_numbers(
        self, query: IndexNode, conditions: SearchConditions, limit: int
    ) -> tuple[TextClause, dict[str, Any]]:
        """Return a query for the highest numbers that the query finds, and its values."""
        first, last = _compute_range(conditions, None)
        return _FIND_TEXTS, {"query": format_fts5(query), "first": first, "last": last, "limit": limit}

    def list_all_numbers(self, query: IndexNode, conditions: SearchConditions) -> list[int]:
        """Return all numbers that the query finds."""
        return self.list_numbers(query, conditions, None, MAX_NUMBER)

    def rank_numbers(self, query: IndexNode, conditions: SearchConditions, skipped: int, limit: int) -> list[int]:
        """Return the most relevant of the highest `MAX_RANKED` numbers that the query finds, behind the first ones."""
        first, last = _compute_range(conditions, None)
        values = {"query": format_fts5(query), "first": first, "last": last, "limit": MAX_RANKED}
        values |= {"shown": limit, "skipped": skipped}
        return [row[0] for row in self._database.fetch_all(_RANK_TEXTS, values)]

    def list_words(self, ranges: Sequence[WordRange]) -> set[str]:
        """Return the words in any of the ranges."""
        # A query of its own for each range, because the vocabulary reads everything for an OR.
        return {row[0] for row in self._database.fetch_all(*_make_union(_SQLITE_WORDS, ranges))}

    def has_number(self) -> Any:
        """Return the condition for entries with one of the numbers of `bind_numbers`."""
        return search_entries.c.number.in_(text("SELECT value FROM json_each(:numbers)"))

    def bind_numbers(self, numbers: Sequence[int]) -> dict[str, Any]:
        """Return the values for `has_number`."""
        return {"numbers": json.dumps(numbers)}


class _PostgresIndex:
    """The tsvectors. A query has to sort all that it finds, so it begins with the newest entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_numbers(self, query: IndexNode, conditions: SearchConditions, before: int | None, limit: int) -> list[int]:
        """Return the numbers that the query finds, the highest first."""
        if query == EVERYTHING:
            first, last = _compute_range(conditions, before)
            values = {"first": first, "last": last, "limit": limit}
            return _parse_numbers(self._database.fetch_all(_LIST_ENTRIES, values)[0][0])
        numbers: list[int] = []
        done: list[IndexNode] = []
        for window in self._list_windows(_compute_range(conditions, before)[1], limit):
            if done and window != EVERYTHING and len(numbers) * WINDOW_GROWTH < limit:
                continue  # hits are rare: this window would not have enough of them either
            numbers += self._find(join_and([query, window, *done]), conditions, before, limit - len(numbers))
            if len(numbers) == limit:
                break
            done = [IndexNot(window)]
        return numbers

    def select_numbers(
        self, query: IndexNode, conditions: SearchConditions, limit: int
    ) -> tuple[TextClause, dict[str, Any]]:
        """Return a query for the highest numbers that the query finds, and its values."""
        return _LIST_VALUES, self.bind_numbers(self.list_numbers(query, conditions, None, limit))

    def list_all_numbers(self, query: IndexNode, conditions: SearchConditions) -> list[int]:
        """Return all numbers that the query finds."""
        return self._find(query, conditions, None, MAX_NUMBER)

    def _find(self, query: IndexNode, conditions: SearchConditions, before: int | None, limit: int) -> list[int]:
        first, last = _compute_range(conditions, before)
        values = {"query": format_tsquery(query), "first": first, "last": last, "limit": limit}
        with self._database.transaction() as connection:
            # The planner takes comparing a whole vector for cheap, and would read the table for a frequent word.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            return _parse_numbers(connection.execute(_FIND_VECTORS, values).scalar())

    def rank_numbers(self, query: IndexNode, conditions: SearchConditions, skipped: int, limit: int) -> list[int]:
        """Return the most relevant of the highest `MAX_RANKED` numbers that the query finds, behind the first ones."""
        newest = self.list_numbers(query, conditions, None, MAX_RANKED)
        values = self.bind_numbers(newest)
        values |= {"query": format_tsquery(query), "shown": limit, "skipped": skipped}
        return [row[0] for row in self._database.fetch_all(_RANK_VECTORS, values)]

    def list_words(self, ranges: Sequence[WordRange]) -> set[str]:
        """Return the words in any of the ranges."""
        return {row[0] for row in self._database.fetch_all(*_make_union(_POSTGRESQL_WORDS, ranges))}

    def has_number(self) -> Any:
        """Return the condition for entries with one of the numbers of `bind_numbers`."""
        return text("search_entries.number = ANY(CAST(:numbers AS BIGINT[]))")

    def bind_numbers(self, numbers: Sequence[int]) -> dict[str, Any]:
        """Return the values for `has_number`."""
        return {"numbers": f"{{{','.join(map(str, numbers))}}}"}

    def _list_windows(self, last: int, limit: int) -> Iterator[IndexNode]:
        """Yield conditions for more and more of the newest entries below a number, then for any time.

        The dates are words of the index, so an AND with a word of the text skips all others. A condition on numbers
        would be checked after reading each vector.
        """
        size = max(MIN_WINDOW, limit * WINDOW_PER_HIT)
        values = {"last": last, "size": size, "next": size * WINDOW_GROWTH}
        found = [row[0] for row in self._database.fetch_all(_LIST_NEWEST, values)]
        days = [_compute_day(number) for number in sorted(found, reverse=True)]
        yield from dict.fromkeys(_make_window(first, days[0]) for first in days[1:])
        if days:
            yield EVERYTHING


def _parse_numbers(joined: str | None) -> list[int]:
    """Return the numbers of a text with commas between them. None: there are none."""
    return list(map(int, joined.split(","))) if joined else []


def _compute_day(number: int) -> date:
    """Return the day (UTC) of an entry."""
    return (EPOCH + timedelta(minutes=number // NUMBERS_PER_MINUTE)).date()


def _make_window(first: date, last: date) -> IndexNode:
    """Return a condition for the entries of these days, or of the months or years that have them."""
    ages = range(min((last - first).days, MAX_DATES) + 1)
    dates = {(first + timedelta(days=age)).isoformat().replace("-", "") for age in ages}
    if len(dates) > MAX_DATES:
        months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
        dates = {f"{month // 12:04}{month % 12 + 1:02}" for month in months}
    if len(dates) > MAX_DATES:
        dates = {f"{year:04}" for year in range(first.year, last.year + 1)}
    return join_or(IndexFacet("date", value) for value in sorted(dates))


def _make_union(query: str, ranges: Sequence[WordRange]) -> tuple[TextClause, dict[str, str]]:
    """Return one statement that asks the query for every range, and its values."""
    parts = [f"SELECT * FROM ({query.format(index)} LIMIT {MAX_WORDS_PER_RANGE}) AS r" for index in range(len(ranges))]
    values = {f"first{index}": first for index, (first, _) in enumerate(ranges)}
    values |= {f"last{index}": last for index, (_, last) in enumerate(ranges)}
    return text(" UNION ALL ".join(parts)), values


def _compute_range(conditions: SearchConditions, before: int | None) -> tuple[int, int]:
    """Return the first number, and the one after the last, of the minutes that the conditions allow."""
    first = compute_first_number(conditions.since) if conditions.since else -MAX_NUMBER
    last = compute_first_number(conditions.until) + NUMBERS_PER_MINUTE if conditions.until else MAX_NUMBER
    return first, last if before is None else min(last, before)


def _select_counts(numbers: TextClause, conditions: Sequence[Any]) -> Select[Any]:
    """Return a query for how many of these numbers there are, and in how many articles those are that have an entry.

    `first` are articles of which version 1 is found, `later` the others. Nearly every entry is a version 1, and to
    count these is three times as fast as to count different ids.
    """
    found = numbers.columns(column("rowid", BigInteger)).cte("found").prefix_with("MATERIALIZED")
    entry = search_entries.c
    hit = select(entry.number, entry.article_id, entry.version).join_from(
        found, search_entries, entry.number == found.c.rowid
    )
    if conditions:
        hit = hit.join(articles, articles.c.id == entry.article_id).where(*conditions)
    hits = hit.cte("hits").prefix_with("MATERIALIZED")
    first = search_entries.alias("first")
    has_first = (
        select(first.c.number)
        .where(first.c.article_id == hits.c.article_id, first.c.version == 1)
        .where(first.c.number.in_(select(hits.c.number).scalar_subquery()))
        .exists()
    )
    later = select(func.count(hits.c.article_id.distinct())).where(hits.c.version > 1, ~has_first)
    return select(
        select(func.count()).select_from(found).scalar_subquery().label("found"),
        select(func.count()).select_from(hits).where(hits.c.version == 1).scalar_subquery().label("first"),
        later.scalar_subquery().label("later"),
    )


def _make_row_conditions(conditions: SearchConditions) -> list[Any]:
    found: list[Any] = []
    entry = search_entries.c
    if conditions.since is not None:
        found.append(articles.c.dated_at >= conditions.since)
    if conditions.until is not None:
        found.append(articles.c.dated_at < conditions.until)
    for rule in conditions.rules:
        has_match = select(matches.c.rule).where(
            matches.c.article_id == entry.article_id,
            matches.c.version == entry.version,
            matches.c.rule == rule,
            matches.c.strength == Strength.STRONG,
        )
        found.append(has_match.exists())
    for story in conditions.stories:
        in_story = select(signatures.c.number).where(
            signatures.c.article_id == entry.article_id, signatures.c.story == story
        )
        # Without this, the statement that joins `signatures` too would take it from there.
        found.append(in_story.correlate(search_entries).exists())
    by_state = {
        SearchedState.SUPERSEDED: entry.version < articles.c.current_version,
        SearchedState.CURRENT: entry.version == articles.c.current_version,
        SearchedState.REVISED: _HAS_REVISION,
        SearchedState.UNPUBLISHED: articles.c.verdict == Verdict.UNPUBLISHED,
    }
    return [*found, *(condition for state, condition in by_state.items() if state in conditions.states)]
