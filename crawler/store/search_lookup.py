"""Find the numbers of entries in the full-text index: in SQLite's FTS5 table, or in PostgreSQL's tsvectors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, and_, column, func, select, text

from crawler.keywords.index_query import EVERYTHING, IndexFacet, IndexNode, IndexNot, join_and, join_or, select_phrases
from crawler.store.database import Database
from crawler.store.search_index import NUMBERS_PER_MINUTE, search_entries
from crawler.store.search_syntax import format_fts5, format_tsquery
from crawler.store.statements import IndexScanQuery, PreparedStatement

NumberRange = tuple[int, int]
"""The first number, and the one after the last."""
NUMBERS_PER_DAY = NUMBERS_PER_MINUTE * 60 * 24
ALL = 1 << 62
"""A limit that nothing reaches."""
MAX_WEIGHED = 2000
"""Hits up to which SQLite weighs how often and how rare their words are."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIN_WINDOW = 2000
"""Newest entries in which PostgreSQL looks for hits first: it has to read and sort all that it finds."""
WINDOW_GROWTH = 20
"""Times as long up to which a larger window is looked at. If it would need more, all entries are."""
MIN_WINDOW_GROWTH = 4
"""Times as long as the one before that a window is at least."""
WINDOW_PER_HIT = 4
"""Entries of the first window for each hit that is wanted."""
CHECKED_PER_HIT = 10
"""Vectors that are read in the first step for each hit that is wanted. Each later step reads twice as many."""
MAX_CHECKED_BY_STEPS = 100
"""Wanted hits up to which vectors are read in steps. For more, nearly all have to be read in any case."""
MAX_CANDIDATES = 50_000
"""Entries with the words of a query that are listed together before their vectors are read."""
MAX_DATES = 40
"""Days, or months, that a window may have. One that is longer has whole months, or years."""
FIELD_RANKS = (10.0, 4.0, 1.0, 0.0)
"""What a word counts in title, lead, body and facets."""


_FIND_TEXTS = text(
    "SELECT rowid FROM search_texts WHERE search_texts MATCH :query AND rowid >= :first AND rowid < :last"
    " ORDER BY rowid DESC LIMIT :limit"
)
_LIST_TEXTS = PreparedStatement(_FIND_TEXTS)
_RANK_TEXTS = PreparedStatement(
    text(
        "SELECT rowid FROM search_texts WHERE search_texts MATCH :query AND rowid >= :first AND rowid < :last"
        f" ORDER BY bm25(search_texts, {', '.join(map(str, FIELD_RANKS))}), rowid DESC LIMIT :shown OFFSET :skipped"
    )
)
# `+ 0`: else the planner takes the primary key for the better index, and compares the vectors of the whole table.
# The planner takes comparing a whole vector for cheap, and would read the table for a frequent word.
# One text with all numbers: the driver takes ten times as long for ten thousand rows, or a list as a value.
_FIND_VECTORS = IndexScanQuery(
    text(
        "SELECT string_agg(CAST(number AS text), ',' ORDER BY number DESC) FROM"
        " (SELECT number FROM search_vectors WHERE vector @@ CAST(:query AS tsquery) AND number + 0 >= :first"
        " AND number + 0 < :last ORDER BY number + 0 DESC LIMIT :limit) AS found"
    )
)
_CHECK_VECTORS = PreparedStatement(
    text(
        "SELECT string_agg(CAST(number AS text), ',' ORDER BY number DESC) FROM search_vectors"
        " WHERE number = ANY(CAST(:numbers AS BIGINT[])) AND vector @@ CAST(:query AS tsquery)"
    )
)
_LIST_ENTRIES = PreparedStatement(
    text(
        "SELECT string_agg(CAST(number AS text), ',' ORDER BY number DESC) FROM (SELECT number FROM search_entries"
        " WHERE number >= :first AND number < :last ORDER BY number DESC LIMIT :limit) AS found"
    )
)
_RANK_VECTORS = PreparedStatement(
    text(
        "SELECT number FROM search_vectors WHERE number = ANY(CAST(:numbers AS BIGINT[])) ORDER BY"
        f" ts_rank('{{{', '.join(str(rank / max(FIELD_RANKS)) for rank in reversed(FIELD_RANKS))}}}',"
        " vector, CAST(:query AS tsquery)) DESC, number DESC LIMIT :shown OFFSET :skipped"
    )
)
_FIND_ENTRY = PreparedStatement(
    text("SELECT number FROM search_entries WHERE number < :last ORDER BY number DESC OFFSET :skipped LIMIT 1")
)
_HAS_NUMBER_IN_POSTGRESQL = text("search_entries.number = ANY(CAST(:numbers AS BIGINT[]))")
_FIND_FIRST_ENTRY = PreparedStatement(text("SELECT min(number) FROM search_entries"))


class HitCount(NamedTuple):
    """How many numbers a query found, and about their entries that fulfil the conditions: how many are a version 1.

    `later` has the article of each of the others. `numbers` has those of all entries, and may be empty if `later` is.
    """

    found: int
    first: int
    later: Sequence[str]
    numbers: Sequence[int]


