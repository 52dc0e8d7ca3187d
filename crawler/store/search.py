"""Search in every stored version, the newest first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import chain, repeat
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, TextClause, bindparam, func, select, text

from crawler.items import Article, Strength, Verdict
from crawler.keywords.index_query import IndexNode, WordRange
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
from crawler.store.search_lookup import HitCount, NumberRange, PostgresIndex, SqliteIndex
from crawler.store.serialization import parse_article
from crawler.store.statements import PreparedQuery

VERSIONS_PER_BATCH = 50
"""Versions that are indexed in one transaction. Other writers wait meanwhile."""
MAX_NUMBER = 1 << 62
NUMBERS_PER_READ = (25, 100, 500, 2000, 5000)
"""Numbers of hits to read: a page of results needs few, one with rare conditions many."""
FIRST_RANKED = 250
"""Most relevant hits that are asked for first. To give all numbers to this process takes as long as to rank them."""
RANGES_PER_READ = 200
"""Ranges of words that one query reads. SQLite joins at most 500 queries."""
MAX_WORDS_PER_RANGE = 5000


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


_LIST_FIRST_ENTRIES = PreparedQuery(
    select(search_entries.c.number).where(
        search_entries.c.version == 1, search_entries.c.article_id.in_(bindparam("ids", expanding=True))
    )
)
_HAS_UNINDEXED = select(unindexed_versions.c.version).limit(1)


class SearchRepository:
    """`store.search`. `store.articles.save` adds the entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def max_hits(self) -> int:
        """How many of the newest entries are counted, or are ranked by relevance."""
        return self._index.max_hits

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
            numbers = self._index.list_numbers(query, _compute_range(conditions, before), size)
            yield from self._read_entries(numbers, conditions)
            if len(numbers) < size:
                return
            before, read = numbers[-1], read + 1

    def iter_most_relevant(self, query: IndexNode, conditions: SearchConditions | None = None) -> Iterator[SearchEntry]:
        """Yield the newest `max_hits` entries that the index finds, the most relevant first."""
        conditions = conditions or SearchConditions()
        parts = [(0, FIRST_RANKED), (FIRST_RANKED, self.max_hits)]
        if conditions.rules or conditions.stories or conditions.states:
            parts = [(0, self.max_hits)]  # Few hits have such a value, so the first ones nearly never suffice.
        for skipped, limit in parts:
            ranked = self._index.rank_numbers(query, _compute_range(conditions), skipped, limit)
            yield from self._read_in_parts(ranked, conditions)
            if len(ranked) < limit:
                return

    def iter_union(self, queries: Iterable[IndexNode], conditions: SearchConditions) -> Iterator[SearchEntry]:
        """Yield what the index finds for any of the queries, the newest first."""
        found: set[int] = set()
        for query in queries:
            found.update(self._index.list_all_numbers(query, _compute_range(conditions)))
        yield from self._read_in_parts(sorted(found, reverse=True), conditions)

    def count_articles(self, query: IndexNode, conditions: SearchConditions | None = None) -> ArticleCount:
        """Return in how many articles the index finds something, among its newest `max_hits` entries."""
        conditions = conditions or SearchConditions()
        hits = self._index.count_hits(query, _compute_range(conditions), _make_row_conditions(conditions))
        return ArticleCount(hits.first + self._count_later_articles(hits), is_complete=hits.found < self.max_hits)

    def _count_later_articles(self, hits: HitCount) -> int:
        """Return of how many articles a later version is found, but not version 1."""
        articles = sorted(set(hits.later))
        if not articles:
            return 0
        numbers = set(hits.numbers)
        first = self._database.fetch_all(_LIST_FIRST_ENTRIES, {"ids": articles})
        return len(articles) - sum(row.number in numbers for row in first)

    def list_words(self, ranges: Collection[WordRange]) -> list[str]:
        """Return the words of the index in any of the ranges, in order, at most `MAX_WORDS_PER_RANGE` of each."""
        found: set[str] = set()
        wanted = sorted(ranges)
        for start in range(0, len(wanted), RANGES_PER_READ):
            query, values = _select_words(wanted[start : start + RANGES_PER_READ])
            found |= {row[0] for row in self._database.fetch_all(query, values)}
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
        row_conditions = _make_row_conditions(conditions)
        if numbers and row_conditions:
            # Mostly few entries fulfil them, and to read the text of an entry takes ten times as long.
            query = select(search_entries.c.number).where(self._index.has_number(), *row_conditions)
            fulfilling = {row[0] for row in self._database.fetch_all(query, self._index.bind_numbers(numbers))}
            numbers = [number for number in numbers if number in fulfilling]
        if not numbers:
            return
        rows = self._database.fetch_all(self._get_entries, self._index.bind_numbers(numbers))
        found = {row.number: row for row in rows}
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
    def _get_entries(self) -> PreparedQuery:
        return PreparedQuery(_SELECT_ENTRIES.where(self._index.has_number()))

    @cached_property
    def _index(self) -> SqliteIndex | PostgresIndex:
        is_sqlite = self._database.engine.dialect.name == "sqlite"
        return SqliteIndex(self._database) if is_sqlite else PostgresIndex(self._database)


