"""The full-text index: one entry for each stored version, written in the version's own transaction.

The index has the folded text (`crawler.text.folding`) as written, word by word; a search looks for every form of its
words. SQLite has it in a contentless FTS5 table, PostgreSQL in a tsvector a version. `search_words` has every word that
is in a text, or was: FTS5's own vocabulary would read each entry of a frequent word to get to the next word.

An entry's number follows the time of its article, so the index itself is in the order in which hits are shown. Nothing
is deleted from the FTS5 table: SQLite 3.40 can only do that with exactly the text that was indexed. What the table has
beyond `search_entries` is skipped, and `reset_index` removes it.

FTS5 keeps what a transaction adds in memory, and writes it as one segment at the end. It writes a segment earlier
before a number that is not higher than the last one, and before a statement that begins a savepoint, because it may
fail after its first row: an `INSERT … SELECT` into a table with a foreign key. So `add_entry` has no such statement.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    extract,
    func,
    insert,
    select,
    update,
)

from crawler.items import Article
from crawler.keywords.index_query import MAX_WORD_LENGTH, PHRASE_MARK
from crawler.store.schema import articles, metadata, versions
from crawler.store.serialization import parse_article
from crawler.store.statements import execute_by_driver, fetch_by_driver
from crawler.text.folding import FOLDING_VERSION, decode_folded, fold_text

INDEX_VERSION = 100 + FOLDING_VERSION
"""Which words an entry has. An index of another version is made again. The hundreds count the kinds of facets."""
NUMBERS_PER_MINUTE = 1 << 16
MAX_POSITION, MAX_POSITIONS_PER_WORD = 16_383, 255
"""Limits of a tsvector. Words beyond them are found, but their order is not known."""
MAX_KNOWN_WORDS = 50_000
"""Words of which a connection remembers that they are in `search_words`. They take about 6 MB."""
MAX_VECTOR_BYTES = 1_000_000
"""Bytes of a tsvector, which may have 1 MB."""
FIELDS = ("title", "lead", "body")
FIELD_WEIGHTS = {"title": "A", "lead": "B", "body": "C"}
"""Weights by which PostgreSQL distinguishes the fields."""
EVERY_ENTRY = "any:"
"""A word that every entry has."""
UNORDERED_ENTRY = "long:"
"""A word that an entry has in PostgreSQL if it has words without their position."""
_LONG_WORD = re.compile(rb"( [^ ]{%d})[^ ]+" % MAX_WORD_LENGTH)
"""With the space before the word, because `re` tries it at spaces only."""
_BIG_NUMBER = BigInteger().with_variant(Integer, "sqlite")

search_metadata = MetaData(naming_convention=metadata.naming_convention)
"""The tables of the index. They are not in `schema.metadata`, because a copy of a store can make them again."""

search_entries = Table(
    "search_entries",
    search_metadata,
    Column("number", _BIG_NUMBER, primary_key=True, autoincrement=False),
    Column("article_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    ForeignKeyConstraint(["article_id", "version"], [versions.c.article_id, versions.c.version], ondelete="CASCADE"),
    Index("ix_search_entries_article_id_version", "article_id", "version", unique=True),
)
unindexed_versions = Table(
    "unindexed_versions",
    search_metadata,
    Column("article_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("dated_minute", _BIG_NUMBER, nullable=False),
    ForeignKeyConstraint(["article_id", "version"], [versions.c.article_id, versions.c.version], ondelete="CASCADE"),
    Index("ix_unindexed_versions_dated_minute", "dated_minute"),
)
search_state = Table(
    "search_state",
    search_metadata,
    Column("folding", Integer, nullable=False),
    Column("generation", Integer, nullable=False, server_default="0"),
)
"""One row: which folding the texts have, and how often the index was emptied."""

_ADD_ENTRY_WITH_VECTOR = (
    "WITH added AS (INSERT INTO search_entries (number, article_id, version) VALUES (%s, %s, %s)"
    " ON CONFLICT DO NOTHING RETURNING number)"
    " INSERT INTO search_vectors (number, vector) SELECT number, %s::tsvector FROM added"
)
_HAS_TEXT = "SELECT 1 FROM search_texts_docsize WHERE id = ?"
_ADD_ENTRY = "INSERT INTO search_entries (number, article_id, version) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_OF_ARTICLE = search_entries.c.article_id == bindparam("of_article")
_HAS_ENTRY = select(search_entries.c.number).where(_OF_ARTICLE, search_entries.c.version == bindparam("of_version"))
_LIST_VERSIONS = (
    select(versions.c.article)
    .join_from(search_entries, versions, versions.c.article_id == search_entries.c.article_id)
    .where(_OF_ARTICLE, versions.c.version == search_entries.c.version)
    .order_by(versions.c.version)
)
_DELETE_ENTRIES = delete(search_entries).where(_OF_ARTICLE)
_ADD_TEXT = "INSERT INTO search_texts (rowid, title, lead, body, facets) VALUES (?, ?, ?, ?, ?)"
_ADD_WORDS_TO_SQLITE = "INSERT OR IGNORE INTO search_words (word) SELECT value FROM json_each(?)"
# Without a unique key, on which two writers would wait for each other. A word may be there twice.
_ADD_WORDS_TO_POSTGRESQL = (
    "INSERT INTO search_words (word) SELECT word FROM unnest(%s::text[]) AS word"
    " WHERE NOT EXISTS (SELECT 1 FROM search_words AS known WHERE known.word = word.word)"
)
_LIST_UNINDEXED = (
    select(unindexed_versions.c.article_id, unindexed_versions.c.version, versions.c.article, articles.c.dated_at)
    .join_from(unindexed_versions, articles, articles.c.id == unindexed_versions.c.article_id)
    .join(
        versions,
        (versions.c.article_id == unindexed_versions.c.article_id)
        & (versions.c.version == unindexed_versions.c.version),
    )
    .order_by(unindexed_versions.c.dated_minute.desc())
    .limit(bindparam("count", type_=Integer))
)
_DELETE_UNINDEXED = delete(unindexed_versions).where(
    unindexed_versions.c.article_id == bindparam("of_article"), unindexed_versions.c.version == bindparam("of_version")
)


def compute_number(article_id: str, version: int, dated_at: datetime) -> int:
    """Return the number that an entry should have: it grows with the article's minute, then with the version."""
    minute = int(dated_at.timestamp() // 60)
    digest = blake2b(article_id.encode("utf-8", "surrogatepass"), digest_size=2).digest()
    return minute * NUMBERS_PER_MINUTE + int.from_bytes(digest, "big") + version - 1


def compute_first_number(at: datetime) -> int:
    """Return the smallest number of the articles of a time's minute."""
    return int(at.timestamp() // 60) * NUMBERS_PER_MINUTE


def add_entry(connection: Connection, article: Article, dated_at: datetime) -> None:
    """Index a version, in the transaction that writes it. A version that is indexed already stays as it is."""
    number = compute_number(article.id, article.version or 1, dated_at)
    texts = fold_fields(article.texts)
    facets = list_facets(article.source, article.language, dated_at)
    vector = "" if connection.dialect.name == "sqlite" else make_vector(texts, facets)
    # Two articles of one minute may want one number: the second gets the next free one.
    while not _claim_number(connection, number, article, vector):
        if connection.execute(_HAS_ENTRY, {"of_article": article.id, "of_version": article.version}).first():
            return
        number += 1
    if connection.dialect.name == "sqlite":
        values = (number, *(texts.get(name) for name in FIELDS), " ".join(facets))
        execute_by_driver(connection, _ADD_TEXT, values)
    add_words(connection, texts)


def add_words(connection: Connection, texts: Mapping[str, str]) -> None:
    """Add the words of an entry's texts to `search_words`, in the transaction that writes the entry.

    The connection remembers which words are there, because to look for all of them takes as long as to index the text.
    A rollback makes it forget them (`Database`), and another generation of the index too.
    """
    generation = execute_by_driver(connection, "SELECT generation FROM search_state").fetchone()
    if connection.info.get("generation") != generation:
        connection.info.update(generation=generation, search_words=set())
    known: set[str] = connection.info["search_words"]
    added = list_words(texts) - known
    if added:
        if connection.dialect.name == "sqlite":
            execute_by_driver(connection, _ADD_WORDS_TO_SQLITE, (json.dumps(sorted(added), ensure_ascii=False),))
        else:
            execute_by_driver(connection, _ADD_WORDS_TO_POSTGRESQL, (sorted(added),))
    if len(known) < MAX_KNOWN_WORDS:
        known |= added


def list_words(texts: Mapping[str, str]) -> set[str]:
    """Return the words of folded texts."""
    return {word for text in texts.values() for word in text.split()} - {PHRASE_MARK}


def _claim_number(connection: Connection, number: int, article: Article, vector: str) -> bool:
    """Add the entry under a number, on PostgreSQL with its vector. Return False if the number or the version is taken.

    A number that the FTS5 table ever had is not used again.
    """
    entry = (number, article.id, article.version)
    if connection.dialect.name == "sqlite":
        is_used = fetch_by_driver(connection, _HAS_TEXT, (number,))
        return not is_used and bool(execute_by_driver(connection, _ADD_ENTRY, entry).rowcount)
    return bool(execute_by_driver(connection, _ADD_ENTRY_WITH_VECTOR, (*entry, vector)).rowcount)


def move_entries(connection: Connection, article_id: str, dated_at: datetime) -> None:
    """Give the entries of an article the numbers of another time."""
    key = {"of_article": article_id}
    stored = [parse_article(row.article) for row in connection.execute(_LIST_VERSIONS, key)]
    connection.execute(_DELETE_ENTRIES, key)
    for article in stored:
        add_entry(connection, article, dated_at)


def list_facets(source: str, language: str | None, dated_at: datetime) -> tuple[str, ...]:
    """Return the words by which an entry is found that are not of its text.

    By the year, the month and the day PostgreSQL looks at the newest entries first: an AND with a date skips others.
    """
    day = dated_at.astimezone(UTC).date().isoformat().replace("-", "")
    dates = (make_facet("date", day[:length]) for length in (4, 6, 8))
    facets = (EVERY_ENTRY, make_facet("source", source), *dates)
    return (*facets, make_facet("lang", language)) if language else facets


@lru_cache(maxsize=1024)
def make_facet(name: str, value: str) -> str:
    """Return the word of a source, a language, a year or a month.

    >>> make_facet("source", "kt.kz news")
    'source:kt.kz_news'
    """
    return f"{name}:{re.sub(r'[^a-z0-9.-]', '_', value.lower())}"


def fold_fields(texts: Mapping[str, str | None]) -> dict[str, str]:
    """Return the folded words of each field with a text, without the ends of very long words."""
    return {name: decode_folded(cut_long_words(fold_text(text).data)).strip() for name, text in texts.items() if text}


def cut_long_words(data: bytes) -> bytes:
    """Return folded bytes, with at most so many characters of each word as the index has. A space is before each."""
    return _LONG_WORD.sub(rb"\1", data)


def make_vector(texts: Mapping[str, str], facets: Iterable[str]) -> str:
    """Return a tsvector as PostgreSQL reads it."""
    places: dict[str, list[str]] = {}
    position, size, is_ordered = 0, 0, True
    for name in FIELDS:
        position += 1  # a gap, so that no phrase is in two fields
        for word in texts.get(name, "").split():
            position += 1
            if word == PHRASE_MARK:
                continue
            found = places.get(word)
            if found is None:
                size += len(word.encode()) + 12
                if size > MAX_VECTOR_BYTES // 2:
                    is_ordered = False
                    continue
                found = places[word] = []
            if position > MAX_POSITION or len(found) >= MAX_POSITIONS_PER_WORD or size > MAX_VECTOR_BYTES:
                is_ordered = False
            if len(found) < MAX_POSITIONS_PER_WORD and (not found or position <= MAX_POSITION):
                found.append(f"{min(position, MAX_POSITION)}{FIELD_WEIGHTS[name]}")
                size += 2
    marks = [*facets, *([] if is_ordered else [UNORDERED_ENTRY])]
    parts = [f"{quote_lexeme(word)}:{','.join(found)}" for word, found in places.items()]
    return " ".join([*parts, *map(quote_lexeme, marks)])


def quote_lexeme(word: str) -> str:
    """Return a word as a tsvector or a tsquery has it.

    >>> quote_lexeme("o'neil")
    "'o''neil'"
    """
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def index_batch(connection: Connection, count: int) -> int:
    """Index the newest versions that wait, at most so many, in the caller's transaction. Return how many they were."""
    rows = connection.execute(_LIST_UNINDEXED, {"count": count}).all()
    for row in reversed(rows):  # in the order of their numbers FTS5 writes them together
        add_entry(connection, parse_article(row.article), row.dated_at)
    keys = [{"of_article": row.article_id, "of_version": row.version} for row in rows]
    if keys:
        connection.execute(_DELETE_UNINDEXED, keys)
    return len(rows)


def reset_index(connection: Connection) -> None:
    """Empty the index, and let every stored version wait to be indexed by today's folding."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("INSERT INTO search_texts (search_texts) VALUES ('delete-all')")
        connection.exec_driver_sql("DELETE FROM search_words")
        minute: Any = cast(func.strftime("%s", articles.c.dated_at), Integer) / 60
    else:
        connection.exec_driver_sql("TRUNCATE search_vectors, search_words")
        minute = func.floor(extract("epoch", articles.c.dated_at) / 60)
    connection.execute(delete(search_entries))
    connection.execute(delete(unindexed_versions))
    waiting = select(versions.c.article_id, versions.c.version, minute).join_from(
        versions, articles, articles.c.id == versions.c.article_id
    )
    connection.execute(insert(unindexed_versions).from_select(["article_id", "version", "dated_minute"], waiting))
    connection.execute(update(search_state).values(folding=INDEX_VERSION, generation=search_state.c.generation + 1))
