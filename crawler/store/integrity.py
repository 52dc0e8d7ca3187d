"""What should never be in a store: rows that refer to nothing, an index that differs, a damaged database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    exists,
    func,
    literal,
    literal_column,
    select,
    text,
    tuple_,
)

from crawler.store.complete_schema import metadata
from crawler.store.database import Database
from crawler.store.process_identity import ProcessIdentity, has_ended
from crawler.store.reading_schema import article_cards, reader_actions
from crawler.store.schema import (
    articles,
    bands,
    change_events,
    http_cache,
    links,
    notifications,
    passages,
    revision_diffs,
    runs,
    signatures,
    stories,
    story_keys,
    unjudged_revisions,
    versions,
)
from crawler.store.search_index import search_entries, search_metadata, unindexed_versions

MAX_EXAMPLES = 5
VERSIONS_PER_READ = 500
_INDEX_TABLES = MetaData()
_TEXTS_BY_DIALECT = {
    "sqlite": Table("search_texts_docsize", _INDEX_TABLES, Column("id", BigInteger)),
    "postgresql": Table("search_vectors", _INDEX_TABLES, Column("number", BigInteger)),
}
"""Where the text of an entry of the full-text index is, by the entry's number in the only column named here."""
_WORDS_BY_DIALECT = {
    "sqlite": ("term", "search_vocabulary"),
    "postgresql": ("lexeme", "search_vectors, unnest(vector)"),
}
"""How each database names a word of its index, and where it is."""
_SEARCH_WORDS = Table("search_words", _INDEX_TABLES, Column("word", Text))


class FindingKind(StrEnum):
    """What is wrong."""

    DATABASE = "database"
    ARTICLE_WITHOUT_VERSION = "article_without_version"
    CURRENT_VERSION_MISSING = "current_version_missing"
    VERSION_UNREADABLE = "version_unreadable"
    DANGLING_REFERENCE = "dangling_reference"
    VERSION_NOT_INDEXED = "version_not_indexed"
    INDEX_WITHOUT_TEXT = "index_without_text"
    WORD_NOT_LISTED = "word_not_listed"
    RUN_OF_DEAD_PROCESS = "run_of_dead_process"
    ARCHIVE_FILE_MISSING = "archive_file_missing"
    ARCHIVE_FILE_TOO_SHORT = "archive_file_too_short"
    ARCHIVE_RECORD_DAMAGED = "archive_record_damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFinding:
    """What is wrong at one place: how often, and a few examples. `place` is a table, a file, or the database."""

    kind: FindingKind
    place: str
    count: int
    examples: tuple[str, ...] = ()


class Reference(NamedTuple):
    """Columns of a table that name a row of another one."""

    table: Table
    columns: tuple[str, ...]
    target: Table
    target_columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """How the reference is named for people."""
        return f"{self.table.name} → {self.target.name}"


class UnfinishedRun(NamedTuple):
    """A run that has no end."""

    id: int
    source: str
    host: str
    pid: int
    start_mark: str | None
    started_at: datetime


class RecordReference(NamedTuple):
    """A stored version, and its JSON text, which names a record of the archive."""

    article_id: str
    version: int
    article: str


def list_references() -> list[Reference]:
    """Return every foreign key, and the references that are none."""
    tables = [*metadata.sorted_tables, *search_metadata.sorted_tables]
    found = [
        Reference(
            table,
            tuple(element.parent.key for element in key.elements),
            key.referred_table,
            tuple(element.column.key for element in key.elements),
        )
        for table in tables
        for key in table.foreign_key_constraints
    ]
    version_key = ("article_id", "version")
    found += [
        Reference(table, version_key, versions, version_key)
        for table in (change_events, revision_diffs, unjudged_revisions, article_cards, reader_actions, signatures)
    ]
    found += [Reference(table, ("number",), signatures, ("number",)) for table in (bands, story_keys, passages)]
    found += [Reference(links, (end,), signatures, ("number",)) for end in ("a", "b")]
    return [
        *found,
        Reference(signatures, ("story",), stories, ("id",)),
        Reference(articles, ("copy_of",), articles, ("id",)),
        Reference(notifications, ("article_id",), articles, ("id",)),
    ]