def _compute_range(conditions: SearchConditions, before: int | None = None) -> NumberRange:
    """Return the first number, and the one after the last, of the minutes that the conditions allow."""
    first = compute_first_number(conditions.since) if conditions.since else -MAX_NUMBER
    last = compute_first_number(conditions.until) + NUMBERS_PER_MINUTE if conditions.until else MAX_NUMBER
    return first, last if before is None else min(last, before)


def _select_words(ranges: Sequence[WordRange]) -> tuple[TextClause, dict[str, str]]:
    """Return a query for the words in each of the ranges, and its values."""
    part = "SELECT * FROM (SELECT word FROM search_words WHERE word >= :first{0} AND word < :last{0} LIMIT {1}) AS r"
    parts = [part.format(index, MAX_WORDS_PER_RANGE) for index in range(len(ranges))]
    values = {f"first{index}": first for index, (first, _) in enumerate(ranges)}
    values |= {f"last{index}": last for index, (_, last) in enumerate(ranges)}
    return text(" UNION ALL ".join(parts)), values


def _make_row_conditions(conditions: SearchConditions) -> list[Any]:
    """Return what entries within the range of `_compute_range` must fulfil besides.

    Only entries near the ends of the range are asked for their article's time. Two minutes of numbers are near,
    because the number of a later version may be one of the next minute.
    """
    found: list[Any] = []
    entry = search_entries.c
    if conditions.since is not None:
        is_later = entry.number >= compute_first_number(conditions.since) + 2 * NUMBERS_PER_MINUTE
        found.append(is_later | (_select_of_article(articles.c.dated_at) >= conditions.since))
    if conditions.until is not None:
        is_earlier = entry.number < compute_first_number(conditions.until)
        found.append(is_earlier | (_select_of_article(articles.c.dated_at) < conditions.until))
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
        found.append(in_story.exists())
    by_state = {
        SearchedState.SUPERSEDED: entry.version < _select_of_article(articles.c.current_version),
        SearchedState.CURRENT: entry.version == _select_of_article(articles.c.current_version),
        SearchedState.REVISED: _HAS_REVISION,
        SearchedState.UNPUBLISHED: _select_of_article(articles.c.verdict) == Verdict.UNPUBLISHED,
    }
    return [*found, *(condition for state, condition in by_state.items() if state in conditions.states)]


def _select_of_article(value: ColumnElement[Any]) -> ScalarSelect[Any]:
    """Return a query for a value of an entry's article, within a query for entries."""
    return select(value).where(articles.c.id == search_entries.c.article_id).correlate(search_entries).scalar_subquery()