def _count_entries(list_values: Any, join_numbers: Any) -> list[Any]:
    """Return the columns of a `HitCount` about entries. Nearly every entry is a version 1, and is only counted."""
    number, article_id, version = search_entries.c.number, search_entries.c.article_id, search_entries.c.version
    return [
        func.count().filter(version == 1),
        list_values(article_id).filter(version > 1),
        join_numbers(number).filter(number.is_not(None)),
    ]


def _select_text_counts(required: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Return the query for a `HitCount` in SQLite. One join: to keep the numbers found takes three times as long."""
    found = _FIND_TEXTS.columns(column("rowid", BigInteger)).subquery("found")
    joined = found.outerjoin(search_entries, and_(search_entries.c.number == found.c.rowid, *required))
    columns = _count_entries(func.json_group_array, func.group_concat)
    return select(func.count(found.c.rowid), *columns).select_from(joined)


def _select_vector_counts(required: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Return the query for the entries of a `HitCount` in PostgreSQL."""
    return select(*_count_entries(func.array_agg, func.array_agg)).where(_HAS_NUMBER_IN_POSTGRESQL, *required)


_COUNT_TEXTS = PreparedStatement(_select_text_counts(()))
_COUNT_VECTORS = PreparedStatement(_select_vector_counts(()))


class SqliteIndex:
    """The FTS5 table, which is in the order of numbers."""

    max_hits = 10_000
    """Newest hits that are counted, or among which the most relevant ones are chosen. All would take up to a second."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_numbers(self, query: IndexNode, within: NumberRange, limit: int) -> list[int]:
        """Return the numbers that the query finds within a range, the highest first. Some may have no entry."""
        first, last = within
        values = {"query": format_fts5(query), "first": first, "last": last, "limit": limit}
        return [row[0] for row in self._database.fetch_all(_LIST_TEXTS, values)]

    def count_hits(self, query: IndexNode, within: NumberRange, required: Sequence[ColumnElement[bool]]) -> HitCount:
        """Count the highest `max_hits` numbers that the query finds, and their entries that fulfil all conditions."""
        first, last = within
        values = {"query": format_fts5(query), "first": first, "last": last, "limit": self.max_hits}
        statement = _select_text_counts(required) if required else _COUNT_TEXTS
        found, count, later, numbers = self._database.fetch_all(statement, values)[0]
        articles = json.loads(later)
        return HitCount(found, count, articles, _parse_numbers(numbers) if articles else ())

    def list_all_numbers(self, query: IndexNode, within: NumberRange) -> list[int]:
        """Return all numbers that the query finds."""
        return self.list_numbers(query, within, ALL)

    def rank_numbers(self, query: IndexNode, within: NumberRange, skipped: int, limit: int) -> list[int]:
        """Return the most relevant of the highest `max_hits` numbers that the query finds, behind the first ones.

        If there are many, only the fields count: `bm25` reads every text that has a word, whenever it was written.
        """
        found = self.list_numbers(query, within, self.max_hits)
        if not found:
            return []
        if len(found) > MAX_WEIGHED:
            return self._rank_by_fields(query, found)[skipped : skipped + limit]
        values = {
            "query": format_fts5(query),
            "first": found[-1],
            "last": within[1],
            "shown": limit,
            "skipped": skipped,
        }
        return [row[0] for row in self._database.fetch_all(_RANK_TEXTS, values)]

    def _rank_by_fields(self, query: IndexNode, found: Sequence[int]) -> list[int]:
        """Return first the numbers with words of the query in title and lead, then in the title, then in the lead."""
        within = found[-1], found[0] + 1
        title, lead = (select_phrases(query, field) for field in ("title", "lead"))
        in_title, in_lead = (set(self.list_all_numbers(part, within)) for part in (title, lead))
        groups: tuple[list[int], ...] = ([], [], [], [])
        for number in found:
            groups[2 * (number in in_title) + (number in in_lead)].append(number)
        return list(chain.from_iterable(reversed(groups)))

    def has_number(self) -> Any:
        """Return the condition for entries with one of the numbers of `bind_numbers`."""
        return search_entries.c.number.in_(text("SELECT value FROM json_each(:numbers)"))

    def bind_numbers(self, numbers: Sequence[int]) -> dict[str, Any]:
        """Return the values for `has_number`."""
        return {"numbers": json.dumps(numbers)}


class PostgresIndex:
    """The tsvectors. A query has to sort all that it finds, so it begins with the newest entries."""

    max_hits = 1000
    """As in `SqliteIndex`. A hit costs ten times as much, because its vector is read for a phrase and for its rank."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_numbers(self, query: IndexNode, within: NumberRange, limit: int) -> list[int]:
        """Return the numbers that the query finds, the highest first.

        It looks at more and more of the newest days, because it has to sort all that it finds. The days are words of
        the index, so an AND with a word of the text skips all others; numbers would be compared in each vector.
        """
        if query == EVERYTHING:
            first, last = within
            values = {"first": first, "last": last, "limit": limit}
            return _parse_numbers(self._database.fetch_all(_LIST_ENTRIES, values)[0][0])
        newest = self._find_entry(within[1])
        if newest is None:
            return []
        numbers: list[int] = []
        done: list[IndexNode] = []
        size = max(MIN_WINDOW, limit * WINDOW_PER_HIT)
        oldest = self._find_entry(newest + 1, size)
        while True:
            window = EVERYTHING if oldest is None else _make_window(_compute_day(oldest), _compute_day(newest))
            find = self._find_by_steps if done and limit <= MAX_CHECKED_BY_STEPS else self._find
            numbers += find(join_and([query, window, *done]), within, limit - len(numbers))
            if len(numbers) == limit or oldest is None:
                return numbers
            done = [IndexNot(window)]
            oldest = self._enlarge_window(oldest, newest, _compute_growth(len(numbers), limit))

    def count_hits(self, query: IndexNode, within: NumberRange, required: Sequence[ColumnElement[bool]]) -> HitCount:
        """Count the highest `max_hits` numbers that the query finds, and their entries that fulfil all conditions."""
        found = self.list_numbers(query, within, self.max_hits)
        statement = _select_vector_counts(required) if required else _COUNT_VECTORS
        count, later, numbers = self._database.fetch_all(statement, self.bind_numbers(found))[0]
        return HitCount(len(found), count, later or (), numbers or ())

    def list_all_numbers(self, query: IndexNode, within: NumberRange) -> list[int]:
        """Return all numbers that the query finds."""
        return self._find(query, within, ALL)

    def _find(self, query: IndexNode, within: NumberRange, limit: int) -> list[int]:
        return self._find_vectors(format_tsquery(query), within, limit)

    def _find_by_steps(self, query: IndexNode, within: NumberRange, limit: int) -> list[int]:
        """Return the same as `_find`. Read the vectors of the newest entries first, until there are enough hits.

        The index knows the words of an entry, but not their places and fields. These are in the entry's vector, which
        takes up to 0.05 ms to read: a phrase of a frequent and a rare word has thousands of candidates.
        """
        exact, loose = format_tsquery(query), format_tsquery(query, is_loose=True)
        if exact == loose:
            return self._find_vectors(exact, within, limit)
        (first, last), size = within, limit * CHECKED_PER_HIT
        numbers: list[int] = []
        while True:
            candidates = self._find_vectors(loose, (first, last), MAX_CANDIDATES)
            done = 0
            while done < len(candidates) and len(numbers) < limit:
                checked = candidates[done : done + size]
                values = {"query": exact, **self.bind_numbers(checked)}
                numbers += _parse_numbers(self._database.fetch_all(_CHECK_VECTORS, values)[0][0])
                done, size = done + size, size * 2
            if len(numbers) >= limit or len(candidates) < MAX_CANDIDATES:
                return numbers[:limit]
            last = candidates[-1]

    def _find_vectors(self, tsquery: str, within: NumberRange, limit: int) -> list[int]:
        first, last = within
        values = {"query": tsquery, "first": first, "last": last, "limit": limit}
        return _parse_numbers(self._database.fetch_all(_FIND_VECTORS, values)[0][0])

    def rank_numbers(self, query: IndexNode, within: NumberRange, skipped: int, limit: int) -> list[int]:
        """Return the most relevant of the highest `max_hits` numbers that the query finds, behind the first ones."""
        newest = self.list_numbers(query, within, self.max_hits)
        values = self.bind_numbers(newest)
        # Words without a position, such as facets, would let `ts_rank` give every entry the same rank.
        values |= {"query": format_tsquery(select_phrases(query)), "shown": limit, "skipped": skipped}
        return [row[0] for row in self._database.fetch_all(_RANK_VECTORS, values)]

    def has_number(self) -> Any:
        """Return the condition for entries with one of the numbers of `bind_numbers`."""
        return _HAS_NUMBER_IN_POSTGRESQL

    def bind_numbers(self, numbers: Sequence[int]) -> dict[str, Any]:
        """Return the values for `has_number`."""
        return {"numbers": f"{{{','.join(map(str, numbers))}}}"}

    def _enlarge_window(self, oldest: int, newest: int, growth: int | None) -> int | None:
        """Return the oldest number of a window so many times as long. None: of all entries.

        It may have no entry. To skip as many entries as a long window should have takes as long as to search them.
        """
        if growth is None:
            return None
        enlarged = min(newest - (newest - oldest) * growth, oldest - NUMBERS_PER_DAY)
        first = self._database.fetch_all(_FIND_FIRST_ENTRY)[0][0]
        return None if first is None or enlarged <= first else enlarged

    def _find_entry(self, last: int, skipped: int = 0) -> int | None:
        """Return the number of the newest entry below a number, or of one that many before it. None: there is none."""
        found = self._database.fetch_all(_FIND_ENTRY, {"last": last, "skipped": skipped})
        return found[0][0] if found else None


def _compute_growth(found: int, limit: int) -> int | None:
    """Return how many times as long a time to look at next, if this one had so many hits. None: all, hits are rare."""
    if found * WINDOW_GROWTH < limit:
        return None
    return max(MIN_WINDOW_GROWTH, -(-limit * 3 // (found * 2)))


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