class IntegrityRepository:
    """`store.integrity`. It only reads. A query over a large table may take minutes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def check_database(self) -> StoreFinding | None:
        """Return what the database itself finds wrong: damaged pages, invalid indexes, wrong checksums."""
        if self._database.engine.dialect.name == "sqlite":
            rows = self._database.fetch_all(text(f"PRAGMA integrity_check({MAX_EXAMPLES})"))
            problems = [row[0] for row in rows if row[0] != "ok"]
        else:
            invalid = "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            here = "relnamespace = current_schema()::regnamespace"
            found = self._database.fetch_all(text(f"{invalid} WHERE NOT indisvalid AND {here}"))
            problems = [f"the index {row[0]} is invalid" for row in found]
            failures = "SELECT coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()"
            if count := self._database.fetch_all(text(failures))[0][0]:
                problems.append(f"{count} pages have a wrong checksum")
        if not problems:
            return None
        examples = tuple(" ".join(each.split()) for each in problems[:MAX_EXAMPLES])
        return StoreFinding(kind=FindingKind.DATABASE, place="database", count=len(problems), examples=examples)

    def check_versions(self) -> Iterator[StoreFinding]:
        """Yield articles that have no version, or not the one that is their current one."""
        of_article = versions.c.article_id == articles.c.id
        has_any = exists().where(of_article)
        has_current = exists().where(of_article, versions.c.version == articles.c.current_version)
        names = (articles.c.id,)
        yield from self._find(FindingKind.ARTICLE_WITHOUT_VERSION, "articles", select(*names).where(~has_any))
        yield from self._find(
            FindingKind.CURRENT_VERSION_MISSING, "articles", select(*names).where(has_any, ~has_current)
        )

    def check_reference(self, reference: Reference) -> Iterator[StoreFinding]:
        """Yield the rows of which the reference names no row."""
        target = reference.target.alias("target")
        own = [reference.table.c[key] for key in reference.columns]
        is_target = [target.c[key] == each for key, each in zip(reference.target_columns, own, strict=True)]
        is_dangling = and_(*(each.is_not(None) for each in own), ~exists().where(*is_target))
        query = select(*reference.table.primary_key).where(is_dangling)
        yield from self._find(FindingKind.DANGLING_REFERENCE, reference.name, query)

    def check_index(self) -> Iterator[StoreFinding]:
        """Yield what the full-text index lacks: versions that do not wait for it, texts of entries, words of texts."""
        key = (versions.c.article_id, versions.c.version)
        is_known = [
            exists().where(table.c.article_id == key[0], table.c.version == key[1])
            for table in (search_entries, unindexed_versions)
        ]
        query = select(*key).where(*(~each for each in is_known))
        yield from self._find(FindingKind.VERSION_NOT_INDEXED, "full-text index", query)
        texts = _TEXTS_BY_DIALECT[self._database.engine.dialect.name]
        (number,) = texts.columns
        query = select(search_entries.c.article_id, search_entries.c.version).where(
            ~exists().where(number == search_entries.c.number)
        )
        yield from self._find(FindingKind.INDEX_WITHOUT_TEXT, "full-text index", query)
        name, place = _WORDS_BY_DIALECT[self._database.engine.dialect.name]
        word: ColumnElement[str] = literal_column(name, Text)
        is_of_text = and_(word != ".", word.not_like("%:%"))  # a facet has a colon
        is_listed = exists().where(_SEARCH_WORDS.c.word == word)
        words: Select[Any] = select(word).distinct().select_from(text(place)).where(is_of_text, ~is_listed)
        yield from self._find(FindingKind.WORD_NOT_LISTED, "full-text index", words)

    def list_runs_of_dead_processes(self) -> list[UnfinishedRun]:
        """Return the unfinished runs whose process on this host has ended."""
        columns = [runs.c[name].label(name) for name in UnfinishedRun._fields]
        rows = self._database.fetch_all(select(*columns).where(runs.c.finished_at.is_(None)).order_by(runs.c.id))
        found = [UnfinishedRun._make(row) for row in rows]
        return [run for run in found if has_ended(ProcessIdentity(run.host, run.pid, run.start_mark))]

    def count_versions(self) -> int:
        """Return how many versions are stored."""
        found: int = self._database.fetch_all(select(func.count()).select_from(versions))[0][0]
        return found

    def iter_record_references(self) -> Iterator[Sequence[RecordReference]]:
        """Yield all versions in batches."""
        key, place = tuple_(versions.c.article_id, versions.c.version), ("", 0)
        while True:
            after = tuple_(literal(place[0], Text), literal(place[1], Integer))
            query = select(versions.c.article_id, versions.c.version, versions.c.article).where(key > after)
            rows = self._database.fetch_all(
                query.order_by(versions.c.article_id, versions.c.version).limit(VERSIONS_PER_READ)
            )
            if not rows:
                return
            place = (rows[-1].article_id, rows[-1].version)
            yield [RecordReference._make(row) for row in rows]

    def list_cached_files(self) -> list[str]:
        """Return the files of the archive to which the HTTP cache refers."""
        column = http_cache.c.record_file
        return [row[0] for row in self._database.fetch_all(select(column).where(column.is_not(None)).distinct())]

    def _find(self, kind: FindingKind, place: str, query: Select[tuple[object, ...]]) -> Iterator[StoreFinding]:
        """Yield a finding if the query has rows. Their columns become the examples."""
        examples = self._database.fetch_all(query.limit(MAX_EXAMPLES + 1))
        count = len(examples)
        if count > MAX_EXAMPLES:
            count = self._database.fetch_all(select(func.count()).select_from(query.subquery()))[0][0]
        if count:
            shown = tuple(" ".join(map(str, row)) for row in examples[:MAX_EXAMPLES])
            yield StoreFinding(kind=kind, place=place, count=count, examples=shown)
